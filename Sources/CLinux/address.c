#define _GNU_SOURCE
#include "pgb_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static int with_errno(int code) {
    errno = code;
    return -1;
}

int pgb_interface_find(const char *name, pgb_interface *result) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memset(result, 0, sizeof *result);
    if (strlen(name) >= sizeof request.ifr_name) return with_errno(ENODEV);
    strcpy(request.ifr_name, name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int failed = ioctl(fd, SIOCGIFINDEX, &request);
    if (!failed) {
        result->index = (uint32_t)request.ifr_ifindex;
        failed = ioctl(fd, SIOCGIFFLAGS, &request);
    }
    if (!failed) {
        int flags = request.ifr_flags;
        result->is_up = (flags & IFF_UP) && (flags & IFF_RUNNING);
        result->has_neighbours = !(flags & (IFF_LOOPBACK | IFF_NOARP | IFF_POINTOPOINT));
        failed = ioctl(fd, SIOCGIFHWADDR, &request);
        if (!failed) memcpy(result->hardware, request.ifr_hwaddr.sa_data, 6);
    }
    int code = errno;
    close(fd);
    return failed ? with_errno(code) : 0;
}

// One request and its acknowledgement.
typedef struct {
    struct nlmsghdr header;
    struct ifaddrmsg address;
    char attributes[256];
} address_request;

static void add_attribute(address_request *request, uint16_t type, const void *data, size_t size) {
    struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), data, size);
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static int netlink_open(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return -1;
    // The kernel answers at once; a limit all the same, since the caller keeps time.
    struct timeval limit = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static int netlink_change(address_request *request) {
    int fd = netlink_open();
    if (fd < 0) return -1;
    int result = -1, code = 0;
    if (send(fd, request, request->header.nlmsg_len, 0) < 0) {
        code = errno;
    } else {
        char buffer[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
        ssize_t count = recv(fd, buffer, sizeof buffer, 0);
        struct nlmsghdr *header = (struct nlmsghdr *)buffer;
        if (count < 0) {
            code = errno;
        } else if (!NLMSG_OK(header, (size_t)count) || header->nlmsg_type != NLMSG_ERROR) {
            code = EPROTO;
        } else {
            code = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
            result = code ? -1 : 0;
        }
    }
    close(fd);
    return result ? with_errno(code) : 0;
}

static void prepare(
    address_request *request, uint16_t type, uint16_t flags, uint32_t interface, const uint8_t *address, size_t size,
    uint8_t prefix) {
    memset(request, 0, sizeof *request);
    request->header.nlmsg_len = NLMSG_LENGTH(sizeof request->address);
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    request->address.ifa_family = size == 4 ? AF_INET : AF_INET6;
    request->address.ifa_prefixlen = prefix;
    request->address.ifa_index = interface;
    add_attribute(request, IFA_LOCAL, address, size);
    add_attribute(request, IFA_ADDRESS, address, size);
}

int pgb_address_set(uint32_t interface, const uint8_t *address, size_t size, uint8_t prefix, uint32_t lifetime) {
    address_request request;
    prepare(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, interface, address, size, prefix);
    struct ifa_cacheinfo times = {.ifa_prefered = lifetime, .ifa_valid = lifetime};
    add_attribute(&request, IFA_CACHEINFO, &times, sizeof times);
    if (size == 16) {
        uint32_t flags = IFA_F_NODAD;
        add_attribute(&request, IFA_FLAGS, &flags, sizeof flags);
    }
    return netlink_change(&request);
}

int pgb_address_delete(uint32_t interface, const uint8_t *address, size_t size, uint8_t prefix) {
    address_request request;
    prepare(&request, RTM_DELADDR, 0, interface, address, size, prefix);
    return netlink_change(&request);
}

// The place that one RTM_NEWADDR message tells of, when it is about `address`.
static int read_place(struct nlmsghdr *header, const uint8_t *address, size_t size, pgb_address_place *place) {
    struct ifaddrmsg *message = NLMSG_DATA(header);
    int rest = (int)IFA_PAYLOAD(header), found = 0, has_local = 0;
    place->interface = message->ifa_index;
    place->prefix = message->ifa_prefixlen;
    place->lifetime = UINT32_MAX;
    for (struct rtattr *a = IFA_RTA(message); RTA_OK(a, rest); a = RTA_NEXT(a, rest)) {
        int is_same = RTA_PAYLOAD(a) == size && memcmp(RTA_DATA(a), address, size) == 0;
        // On a point-to-point link IFA_ADDRESS is the other end.
        if (a->rta_type == IFA_LOCAL) {
            has_local = 1;
            found = is_same;
        } else if (a->rta_type == IFA_ADDRESS && !has_local) {
            found = is_same;
        } else if (a->rta_type == IFA_CACHEINFO) {
            place->lifetime = ((struct ifa_cacheinfo *)RTA_DATA(a))->ifa_valid;
        }
    }
    return found;
}

int pgb_address_find(const uint8_t *address, size_t size, pgb_address_place *places, int capacity) {
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg address;
    } request;
    memset(&request, 0, sizeof request);
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof request.address);
    request.header.nlmsg_type = RTM_GETADDR;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.address.ifa_family = size == 4 ? AF_INET : AF_INET6;
    int fd = netlink_open();
    if (fd < 0) return -1;
    int found = 0, code = 0, done = 0;
    if (send(fd, &request, request.header.nlmsg_len, 0) < 0) code = errno;
    while (!code && !done) {
        char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
        ssize_t count = recv(fd, buffer, sizeof buffer, 0);
        if (count < 0) {
            if (errno == EINTR) continue;
            code = errno;
            break;
        }
        size_t rest = (size_t)count;
        for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; NLMSG_OK(h, rest); h = NLMSG_NEXT(h, rest)) {
            if (h->nlmsg_type == NLMSG_DONE) done = 1;
            if (h->nlmsg_type == NLMSG_ERROR) {
                code = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
                if (!code) code = EPROTO;
            }
            if (h->nlmsg_type != RTM_NEWADDR || found >= capacity) continue;
            if (read_place(h, address, size, &places[found])) found++;
        }
    }
    close(fd);
    return code ? with_errno(code) : found;
}

static uint16_t protocol_of(size_t size) { return htons(size == 4 ? ETH_P_ARP : ETH_P_IPV6); }

// Only neighbour advertisements (ICMPv6 type 136) are queued: the socket would else hear all of IPv6.
static int hear_advertisements(int fd, uint32_t interface) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40),  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),       BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof program[0], .filter = program};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter)) return -1;
    // Answers to a probe go to all nodes; the card lets them in also where the kernel has no IPv6 address yet.
    struct packet_mreq all = {
        .mr_ifindex = (int)interface, .mr_type = PACKET_MR_MULTICAST, .mr_alen = 6, .mr_address = {0x33, 0x33, 0, 0, 0, 1}};
    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
}

int pgb_neighbour_socket(uint32_t interface, size_t size) {
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    struct sockaddr_ll link = {
        .sll_family = AF_PACKET, .sll_protocol = protocol_of(size), .sll_ifindex = (int)interface};
    // The filter comes before the binding: nothing is queued unfiltered.
    if ((size == 16 && hear_advertisements(fd, interface)) || bind(fd, (struct sockaddr *)&link, sizeof link)) {
        int code = errno;
        close(fd);
        return with_errno(code);
    }
    return fd;
}

int pgb_neighbour_send(
    int fd, uint32_t interface, size_t size, const uint8_t *hardware, const void *bytes, size_t count) {
    struct sockaddr_ll link = {
        .sll_family = AF_PACKET, .sll_protocol = protocol_of(size), .sll_ifindex = (int)interface, .sll_halen = 6};
    memcpy(link.sll_addr, hardware, 6);
    ssize_t sent = sendto(fd, bytes, count, 0, (struct sockaddr *)&link, sizeof link);
    return sent == (ssize_t)count ? 0 : -1;
}

ssize_t pgb_neighbour_receive(int fd, void *bytes, size_t capacity, uint8_t *hardware) {
    for (;;) {
        struct sockaddr_ll from;
        socklen_t size = sizeof from;
        ssize_t count = recvfrom(fd, bytes, capacity, 0, (struct sockaddr *)&from, &size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        if (from.sll_pkttype == PACKET_OUTGOING) continue;
        memcpy(hardware, from.sll_addr, 6);
        return count;
    }
}

uint64_t pgb_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &header, data)) return 0;
    return (uint64_t)data[1].effective << 32 | data[0].effective;
}

int pgb_capability_keep_private(int capability) {
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, capability, 0, 0);
}

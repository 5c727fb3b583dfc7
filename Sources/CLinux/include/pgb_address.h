// Addresses of network interfaces (rtnetlink) and the frames that ask for and announce them (AF_PACKET). Functions return
// -1 and set errno on failure unless they say otherwise.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t index;
    uint8_t is_up;        // administratively up, and the link runs
    uint8_t has_neighbours;  // neighbours are found by ARP or neighbour discovery: neither loopback nor point to point
    uint8_t hardware[6];  // the MAC address
} pgb_interface;
// ENODEV: no interface of that name.
int pgb_interface_find(const char *name, pgb_interface *result);

// An address: 4 or 16 bytes in network order. Lifetimes in seconds; UINT32_MAX is for ever.
// Adds it, or renews the lifetime of one that is there. The kernel's own IPv6 duplicate detection is skipped.
int pgb_address_set(uint32_t interface, const uint8_t *address, size_t size, uint8_t prefix, uint32_t lifetime);
int pgb_address_delete(uint32_t interface, const uint8_t *address, size_t size, uint8_t prefix);
typedef struct {
    uint32_t interface;
    uint8_t prefix;
    uint32_t lifetime;
} pgb_address_place;
// Where the address is: the number of places written, at most `capacity`.
int pgb_address_find(const uint8_t *address, size_t size, pgb_address_place *places, int capacity);

// A packet socket that hears ARP (size 4) or neighbour advertisements (size 16); payloads without link header, never
// blocking.
int pgb_neighbour_socket(uint32_t interface, size_t size);
// Sends `bytes` in a frame of the socket's protocol.
int pgb_neighbour_send(int fd, uint32_t interface, size_t size, const uint8_t *hardware, const void *bytes, size_t count);
// The next payload and who sent it; 0 when there is none.
ssize_t pgb_neighbour_receive(int fd, void *bytes, size_t capacity, uint8_t *hardware);

// The effective capabilities of this thread, as a bit mask; 0 when they cannot be read.
#define PGB_CAP_NET_ADMIN 12
#define PGB_CAP_NET_RAW 13
uint64_t pgb_capabilities(void);
// Programs started from now on do not inherit the capability.
int pgb_capability_keep_private(int capability);

#ifdef __cplusplus
}
#endif

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t id) {
    struct timespec t = {0, 0};
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t pgb_clock_raw_ns(void) { return read_clock(CLOCK_MONOTONIC_RAW); }
int64_t pgb_clock_boottime_ns(void) { return read_clock(CLOCK_BOOTTIME); }
int64_t pgb_clock_monotonic_ns(void) { return read_clock(CLOCK_MONOTONIC); }

void pgb_clock_stamp(int64_t *raw, int64_t *suspended) {
    int64_t last = pgb_clock_boottime_ns() - pgb_clock_monotonic_ns();
    for (;;) {
        *raw = pgb_clock_raw_ns();
        int64_t next = pgb_clock_boottime_ns() - pgb_clock_monotonic_ns();
        int64_t difference = next > last ? next - last : last - next;
        last = next;
        if (difference <= 1000000) break;
    }
    *suspended = last;
}

int pgb_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int epoll_change(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, fd, &event);
}

int pgb_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    return epoll_change(epoll, EPOLL_CTL_ADD, fd, events, token);
}
int pgb_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
    return epoll_change(epoll, EPOLL_CTL_MOD, fd, events, token);
}
int pgb_epoll_remove(int epoll, int fd) { return epoll_change(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int pgb_epoll_wait(int epoll, pgb_event *events, int capacity, int timeout_ms) {
    struct epoll_event found[64];
    if (capacity > 64) capacity = 64;
    int count = epoll_wait(epoll, found, capacity, timeout_ms);
    if (count < 0) return errno == EINTR ? 0 : -1;
    for (int i = 0; i < count; i++) {
        events[i].events = found[i].events;
        events[i].token = found[i].data.u64;
    }
    return count;
}

int pgb_timerfd_create(void) { return timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC); }

int pgb_timerfd_set(int fd, int64_t relative_ns) {
    if (relative_ns < 1) relative_ns = 1;
    struct itimerspec t = {{0, 0}, {relative_ns / 1000000000, relative_ns % 1000000000}};
    return timerfd_settime(fd, 0, &t, NULL);
}

int pgb_timerfd_clear(int fd) {
    struct itimerspec t = {{0, 0}, {0, 0}};
    return timerfd_settime(fd, 0, &t, NULL);
}

int pgb_timerfd_drain(int fd) {
    uint64_t count;
    return read(fd, &count, sizeof count) == (ssize_t)sizeof count ? 1 : 0;
}

int pgb_eventfd_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
int pgb_eventfd_raise(int fd) {
    uint64_t one = 1;
    return write(fd, &one, sizeof one) == (ssize_t)sizeof one || errno == EAGAIN ? 0 : -1;
}
int pgb_eventfd_drain(int fd) { return pgb_timerfd_drain(fd); }

int pgb_signalfd_create(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int pgb_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

int pgb_ignore_signal(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0; }

int pgb_inotify_create(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

int pgb_inotify_watch(int fd, const char *directory) {
    return inotify_add_watch(fd, directory, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
}

int pgb_inotify_unwatch(int fd, int watch) { return inotify_rm_watch(fd, watch); }

int pgb_inotify_read(int fd, const char *first, const char *second, const char *third) {
    char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    int seen = 0;
    for (;;) {
        ssize_t size = read(fd, buffer, sizeof buffer);
        if (size <= 0) return seen;
        for (char *p = buffer; p < buffer + size;) {
            const struct inotify_event *event = (const struct inotify_event *)p;
            if (event->mask & IN_Q_OVERFLOW) seen |= PGB_EVENTS_LOST;
            if (event->len > 0) {
                if ((event->mask & (IN_DELETE | IN_MOVED_FROM)) && strcmp(event->name, first) == 0)
                    seen |= PGB_FIRST_FILE_GONE;
                if ((event->mask & (IN_CREATE | IN_MOVED_TO)) && strcmp(event->name, second) == 0)
                    seen |= PGB_SECOND_FILE_MADE;
                if ((event->mask & (IN_CREATE | IN_MOVED_TO)) && strcmp(event->name, third) == 0)
                    seen |= PGB_THIRD_FILE_MADE;
            }
            p += sizeof(struct inotify_event) + event->len;
        }
    }
}

static int fill_address(struct sockaddr_un *address, const char *path) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

static int close_keeping_errno(int fd) {
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int pgb_seqpacket_listen(const char *path) {
    struct sockaddr_un address;
    if (fill_address(&address, path) != 0) return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    unlink(path);
    // On Linux the mode of the descriptor becomes the mode of the file made by bind: no moment with a wider mode.
    if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || chmod(path, 0600) != 0
        || listen(fd, 16) != 0)
        return close_keeping_errno(fd);
    return fd;
}

int pgb_seqpacket_connect(const char *path) {
    struct sockaddr_un address;
    if (fill_address(&address, path) != 0) return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return close_keeping_errno(fd);
    return fd;
}

int pgb_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int pgb_peer_credentials(int fd, pid_t *pid, uid_t *uid) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
    *pid = credentials.pid;
    *uid = credentials.uid;
    return 0;
}

ssize_t pgb_send_packet(int fd, const void *bytes, size_t count) {
    ssize_t sent;
    do sent = send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t pgb_receive_packet(int fd, void *bytes, size_t capacity) {
    ssize_t size;
    do size = recv(fd, bytes, capacity, MSG_TRUNC);
    while (size < 0 && errno == EINTR);
    if (size > (ssize_t)capacity) {
        errno = EMSGSIZE;
        return -1;
    }
    return size;
}

int pgb_flock_exclusive(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) return close_keeping_errno(fd);
    return fd;
}

int pgb_rename_noreplace(const char *from, const char *to) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1u /* RENAME_NOREPLACE */);
}

int pgb_rename_exchange(const char *first, const char *second) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, first, AT_FDCWD, second, 2u /* RENAME_EXCHANGE */);
}

int pgb_fsync_path(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    if (fsync(fd) != 0) return close_keeping_errno(fd);
    return close(fd);
}

static int write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

int pgb_write_durably(const char *path, const void *bytes, size_t count, mode_t mode) {
    char temporary[PATH_MAX], parent[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.tmp-%d", path, (int)getpid()) >= (int)sizeof temporary
        || snprintf(parent, sizeof parent, "%s", path) >= (int)sizeof parent) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return -1;
    if (fchmod(fd, mode) != 0 || write_all(fd, bytes, count) != 0 || fsync(fd) != 0) {
        close_keeping_errno(fd);
        int saved = errno;
        unlink(temporary);
        errno = saved;
        return -1;
    }
    if (close(fd) != 0 || rename(temporary, path) != 0) return -1;
    char *slash = strrchr(parent, '/');
    if (slash == NULL) return pgb_fsync_path(".");
    slash[slash == parent ? 1 : 0] = '\0';
    return pgb_fsync_path(parent);
}

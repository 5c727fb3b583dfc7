// What Glibc's Swift module does not expose. Every function returns -1 and sets errno on failure unless it says
// otherwise; every descriptor is made with close-on-exec. The implementations are grouped by file: clocks and
// descriptors (clinux.c), processes (process.c), the process sweep of the guard (sweep.c), network addresses
// (address.c, declared in pgb_address.h).
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "pgb_address.h"
#include "pgb_machine.h"

#ifdef __cplusplus
extern "C" {
#endif

// Clocks, in nanoseconds.
int64_t pgb_clock_raw_ns(void);        // CLOCK_MONOTONIC_RAW: never slewed, stops while suspended
int64_t pgb_clock_boottime_ns(void);   // CLOCK_BOOTTIME: counts suspension
int64_t pgb_clock_monotonic_ns(void);  // CLOCK_MONOTONIC
// LE1: raw time, and boottime - monotonic, read until two readings of the difference agree within 1 ms.
void pgb_clock_stamp(int64_t *raw, int64_t *suspended);

// epoll. The token comes back with the event.
#define PGB_EPOLLIN 0x001u
#define PGB_EPOLLOUT 0x004u
#define PGB_EPOLLERR 0x008u
#define PGB_EPOLLHUP 0x010u
#define PGB_EPOLLRDHUP 0x2000u
typedef struct {
    uint32_t events;
    uint64_t token;
} pgb_event;
int pgb_epoll_create(void);
int pgb_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int pgb_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
int pgb_epoll_remove(int epoll, int fd);
// Returns the number of events; 0 after timeout_ms (-1 waits for ever) or an interrupting signal.
int pgb_epoll_wait(int epoll, pgb_event *events, int capacity, int timeout_ms);

// A CLOCK_BOOTTIME timer: it fires on resume when its time passed during a suspension (GU2).
int pgb_timerfd_create(void);
int pgb_timerfd_set(int fd, int64_t relative_ns);  // values below 1 fire at once
int pgb_timerfd_clear(int fd);
// Makes a timerfd, eventfd or signalfd unreadable again; returns 1 if it was readable, 0 if not.
int pgb_timerfd_drain(int fd);
int pgb_eventfd_create(void);
int pgb_eventfd_raise(int fd);
int pgb_eventfd_drain(int fd);

// Blocks the signals in the calling thread and returns a descriptor that reports them.
int pgb_signalfd_create(const int *signals, int count);
int pgb_signalfd_read(int fd);  // the next signal number, or 0 when there is none
int pgb_ignore_signal(int signal);

// inotify on one directory, reduced to the three facts of GU3 and AS4.
#define PGB_FIRST_FILE_GONE 1
#define PGB_SECOND_FILE_MADE 2
#define PGB_EVENTS_LOST 4
#define PGB_THIRD_FILE_MADE 8
int pgb_inotify_create(void);
int pgb_inotify_watch(int fd, const char *directory);
int pgb_inotify_unwatch(int fd, int watch);
// Reads all events: PGB_FIRST_FILE_GONE if `first` was removed or renamed away, PGB_SECOND_FILE_MADE if `second`
// appeared, PGB_THIRD_FILE_MADE likewise, PGB_EVENTS_LOST if the kernel's queue overflowed.
int pgb_inotify_read(int fd, const char *first, const char *second, const char *third);

// Unix sockets (SOCK_SEQPACKET: one packet, one message).
int pgb_seqpacket_listen(const char *path);   // replaces a socket file; mode 0600
int pgb_seqpacket_connect(const char *path);  // blocking descriptor
int pgb_accept(int fd);                       // non-blocking descriptor
int pgb_peer_credentials(int fd, pid_t *pid, uid_t *uid);
ssize_t pgb_send_packet(int fd, const void *bytes, size_t count);  // neither waits nor raises SIGPIPE
// Bytes of the packet; 0 at the end; -1 with EMSGSIZE for a packet larger than `capacity`.
ssize_t pgb_receive_packet(int fd, void *bytes, size_t capacity);

// Files.
int pgb_flock_exclusive(const char *path);  // opens (mode 0600) and locks; -1 with EWOULDBLOCK if another has it
int pgb_rename_noreplace(const char *from, const char *to);
int pgb_rename_exchange(const char *first, const char *second);
int pgb_fsync_path(const char *path);  // a file or a directory
// Writes `path` durably: temporary file, fsync, rename, fsync of the directory.
int pgb_write_durably(const char *path, const void *bytes, size_t count, mode_t mode);

// Processes.
int pgb_pidfd_open(pid_t pid);
int pgb_pidfd_signal(int pidfd, int signal);
int pgb_kill(pid_t pid, int signal);
pid_t pgb_wait(pid_t pid, int *status);  // without blocking: 0 while the child lives; pid -1 for any child
int pgb_become_subreaper(void);
// Locks the memory of this process, present and future. -1 with EPERM when a limit would make later allocations fail.
int pgb_lock_memory(void);
int pgb_become_realtime(int priority);  // SCHED_FIFO; children start with the normal scheduler
int pgb_set_oom_score_adj(int value);
int pgb_become_user(const char *name);  // initgroups, setgid, setuid
int pgb_set_parent_death_signal(int signal);
// Like sd_notify(3): does nothing and returns 0 without NOTIFY_SOCKET; 1 when the message was sent.
int pgb_notify(const char *state);

typedef struct {
    const char *program;        // absolute path
    char *const *arguments;     // NULL-terminated, with argv[0]
    char *const *environment;   // NULL-terminated
    const char *directory;      // working directory, or NULL
    const char *log_path;       // standard output and error are appended there; NULL: inherited
    int parent_death_signal;    // 0: none. Ends with the *thread* that spawned: call from the main thread
} pgb_spawn_request;
// fork and exec without waiting for the exec, so that a stalled disk cannot hold the caller. The child gets default
// signals, no descriptors above 2, the normal scheduler and oom_score_adj 0. Exit status 127: exec failed.
pid_t pgb_spawn(const pgb_spawn_request *request);
// As pgb_spawn, but in a session of its own and not a child of the caller. Returns its process id.
pid_t pgb_detach(const pgb_spawn_request *request);
// Creates `path` and sends `signal` to the process of `pidfd`, both in a short-lived child that the caller must reap:
// the caller never touches the disk. Returns the child's process id.
pid_t pgb_create_file_then_signal(const char *path, int pidfd, int signal);

typedef struct {
    const char *data_directory;  // canonical path; compared with /proc/<pid>/cwd
    const char *program;         // a base name that counts besides "postgres", or NULL
    pid_t postmaster;            // every child of it counts; 0: unknown
    pid_t reaper;                // children of it with the right executable count; 0: none
    int signal;                  // sent to each process found; 0: only count
    int spare_postmaster;        // 1: the postmaster itself is neither signalled nor counted
} pgb_sweep_request;
// One pass over all processes (LE11): how many living ones belong to the server.
int pgb_sweep(const pgb_sweep_request *request);

#ifdef __cplusplus
}
#endif

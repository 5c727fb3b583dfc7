#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int pgb_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
int pgb_pidfd_signal(int pidfd, int number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}
int pgb_kill(pid_t pid, int number) { return kill(pid, number); }

pid_t pgb_wait(pid_t pid, int *status) {
    pid_t result;
    do result = waitpid(pid, status, WNOHANG);
    while (result < 0 && errno == EINTR);
    return result;
}

int pgb_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
int pgb_set_parent_death_signal(int number) { return prctl(PR_SET_PDEATHSIG, number, 0, 0, 0); }

// With this capability the limit on locked memory does not apply.
static int may_lock_memory(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) != 0) return 0;
    return (data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective & CAP_TO_MASK(CAP_IPC_LOCK)) != 0;
}

int pgb_lock_memory(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return -1;
    if (limit.rlim_cur != RLIM_INFINITY && !may_lock_memory()) {
        limit.rlim_cur = limit.rlim_max;
        // A finite limit would make a later allocation fail, which is worse than a page fault.
        if (limit.rlim_max != RLIM_INFINITY || setrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
            errno = EPERM;
            return -1;
        }
    }
    return mlockall(MCL_CURRENT | MCL_FUTURE);
}

int pgb_become_realtime(int priority) {
    struct sched_param parameter = {.sched_priority = priority};
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter);
}

// Only system calls: it runs between fork and exec as well.
int pgb_set_oom_score_adj(int value) {
    char text[16];
    int length = 0;
    unsigned magnitude = value < 0 ? (unsigned)-value : (unsigned)value;
    char digits[12];
    int count = 0;
    do digits[count++] = (char)('0' + magnitude % 10);
    while ((magnitude /= 10) > 0);
    if (value < 0) text[length++] = '-';
    while (count > 0) text[length++] = digits[--count];
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t written = write(fd, text, (size_t)length);
    int saved = errno;
    close(fd);
    errno = saved;
    return written == length ? 0 : -1;
}

int pgb_become_user(const char *name) {
    errno = 0;
    struct passwd *user = getpwnam(name);
    if (user == NULL) {
        if (errno == 0) errno = ENOENT;
        return -1;
    }
    if (geteuid() == user->pw_uid && getuid() == user->pw_uid) return 0;
    if (initgroups(name, user->pw_gid) != 0) return -1;
    if (setgid(user->pw_gid) != 0) return -1;
    return setuid(user->pw_uid);
}

int pgb_notify(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL || (path[0] != '/' && path[0] != '@')) return 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    int saved = errno;
    close(fd);
    errno = saved;
    return sent < 0 ? -1 : 1;
}

static void close_from(int first) {
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0) return;
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (limit > 0 ? limit : 1024); fd++) close(fd);
}

static void default_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void complain(const char *what) {
    const char *parts[] = {"pgbastion: error: could not ", what, "\n"};
    for (int i = 0; i < 3; i++) {
        ssize_t ignored = write(2, parts[i], strlen(parts[i]));
        (void)ignored;
    }
}

// The child's part: system calls only, never returns.
__attribute__((noreturn)) static void execute(const pgb_spawn_request *request, pid_t parent) {
    if (request->parent_death_signal != 0) {
        prctl(PR_SET_PDEATHSIG, request->parent_death_signal, 0, 0, 0);
        // The parent may have died before the line above: then no signal will ever come.
        if (getppid() != parent) _exit(126);
    }
    default_signals();
    pgb_set_oom_score_adj(0);
    // Before anything that may wait for a disk: a lock or a socket must not live on in a child that hangs.
    close_from(3);
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0) dup2(null, 0);
    if (request->log_path != NULL) {
        int log = open(request->log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (log < 0) {
            complain("open the log file");
        } else {
            dup2(log, 1);
            dup2(log, 2);
            close(log);
        }
    }
    if (null > 2) close(null);
    if (request->directory != NULL && chdir(request->directory) != 0) {
        complain("enter the working directory");
        _exit(127);
    }
    execve(request->program, request->arguments, request->environment);
    complain("execute the program");
    _exit(127);
}

pid_t pgb_spawn(const pgb_spawn_request *request) {
    pid_t parent = getpid();
    sigset_t all, before;
    // No handler of the parent may run in the child before its handlers are gone.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) execute(request, parent);
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return child;
}

pid_t pgb_detach(const pgb_spawn_request *request) {
    int channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0) return -1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t middle = fork();
    if (middle == 0) {
        setsid();
        pid_t grandchild = fork();
        if (grandchild == 0) execute(request, getppid());
        ssize_t written = write(channel[1], &grandchild, sizeof grandchild);
        _exit(grandchild > 0 && written == (ssize_t)sizeof grandchild ? 0 : 1);
    }
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(channel[1]);
    pid_t result = -1;
    if (middle > 0) {
        if (read(channel[0], &result, sizeof result) != (ssize_t)sizeof result) result = -1;
        while (waitpid(middle, NULL, 0) < 0 && errno == EINTR) {}
        saved = EAGAIN;
    }
    close(channel[0]);
    errno = saved;
    return result;
}

pid_t pgb_create_file_then_signal(const char *path, int pidfd, int number) {
    pid_t child = fork();
    if (child != 0) return child;
    dup2(pidfd, 3);
    close_from(4);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) _exit(1);
    close(fd);
    _exit(pgb_pidfd_signal(3, number) == 0 ? 0 : 2);
}

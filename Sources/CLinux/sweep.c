#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The base name or path a /proc link points at, without the mark of a deleted file. 0 when it cannot be read.
static int read_link(pid_t pid, const char *name, char *out, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    ssize_t length = readlink(path, out, size - 1);
    if (length <= 0) return 0;
    out[length] = '\0';
    static const char deleted[] = " (deleted)";
    size_t suffix = sizeof deleted - 1;
    if ((size_t)length > suffix && strcmp(out + length - suffix, deleted) == 0) out[length - suffix] = '\0';
    return 1;
}

// State letter and parent from /proc/<pid>/stat. The name in parentheses may contain anything, hence strrchr.
static int read_stat(pid_t pid, char *state, pid_t *parent) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return 0;
    text[size] = '\0';
    const char *end = strrchr(text, ')');
    int number;
    if (end == NULL || sscanf(end + 1, " %c %d", state, &number) != 2) return 0;
    *parent = number;
    return 1;
}

static int has_executable(pid_t pid, const pgb_sweep_request *request) {
    char path[PATH_MAX];
    if (!read_link(pid, "exe", path, sizeof path)) return 0;
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    return strcmp(name, "postgres") == 0 || (request->program != NULL && strcmp(name, request->program) == 0);
}

static int belongs(pid_t pid, const pgb_sweep_request *request) {
    if (pid == request->postmaster && request->spare_postmaster) return 0;
    char state;
    pid_t parent;
    if (!read_stat(pid, &state, &parent) || state == 'Z' || state == 'X') return 0;
    if (pid == request->postmaster) return 1;
    if (request->postmaster > 0 && parent == request->postmaster) return 1;
    if (!has_executable(pid, request)) return 0;
    if (request->reaper > 0 && parent == request->reaper) return 1;
    char directory[PATH_MAX];
    return read_link(pid, "cwd", directory, sizeof directory) && strcmp(directory, request->data_directory) == 0;
}

// The process is looked at again behind its pidfd, so that a number used anew is never hit.
static void signal_if_ours(pid_t pid, const pgb_sweep_request *request) {
    int pidfd = pgb_pidfd_open(pid);
    if (pidfd < 0) {
        if (errno != ESRCH && belongs(pid, request)) kill(pid, request->signal);
        return;
    }
    if (belongs(pid, request)) pgb_pidfd_signal(pidfd, request->signal);
    close(pidfd);
}

// Children of the postmaster first: by far the quickest way to most processes.
static void signal_children(const pgb_sweep_request *request) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)request->postmaster, (int)request->postmaster);
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    int pid;
    while (fscanf(file, "%d", &pid) == 1) signal_if_ours(pid, request);
    fclose(file);
}

int pgb_sweep(const pgb_sweep_request *request) {
    if (request->postmaster > 0 && request->signal != 0) signal_children(request);
    DIR *processes = opendir("/proc");
    if (processes == NULL) return -1;
    pid_t self = getpid();
    int count = 0;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid == self || !belongs(pid, request)) continue;
        count++;
        if (request->signal != 0) signal_if_ours(pid, request);
    }
    closedir(processes);
    return count;
}

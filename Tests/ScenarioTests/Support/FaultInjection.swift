import Glibc

/// Lets one system call of a command fail, whichever it is: the calls that change something below a directory, one after the
/// other (C3 of backup-restore.md, section 12).
///
/// A library that is loaded before the C library counts the calls and refuses the one that is asked for, so that nothing in the
/// program knows of it. Of calls that do the same to the same file the first is taken, and often the last; with
/// `PGBASTION_EVERY_FAULT=1` every one.
struct FaultInjection {
    enum Kind: String, CaseIterable {
        /// This call fails, the next succeeds.
        case once
        /// From this call on nothing can be written any more; files can still be removed.
        case full
        /// The process is killed in front of this call.
        case killed

        var number: Int32 { self == .full ? ENOSPC : EIO }
    }

    /// What failed: `fsync`, `/path/of/the/file`.
    struct Fault {
        var call: String
        var path: String
        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    }

    private let library: String

    init() throws {
        library = "/tmp/pgbastion-test-\(getpid())-faults.so"
        guard access(library, R_OK) != 0 else { return }
        let made = Shell.run(
            "printf '%s' \"$SOURCE\" | cc -O1 -shared -fPIC -x c -o '\(library)' -",
            environment: ["SOURCE": Self.source])
        try hold(made.status == 0, "\(made)")
    }

    func remove() { unlink(library) }

    /// Runs `command` undisturbed, and then once for each of the calls that it makes below `directory`.
    ///
    /// - Parameter judge: Told of every run that had its fault.
    /// - Returns: How many calls were refused.
    func sweep(
        _ command: String, below directory: String, _ kind: Kind, prepare: String,
        judge: (Fault, Shell.Result) throws -> Void
    ) throws -> Int {
        let (listed, undisturbed) = try run(command, below: directory, kind, prepare: prepare, failing: nil)
        try hold(undisturbed.status == 0, "undisturbed: \(undisturbed)")
        var refused = 0
        for number in chosen(listed, kind) {
            let (faults, result) = try run(command, below: directory, kind, prepare: prepare, failing: number)
            // The threads of a run may take turns in another order: a run with fewer calls has no fault.
            guard let fault = faults.first else { continue }
            try judge(fault, result)
            refused += 1
        }
        return refused
    }

    /// - Parameter number: Of the call that fails; nil: none does, and every call is told.
    private func run(
        _ command: String, below directory: String, _ kind: Kind, prepare: String, failing number: Int?
    ) throws -> ([Fault], Shell.Result) {
        let report = library + ".report"
        defer { unlink(report) }
        unlink(report)
        var environment = ["FAULT_BELOW": directory, "FAULT_REPORT": report, "FAULT_ERRNO": "\(kind.number)"]
        if let number { environment["FAULT_AT"] = "\(number)" }
        if kind == .full { environment["FAULT_STICKY"] = "1" }
        if kind == .killed { environment["FAULT_KILL"] = "1" }
        let prepared = Shell.run(prepare)
        try hold(prepared.status == 0, "\(prepared)")
        let result = Shell.run("LD_PRELOAD='\(library)' \(command) < /dev/null", environment: environment)
        let faults = Shell.text(report).split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            return Fault(call: words[0], path: words.count > 1 ? words[1] : "")
        }
        return (faults, result)
    }

    /// The numbers of the calls to refuse, from 1.
    private func chosen(_ calls: [Fault], _ kind: Kind) -> [Int] {
        guard getenv("PGBASTION_EVERY_FAULT") == nil else { return Array(1...max(1, calls.count)) }
        var first: [String: Int] = [:]
        var last: [String: Int] = [:]
        for (index, call) in calls.enumerated() {
            // What a process wrote before it was killed is there, flushed or not.
            if kind == .killed, ["fsync", "close"].contains(call.call) { continue }
            // Names hold process ids and times. On a full disk all writes behind it fail as well.
            let isAlike = kind == .full && !["rename", "mkdir", "open"].contains(call.call)
            // Databases are alike, and so are their many pages.
            let place = call.name.contains(".db") ? "database" : call.path
            let key = isAlike ? call.call : call.call + " " + place.filter { !$0.isNumber }
            if first[key] == nil { first[key] = index + 1 }
            if kind == .once, ["fsync", "rename", "unlink"].contains(call.call) { last[key] = index + 1 }
        }
        return Set(first.values).union(last.values).sorted()
    }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <limits.h>
        #include <signal.h>
        #include <stdarg.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/stat.h>
        #include <sys/syscall.h>
        #include <unistd.h>

        static const char *prefix, *report;
        static long at = LONG_MAX, count;
        static int number, sticky, deadly;

        __attribute__((constructor)) static void begin(void) {
            prefix = getenv("FAULT_BELOW");
            report = getenv("FAULT_REPORT");
            const char *text = getenv("FAULT_AT");
            if (text) at = atol(text);
            text = getenv("FAULT_ERRNO");
            number = text ? atoi(text) : EIO;
            sticky = getenv("FAULT_STICKY") != NULL;
            deadly = getenv("FAULT_KILL") != NULL;
            unsetenv("LD_PRELOAD");
        }

        static int hit(const char *call, const char *path) {
            size_t length = prefix ? strlen(prefix) : 0;
            if (!prefix || !path || strncmp(path, prefix, length) != 0 || (path[length] && path[length] != '/')) return 0;
            // A full disk stays full, and still lets files be removed and closed.
            if (sticky && (!strncmp(call, "unlink", 6) || !strcmp(call, "rmdir") || !strcmp(call, "close"))) return 0;
            long mine = __sync_add_and_fetch(&count, 1);
            if ((mine == at || at == LONG_MAX) && report) {
                int fd = syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_APPEND, 0644);
                char line[PATH_MAX + 64];
                int size = snprintf(line, sizeof line, "%s %s\n", call, path);
                if (fd >= 0) {
                    syscall(SYS_write, fd, line, (size_t)size);
                    syscall(SYS_close, fd);
                }
            }
            if (sticky ? mine < at : mine != at) return 0;
            if (deadly) kill(getpid(), SIGKILL);
            errno = number;
            return 1;
        }

        static int hit_fd(const char *call, int fd) {
            char link[64], path[PATH_MAX];
            if (!prefix) return 0;
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            int saved = errno;
            ssize_t length = readlink(link, path, sizeof path - 1);
            errno = saved;
            if (length <= 0) return 0;
            path[length] = 0;
            return hit(call, path);
        }

        static int hit_at(const char *call, int folder, const char *path) {
            char link[64], full[2 * PATH_MAX];
            if (!path || path[0] == '/' || folder == AT_FDCWD) return hit(call, path);
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            int saved = errno;
            ssize_t length = readlink(link, full, PATH_MAX - 1);
            errno = saved;
            if (length <= 0) return 0;
            snprintf(full + length, sizeof full - length, "/%s", path);
            return hit(call, full);
        }

        #define MODE(flags) mode_t mode = 0; \
            if ((flags) & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
        #define WRITES(flags) ((flags) & (O_WRONLY | O_RDWR | O_CREAT))

        int open(const char *path, int flags, ...) {
            MODE(flags) if (WRITES(flags) && hit("open", path)) return -1;
            return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
        }
        int open64(const char *path, int flags, ...) {
            MODE(flags) if (WRITES(flags) && hit("open", path)) return -1;
            return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
        }
        int openat(int folder, const char *path, int flags, ...) {
            MODE(flags) if (WRITES(flags) && hit_at("open", folder, path)) return -1;
            return (int)syscall(SYS_openat, folder, path, flags, mode);
        }
        int openat64(int folder, const char *path, int flags, ...) {
            MODE(flags) if (WRITES(flags) && hit_at("open", folder, path)) return -1;
            return (int)syscall(SYS_openat, folder, path, flags, mode);
        }
        ssize_t write(int fd, const void *bytes, size_t size) {
            if (hit_fd("write", fd)) return -1;
            return syscall(SYS_write, fd, bytes, size);
        }
        ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
            if (hit_fd("write", fd)) return -1;
            return syscall(SYS_pwrite64, fd, bytes, size, offset);
        }
        ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
            if (hit_fd("write", fd)) return -1;
            return syscall(SYS_pwrite64, fd, bytes, size, offset);
        }
        int ftruncate(int fd, off_t size) {
            if (hit_fd("truncate", fd)) return -1;
            return (int)syscall(SYS_ftruncate, fd, size);
        }
        int ftruncate64(int fd, off64_t size) {
            if (hit_fd("truncate", fd)) return -1;
            return (int)syscall(SYS_ftruncate, fd, size);
        }
        int fsync(int fd) {
            if (hit_fd("fsync", fd)) return -1;
            return (int)syscall(SYS_fsync, fd);
        }
        int fdatasync(int fd) {
            if (hit_fd("fsync", fd)) return -1;
            return (int)syscall(SYS_fdatasync, fd);
        }
        int close(int fd) {
            int saved = errno, flags = fcntl(fd, F_GETFL);
            int fails = flags >= 0 && (flags & (O_WRONLY | O_RDWR)) && hit_fd("close", fd);
            if (!fails) errno = saved;
            int closed = (int)syscall(SYS_close, fd);
            if (!fails) return closed;
            errno = number;
            return -1;
        }
        int rename(const char *from, const char *to) {
            if (hit("rename", from)) return -1;
            return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
        }
        int unlink(const char *path) {
            if (hit("unlink", path)) return -1;
            return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
        }
        int unlinkat(int folder, const char *path, int flags) {
            if (hit_at("unlink", folder, path)) return -1;
            return (int)syscall(SYS_unlinkat, folder, path, flags);
        }
        int rmdir(const char *path) {
            if (hit("rmdir", path)) return -1;
            return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
        }
        int mkdir(const char *path, mode_t mode) {
            if (hit("mkdir", path)) return -1;
            return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
        }
        int mkdirat(int folder, const char *path, mode_t mode) {
            if (hit_at("mkdir", folder, path)) return -1;
            return (int)syscall(SYS_mkdirat, folder, path, mode);
        }
        int symlink(const char *target, const char *path) {
            if (hit("symlink", path)) return -1;
            return (int)syscall(SYS_symlinkat, target, AT_FDCWD, path);
        }
        int link(const char *from, const char *to) {
            if (hit("link", from)) return -1;
            return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
        }

        long syscall(long call, ...) {
            static long (*next)(long, ...);
            if (!next) next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
            va_list list;
            va_start(list, call);
            long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
            long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
            va_end(list);
            if (call == SYS_renameat2 && e != 0 && hit("rename", (const char *)b)) return -1;
            return next(call, a, b, c, d, e, f);
        }

        """#
}

extension FaultInjection.Kind {
    /// What a sweep that takes a minute tries: a disk that stays full shows little that one failure does not.
    static var ofThisRun: [FaultInjection.Kind] { getenv("PGBASTION_EVERY_FAULT") == nil ? [.once] : [.once, .full] }
}

import ClusterModel
import Glibc

/// Facts of the data directory that need no PostgreSQL.
enum DataDirectory {
    static func state(_ path: String) -> DataDirectoryState {
        do {
            guard let names = try DurableFiles.list(path) else { return .missing }
            return names.allSatisfy { $0 == "lost+found" } ? .empty : .present
        } catch {
            // A directory that cannot be listed is certainly not one to fill.
            return .present
        }
    }

    static func version(_ path: String) -> PostgresVersion? {
        do {
            return try DurableFiles.read(path + "/PG_VERSION").flatMap { PostgresVersion(text: $0) }
        } catch {
            return nil
        }
    }

    /// Whether `postmaster.pid` names a living process that works in this directory. The file alone proves nothing (D61).
    static func hasPostmaster(_ path: String) -> Bool { postmasterPID(path) != nil }

    /// Where a running server made its socket (line 5 of `postmaster.pid`); nil when it has none or does not run.
    static func socketDirectory(_ path: String) -> String? {
        guard hasPostmaster(path), let directory = pidFileLine(4, path) else { return nil }
        return directory.hasPrefix("/") ? directory : nil
    }

    /// The port in `postmaster.pid` (line 4).
    static func port(_ path: String) -> Int? { pidFileLine(3, path).flatMap { Int($0) } }

    private static func pidFileLine(_ number: Int, _ path: String) -> String? {
        do {
            let lines = try DurableFiles.read(path + "/postmaster.pid")?.split(separator: "\n", omittingEmptySubsequences: false)
            guard let lines, lines.count > number else { return nil }
            return String(lines[number]).trimmedLine
        } catch {
            return nil
        }
    }

    static func postmasterPID(_ path: String) -> pid_t? {
        do {
            guard let text = try DurableFiles.read(path + "/postmaster.pid"),
                let pid = text.split(separator: "\n").first.flatMap({ pid_t($0) }), pid > 0
            else { return nil }
            guard kill(pid, 0) == 0 || errno == EPERM else { return nil }
            var own = stat()
            var other = stat()
            guard stat(path, &own) == 0 else { return nil }
            // Unreadable for a process of another user: then its existence must do.
            guard stat("/proc/\(pid)/cwd", &other) == 0 else { return errno == ENOENT ? nil : pid }
            return own.st_ino == other.st_ino && own.st_dev == other.st_dev ? pid : nil
        } catch {
            return nil
        }
    }
}

/// What tells a changed file from an unchanged one.
struct FileStamp: Hashable, Sendable {
    let inode: UInt64
    let seconds: Int
    let nanoseconds: Int

    /// nil when there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        inode = UInt64(status.st_ino)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

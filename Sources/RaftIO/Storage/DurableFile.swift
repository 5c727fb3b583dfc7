import ClusterModel
import Glibc

/// Whole files and directories that must survive a power loss: every function returns after the fsync it names.
///
/// A full disk is `.unavailable` (ST7, it may be tried again); every other failure is `.io` (ST8).
enum DurableFile {
    /// Creates `path` with mode 0600, writes `bytes`, fsyncs and closes. The directory is not synced.
    static func write(_ bytes: [UInt8], to path: String) throws(BastionError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("create", path) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw syncFailure(path) }
    }

    /// The content of `path`, or nil when it does not exist; more than `limit` bytes are `.corrupt`.
    static func read(_ path: String, limit: Int) throws(BastionError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("examine", path) }
        guard status.st_size <= limit else {
            throw BastionError(
                .corrupt, "file \"\(path)\" is longer than it can be", detail: "\(status.st_size) bytes, limit \(limit)"
            )
        }
        let size = Int(status.st_size)
        var filled = 0
        var bytes = [UInt8](repeating: 0, count: size)
        while filled < size {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, size - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            guard count > 0 else { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }

    /// Creates the directory with mode 0700 when it is missing and fsyncs its parent.
    static func createDirectory(_ path: String) throws(BastionError) {
        if mkdir(path, 0o700) == 0 {
            try syncDirectory(parent(of: path))
        } else if errno != EEXIST {
            throw failure("create directory", path)
        }
    }

    static func syncDirectory(_ path: String) throws(BastionError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open directory", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw syncFailure(path) }
    }

    /// Names in a directory, sorted; a missing directory is empty.
    static func names(in path: String) throws(BastionError) -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw failure("list", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func rename(_ old: String, to new: String) throws(BastionError) {
        guard Glibc.rename(old, new) == 0 else { throw failure("rename", old) }
    }

    /// Removes a directory that holds only files; a missing one is fine.
    static func removeDirectory(_ path: String) throws(BastionError) {
        for name in try names(in: path) { unlink("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A sentence when other users may look into the directory.
    static func exposure(of path: String) -> [String] {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return [] }
        return ["directory \"\(path)\" is open to other users (mode \(String(status.st_mode & 0o777, radix: 8)))"]
    }

    /// 0 for a missing file.
    static func size(_ path: String) throws(BastionError) -> Int {
        var status = stat()
        if stat(path, &status) == 0 { return Int(status.st_size) }
        guard errno == ENOENT else { throw failure("examine", path) }
        return 0
    }

    static func parent(of path: String) -> String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard !parts.isEmpty else { return "/" }
        parts.removeLast()
        let joined = parts.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + joined : (joined.isEmpty ? "." : joined)
    }

    /// The error for the current `errno`.
    static func failure(_ action: String, _ path: String) -> BastionError {
        let number = errno
        let text = String(cString: strerror(number))
        if number == ENOSPC || number == EDQUOT { return noSpace(path) }
        return BastionError(.io, "could not \(action) \"\(path)\"", detail: text)
    }

    static func noSpace(_ path: String) -> BastionError {
        BastionError(
            .unavailable, "could not write \"\(path)\": no space left on the device",
            hint: "free disk space; nothing was acknowledged that is not stored")
    }

    /// ST8: after a failed fsync the kernel may have dropped the data; it must not be tried again.
    static func syncFailure(_ path: String) -> BastionError {
        BastionError(
            .io, "fsync of \"\(path)\" failed", detail: String(cString: strerror(errno)),
            hint: "check the disk; the next start verifies everything stored")
    }
}

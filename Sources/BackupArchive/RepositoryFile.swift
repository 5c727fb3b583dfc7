import CLinux
import ClusterModel
import Glibc

/// The few things done to files of a repository. Every failure is `.io` with the system's words.
enum RepositoryFile {
    /// Step 4: a new file, never through a link; made durable by `finish`.
    static func create(_ path: String, _ fill: (Int32) throws(BastionError) -> Void) throws(BastionError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("create", path) }
        giveToOwner(of: path, descriptor)
        var outcome = Result<Void, BastionError> { () throws(BastionError) in try fill(descriptor) }
        if case .success = outcome, fsync(descriptor) != 0 { outcome = .failure(failure("flush", path)) }
        // close may report a failed write on a network file system.
        if close(descriptor) != 0, case .success = outcome { outcome = .failure(failure("close", path)) }
        if case .failure(let error) = outcome {
            unlink(path)
            throw error
        }
    }

    /// What root writes belongs to the owner of the directory, so that the service user can read and remove it.
    private static func giveToOwner(of path: String, _ descriptor: Int32) {
        guard geteuid() == 0, let slash = path.lastIndex(of: "/") else { return }
        var status = stat()
        guard stat(String(path[..<slash]), &status) == 0, status.st_uid != 0 else { return }
        // A file system without owners refuses, and then there is nothing to give.
        _ = fchown(descriptor, status.st_uid, status.st_gid)
    }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String) throws(BastionError) {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            written += count
        }
    }

    /// Whole small files: partial, fsync, rename over the old one, fsync of the directory.
    static func replace(_ name: String, in directory: String, with bytes: [UInt8]) throws(BastionError) {
        let partial = "\(directory)/.\(name).partial-\(getpid())"
        unlink(partial)
        try create(partial) { (descriptor) throws(BastionError) in
            var outcome = Result<Void, BastionError>.success(())
            bytes.withUnsafeBytes { buffer in
                outcome = Result { () throws(BastionError) in try write(descriptor, buffer, partial) }
            }
            try outcome.get()
        }
        try rename(partial, over: "\(directory)/\(name)")
        try sync(directory)
    }

    /// Replaces what is there.
    static func rename(_ from: String, over target: String) throws(BastionError) {
        guard Glibc.rename(from, target) == 0 else {
            let error = failure("rename", from)
            unlink(from)
            throw error
        }
    }

    /// - Returns: false when `target` is there already.
    static func move(_ from: String, to target: String) throws(BastionError) -> Bool {
        if pgb_rename_noreplace(from, target) == 0 { return true }
        if errno == EEXIST { return false }
        // Some network file systems know no such rename.
        guard errno == EINVAL || errno == ENOSYS else { throw failure("rename", from) }
        if link(from, target) != 0 {
            if errno == EEXIST { return false }
            throw failure("rename", from)
        }
        try remove(from)
        return true
    }

    static func remove(_ path: String) throws(BastionError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    static func sync(_ directory: String) throws(BastionError) {
        guard pgb_fsync_path(directory) == 0 else { throw failure("flush", directory) }
    }

    static func names(in directory: String) throws(BastionError) -> [String] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { throw BastionError(.notFound, "there is no backup directory \"\(directory)\"") }
            throw failure("read directory", directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw failure("read directory", directory) }
        return names.sorted()
    }

    static func failure(_ verb: String, _ path: String) -> BastionError {
        let number = errno
        return BastionError(.io, "could not \(verb) \"\(path)\"", detail: strerror(number).map { String(cString: $0) })
    }
}

import BackupArchive
import ClusterModel
import Glibc

/// `restore ARCHIVE --to DIR`: writes the members of a verified archive, each below a directory that we made (5.1, rule 9).
struct ArchiveUnpacking {
    let directory: String

    /// - Returns: The paths below the directory.
    func unpack(_ source: RestoreSource) throws(BastionError) -> [String] {
        let root = try openEmpty()
        defer { close(root) }
        let writer = Writer(root: root, directory: directory)
        do throws(BastionError) {
            let facts = try ArchiveReader.read(source.file) { (path, piece) throws(BastionError) in try writer.take(path, piece) }
            guard facts.sha256 == source.sha256 else {
                throw refusal(.integrity, "integrity", "the archive changed while it was read", hint: "try again")
            }
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
        return writer.paths
    }

    private func openEmpty() throws(BastionError) -> Int32 {
        if mkdir(directory, 0o700) != 0 {
            guard errno == EEXIST else { throw failure("create", directory) }
            guard TextFiles.entries(directory).isEmpty else {
                throw refusal(
                    .preconditionFailed, "not_empty", "the directory \"\(directory)\" is not empty",
                    hint: "name a new one: nothing is ever merged")
            }
        }
        let root = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard root >= 0 else { throw failure("open", directory) }
        return root
    }

    fileprivate static func failed(_ action: String, _ path: String) -> BastionError {
        BastionError(.io, "could not \(action) \"\(path)\"", detail: String(cString: strerror(errno)))
    }
    private func failure(_ action: String, _ path: String) -> BastionError { ArchiveUnpacking.failed(action, path) }

    /// One member after the other; every name was checked against the closed set before it comes here.
    private final class Writer {
        let root: Int32
        let directory: String
        private(set) var paths: [String] = []
        private var folders: [String] = []
        private var current: Int32 = -1

        init(root: Int32, directory: String) {
            self.root = root
            self.directory = directory
        }

        func take(_ path: String, _ piece: UnsafeRawBufferPointer) throws(BastionError) {
            if paths.last != path { try begin(path) }
            var rest = piece
            while !rest.isEmpty {
                let count = write(current, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw ArchiveUnpacking.failed("write", "\(directory)/\(path)") }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }

        private func begin(_ path: String) throws(BastionError) {
            try finish()
            var parts = path.split(separator: "/").map(String.init)
            let name = parts.removeLast()
            var folder = dup(root)
            defer { close(folder) }
            var below = ""
            for part in parts {
                below += (below.isEmpty ? "" : "/") + part
                if mkdirat(folder, part, 0o700) == 0 {
                    folders.append(below)
                } else if errno != EEXIST {
                    throw ArchiveUnpacking.failed("create", "\(directory)/\(below)")
                }
                let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                guard next >= 0 else { throw ArchiveUnpacking.failed("open", "\(directory)/\(below)") }
                close(folder)
                folder = next
            }
            current = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard current >= 0 else { throw ArchiveUnpacking.failed("create", "\(directory)/\(path)") }
            paths.append(path)
        }

        func finish() throws(BastionError) {
            guard current >= 0 else { return }
            defer {
                close(current)
                current = -1
            }
            guard fsync(current) == 0 else { throw ArchiveUnpacking.failed("fsync", "\(directory)/\(paths.last ?? "")") }
        }

        /// What was not verified to its end does not stay.
        func abandon() {
            if current >= 0 { close(current) }
            current = -1
            for path in paths { unlinkat(root, path, 0) }
            for folder in folders.reversed() { unlinkat(root, folder, AT_REMOVEDIR) }
        }
    }
}

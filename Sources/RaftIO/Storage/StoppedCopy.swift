import ClusterModel
import FoundationEssentials
import Glibc

/// A private copy of the small files of a stopped Raft directory; its snapshots are read where they are.
struct StoppedCopy {
    private static let files = ["stable.db", "stable.db-wal", "raft.db", "raft.db-wal", "commits", "committed"]
    private static let pieceBytes = 1 << 20

    let path: String
    private let original: String

    init(of directory: String) throws(BastionError) {
        original = directory
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(base)/pgbastion-stopped-XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) != nil else {
            throw DurableFile.failure("create a directory in", base)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do throws(BastionError) {
            for name in StoppedCopy.files { try copy(name) }
            guard let absolute = realpath("\(directory)/snapshots", nil) else {
                if errno == ENOENT { return }
                throw DurableFile.failure("examine", "\(directory)/snapshots")
            }
            defer { free(absolute) }
            guard symlink(absolute, "\(path)/snapshots") == 0 else { throw DurableFile.failure("create", "\(path)/snapshots") }
        } catch {
            remove()
            throw error
        }
    }

    func remove() {
        unlink("\(path)/snapshots")
        for name in StoppedCopy.files + ["LOCK", "stable.db-shm", "raft.db-shm"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// The error with the name of the directory that was copied.
    func named(_ error: BastionError) -> BastionError {
        var named = error
        named.message = error.message.replacing(path, with: original)
        named.detail = error.detail?.replacing(path, with: original)
        return named
    }

    /// A missing file is left for the reader to miss.
    private func copy(_ name: String) throws(BastionError) {
        let source = open("\(original)/\(name)", O_RDONLY | O_CLOEXEC)
        guard source >= 0 else {
            if errno == ENOENT { return }
            throw DurableFile.failure("open", "\(original)/\(name)")
        }
        defer { close(source) }
        let target = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw DurableFile.failure("create", "\(path)/\(name)") }
        defer { close(target) }
        var piece = [UInt8](repeating: 0, count: StoppedCopy.pieceBytes)
        while true {
            let count = piece.withUnsafeMutableBytes { read(source, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw DurableFile.failure("read", "\(original)/\(name)") }
            if count == 0 { return }
            var written = 0
            while written < count {
                let more = piece.withUnsafeBytes { write(target, $0.baseAddress.map { $0 + written }, count - written) }
                guard more > 0 else { throw DurableFile.failure("write", "\(path)/\(name)") }
                written += more
            }
        }
    }
}

import ClusterModel
import Glibc
import Runbooks

/// The directory of one run, with its journal: written durably line by line, by one process at a time.
package final class RunFolder {
    package let path: String
    private let descriptor: Int32

    /// Where runs are kept: the service's state directory when this user may write there, else the user's own.
    package static func root(stateDirectory: String, environment: [String: String]) -> String {
        if access(stateDirectory, W_OK) == 0 { return stateDirectory + "/runs" }
        let home = environment["XDG_STATE_HOME"] ?? environment["HOME"].map { $0 + "/.local/state" } ?? "/tmp"
        return home + "/pgbastion/runs"
    }

    /// Runs below `root`, oldest first; ids begin with their time.
    package static func runs(_ root: String) -> [String] {
        TextFiles.entries(root).filter { access("\(root)/\($0)/journal.jsonl", F_OK) == 0 }
    }

    package static func journal(_ root: String, _ run: String) throws(BastionError) -> Journal {
        guard let text = TextFiles.read("\(root)/\(run)/journal.jsonl") else {
            throw BastionError(
                .notFound, "there is no run \"\(run)\" on this machine", detail: "Searched: \(root).",
                hint: "see `pgbastion runbook history`")
        }
        return try Journal.read(text)
    }

    /// Opens, and makes when it is new. The kernel gives the lock back when the process dies.
    ///
    /// - Throws: `locked` while another process carries out this run.
    package init(root: String, run: String) throws(BastionError) {
        path = "\(root)/\(run)"
        try makeDirectories(path)
        chmod(path, 0o700)
        descriptor = open("\(path)/journal.jsonl", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw BastionError(.io, "the journal in \"\(path)\" cannot be opened", detail: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw BastionError(
                .locked, "run \"\(run)\" is carried out by another process", hint: "look at it with `pgbastion runbook status \(run)`")
        }
        try RunFolder.syncDirectory(path)
        try dropTornLine()
    }

    deinit {
        // Said, and not left to `close`: a process that is just being started has a copy of the descriptor for a moment.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// A crash may have cut the last line off: what is left of it would spoil the next one.
    private func dropTornLine() throws(BastionError) {
        guard let text = TextFiles.read("\(path)/journal.jsonl"), !text.isEmpty, !text.hasSuffix("\n") else { return }
        let whole = text.lastIndex(of: "\n").map { text[...$0].utf8.count } ?? 0
        guard ftruncate(descriptor, off_t(whole)) == 0 else {
            throw BastionError(.io, "the journal in \"\(path)\" cannot be mended", detail: String(cString: strerror(errno)))
        }
    }

    /// Durable when it returns.
    func write(_ line: String) throws(BastionError) {
        let bytes = Array((line + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw BastionError(.io, "the journal in \"\(path)\" cannot be written", detail: String(cString: strerror(errno)))
            }
            written += count
        }
        guard fdatasync(descriptor) == 0 else {
            throw BastionError(.io, "the journal in \"\(path)\" cannot be synced", detail: String(cString: strerror(errno)))
        }
    }

    private static func syncDirectory(_ path: String) throws(BastionError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        defer { close(directory) }
        guard fsync(directory) == 0 else {
            throw BastionError(.io, "\"\(path)\" cannot be synced", detail: String(cString: strerror(errno)))
        }
    }
}

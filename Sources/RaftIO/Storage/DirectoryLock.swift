import ClusterModel
import Glibc

/// The file `LOCK` of a Raft directory, held by `flock` for as long as this value lives: at most one process uses the
/// directory.
final class DirectoryLock {
    private let descriptor: Int32

    /// - Throws: `.nodeRunning` when another process holds the lock.
    init(directory: String) throws(BastionError) {
        let path = "\(directory)/LOCK"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            guard reason == EWOULDBLOCK else { throw DurableFile.failure("lock", path) }
            throw BastionError(
                .nodeRunning, "Raft directory \"\(directory)\" is in use by a running daemon",
                hint: "stop it first: `systemctl stop pgbastion`")
        }
        self.descriptor = descriptor
    }

    deinit {
        // Said, and not left to `close`: a process that is just being started has a copy of the descriptor until it executes its
        // program, and the lock would live as long as the copy.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}

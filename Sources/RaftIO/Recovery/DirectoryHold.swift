import ClusterModel
import Glibc

/// Keeps a Raft directory from being used by anybody else while it is replaced.
package final class DirectoryHold {
    private let running: DirectoryLock?
    private let descriptor: Int32
    private let path: String

    /// - Throws: `.nodeRunning` while a daemon uses the directory, `.locked` while another command replaces it.
    package init(_ directory: String) throws(BastionError) {
        // Made by a daemon only: an empty directory stays empty.
        running = DurableFile.exists("\(directory)/LOCK") ? try DirectoryLock(directory: directory) : nil
        path = DirectoryHold.lockPath(directory)
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw DirectoryHold.inProgress(directory)
            }
            // The holder before removes the file: a lock on a removed file locks nothing.
            var (own, named) = (stat(), stat())
            if fstat(descriptor, &own) == 0, stat(path, &named) == 0, own.st_ino == named.st_ino {
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit {
        unlink(path)
        // As in `DirectoryLock`.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// The same refusals; makes nothing.
    package static func requireFree(_ directory: String) throws(BastionError) {
        try RaftLogStore.requireUnused(directory: directory)
        let descriptor = open(lockPath(directory), O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw inProgress(directory) }
        flock(descriptor, LOCK_UN)
    }

    private static func lockPath(_ directory: String) -> String { DirectorySwap(directory).path + ".restore.lock" }

    private static func inProgress(_ directory: String) -> BastionError {
        BastionError(
            .locked, "another command is replacing \"\(directory)\"", checks: [FailedCheck(id: "restore_in_progress")])
    }
}

import ClusterModel
import RaftCore

/// What a stopped node's Raft directory holds, read without changing it: for `raft recover`, `doctor` and backups.
package struct StoreInspection: Sendable {
    package var identity: StableIdentity
    package var state: DurableState
    /// The place that decides which survivor is most advanced: greatest (term, index).
    package var lastTerm: Term
    package var lastIndex: LogIndex
    /// What this node knew to be committed: nothing behind it was ever applied here.
    package var commitIndex: LogIndex
    package var warnings: [String]

    /// The membership of the snapshot; entries behind it may have changed it.
    package var snapshotMembership: Membership? { state.snapshot?.membership }
}

extension RaftLogStore {
    /// Throws `.nodeRunning` while a daemon uses the directory; makes nothing.
    package static func requireUnused(directory: String) throws(BastionError) {
        guard DurableFile.exists("\(directory)/LOCK") else { return }
        _ = try DirectoryLock(directory: directory)
    }

    /// Reads and verifies a whole directory, which stays as it is to the last byte: the databases are read from a private
    /// copy, because SQLite writes to the files beside a database that it reads.
    ///
    /// - Throws: `.nodeRunning` while a daemon uses it; `.notFound` when there is none; `.corrupt`.
    package static func inspect(directory: String) throws(BastionError) -> StoreInspection {
        guard DurableFile.exists("\(directory)/\(StableStore.fileName)") else {
            throw BastionError(.notFound, "there is no Raft state in \"\(directory)\"")
        }
        let lock = DurableFile.exists("\(directory)/LOCK") ? try DirectoryLock(directory: directory) : nil
        defer { withExtendedLifetime(lock) {} }
        let copy = try StoppedCopy(of: directory)
        defer { copy.remove() }
        do throws(BastionError) {
            return try inspection(of: copy.path)
        } catch {
            throw copy.named(error)
        }
    }

    private static func inspection(of path: String) throws(BastionError) -> StoreInspection {
        let verified = try VerifiedDirectory(path, lock: try DirectoryLock(directory: path), snapshotRetain: defaultSnapshotRetain)
        let state = verified.content.state
        let lastIndex = state.entries.last?.index ?? state.snapshot?.index ?? .zero
        let committed = try CommittedFile(directory: path, member: verified.record.identity.memberID).read()
        return StoreInspection(
            identity: verified.record.identity, state: state,
            lastTerm: state.entries.last?.term ?? state.snapshot?.term ?? .zero, lastIndex: lastIndex,
            commitIndex: max(state.snapshot?.index ?? .zero, min(committed, lastIndex)), warnings: verified.content.warnings)
    }
}

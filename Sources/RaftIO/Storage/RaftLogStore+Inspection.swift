import ClusterModel
import RaftCore

/// What a stopped node's Raft directory holds, read without changing it: for `raft recover`, `doctor` and backups.
package struct StoreInspection: Sendable {
    package var identity: StableIdentity
    package var state: DurableState
    /// The place that decides which survivor is most advanced: greatest (term, index).
    package var lastTerm: Term
    package var lastIndex: LogIndex
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

    /// Reads and verifies a whole directory; raises no generation and writes nothing but the lock.
    ///
    /// - Throws: `.nodeRunning` while a daemon uses it; `.notFound` when there is none; `.corrupt`.
    package static func inspect(directory: String) throws(BastionError) -> StoreInspection {
        guard DurableFile.exists("\(directory)/\(StableStore.fileName)") else {
            throw BastionError(.notFound, "there is no Raft state in \"\(directory)\"")
        }
        let lock = try DirectoryLock(directory: directory)
        let verified = try VerifiedDirectory(directory, lock: lock, snapshotRetain: defaultSnapshotRetain)
        let state = verified.content.state
        return StoreInspection(
            identity: verified.record.identity, state: state,
            lastTerm: state.entries.last?.term ?? state.snapshot?.term ?? .zero,
            lastIndex: state.entries.last?.index ?? state.snapshot?.index ?? .zero, warnings: verified.content.warnings)
    }
}

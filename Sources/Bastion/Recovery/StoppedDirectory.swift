import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import RaftIO

/// What the Raft directory of a stopped daemon knows: the newest snapshot and the log behind it, played once up to what was
/// known to be committed and once to the end. Reads only; the directory stays byte for byte as it is.
package struct StoppedDirectory: Sendable {
    /// One place in the log, and everything that holds there.
    package struct Point: Sendable {
        package var index: LogIndex
        package var term: Term
        package var state: ClusterState
        package var membership: Membership
        /// Index of the entry that made `membership`; of a snapshot's membership the snapshot's own index.
        package var membershipIndex: LogIndex
    }

    package let path: String
    package let identity: StableIdentity
    /// The highest term this member has seen.
    package let storedTerm: Term
    /// With everything that this node knew to be committed, and nothing else.
    package let committed: Point
    /// With every entry of the log, committed or not.
    package let complete: Point
    package let warnings: [String]

    package var clusterID: ClusterID? { identity.clusterID }
    package var epoch: UInt32 { identity.epoch }
    package var lastIndex: LogIndex { complete.index }
    package var lastTerm: Term { complete.term }
    package var commitIndex: LogIndex { committed.index }
    /// Entries behind the known commit index.
    package var uncommittedEntries: Int { complete.index - committed.index }

    /// - Throws: `.nodeRunning` while a daemon uses it; `.notFound` when there is none; `.corrupt`.
    package static func open(_ path: String) throws(BastionError) -> StoppedDirectory {
        let found = try RaftLogStore.inspect(directory: path)
        var point = try beginning(found.state)
        var committed = point
        for entry in found.state.entries {
            try point.apply(entry)
            if entry.index <= found.commitIndex { committed = point }
        }
        return StoppedDirectory(
            path: path, identity: found.identity, storedTerm: found.state.hardState.term, committed: committed, complete: point,
            warnings: found.warnings)
    }

    /// The state behind the newest snapshot, or the empty one.
    private static func beginning(_ durable: DurableState) throws(BastionError) -> Point {
        guard let snapshot = durable.snapshot else {
            return Point(index: .zero, term: .zero, state: ClusterState(), membership: Membership(), membershipIndex: .zero)
        }
        do {
            let state = try StateCodec.decode(ClusterState.self, snapshot.data)
            return Point(
                index: snapshot.index, term: snapshot.term, state: state, membership: snapshot.membership,
                membershipIndex: snapshot.index)
        } catch {
            throw BastionError(.corrupt, "the snapshot of the cluster state cannot be read", detail: "\(error)")
        }
    }

    /// The nodes of `point` that are members, as the state names them; a member it does not know has its id as its name.
    package static func members(of point: Point) -> (voters: [String], learners: [String]) {
        func names(_ ids: [ServerID]) -> [String] {
            ids.map { id in point.state.node(MemberID(rawValue: id.rawValue))?.name.rawValue ?? "\(id)" }.sorted()
        }
        return (names(point.membership.voters), names(point.membership.learners))
    }
}

extension StoppedDirectory.Point {
    /// As `BastionNode` does it for the state: an entry that cannot be read is never passed over (RA20).
    fileprivate mutating func apply(_ entry: LogEntry) throws(BastionError) {
        (index, term) = (entry.index, entry.term)
        switch entry.kind {
        case .empty: break
        case .membership:
            do throws(RaftCodecError) { membership = try Membership(decoding: entry.payload) } catch { throw unreadable(entry, "\(error)") }
            membershipIndex = entry.index
        case .command:
            do {
                let command = try StateCodec.decode(ClusterEntry.self, entry.payload)
                _ = state.apply(command, term: entry.term.rawValue, index: entry.index.rawValue)
            } catch {
                throw unreadable(entry, "\(error)")
            }
        }
    }

    private func unreadable(_ entry: LogEntry, _ reason: String) -> BastionError {
        BastionError(.corrupt, "entry \(entry.index) of the Raft log cannot be read by this version", detail: reason)
    }
}

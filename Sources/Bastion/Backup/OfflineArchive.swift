import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import Operations
import RaftCore

/// An archive of what a stopped daemon's directory knows.
enum OfflineArchive {
    /// - Parameter assumesCommitted: Also entries that are not known to be committed.
    /// - Throws: `.nodeRunning` while a daemon uses the directory; `.notFound`; `.corrupt`.
    static func contents(
        dataDirectory: String, configuration: NodeConfiguration, path: String, request: ArchiveRequest, assumesCommitted: Bool
    ) throws(BastionError) -> (contents: BackupContents, warnings: [String]) {
        let stopped = try StoppedDirectory.open(dataDirectory)
        let point = assumesCommitted ? stopped.complete : stopped.committed
        var warnings = stopped.warnings
        let left = stopped.uncommittedEntries
        if left > 0 {
            warnings.append(
                assumesCommitted
                    ? "\(left) entries that are not known to be committed are in the archive"
                    : "\(left) entries behind index \(point.index) are not known to be committed and not in the archive")
        }
        let source = ArchiveSource(
            state: point.state, index: point.index.rawValue, term: point.term.rawValue, configIndex: point.membershipIndex.rawValue,
            members: members(of: point),
            source: .init(
                node: configuration.node.name.rawValue, role: .offline, mode: .offline, assumedCommitted: assumesCommitted),
            dataDirectory: configuration.postgresql?.dataDirectory, configurationPath: path, request: request)
        return (try source.contents(now: .now), warnings)
    }

    private static func members(of point: StoppedDirectory.Point) -> [ArchivedSnapshot.Member] {
        point.membership.members.compactMap { id -> ArchivedSnapshot.Member? in
            guard let node = point.state.node(MemberID(rawValue: id.rawValue)) else { return nil }
            let host = node.host.contains(":") ? "[\(node.host)]" : node.host
            return ArchivedSnapshot.Member(
                name: node.name, address: "\(host):\(node.raftPort)", suffrage: point.membership.voters.contains(id) ? .voter : .learner)
        }.sorted { $0.name < $1.name }
    }
}

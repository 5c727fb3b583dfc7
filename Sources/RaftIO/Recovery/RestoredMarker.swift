import ClusterModel
import FoundationEssentials
import Glibc

/// `RESTORED.json`: a one-time permission to start as the only voter of a new cluster, and the way back.
///
/// It is renamed after the first commit of the new cluster; from then on nothing can be undone.
package struct RestoredMarker: Codable, Sendable, Hashable {
    package static let fileName = "RESTORED.json"
    package static let consumedName = "RESTORED.consumed.json"

    /// The archive's id, or what the state came from: `raft recover`.
    package var archive: String
    /// The hash of the archive, or of the state that was kept.
    package var sha256: String
    package var clusterID: ClusterID
    package var parentID: ClusterID?
    package var epoch: UInt32
    /// RFC 3339, in UTC.
    package var at: String
    package var by: String
    /// The name, without folder, under which the directory from before is kept; nil when there was none.
    package var previous: String?

    enum CodingKeys: String, CodingKey {
        case archive, sha256, epoch, at, by, previous
        case clusterID = "cluster_id"
        case parentID = "parent_id"
    }

    package init(
        archive: String, sha256: String, clusterID: ClusterID, parentID: ClusterID?, epoch: UInt32, at: String, by: String,
        previous: String?
    ) {
        self.archive = archive
        self.sha256 = sha256
        self.clusterID = clusterID
        self.parentID = parentID
        self.epoch = epoch
        self.at = at
        self.by = by
        self.previous = previous
    }

    package func encoded() throws(BastionError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return try Array(encoder.encode(self)) } catch {
            throw BastionError(.internal, "could not encode a marker", detail: "\(error)")
        }
    }

    /// The marker of a directory that was restored and never started; nil when there is none.
    package static func unconsumed(in directory: String) throws(BastionError) -> RestoredMarker? { try read(directory, fileName) }
    package static func consumed(in directory: String) throws(BastionError) -> RestoredMarker? { try read(directory, consumedName) }

    private static func read(_ directory: String, _ name: String) throws(BastionError) -> RestoredMarker? {
        guard let bytes = try DurableFile.read("\(directory)/\(name)", limit: 65_536) else { return nil }
        do { return try JSONDecoder().decode(RestoredMarker.self, from: Data(bytes)) } catch {
            throw BastionError(.corrupt, "\"\(directory)/\(name)\" cannot be read", detail: "\(error)")
        }
    }

    /// After the first commit: the restored directory is the node's own from now on. Nothing to do without a marker.
    package static func consume(in directory: String) throws(BastionError) {
        guard DurableFile.exists("\(directory)/\(fileName)") else { return }
        try DurableFile.rename("\(directory)/\(fileName)", to: "\(directory)/\(consumedName)")
        try DurableFile.syncDirectory(directory)
    }
}

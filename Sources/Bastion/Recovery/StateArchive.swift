import ClusterModel
import FailoverCore
import FoundationEssentials

/// The state of an archive as the state machine's own.
enum StateArchive {
    static func state(_ bytes: [UInt8]) throws(BastionError) -> ClusterState {
        do { return try JSONDecoder().decode(ArchivedState.self, from: Data(bytes)).clusterState() } catch {
            throw BastionError(.integrity, "the state in the archive cannot be loaded", detail: "\(error)")
        }
    }
}

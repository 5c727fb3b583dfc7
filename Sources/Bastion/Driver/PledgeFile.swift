import CLinux
import ClusterModel
import FoundationEssentials
import Glibc

/// SE3: the highest ballot this node pledged to, per cluster, in a file of its own.
package struct PledgeFile: Sendable {
    private let path: String

    package init(stateDirectory: String) { path = stateDirectory + "/pledge.json" }

    private struct Content: Codable {
        var cluster: ClusterID
        var ballot: FencingToken
    }

    /// `.never` when there is none, or one of another cluster.
    package func load(_ cluster: ClusterID?) throws(BastionError) -> FencingToken {
        guard access(path, F_OK) == 0 else { return .never }
        do {
            let content = try JSONDecoder().decode(Content.self, from: Data(contentsOf: URL(filePath: path)))
            return content.cluster == cluster ? content.ballot : .never
        } catch {
            throw BastionError(
                .corrupt, "the pledge file \"\(path)\" cannot be read", detail: "\(error)",
                hint: "move it away only if this node has no unanswered failover; then start again")
        }
    }

    package func save(_ ballot: FencingToken, _ cluster: ClusterID) throws(BastionError) {
        do {
            let bytes = [UInt8](try JSONEncoder().encode(Content(cluster: cluster, ballot: ballot)))
            guard bytes.withUnsafeBytes({ pgb_write_durably(path, $0.baseAddress, $0.count, 0o600) }) == 0 else {
                throw BastionError(.io, "could not write \"\(path)\"", detail: String(cString: strerror(errno)))
            }
        } catch let error as BastionError {
            throw error
        } catch {
            throw BastionError(.internal, "a pledge cannot be encoded", detail: "\(error)")
        }
    }
}

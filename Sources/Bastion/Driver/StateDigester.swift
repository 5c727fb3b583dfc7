import ClusterModel
import Dispatch
import FailoverCore
import NodeCore

/// Digests the replicated state beside the core, one after the other, when nothing more important is to be done (CS6).
enum StateDigester {
    private static let queue = DispatchQueue(label: "pgbastion.digest", qos: .utility)

    static func digest(_ state: ClusterState, at index: UInt64, then report: @escaping @Sendable (StateMark) -> Void) {
        queue.async {
            do {
                report(StateMark(index: index, sha256: try StateCodec.digest(of: state)))
            } catch {
                // A state that cannot be encoded cannot be saved either: the next snapshot says so.
                return
            }
        }
    }
}

import ClusterModel
import Synchronization

/// Carries out what another node, or this node's own API, asks of this one daemon.
///
/// Each service is connected once, when the daemon has all its parts; before that a request is answered `unavailable`.
package final class NodeDesk: Sendable {
    /// What the daemon can do for a request; one closure per need, so that the desk knows no adapter.
    struct Services: Sendable {
        var view: @Sendable () async -> ClusterView
        var connections: @Sendable () -> [ProxySessions]
        var metrics: @Sendable () async -> String
        var reload: @Sendable () async throws(BastionError) -> ReloadReport
    }

    private let services = Mutex<Services?>(nil)

    func connect(_ services: Services) { self.services.withLock { $0 = services } }

    func answer(_ request: NodeRequest, _ metadata: RequestMetadata) async throws(BastionError) -> NodeReply {
        guard let services = services.withLock({ $0 }) else {
            throw BastionError(.unavailable, "the daemon is starting")
        }
        switch request {
        case .view: return .view(await services.view())
        case .connections: return .connections(services.connections())
        case .metrics: return .text(await services.metrics())
        case .reload: return .reloaded(try await services.reload())
        }
    }
}

import ClusterModel
import HTTPAPI
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
        var logs: @Sendable (LogQuery) -> [LogRecord]
        var reload: @Sendable () async throws(BastionError) -> ReloadReport
        var takeHold: @Sendable (Double, RequestMetadata) async throws(BastionError) -> ClusterReply
        var restart: @Sendable (Double?) -> Void
        var incarnation: String
        var announceAddress: @Sendable () async throws(BastionError) -> String
        var diagnose: @Sendable ([DiagnosisTopic]) async -> NodeDiagnosis
        var inspect: @Sendable (Inspection, RequestMetadata) async throws(BastionError) -> InspectionReply
    }

    private let services = Mutex<Services?>(nil)

    func connect(_ services: Services) { self.services.withLock { $0 = services } }

    func answer(_ request: NodeRequest, _ metadata: RequestMetadata) async throws(BastionError) -> NodeReply {
        guard let services = services.withLock({ $0 }) else {
            throw BastionError(.unavailable, "the daemon is starting")
        }
        switch request {
        case .view:
            // Limit: the decision record is read on each node from its own state; it would make this answer ten times as long.
            var view = await services.view()
            view.decisions = []
            return .view(view)
        case .inspect(let inspection): return .inspected(try await services.inspect(inspection, metadata))
        case .connections: return .connections(services.connections())
        case .mintToken: return .token(TokenMint.mint())
        case .metrics: return .text(await services.metrics())
        case .logs(let query): return .logs(services.logs(query))
        case .reload: return .reloaded(try await services.reload())
        case .takeHold(let seconds): return .changed(try await services.takeHold(seconds, metadata))
        case .restartDaemon(let seconds):
            services.restart(seconds)
            return .done("the daemon ends and is started again by its supervisor")
        case .incarnation: return .text(services.incarnation)
        case .announceAddress: return .done(try await services.announceAddress())
        case .diagnose(let topics): return .diagnosis(await services.diagnose(topics))
        }
    }
}

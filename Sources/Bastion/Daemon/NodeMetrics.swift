import ClusterModel
import Operations
import ProxyServer
import Telemetry

/// Fills the metrics page: events as they come, states from the view when the page is read.
final class NodeMetrics: Sendable {
    private let registry: MetricsRegistry

    init(cluster: String) {
        registry = MetricsRegistry(cluster: cluster)
        registry.gauge("build_info", BuildInformation.version, BuildInformation.commit).set(1)
    }

    func note(_ check: PostgresLink.HealthCheck) {
        registry.histogram("health_check_duration_seconds").observe(check.duration.inSeconds)
        registry.counter("health_check_total", check.facts.server == nil ? "error" : "success").increment()
    }

    func note(method: String, path: String, status: Int, seconds: Double) {
        registry.counter("api_requests_total", method, path, "\(status)").increment()
        registry.histogram("api_request_duration_seconds", method, path, "\(status)").observe(seconds)
    }

    func note(_ event: ProxyEvent) {
        switch event {
        case .accepted(let port):
            registry.counter("proxy_connections_total", port.rawValue).increment()
            registry.gauge("proxy_connections_active", port.rawValue).add(1)
        case .closed(let port): registry.gauge("proxy_connections_active", port.rawValue).add(-1)
        case .joined(let port, let backend):
            registry.gauge("proxy_backend_connections_active", backend.rawValue, port.rawValue).add(1)
        case .parted(let port, let backend):
            registry.gauge("proxy_backend_connections_active", backend.rawValue, port.rawValue).add(-1)
        case .routingFailed(let port, let reason, _):
            registry.counter("proxy_routing_errors_total", port.rawValue, reason.rawValue).increment()
        case .cut(_, let reason, _): registry.counter("proxy_sessions_cut_total", reason.rawValue).increment()
        case .held: break
        case .holdEnded(let duration, _): registry.histogram("proxy_hold_seconds").observe(duration.inSeconds)
        }
    }

    func render(_ view: ClusterView, _ proxy: ProxyServer) -> String {
        let raft = view.raft
        registry.setState("raft_state", raft.state.lowercased())
        registry.gauge("raft_term").set(Double(raft.term))
        registry.gauge("raft_commit_index").set(Double(raft.commitIndex))
        registry.gauge("raft_last_log_index").set(Double(raft.lastLogIndex))
        registry.gauge("raft_applied_index").set(Double(raft.appliedIndex))
        registry.gauge("raft_peers_count").set(Double(raft.votersReachable))
        registry.gauge("raft_peers_configured").set(Double(raft.voters))
        registry.gauge("raft_failures_tolerated").set(Double(raft.failuresTolerated))
        registry.gauge("raft_is_leader").set(raft.isLeader)
        let mine = view.nodes.first { $0.name == view.node }
        let isHolder = view.primary?.name == view.node && view.primary?.leaseRemainingSeconds != nil
        registry.gauge("postgres_up").set(mine?.isInRecovery != nil && mine?.state != "unreachable")
        registry.gauge("postgres_is_primary").set(mine?.role == .primary && isHolder)
        registry.gauge("primary_lease_remaining_seconds").set(view.primary?.leaseRemainingSeconds ?? 0)
        registry.gauge("split_brain").set(view.splitBrain)
        registry.gauge("paused").set(view.paused != nil)
        registry.gauge("synchronous_degraded").set(view.synchronous.degraded)
        registry.gauge("proxy_epoch").set(Double(proxy.table.epoch.rawValue))
        renderReplicas(view)
        return registry.render()
    }

    /// Row 10: by the primary's node for every registered replica, by each replica for itself.
    private func renderReplicas(_ view: ClusterView) {
        let isPrimary = view.primary?.name == view.node
        let shown = view.nodes.filter { $0.kind == .data && $0.role != .primary && (isPrimary || $0.name == view.node) }
        var lag: [[String]: Double] = [:]
        var seconds: [[String]: Double] = [:]
        var streaming: [[String]: Double] = [:]
        for node in shown {
            if let bytes = node.lagBytes { lag[[node.name.rawValue]] = Double(bytes) }
            if let delay = node.lagSeconds { seconds[[node.name.rawValue]] = delay }
            streaming[[node.name.rawValue]] = node.streaming == true ? 1 : 0
        }
        registry.replaceGauges("replication_lag_bytes", with: lag)
        registry.replaceGauges("replication_lag_seconds", with: seconds)
        registry.replaceGauges("replica_streaming", with: streaming)
    }
}

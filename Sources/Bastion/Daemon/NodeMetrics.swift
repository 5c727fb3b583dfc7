import ClusterModel
import NodeCore
import Operations
import ProxyServer
import Synchronization
import Telemetry

/// Fills the metrics page (section 4 of the acceptance criteria): events as they come, states when the page is read.
final class NodeMetrics: Sendable {
    /// A certificate whose end is shown: what it is for, and its file.
    struct Certificate: Sendable {
        var name: String
        var path: String
    }

    let registry: MetricsRegistry
    let certificates: [Certificate]
    private let holdsAddress = Atomic<Bool>(false)

    init(cluster: String, certificates: [Certificate] = []) {
        registry = MetricsRegistry(cluster: cluster)
        self.certificates = certificates
        registry.gauge("build_info", BuildInformation.version, BuildInformation.commit).set(1)
    }

    func note(_ check: PostgresLink.HealthCheck) {
        registry.histogram("health_check_duration_seconds").observe(check.duration.inSeconds)
        registry.counter("health_check_total", check.facts.server == nil ? "error" : "success").increment()
    }

    /// Limit: a client may send any word as method; only the known ones become a label.
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    func note(method: String, path: String, status: Int, seconds: Double) {
        let method = NodeMetrics.methods.contains(method) ? method : "other"
        registry.counter("api_requests_total", method, path, "\(status)").increment()
        registry.histogram("api_request_duration_seconds", method, path, "\(status)").observe(seconds)
    }

    func note(_ measurement: NodeMeasurement) {
        switch measurement {
        case .leaderChanged: registry.counter("raft_leader_changes_total").increment()
        case .applied(let duration): registry.histogram("raft_apply_latency_seconds").observe(duration.inSeconds)
        case .operationStarted(let change): registry.counter("failover_total", change.rawValue, "started").increment()
        case .operationEnded(let change, let ending, let duration):
            registry.counter("failover_total", change.rawValue, ending.rawValue).increment()
            registry.histogram("failover_duration_seconds", change.rawValue).observe(duration.inSeconds)
        case .digestMismatch(let differs): registry.gauge("state_digest_mismatch").set(differs)
        case .directivePublished(let type): registry.counter("directives_published_total", type).increment()
        }
    }

    /// Row 31: the address came or went; the adapter tells every change, and nothing twice.
    func noteAddress(holds: Bool) {
        guard holdsAddress.exchange(holds, ordering: .relaxed) != holds else { return }
        registry.counter("vip_transitions_total", holds ? "acquired" : "lost").increment()
    }

    func noteSnapshot(seconds: Double) { registry.histogram("raft_snapshot_latency_seconds").observe(seconds) }

    /// The gauges keep the figures of the last rewind, so that a short one is seen as well.
    func note(_ rewind: PostgresLink.RewindReport) {
        switch rewind {
        case .progress(let job):
            registry.gauge("pg_rewind_progress_percent").set(job.percent ?? 0)
            registry.gauge("pg_rewind_bytes_total").set(Double(job.bytesTotal ?? 0))
            registry.gauge("pg_rewind_bytes_copied").set(Double(job.bytesCopied ?? 0))
        case .ended(let duration, let isSuccess):
            registry.histogram("pg_rewind_duration_seconds").observe(duration.inSeconds)
            registry.counter("pg_rewind_total", isSuccess ? "success" : "error").increment()
        }
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
}

import ClusterModel
import Operations

/// `GET /cluster/progress` (X03): the clone or rewind of this node.
struct ProgressShape: Codable, Sendable {
    struct Rewind: Codable, Sendable {
        var phase: String
        @Nullable var percent: Double?
        @Nullable var bytesTotal: UInt64?
        @Nullable var bytesCopied: UInt64?
        /// Always null: neither program says how many there are.
        @Nullable var filesTotal: UInt64?
        @Nullable var filesTotalReason: String?
        @Nullable var filesCopied: UInt64?
        @Nullable var startTime: String?
        @Nullable var elapsedSeconds: Double?
        @Nullable var error: String?
        var recentOutput: [String]
    }
    /// `rewind` or `basebackup`; null while nothing runs.
    @Nullable var method: String?
    var rewind: Rewind
    @Nullable var operationID: String?
    var node: NodeName
    var capturedAt: String

    init(_ view: ClusterView) {
        let operation = view.operation.flatMap { $0.kind == "reinitialize" ? $0 : nil }
        switch view.job.kind {
        case "rewind": method = "rewind"
        case "clone": method = "basebackup"
        default: method = nil
        }
        let job = view.job
        rewind = Rewind(
            phase: job.phase, percent: job.percent, bytesTotal: job.bytesTotal, bytesCopied: job.bytesCopied,
            filesTotal: nil, filesTotalReason: "PostgreSQL's programs do not say", filesCopied: job.filesCopied,
            startTime: job.startedAt,
            elapsedSeconds: job.startedAt.flatMap { Timestamp.seconds(from: $0, to: view.capturedAt) }, error: job.error,
            recentOutput: job.recentOutput ?? [])
        operationID = operation?.id
        node = view.node
        capturedAt = view.capturedAt
    }
}

/// `GET /cluster/config` (X04).
struct CheckShape: Codable, Sendable {
    var healthy: Bool
    @Nullable var isRecovery: Bool?
    @Nullable var isRecoveryReason: String?
    @Nullable var lastCheck: String?
    @Nullable var lastCheckReason: String?

    init(_ view: ClusterView) {
        let own = view.node(named: view.node)
        healthy = view.healthChecks.first?.healthy ?? false
        isRecovery = own?.isInRecovery
        isRecoveryReason = own?.isInRecovery == nil ? "this node's PostgreSQL was not read" : nil
        lastCheck = view.healthChecks.first?.timestamp
        lastCheckReason = view.healthChecks.isEmpty ? "no check was made yet" : nil
    }
}

/// `GET /connections` (X01).
struct ConnectionsShape: Codable, Sendable {
    var activeConnections: Int
    var byBackend: [APINode.Connection]

    init(_ connections: [APINode.Connection]) {
        byBackend = connections.sorted { ($0.backend, $0.portType) < ($1.backend, $1.portType) }
        activeConnections = connections.reduce(0) { $0 + $1.active }
    }
}

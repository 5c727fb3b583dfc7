import ClusterModel
import Operations

/// `GET /cluster` (E08, X13).
struct ClusterShape: Codable, Sendable {
    struct Routing: Codable, Sendable {
        @Nullable var primary: String?
        @Nullable var primaryReason: String?
        var replicas: [String]
        var splitBrain: Bool
    }
    struct Backend: Codable, Sendable {
        var name: NodeName
        var address: String
        var role: NodeRole
        var inRotation: Bool
        @Nullable var reason: String?
        @Nullable var lagBytes: UInt64?
        @Nullable var lagBytesReason: String?
    }
    /// As Patroni's clients read it.
    struct Member: Codable, Sendable {
        var name: NodeName
        /// `leader` or `replica`: Patroni's words.
        var role: String
        var state: String
        var host: String
        var port: Int
        /// Where the node's own API answers, as the node says; null while it was not heard.
        @Nullable var apiURL: String?
        @Nullable var timeline: TimelineID?
        @Nullable var lag: UInt64?
    }
    var routingTable: Routing
    var backends: [Backend]
    var members: [Member]
    var scope: String
    var capturedAt: String
    var stale: Bool
    var staleSeconds: Double

    init(_ view: ClusterView) {
        let data = view.nodes.filter { $0.kind == .data }
        let primary = view.routedPrimary
        routingTable = Routing(
            primary: primary.flatMap { view.node(named: $0)?.backendAddress },
            primaryReason: primary == nil ? view.primaryReason : nil,
            replicas: data.filter { $0.inRotation && $0.name != primary && $0.role == .replica }.map(\.backendAddress),
            splitBrain: view.splitBrain)
        backends = data.map { node in
            Backend(
                name: node.name, address: node.backendAddress, role: node.role,
                inRotation: node.name == primary || (node.role != .primary && node.inRotation),
                reason: node.rotationReason, lagBytes: node.lagBytes,
                lagBytesReason: node.lagBytes == nil
                    ? (node.role == .primary ? "this is the primary" : "no position of this node is known") : nil)
        }
        members = data.map { node in
            Member(
                name: node.name, role: node.name == view.primary?.name ? "leader" : "replica", state: node.state,
                host: node.host, port: node.postgresPort, apiURL: node.apiURL.map { "\($0)/patroni" },
                timeline: node.timeline, lag: node.name == view.primary?.name ? nil : node.lagBytes)
        }
        scope = view.clusterName
        capturedAt = view.capturedAt
        stale = view.staleSeconds > 0
        staleSeconds = view.staleSeconds
    }
}

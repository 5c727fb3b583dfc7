import ClusterModel
import Operations

/// `GET /cluster/state` (E09).
struct ClusterStateShape: Codable, Sendable {
    struct Operation: Codable, Sendable {
        var id: String
        var kind: String
        var phase: String
        @Nullable var from: NodeName?
        @Nullable var to: NodeName?
    }
    struct Node: Codable, Sendable {
        var role: NodeRole
        var state: String
        /// For people: `1.2 MiB`.
        @Nullable var lag: String?
        @Nullable var lagBytes: UInt64?
        @Nullable var lagBytesReason: String?
        @Nullable var lastSeen: String?
        @Nullable var lastSeenReason: String?
    }
    var node: NodeName
    /// Of this node in Raft.
    var state: String
    var isLeader: Bool
    @Nullable var leader: NodeName?
    @Nullable var primary: NodeName?
    @Nullable var primaryReason: String?
    var term: UInt64
    @Nullable var timeline: TimelineID?
    var paused: Bool
    @Nullable var operation: Operation?
    var nodes: [String: Node]
    var splitBrain: Bool
    var capturedAt: String
    var stale: Bool
    var staleSeconds: Double

    init(_ view: ClusterView) {
        node = view.node
        state = view.raft.state
        isLeader = view.raft.isLeader
        leader = view.raft.leader
        primary = view.primary?.name
        primaryReason = view.primaryAbsence
        term = view.raft.term
        timeline = view.primary?.timeline
        paused = view.paused != nil
        operation = view.operation.map {
            Operation(id: $0.id, kind: $0.kind, phase: $0.phase, from: $0.from, to: $0.to)
        }
        nodes = Dictionary(
            view.nodes.map { ($0.name.rawValue, Node($0, in: view)) }, uniquingKeysWith: { first, _ in first })
        splitBrain = view.splitBrain
        capturedAt = view.capturedAt
        stale = view.staleSeconds > 0
        staleSeconds = view.staleSeconds
    }
}

extension ClusterStateShape.Node {
    init(_ node: NodeView, in view: ClusterView) {
        let seen = view.measuredAt(node)
        self.init(
            role: node.role, state: node.state, lag: node.lagBytes.map { SizeValue(bytes: $0).description },
            lagBytes: node.lagBytes,
            lagBytesReason: node.lagBytes == nil
                ? (node.role == .primary ? "this is the primary" : "no position of this node is known") : nil,
            lastSeen: seen, lastSeenReason: seen == nil ? "the node was not seen yet" : nil)
    }
}

/// `GET /nodes` (X06).
struct NodesShape: Codable, Sendable {
    struct Node: Codable, Sendable {
        var name: NodeName
        var host: String
        var port: Int
        var role: NodeRole
        var state: String
        @Nullable var lagBytes: UInt64?
        @Nullable var lastSeen: String?
    }
    var nodes: [Node]
    var capturedAt: String

    init(_ view: ClusterView) {
        nodes = view.nodes.map { node in
            Node(
                name: node.name, host: node.host, port: node.postgresPort, role: node.role, state: node.state,
                lagBytes: node.lagBytes, lastSeen: view.measuredAt(node))
        }
        capturedAt = view.capturedAt
    }
}

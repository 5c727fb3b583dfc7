import ClusterModel

/// One element of `nodes[]`: what is known of one node.
package struct NodeRow: Codable, Sendable, Hashable {
    package var name: String
    package var host: String
    @Nullable package var postgresPort: Int?
    package var role: NodeRole
    package var state: String
    @Nullable package var standing: String?
    @Nullable package var standingReason: String?
    /// `leader voter learner none`
    package var raft: String
    package var reachable: Bool
    package var healthy: Bool
    @Nullable package var lagBytes: UInt64?
    @Nullable package var lagBytesReason: String?
    @Nullable package var lagSeconds: Double?
    @Nullable package var timeline: TimelineID?
    @Nullable package var lsn: LSN?
    @Nullable package var streaming: Bool?
    @Nullable package var upstream: NodeName?
    package var sync: String
    package var inRotation: Bool
    @Nullable package var rotationReason: String?
    package var promotable: Bool
    @Nullable package var promotableReason: String?
    @Nullable package var version: String?
    @Nullable package var postgresVersion: Int?
    @Nullable package var lastSeenSeconds: Double?
    package var pendingRestart: Bool
    @Nullable package var connections: Int?
    @Nullable package var longestTransactionSeconds: Double?
    package var job: JobRow
    package var vip: Bool
    /// true: the running server was started by somebody else and taken over; nil until then and after its next restart.
    package var adopted: Bool?

    /// A clone or rewind under way.
    package struct JobRow: Codable, Sendable, Hashable {
        package var kind: String
        package var phase: String
        @Nullable package var percent: Double?
    }
}

extension NodeRow {
    /// A registered node, with what Raft knows of it.
    init(_ node: NodeView, in view: ClusterView) {
        let peer = view.peer(named: node.name)
        self.init(
            name: node.name.rawValue, host: node.host, postgresPort: node.kind == .data ? node.postgresPort : nil,
            role: node.role, state: node.state, standing: node.standing, standingReason: node.standingReason,
            raft: NodeRow.raft(peer), reachable: peer?.reachable ?? (node.state != "unreachable"),
            healthy: node.healthy, lagBytes: node.lagBytes, lagBytesReason: NodeRow.lagReason(node),
            lagSeconds: node.lagSeconds, timeline: node.timeline, lsn: node.lsn, streaming: node.streaming,
            upstream: node.upstream, sync: node.sync, inRotation: node.inRotation,
            rotationReason: node.rotationReason, promotable: node.promotable,
            promotableReason: node.promotableReason, version: node.version, postgresVersion: node.postgresVersion,
            lastSeenSeconds: node.lastSeenSeconds, pendingRestart: node.pendingRestart,
            connections: node.connections, longestTransactionSeconds: node.longestTransactionSeconds,
            job: JobRow(kind: node.job.kind, phase: node.job.phase, percent: node.job.percent),
            vip: view.vipOwner == node.name)
        adopted = node.isAdopted ? true : nil
    }

    /// A member of Raft that has not registered itself yet.
    init(unregistered peer: PeerView, in view: ClusterView) {
        let host = PeerAddress(peer.address, defaultPort: 0)?.host ?? peer.address
        self.init(
            name: peer.name.rawValue, host: host, postgresPort: nil, role: .unknown,
            state: peer.reachable ? "starting" : "unreachable", standing: nil, standingReason: nil,
            raft: NodeRow.raft(peer), reachable: peer.reachable, healthy: false, lagBytes: nil,
            lagBytesReason: "the node has not registered yet", lagSeconds: nil, timeline: nil, lsn: nil,
            streaming: nil, upstream: nil, sync: "none", inRotation: false, rotationReason: "not registered",
            promotable: false, promotableReason: "not registered", version: peer.version, postgresVersion: nil,
            lastSeenSeconds: nil, pendingRestart: false, connections: nil, longestTransactionSeconds: nil,
            job: JobRow(kind: "none", phase: "idle", percent: nil), vip: view.vipOwner == peer.name)
    }

    /// Registered nodes and members that are not registered yet, sorted by name.
    static func all(in view: ClusterView) -> [NodeRow] {
        let registered = view.nodes.map { NodeRow($0, in: view) }
        let others = view.peers.filter { view.node(named: $0.name) == nil }
            .map { NodeRow(unregistered: $0, in: view) }
        return (registered + others).sorted { $0.name < $1.name }
    }

    private static func raft(_ peer: PeerView?) -> String {
        guard let peer else { return "none" }
        return peer.isLeader ? "leader" : peer.suffrage.rawValue
    }

    private static func lagReason(_ node: NodeView) -> String? {
        guard node.lagBytes == nil else { return nil }
        switch node.role {
        case .primary: return "this is the primary"
        case .witness: return "a witness has no data"
        case .replica, .unknown: return "no position of this node is known"
        }
    }

    /// `0 B`, `1.2 MiB`, or `-` for the primary, a witness and what is unknown.
    var lagText: String { lagBytes.map { SizeValue(bytes: $0).description } ?? "-" }
    var stateText: String { adopted == true ? state + " (adopted)" : state }
    var seenText: String { lastSeenSeconds.map(DecimalText.age) ?? "-" }

    /// Every known field on a line of its own.
    var detailText: String {
        var table = TextTable("FIELD", "VALUE")
        table.add("name", name)
        table.add("host", host + (postgresPort.map { " (postgresql port \($0))" } ?? ""))
        table.add("role", role.rawValue)
        table.add("state", stateText)
        table.add("standing", standing.orDash + (standingReason.map { " (\($0))" } ?? ""))
        table.add("raft", raft)
        table.add("healthy", healthy ? "yes" : "no")
        table.add("lag", lagText)
        table.add("timeline", timeline.orDash)
        table.add("lsn", lsn.orDash)
        table.add("upstream", upstream.orDash)
        table.add("sync", sync)
        table.add("in rotation", (inRotation ? "yes" : "no") + (rotationReason.map { " (\($0))" } ?? ""))
        table.add("promotable", (promotable ? "yes" : "no") + (promotableReason.map { " (\($0))" } ?? ""))
        table.add("version", version.orDash)
        table.add("postgresql", postgresVersion.orDash)
        table.add("seen", seenText)
        if job.kind != "none" {
            table.add("job", "\(job.kind) \(job.phase)" + (job.percent.map { " \(Int($0))%" } ?? ""))
        }
        return table.text
    }
}

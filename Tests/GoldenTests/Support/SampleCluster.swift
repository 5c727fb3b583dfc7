import ClusterModel
import Operations

/// Three nodes with fixed values: what `cli.md` shows in its samples.
struct SampleGateway: ClusterGateway {
    func view() async -> ClusterView { SampleCluster.view }

    func submit(
        _ request: ClusterRequest, metadata: RequestMetadata, forward: Bool
    ) async throws(BastionError) -> ClusterReply {
        ClusterReply(alreadySo: true, summary: "it is so already")
    }

    func ask(
        _ node: NodeName, _ request: NodeRequest, metadata: RequestMetadata, limit: Duration
    ) async throws(BastionError) -> NodeReply {
        switch request {
        case .view: .view(SampleCluster.view)
        case .connections: .connections([])
        default: .done("done")
        }
    }

    func views(minimumInterval: Duration) -> AsyncStream<ClusterView> {
        AsyncStream { $0.yield(SampleCluster.view) }
    }
}

enum SampleCluster {
    static func name(_ text: String) -> NodeName {
        guard let name = NodeName(text) else { preconditionFailure("\"\(text)\" is no node name") }
        return name
    }

    static let view: ClusterView = {
        var view = ClusterView(node: name("node1"), clusterName: "prod", version: "1.2.0")
        view.clusterID = ClusterID("0f0c41d2000000000000000000000001")
        view.epoch = 3
        view.capturedAt = "2026-02-17T02:00:00Z"
        view.raft = raft
        view.peers = peers
        view.nodes = nodes
        view.primary = PrimaryView(
            name: name("node1"), token: FencingToken(41), timeline: TimelineID(5), phase: "serving")
        view.recentOperations = [finished]
        view.history = []
        view.health.status = "ok"
        view.health.role = .primary
        view.health.proxyHealthy = true
        return view
    }()

    private static var raft: RaftView {
        var raft = RaftView()
        raft.leader = name("node2")
        raft.leaderAddress = "10.0.1.2:8300"
        raft.term = 7
        raft.commitIndex = 48213
        raft.appliedIndex = 48213
        raft.lastLogIndex = 48213
        raft.lastContactMilliseconds = 12
        raft.voters = 3
        raft.votersReachable = 3
        raft.hasQuorum = true
        raft.failuresTolerated = 1
        return raft
    }

    private static var peers: [PeerView] {
        ["node1", "node2", "node3"].enumerated().map { index, text in
            var peer = PeerView(
                name: name(text), address: "10.0.1.\(index + 1):8300", suffrage: .voter, isLeader: text == "node2",
                reachable: true)
            peer.lastContactMilliseconds = text == "node2" ? nil : 12
            peer.matchIndex = 48213
            peer.version = "1.2.0"
            return peer
        }
    }

    private static var nodes: [NodeView] {
        ["node1", "node2", "node3"].enumerated().map { index, text in
            var node = NodeView(name: name(text), host: "10.0.1.\(index + 1)", postgresPort: 5432, kind: .data)
            let isPrimary = text == "node1"
            node.role = isPrimary ? .primary : .replica
            node.state = isPrimary ? "running" : "streaming"
            node.standing = "member"
            node.lagBytes = isPrimary ? nil : text == "node3" ? 1_258_291 : 0
            node.lagSeconds = isPrimary ? nil : 0.3
            node.timeline = TimelineID(5)
            node.lsn = LSN("0/5000060")
            node.streaming = isPrimary ? nil : true
            node.upstream = isPrimary ? nil : name("node1")
            node.sync = isPrimary ? "none" : "quorum"
            node.version = "1.2.0"
            node.postgresVersion = 17
            node.lastSeenSeconds = 0
            node.healthy = true
            node.inRotation = true
            node.promotable = !isPrimary
            return node
        }
    }

    private static var finished: OperationView {
        var operation = OperationView(
            id: "op-48231", kind: "switchover", phase: "done", startedAt: "2026-02-17T01:00:00Z")
        operation.result = .succeeded
        operation.from = name("node2")
        operation.to = name("node1")
        operation.message = "node1 is the primary (timeline 5)"
        operation.phases = [.init(name: "promote", detail: "node1, timeline 5", elapsedSeconds: 0.2)]
        return operation
    }
}

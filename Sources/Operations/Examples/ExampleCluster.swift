import ClusterModel

/// The cluster of the documentation: three nodes, `node1` the primary, `node2` the leader. Golden tests and examples in
/// the reference are made from it.
package enum ExampleCluster {
    package static let healthy: ClusterView = {
        var view = ClusterView(node: name("node1"), clusterName: "prod", version: "1.2.0")
        view.clusterID = ClusterID(rawValue: 0x0f0c_41d2 << 96)
        view.epoch = 3
        view.capturedAt = "2026-02-17T02:00:00Z"
        view.raft = raft
        view.peers = peers
        view.nodes = nodes
        var primary = PrimaryView(
            name: name("node1"), token: FencingToken(41), timeline: TimelineID(5), phase: "serving")
        primary.lsn = LSN(0x5000060)
        primary.leaseRemainingSeconds = 2.5
        view.primary = primary
        view.synchronous.mode = "quorum"
        view.synchronous.required = 1
        view.synchronous.members = [name("node2"), name("node3")]
        view.recentOperations = [switchover]
        view.directives = [directive]
        view.healthChecks = checks
        view.vipOwner = name("node2")
        var address = VirtualAddressView(address: "10.0.1.100/24", interface: "eth0", follows: .leader)
        address.reason = "not leader"
        view.virtualAddress = address
        view.history = [
            TimelineView(
                timeline: TimelineID(4), forkLSN: LSN(0x4000108), reason: "switchover", at: "2026-02-16T02:00:05Z",
                node: name("node1"))
        ]
        view.health.status = "ok"
        view.health.role = .primary
        view.health.proxyHealthy = true
        view.systemIdentifier = 7_301_234_567_890_123_456
        view.decisions = ExampleInspection.decisions
        return view
    }()

    /// The names above are valid by construction.
    package static func name(_ text: String) -> NodeName {
        guard let name = NodeName(text) else { preconditionFailure("not a node name: \(text)") }
        return name
    }

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
        (1...3).map { number in
            var peer = PeerView(
                name: name("node\(number)"), address: "10.0.1.\(number):8300", suffrage: .voter,
                isLeader: number == 2, reachable: true)
            peer.lastContactMilliseconds = number == 2 ? 0 : 12
            peer.matchIndex = 48213
            peer.version = "1.2.0"
            return peer
        }
    }

    private static var nodes: [NodeView] {
        var primary = node("node1", "10.0.1.1", .primary, state: "running")
        primary.isInRecovery = false
        primary.lsn = LSN(0x5000060)
        primary.sync = "none"
        primary.slots = ["node2", "node3"].map { slot in
            var slot = SlotFacts(name: slot, isPhysical: true, isActive: true)
            slot.retainedBytes = 96
            slot.walStatus = "reserved"
            return slot
        }
        return [primary, replica("node2", "10.0.1.2", lag: 0), replica("node3", "10.0.1.3", lag: 1_258_291)]
    }

    private static func replica(_ text: String, _ host: String, lag: UInt64) -> NodeView {
        var node = node(text, host, .replica, state: "streaming")
        let position = LSN(0x5000060 - lag)
        node.isInRecovery = true
        node.streaming = true
        node.upstream = name("node1")
        node.sync = "quorum"
        node.lagBytes = lag
        node.lagSeconds = lag == 0 ? 0 : 0.3
        node.lsn = position
        node.promotable = true
        node.lastSeenSeconds = 0.4
        var row = StreamingReplica(applicationName: text, state: "streaming", syncState: "quorum")
        row.sentLSN = position
        row.writeLSN = position
        row.flushLSN = position
        row.replayLSN = position
        node.replication = row
        return node
    }

    private static func node(_ text: String, _ host: String, _ role: NodeRole, state: String) -> NodeView {
        var node = NodeView(name: name(text), host: host, postgresPort: 5434, kind: .data)
        node.role = role
        node.state = state
        node.standing = "ready"
        node.timeline = TimelineID(5)
        node.version = "1.2.0"
        node.postgresVersion = 160_004
        node.lastSeenSeconds = 0
        node.healthy = true
        node.inRotation = true
        node.connections = 12
        node.longestTransactionSeconds = 0.2
        node.systemIdentifier = 7_301_234_567_890_123_456
        return node
    }

    /// A finished switchover with the phases of `cli.md`, 4.4.
    package static var switchover: OperationView {
        var operation = OperationView(
            id: "op-48231", kind: "switchover", phase: "re-attach", startedAt: "2026-02-16T02:00:00Z")
        operation.phases = [
            .init(name: "check", detail: "9 checks", elapsedSeconds: 0),
            .init(name: "checkpoint", detail: "node1", elapsedSeconds: 0.8),
            .init(name: "hold", detail: "12 sessions wait", elapsedSeconds: 0),
            .init(name: "stop", detail: "node1 shut down at 0/5000108", elapsedSeconds: 0.5),
            .init(name: "receive", detail: "node2 has 0/5000108", elapsedSeconds: 0),
            .init(name: "promote", detail: "node2, timeline 6", elapsedSeconds: 0.2),
            .init(name: "release", detail: "writes go to node2", elapsedSeconds: 0),
            .init(name: "re-attach", detail: "node1 streams from node2", elapsedSeconds: 1.6),
        ]
        operation.from = name("node1")
        operation.to = name("node2")
        operation.result = .succeeded
        operation.message = "node2 is the primary"
        operation.finishedAt = "2026-02-16T02:00:05Z"
        operation.requestID = "7f3a9c21"
        operation.oldTimeline = TimelineID(5)
        operation.newTimeline = TimelineID(6)
        operation.lsn = LSN(0x5000108)
        operation.provenLossless = true
        return operation
    }

    private static var directive: DirectiveView {
        var directive = DirectiveView(
            id: "d-17", type: "rewind", targetNode: name("node3"), status: "completed",
            createdAt: "2026-02-17T01:58:00Z", term: 7)
        directive.params = ["source": "node1"]
        directive.completedAt = "2026-02-17T01:59:00Z"
        return directive
    }

    private static var checks: [HealthCheckView] {
        [
            HealthCheckView(timestamp: "2026-02-17T01:59:59Z", durationMilliseconds: 1.5, healthy: true, error: nil),
            HealthCheckView(
                timestamp: "2026-02-17T01:59:58Z", durationMilliseconds: 3000, healthy: false,
                error: "timed out after 3 s"),
            HealthCheckView(timestamp: "2026-02-17T01:59:57Z", durationMilliseconds: 1.2, healthy: true, error: nil),
        ]
    }
}

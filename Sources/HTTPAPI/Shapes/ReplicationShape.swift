import ClusterModel
import Operations

/// `GET /cluster/replication` (E10).
struct ReplicationShape: Codable, Sendable {
    struct Replica: Codable, Sendable {
        var name: NodeName
        var state: String
        var syncState: String
        @Nullable var sentLagBytes: UInt64?
        @Nullable var writeLagBytes: UInt64?
        @Nullable var flushLagBytes: UInt64?
        @Nullable var replayLagBytes: UInt64?
        @Nullable var lagBytes: UInt64?
        @Nullable var lagBytesReason: String?
        @Nullable var lagSeconds: Double?
        var streaming: Bool
        @Nullable var replayLSN: LSN?
        @Nullable var measuredAt: String?
    }
    struct Slot: Codable, Sendable {
        var node: NodeName
        var name: String
        var type: String
        var active: Bool
        @Nullable var walBytes: UInt64?
        @Nullable var walStatus: String?
    }
    /// Of this node.
    @Nullable var isInRecovery: Bool?
    @Nullable var isInRecoveryReason: String?
    /// Bytes, of this node.
    @Nullable var replicationLag: UInt64?
    @Nullable var replicationLagReason: String?
    @Nullable var primary: NodeName?
    @Nullable var primaryReason: String?
    @Nullable var timeline: TimelineID?
    var replicas: [Replica]
    var replicationSlots: [Slot]
    var capturedAt: String
    var stale: Bool
    var staleSeconds: Double

    init(_ view: ClusterView) {
        let own = view.node(named: view.node)
        isInRecovery = own?.isInRecovery
        isInRecoveryReason = own?.isInRecovery == nil ? "this node's PostgreSQL was not read" : nil
        let isPrimary = view.primary?.name == view.node
        replicationLag = isPrimary ? 0 : own?.lagBytes
        replicationLagReason = isPrimary || own?.lagBytes != nil ? nil : "no position of this node is known"
        primary = view.primary?.name
        primaryReason = view.primaryAbsence
        timeline = view.primary?.timeline ?? view.standby?.source.flatMap { view.node(named: $0)?.timeline }
        let end = view.primary?.lsn ?? view.primaryNode?.lsn ?? view.standby?.upstreamLSN
        replicas = view.replicaNodes.map { Replica($0, in: view, primaryEnd: end) }
        replicationSlots = view.slots.map {
            Slot(
                node: $0.node, name: $0.name, type: $0.type, active: $0.active, walBytes: $0.walBytes,
                walStatus: $0.walStatus)
        }
        capturedAt = view.capturedAt
        stale = view.staleSeconds > 0
        staleSeconds = view.staleSeconds
    }
}

extension ReplicationShape.Replica {
    /// Lag is the primary's position minus the replica's; for a disconnected replica `lagBytes` of the view, which counts
    /// from its last known position and grows.
    init(_ node: NodeView, in view: ClusterView, primaryEnd: LSN?) {
        let row = node.replication
        func behind(_ position: LSN?) -> UInt64? {
            guard let primaryEnd, let position else { return node.lagBytes }
            return primaryEnd - position
        }
        self.init(
            name: node.name, state: node.state, syncState: row?.syncState ?? node.sync,
            sentLagBytes: behind(row?.sentLSN), writeLagBytes: behind(row?.writeLSN),
            flushLagBytes: behind(row?.flushLSN), replayLagBytes: behind(row?.replayLSN), lagBytes: node.lagBytes,
            lagBytesReason: node.lagBytes == nil ? "no position of this node is known" : nil,
            lagSeconds: node.lagSeconds, streaming: node.streaming ?? false, replayLSN: row?.replayLSN ?? node.lsn,
            measuredAt: view.measuredAt(node))
    }
}

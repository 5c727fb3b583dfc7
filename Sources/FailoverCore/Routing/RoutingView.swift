import ClusterModel

/// Section 9: where sessions go, from the applied state and the leader's last report.
package struct RoutingView: Sendable {
    package var state: ClusterState
    package var reports: [NodeName: TimedReport]
    package var me: NodeName
    /// This node's guard holds the lease now.
    package var holdsLease: Bool
    /// No leader was heard for `leases.wait` (PX2).
    package var isCutOff: Bool
    package var splitBrain: Bool
    package var settings: PolicySettings
    package var now: ClockStamp

    package init(
        state: ClusterState, reports: [NodeName: TimedReport], me: NodeName, holdsLease: Bool, isCutOff: Bool,
        splitBrain: Bool, settings: PolicySettings, now: ClockStamp
    ) {
        self.state = state
        self.reports = reports
        self.me = me
        self.holdsLease = holdsLease
        self.isCutOff = isCutOff
        self.splitBrain = splitBrain
        self.settings = settings
        self.now = now
    }

    package var table: RoutingTable {
        var table = RoutingTable()
        table.splitBrain = splitBrain
        table.replicas = replicas.map(backend)
        for node in state.dataNodes where node.drained && node.name != state.primary?.node {
            table.drained[node.name] = RoutingTable.Drain(limit: node.drainMilliseconds.map { .milliseconds($0) })
        }
        if state.isStandby, let upstream = state.standby?.upstream {
            table.withoutPrimary = .refuse("this cluster follows another one and takes no writes; they belong to \(upstream.address)")
        }
        guard let primary = state.primary else {
            if state.barrier != nil { table.withoutPrimary = .refuse("the cluster was restored, and no primary serves yet") }
            return table
        }
        table.epoch = primary.phase == .serving ? primary.token : .never
        if isHolding {
            table.withoutPrimary = .hold
        } else if splitBrain {
            table.withoutPrimary = .refuse("two writable servers were seen; an operator must decide")
        } else if primary.phase != .serving {
            table.withoutPrimary = .refuse("no node is the primary now; a failover is in progress")
        } else if isCutOff, !(primary.node == me && holdsLease) {
            table.withoutPrimary = .refuse("this node has no contact to a leader, so the primary is not known for certain")
        } else if let node = state.nodes[primary.node] {
            table.primary = backend(node)
        }
        // PX1: a fenced or deposed primary keeps no session.
        if primary.phase == .ended { table.cut[primary.node] = "it is no longer the primary" }
        for node in state.dataNodes where node.name != primary.node {
            let state = reports[node.name]?.report.agentState
            if state == "cloning" || state == "rewinding" || state == "fenced" { table.cut[node.name] = state }
        }
        return table
    }

    /// PX3: inside a switchover new sessions wait.
    private var isHolding: Bool {
        guard let operation = state.operation, operation.kind == .switchover else { return false }
        return [.hold, .stop, .undo, .promote].contains(operation.phase)
    }

    /// PX4: why a data node is out of rotation for the replica port; nil: it is in.
    package func reasonOutOfRotation(_ node: NodeRecord) -> String? {
        if node.name == state.primary?.node { return "primary" }
        if node.drained { return "drained" }
        if node.tags.noloadbalance { return "tagged noloadbalance" }
        guard let timed = reports[node.name] else { return "no report yet" }
        guard now.since(timed.at) <= .seconds(2) else { return "silent" }
        guard timed.report.isStreaming else { return "not streaming" }
        guard let lag = lagBytes(node.name) else { return "lag unknown" }
        return lag <= settings.replicaMaxLagBytes ? nil : "behind by \(lag) bytes"
    }

    private var replicas: [NodeRecord] { state.dataNodes.filter { reasonOutOfRotation($0) == nil } }

    /// The primary's last known position minus the replica's replayed one; nil when either is unknown.
    package func lagBytes(_ node: NodeName) -> UInt64? {
        let end =
            state.isStandby
            ? reports.values.compactMap(\.report.upstreamEnd).max()
            : state.primary.flatMap { reports[$0.node]?.report.facts?.server?.flushLSN }
        guard let end,
            let server = reports[node]?.report.facts?.server, server.isInRecovery
        else { return nil }
        return end - (server.replayedLSN ?? server.receivedLSN ?? .zero)
    }

    private func backend(_ node: NodeRecord) -> RoutingTable.Backend {
        RoutingTable.Backend(node: node.name, host: node.host, port: node.postgresPort)
    }
}

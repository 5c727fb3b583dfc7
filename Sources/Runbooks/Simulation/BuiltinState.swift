import ClusterModel
import Operations

/// The state documents every binary has: `builtin:healthy-3` and its like (runbooks.md, section 5).
package enum BuiltinState: String, Sendable, CaseIterable {
    case healthy = "healthy-3"
    case primaryDown = "primary-down"
    case noQuorum = "no-quorum"
    case splitBrain = "split-brain"
    case lagging
    case paused
    case freshHost = "fresh-host"

    package static let prefix = "builtin:"

    /// The document that `text` names; nil when it names none.
    package init?(source text: String) {
        guard text.hasPrefix(BuiltinState.prefix) else { return nil }
        self.init(rawValue: String(text.dropFirst(BuiltinState.prefix.count)))
    }

    /// Three nodes: node1 is the primary, node2 leads the consensus, node2 and node3 stream.
    package func document() throws(BastionError) -> JSONValue {
        var state = SimulatedState(try BuiltinState.healthyDocument())
        switch self {
        case .healthy: break
        case .primaryDown: BuiltinState.takeDown("node1", in: &state)
        case .noQuorum:
            for name in ["node1", "node2"] { BuiltinState.takeDown(name, in: &state) }
            BuiltinState.loseLeader(in: &state)
            BuiltinState.beLocal("node3", running: false, in: &state)
        case .splitBrain: BuiltinState.split(&state)
        case .lagging: BuiltinState.lag("node3", in: &state)
        case .paused:
            state["paused.active"] = .bool(true)
            state["paused.since"] = .string(state.capturedAt)
            state["paused.reason"] = .string("maintenance")
            state["paused.by"] = .string("ops")
        case .freshHost: BuiltinState.beFresh(&state)
        }
        state.refreshVersions()
        return state.document
    }

    private static func healthyDocument() throws(BastionError) -> JSONValue {
        var view = ExampleCluster.healthy
        view.version = BuildInformation.version
        for index in view.nodes.indices {
            view.nodes[index].version = BuildInformation.version
            if view.nodes[index].role == .replica {
                view.nodes[index].lagBytes = 0
                view.nodes[index].lagSeconds = 0
                view.nodes[index].lsn = view.primary?.lsn
                view.nodes[index].isReplayPaused = false
                view.nodes[index].lastSeenSeconds = 0.4
            }
            view.nodes[index].isBaseBackupRunning = false
        }
        view.raft.digestAgreement = "agree"
        var document = StateDocument(view)
        document.source = "simulated"
        document.backup.lastID = "20260217T010000Z-e1-i48000-0a1b2c3d"
        document.backup.lastSuccessAt = "2026-02-17T01:00:00Z"
        document.backup.ageSeconds = Timestamp.seconds(from: "2026-02-17T01:00:00Z", to: document.capturedAt)
        document.backup.countGood = 7
        document.backup.lastDrillAt = "2026-02-01T02:00:00Z"
        document.backup.drillAgeSeconds = Timestamp.seconds(from: "2026-02-01T02:00:00Z", to: document.capturedAt)
        document.raft.votersReachable = 3
        for index in document.nodes.indices {
            document.nodes[index].dataBytes = 10 << 30
            document.nodes[index].dataFreeBytes = 40 << 30
            document.nodes[index].clockOffsetSeconds = 0.001
            document.nodes[index].pendingRestart = false
            document.nodes[index].lagMeasuredAt = document.nodes[index].role == .replica ? document.capturedAt : nil
            document.nodes[index].raft.lastTerm = document.raft.term
            document.nodes[index].raft.caughtUp = true
        }
        return try JSONParser.parse(try JSONText.encode(document))
    }

    private static func takeDown(_ name: String, in state: inout SimulatedState) {
        state.setNode(
            name,
            [
                ("state", .string("unreachable")), ("healthy", .bool(false)), ("reachable", .bool(false)),
                ("raft.reachable", .bool(false)), ("promotable", .bool(false)), ("promotable_reason", .string("unreachable")),
                ("streaming", .null), ("lag_bytes", .null), ("lag_seconds", .null), ("lag_measured_at", .null),
                ("lag_age_seconds", .null), ("last_seen_seconds", .integer(30)), ("connections", .null),
                ("longest_transaction_seconds", .null),
            ])
        if state.primary == name {
            state["primary.verified"] = .bool(false)
            state["primary.accepting_writes"] = .bool(false)
            for node in state.nodeNames where node != name && state.field("role", of: node).string == "replica" {
                state.setNode(node, [("streaming", .bool(false)), ("state", .string("running"))])
            }
        }
        state.refreshMembership()
    }

    private static func loseLeader(in state: inout SimulatedState) {
        for path in ["raft.leader", "primary.accepting_writes", "primary.lease_holder", "primary.lease_remaining_seconds"] {
            state[path] = .null
        }
        state["raft.has_quorum"] = .bool(false)
        state["raft.digest_agreement"] = .string("unknown")
    }

    private static func split(_ state: inout SimulatedState) {
        state["split_brain"] = .bool(true)
        state["cluster.healthy"] = .bool(false)
        state["primary.accepting_writes"] = .bool(false)
        state.setNode(
            "node3",
            [
                ("role", .string("primary")), ("state", .string("running")), ("streaming", .null), ("healthy", .bool(false)),
                ("timeline", .integer(6)), ("lag_bytes", .null), ("upstream", .null), ("promotable", .bool(false)),
                ("replay_paused", .null), ("sync", .string("none")),
            ])
    }

    private static func lag(_ name: String, in state: inout SimulatedState) {
        state.setNode(
            name,
            [
                ("lag_bytes", .integer(UInt64(64) << 20)), ("lag_seconds", .integer(45)), ("state", .string("catching_up")),
                ("lsn", .string("0/1000060")),
            ])
    }

    /// What an offline runbook sees on the node where it runs.
    static func beLocal(_ name: String, running: Bool, in state: inout SimulatedState) {
        let others = state.nodes.filter { $0["name"]?.string != name }.map { node in
            JSONValue.record([
                ("name", node["name"] ?? .null), ("address", node["address"] ?? .null), ("reachable", .bool(false)),
                ("cluster_id", .null), ("has_leader", .null),
            ])
        }
        state["local"] = .record([
            ("node", .string(name)), ("daemon_running", .bool(running)), ("guard_running", .bool(running)),
            ("config_valid", .bool(true)), ("ports_free", .bool(!running)), ("clock_synchronised", .bool(true)),
            ("data_dir", .string("initialised")), ("cluster_id", state["cluster.id"]), ("epoch", state["cluster.epoch"]),
            ("last_term", state["raft.term"]), ("last_index", state["raft.applied_index"]),
            (
                "postgres",
                .record([
                    ("running", .bool(false)), ("in_recovery", .bool(true)),
                    ("system_identifier", state["primary.system_identifier"]), ("timeline", state["primary.timeline"]),
                    ("lsn", state["primary.lsn"]), ("control_state", .string("shut down in recovery")),
                ])
            ),
            ("members", .array(others)),
        ])
    }

    /// A machine without cluster, configuration or data.
    private static func beFresh(_ state: inout SimulatedState) {
        state.nodes = []
        for path in [
            "cluster.id", "raft.leader", "primary.name", "primary.accepting_writes", "primary.since", "primary.timeline", "primary.lsn",
            "primary.system_identifier", "primary.lease_holder", "primary.lease_remaining_seconds", "vip.address", "vip.owner",
            "vip.consistent", "backup.last_id", "backup.last_success_at", "backup.age_seconds", "backup.last_drill_at",
            "backup.drill_age_seconds",
        ] { state[path] = .null }
        for path in [
            "cluster.epoch", "raft.term", "raft.commit_index", "raft.applied_index", "raft.voters", "raft.voters_reachable",
            "raft.learners", "raft.failures_tolerated", "backup.count_good",
        ] { state[path] = .integer(0) }
        state["raft.has_quorum"] = .bool(false)
        state["raft.digest_agreement"] = .string("unknown")
        state["primary.verified"] = .bool(false)
        state["cluster.healthy"] = .bool(false)
        state["synchronous.required"] = .integer(0)
        state["synchronous.members"] = .array([])
        beLocal("node1", running: false, in: &state)
        for path in ["local.cluster_id", "local.epoch", "local.last_term", "local.last_index", "local.postgres"] { state[path] = .null }
        state["local.data_dir"] = .string("missing")
        state["seen_by"] = .string("node1")
    }
}

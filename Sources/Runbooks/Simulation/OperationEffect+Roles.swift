import ClusterModel
import Operations

/// Who is the primary, and whether failover is automatic.
extension OperationEffect {
    static let roles = [
        OperationEffect(
            "switchover", isIdempotent: false,
            simulate: { state, call throws(BastionError) in
                let old = state.primary
                let target = try state.target(of: call)
                state.promote(target)
                state.followAll(target)
                if let old { state.follow(old, target) }
                state["split_brain"] = .bool(false)
                state.refreshMembership()
                return state.roleChange(from: old, to: target)
            },
            isSatisfied: { state, call in state.isPrimary(call.target) },
            checks: { state, call in
                guard let target = call.target else { return [] }
                let node: [(String, JSONValue)] = [("node", .string(target))]
                return [
                    CheckInvocation("cluster.has_quorum"), CheckInvocation("no_operation_in_progress"),
                    CheckInvocation("node.is_replica", node), CheckInvocation("node.healthy", node),
                    CheckInvocation("replica.caught_up", node + (call.arguments["max_lag"].map { [("max_lag", $0)] } ?? [])),
                    CheckInvocation("no_long_transaction", call.arguments["max_transaction"].map { [("max", $0)] } ?? []),
                    CheckInvocation("no_base_backup"), CheckInvocation("replay_running", node),
                ]
            }),
        OperationEffect(
            "failover", isIdempotent: false,
            simulate: { state, call throws(BastionError) in
                let old = state.primary
                let target = try state.target(of: call)
                state.promote(target)
                if let old, old != target { state.fenceNode(old) }
                state.followAll(target)
                state.refreshMembership()
                return state.roleChange(from: old, to: target)
            },
            isSatisfied: { state, call in state.isPrimary(call.target) },
            checks: { state, call in
                guard let target = call.target else { return [] }
                let node: [(String, JSONValue)] = [("node", .string(target))]
                // A second writable server is kept by appointing it: it is no replica, and not healthy as things stand.
                let isSecondPrimary = state.field("role", of: target).string == "primary" && state.primary != target
                return [CheckInvocation("cluster.has_quorum"), CheckInvocation("no_operation_in_progress")]
                    + (isSecondPrimary ? [] : [CheckInvocation("node.is_replica", node), CheckInvocation("node.healthy", node)])
            }),
        OperationEffect(
            "standby.promote", isIdempotent: false,
            simulate: { state, _ throws(BastionError) in
                // Nobody is primary in a cluster that follows; when it waits for its promotion, all its nodes have the same.
                if state.primary == nil,
                    let best = state.document["nodes"]?.elements?.first(where: { $0["healthy"]?.bool == true })
                {
                    state["primary.name"] = best["name"] ?? .null
                    state["primary.timeline"] = best["timeline"] ?? .null
                    state["primary.lsn"] = best["lsn"] ?? .null
                }
                let old = state["primary.timeline"]
                if let name = state.primary { state.promote(name) }
                state["standby.active"] = .bool(false)
                state["standby.upstream_system_identifier"] = .null
                state["standby.lag_bytes"] = .null
                return .record([("from_timeline", old), ("new_timeline", state["primary.timeline"]), ("lsn", state["primary.lsn"])])
            },
            isSatisfied: { state, _ in state["standby.active"].bool == false }),
    ]

    static let pauses = [
        OperationEffect(
            "pause",
            simulate: { state, call in
                state["paused.active"] = .bool(true)
                state["paused.since"] = .string(state.capturedAt)
                state["paused.until"] = call.text("for").flatMap { DurationValue($0) }.map { state.time(after: $0.seconds) } ?? .null
                state["paused.reason"] = .string(call.text("reason") ?? "")
                state["paused.by"] = .string("operator")
                state["paused.by_run"] = call.runID.isEmpty ? .null : .string(call.runID)
                return .record([
                    ("active", .bool(true)), ("since", state["paused.since"]), ("until", state["paused.until"]),
                    ("reason", state["paused.reason"]), ("by", state["paused.by"]),
                ])
            },
            isSatisfied: { state, _ in state["paused.active"].bool == true },
            compensation: { call, outputs in outputs.saysAlreadySo ? nil : call.other("resume") },
            checks: { _, _ in [CheckInvocation("cluster.has_quorum")] }),
        OperationEffect(
            "resume",
            simulate: { state, call in
                state.clearPause()
                if let name = call.text("accept_primary") {
                    // Whatever the others were: they have to be cloned or to follow.
                    for other in state.nodeNames where other != name && state.field("role", of: other).string == "primary" {
                        state.setNode(other, [("role", .string("unknown"))])
                    }
                    state.promote(name, onSameTimeline: true)
                    state.refreshMembership()
                }
                return .record([("active", .bool(false)), ("since", .null), ("until", .null), ("reason", .null), ("by", .null)])
            },
            isSatisfied: { state, call in
                state["paused.active"].bool == false
                    && (call.text("accept_primary").map { state.isPrimary($0) && state["primary.verified"].bool == true } ?? true)
            }),
    ]
}

extension SimulatedState {
    func isPrimary(_ name: String?) -> Bool {
        guard let name else { return false }
        return primary == name && self["primary.accepting_writes"].bool == true && self["split_brain"].bool == false
    }

    /// The node that a change of the primary goes to: the one named, else the first healthy replica.
    func target(of call: OperationInvocation) throws(BastionError) -> String {
        if let name = call.target {
            guard node(name) != nil else { throw BastionError(.notFound, "node \"\(name)\" is not known") }
            return name
        }
        let candidate = nodes.first { $0["role"]?.string == "replica" && $0["promotable"]?.bool == true }?["name"]?.string
        guard let candidate else { throw BastionError(.preconditionFailed, "no replica can be promoted") }
        return candidate
    }

    func roleChange(from old: String?, to target: String) -> JSONValue {
        let timeline = Int(self["primary.timeline"].integer ?? 1)
        return .record([
            ("operation_id", .string("op-simulated")), ("from", .optional(old)), ("to", .string(target)),
            ("old_timeline", .integer(timeline - 1)), ("new_timeline", .integer(timeline)), ("lsn", self["primary.lsn"]),
            ("lost_bytes_max", .integer(0)), ("finished", .bool(true)), ("summary", .string("\(target) is the primary")),
        ])
    }

    /// `name` is the one writable primary.
    mutating func promote(_ name: String, onSameTimeline: Bool = false) {
        let known = max(self["primary.timeline"].integer ?? 0, field("timeline", of: name).integer ?? 0)
        let timeline = JSONValue.integer(onSameTimeline ? max(1, known) : known + 1)
        setNode(
            name,
            [
                ("role", .string("primary")), ("state", .string("running")), ("healthy", .bool(true)), ("reachable", .bool(true)),
                ("fenced", .bool(false)), ("promotable", .bool(false)), ("promotable_reason", .null), ("streaming", .null),
                ("upstream", .null), ("sync", .string("none")), ("lag_bytes", .null), ("lag_seconds", .null), ("lag_measured_at", .null),
                ("lag_age_seconds", .null), ("timeline", timeline), ("replay_paused", .null), ("base_backup_running", .bool(false)),
                ("longest_transaction_seconds", .integer(0)),
            ])
        self["primary.name"] = .string(name)
        self["primary.verified"] = .bool(true)
        self["primary.accepting_writes"] = .bool(true)
        self["primary.since"] = .string(capturedAt)
        self["primary.timeline"] = timeline
        if self["primary.lsn"].isNull { self["primary.lsn"] = field("lsn", of: name) }
        if self["primary.system_identifier"].isNull { self["primary.system_identifier"] = field("system_identifier", of: name) }
        self["primary.lease_holder"] = .string(name)
        refreshSplitBrain()
    }

    private mutating func refreshSplitBrain() {
        self["split_brain"] = .bool(nodes.filter { $0["role"]?.string == "primary" && isWritable($0) }.count > 1)
    }

    private func isWritable(_ node: JSONValue) -> Bool { node["fenced"]?.bool != true && node["state"]?.string == "running" }

    /// `name` streams from `source` and lags by nothing.
    mutating func follow(_ name: String, _ source: String) {
        setNode(
            name,
            [
                ("role", .string("replica")), ("state", .string("streaming")), ("healthy", .bool(true)), ("reachable", .bool(true)),
                ("fenced", .bool(false)), ("promotable", .bool(true)), ("promotable_reason", .null), ("streaming", .bool(true)),
                ("upstream", .string(source)), ("sync", .string("quorum")), ("lag_bytes", .integer(0)), ("lag_seconds", .integer(0)),
                ("lag_measured_at", .string(capturedAt)), ("lag_age_seconds", .integer(0)), ("timeline", self["primary.timeline"]),
                ("lsn", self["primary.lsn"]), ("system_identifier", self["primary.system_identifier"]), ("replay_paused", .bool(false)),
                ("base_backup_running", .bool(false)), ("longest_transaction_seconds", .integer(0)),
            ])
        refreshSplitBrain()
    }

    /// Every other replica that runs streams from `source`.
    mutating func followAll(_ source: String) {
        for name in nodeNames where name != source && field("fenced", of: name).bool != true && field("reachable", of: name).bool == true {
            if field("role", of: name).string == "replica" { follow(name, source) }
        }
    }

    /// `name` may not be writable; its server stopped.
    mutating func fenceNode(_ name: String) {
        setNode(
            name,
            [
                ("state", .string("fenced")), ("fenced", .bool(true)), ("healthy", .bool(false)), ("role", .string("replica")),
                ("promotable", .bool(false)), ("promotable_reason", .string("fenced")), ("streaming", .bool(false)),
                ("sync", .string("none")),
                ("lag_bytes", .null), ("lag_seconds", .null), ("lag_measured_at", .null), ("lag_age_seconds", .null),
            ])
        if primary == name {
            self["primary.verified"] = .bool(false)
            self["primary.accepting_writes"] = .bool(false)
        }
        let writable = nodes.filter { $0["role"]?.string == "primary" && isWritable($0) }
        let wasSplit = self["split_brain"].bool == true
        self["split_brain"] = .bool(writable.count > 1)
        // The one that is left is the primary beyond doubt.
        if wasSplit, writable.count == 1, let left = writable.first?["name"]?.string, left == primary {
            self["primary.verified"] = .bool(true)
            self["primary.accepting_writes"] = .bool(true)
        }
    }
}

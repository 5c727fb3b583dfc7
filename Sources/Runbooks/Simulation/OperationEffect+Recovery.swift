import ClusterModel
import Operations

/// What is done on a machine while its daemon is stopped, and what is kept of the cluster's state.
extension OperationEffect {
    static let recovery = [
        OperationEffect(
            "node.reset", isIdempotent: true,
            simulate: { state, _ in
                if !state["local"].isNull {
                    state["local.data_dir"] = .string("empty")
                    for path in ["local.cluster_id", "local.epoch", "local.last_term", "local.last_index"] { state[path] = .null }
                }
                return .record([("moved_to", .string("simulated.reset"))])
            },
            isSatisfied: { state, _ in ["empty", "missing"].contains(state["local.data_dir"].string) },
            checks: { _, _ in [CheckInvocation("service.stopped")] }),
        OperationEffect(
            "restore.bootstrap", isIdempotent: false,
            simulate: { state, _ in
                state.replaceLocal(by: "restored")
                return state.restored
            },
            compensation: { call, _ in call.other("restore.undo") },
            checks: { _, _ in [CheckInvocation("service.stopped")] }),
        OperationEffect(
            "restore.undo", isIdempotent: false,
            simulate: { state, _ in
                state.putLocalBack()
                return .record([("moved_to", .string("simulated.undone"))])
            },
            isSatisfied: { state, _ in state["local.data_dir"].string == "initialised" }),
        OperationEffect(
            "raft.recover", isIdempotent: false,
            simulate: { state, call in
                if call.flag("undo") {
                    state.putLocalBack()
                    return .record([("moved_to", .string("simulated.undone"))])
                }
                let plan = state.recoveryPlan
                guard call.flag("apply") else { return plan }
                state.replaceLocal(by: "recovered")
                return state.restored
            },
            isSatisfied: { state, call in
                call.flag("undo")
                    ? state["local.data_dir"].string == "initialised" : call.flag("apply") && state["local.data_dir"].string == "recovered"
            },
            compensation: { call, outputs in
                call.flag("apply") && !outputs.saysAlreadySo ? call.other("raft.recover", [("undo", .bool(true))]) : nil
            },
            checks: { _, _ in [CheckInvocation("service.stopped")] }),
        OperationEffect(
            "config.init",
            simulate: { state, _ in
                state["local.config_valid"] = .bool(true)
                return .record([
                    ("path", .string("/etc/pgbastion/pgbastion.yaml")), ("token_file", .string("/etc/pgbastion/token")),
                ])
            }),
    ]

    static let backups = [
        OperationEffect(
            "backup.create", isIdempotent: false,
            simulate: { state, call in
                let number = (state["backup.count_good"].integer ?? 0) + 1
                let id = "simulated-\(number)"
                state["backup.last_id"] = .string(id)
                state["backup.last_success_at"] = .string(state.capturedAt)
                state["backup.age_seconds"] = .integer(0)
                state["backup.count_good"] = .integer(number)
                return .record([
                    ("id", .string(id)), ("path", .string("/backup/pgbastion/\(id).tar.gz")),
                    ("series", .string(call.text("series") ?? "default")), ("verified", .bool(true)),
                    ("index", state["raft.applied_index"]), ("term", state["raft.term"]),
                ])
            },
            checks: { _, call in call.flag("offline") || call.flag("stale") ? [] : [CheckInvocation("cluster.has_quorum")] }),
        OperationEffect(
            "backup.drill",
            simulate: { state, call in
                state["backup.last_drill_at"] = .string(state.capturedAt)
                state["backup.drill_age_seconds"] = .integer(0)
                return .record([("id", .optional(call.text("archive") ?? state["backup.last_id"].string)), ("ok", .bool(true))])
            }),
        OperationEffect(
            "backup.verify",
            simulate: { state, call in
                let names = call.list("archives") + call.list("archive")
                let ids = names.isEmpty ? [state["backup.last_id"].string].compactMap { $0 } : names
                let results = ids.map { JSONValue.record([("id", .string($0)), ("result", .string("ok"))]) }
                return .record([("results", .array(results)), ("ok", .bool(true))])
            }),
    ]

    static let others = [
        OperationEffect(
            "vip.reassert",
            simulate: { state, _ in
                state["vip.consistent"] = state["vip.address"].isNull ? .null : .bool(true)
                return .record([("address", state["vip.address"]), ("owner", state["vip.owner"])])
            }),
        OperationEffect(
            "upgrade-check",
            simulate: { state, call in
                .record([("ready", .bool(true)), ("from", state["versions.min"]), ("to", .optional(call.text("to")))])
            }),
        OperationEffect("doctor", simulate: { _, _ in .record([("ok", .bool(true))]) }),
        OperationEffect(
            "raft.status",
            simulate: { state, _ in
                .record([
                    ("leader_id", state["raft.leader"]), ("term", state["raft.term"]), ("commit_index", state["raft.commit_index"]),
                    ("applied_index", state["raft.applied_index"]), ("voters", state["raft.voters"]),
                    ("voters_reachable", state["raft.voters_reachable"]), ("has_quorum", state["raft.has_quorum"]),
                    ("failures_tolerated", state["raft.failures_tolerated"]),
                ])
            }),
        OperationEffect("replication.status", simulate: { state, _ in .record([("primary", state["primary.name"])]) }),
        OperationEffect(
            "vip.status",
            simulate: { state, _ in
                .record([("address", state["vip.address"]), ("owner", state["vip.owner"]), ("follows", state["vip.follows"])])
            }),
    ]
}

extension SimulatedState {
    /// The consensus data here is another's now, and the old directory stands aside.
    mutating func replaceLocal(by kind: String) {
        self["local.data_dir"] = .string(kind)
        self["local.cluster_id"] = .string("simulated")
        self["local.epoch"] = .integer((self["local.epoch"].integer ?? self["cluster.epoch"].integer ?? 0) + 1)
    }

    mutating func putLocalBack() {
        self["local.data_dir"] = .string("initialised")
        self["local.cluster_id"] = self["cluster.id"]
        self["local.epoch"] = self["cluster.epoch"]
    }

    var restored: JSONValue {
        .record([
            ("cluster_id", self["local.cluster_id"]), ("epoch", self["local.epoch"]), ("moved_to", .string("simulated.aside")),
            ("next", .array([])), ("voters", .array([self["local.node"]])),
        ])
    }

    /// What `raft recover --plan` says: this node is the one to apply on.
    var recoveryPlan: JSONValue {
        let lost = self["raft.has_quorum"].bool != true
        let own = self["local.node"]
        let others = nodeNames.filter { $0 != own.string }.map { JSONValue.string($0) }
        return .record([
            ("quorum_lost", .bool(lost)), ("apply_on", own), ("newest_data", own), ("drop_voters", .array(lost ? others : [])),
            ("commands", .array([])),
        ])
    }
}

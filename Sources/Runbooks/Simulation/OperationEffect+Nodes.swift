import ClusterModel
import Operations

/// Members, and what single nodes are told.
extension OperationEffect {
    static let membership = [
        OperationEffect(
            "peer.add",
            simulate: { state, call in
                let name = call.text("name") ?? ""
                state.join(name, address: call.text("address"), suffrage: call.flag("learner") ? "learner" : "voter")
                return state.peer(name)
            },
            isSatisfied: { state, call in
                let suffrage = state.field("raft.suffrage", of: call.text("name") ?? "").string
                return suffrage == "voter" || (call.flag("learner") && suffrage == "learner")
            },
            compensation: { call, outputs in
                outputs.saysAlreadySo ? nil : call.other("peer.remove", [("name", .optional(call.text("name")))])
            },
            checks: { _, call in
                [
                    CheckInvocation("cluster.has_quorum"), CheckInvocation("no_operation_in_progress"),
                    CheckInvocation("node.unused", [("name", .optional(call.text("name"))), ("address", .optional(call.text("address")))]),
                ]
            }),
        OperationEffect(
            "peer.promote",
            simulate: { state, call in
                let name = call.text("name") ?? ""
                state.setNode(name, [("raft.suffrage", .string("voter")), ("raft.caught_up", .bool(true))])
                state.refreshMembership()
                return state.peer(name)
            },
            isSatisfied: { state, call in state.field("raft.suffrage", of: call.text("name") ?? "").string == "voter" }),
        OperationEffect(
            "peer.remove",
            simulate: { state, call in
                let name = call.text("name") ?? ""
                state.leave(name)
                return .record([
                    ("name", .string(name)), ("voters", state["raft.voters"]), ("dropped_slots", .array([.string(name)])),
                    ("summary", .string("\(name) was removed")),
                ])
            },
            isSatisfied: { state, call in state.node(call.text("name") ?? "") == nil },
            checks: { _, call in
                let node: [(String, JSONValue)] = [("node", .optional(call.text("name")))]
                return call.flag("force")
                    ? [] : [CheckInvocation("node.not_primary", node), CheckInvocation("membership.removal_safe", node)]
            }),
        OperationEffect(
            "node.rejoin",
            simulate: { state, call in
                let name = call.text("name") ?? ""
                state.join(name, address: call.text("address"), suffrage: "voter")
                if let primary = state.primary, primary != name { state.follow(name, primary) }
                state.refreshMembership()
                return state.peer(name)
            },
            isSatisfied: { state, call in
                let name = call.text("name") ?? ""
                return state.field("raft.suffrage", of: name).string == "voter" && state.field("raft.reachable", of: name).bool == true
            }),
    ]

    static let nodeDuties = [
        OperationEffect(
            "node.drain",
            simulate: { state, call in
                let name = call.text("node") ?? ""
                state.setNode(name, [("drained", .bool(true)), ("connections", .integer(0))])
                return .record([("node", .string(name)), ("drained", .bool(true)), ("remaining_sessions", .integer(0))])
            },
            isSatisfied: { state, call in state.field("drained", of: call.text("node") ?? "").bool == true },
            compensation: { call, outputs in
                outputs.saysAlreadySo ? nil : call.other("node.undrain", [("node", .optional(call.text("node")))])
            },
            checks: { _, call in
                [CheckInvocation("cluster.has_quorum"), CheckInvocation("node.not_primary", [("node", .optional(call.text("node")))])]
            }),
        OperationEffect(
            "node.undrain",
            simulate: { state, call in
                let name = call.text("node") ?? ""
                state.setNode(name, [("drained", .bool(false))])
                return .record([("node", .string(name)), ("drained", .bool(false)), ("remaining_sessions", .null)])
            },
            isSatisfied: { state, call in state.field("drained", of: call.text("node") ?? "").bool == false }),
        OperationEffect(
            "node.fence",
            simulate: { state, call in
                let name = call.text("node") ?? ""
                state.fenceNode(name)
                state.refreshHealth()
                return .record([("node", .string(name)), ("fenced", .bool(true)), ("method", .string("guard_confirmation"))])
            },
            isSatisfied: { state, call in state.field("fenced", of: call.text("node") ?? "").bool == true },
            compensation: { call, outputs in
                outputs.saysAlreadySo ? nil : call.other("node.unfence", [("node", .optional(call.text("node")))])
            }),
        OperationEffect(
            "node.unfence",
            simulate: { state, call in
                let name = call.text("node") ?? ""
                if state.primary == name {
                    state.promote(name, onSameTimeline: true)
                } else if let primary = state.primary {
                    state.follow(name, primary)
                }
                state.refreshHealth()
                return .record([("node", .string(name)), ("fenced", .bool(false)), ("method", .null)])
            },
            isSatisfied: { state, call in state.field("fenced", of: call.text("node") ?? "").bool == false }),
        OperationEffect(
            "node.restart-hold",
            simulate: { state, call in
                let seconds = call.text("for").flatMap { DurationValue($0)?.seconds } ?? 60
                state["restart_hold.active"] = .bool(true)
                state["restart_hold.node"] = .optional(call.text("node"))
                state["restart_hold.until"] = state.time(after: seconds)
                return .record([("node", state["restart_hold.node"]), ("active", .bool(true)), ("until", state["restart_hold.until"])])
            },
            isSatisfied: { state, _ in state["restart_hold.active"].bool == true },
            compensation: { call, outputs in
                outputs.saysAlreadySo ? nil : call.other("node.restart-release", [("node", .optional(call.text("node")))])
            }),
        OperationEffect(
            "node.restart-release",
            simulate: { state, call in
                state.clearHold()
                return .record([("node", .optional(call.text("node"))), ("active", .bool(false)), ("until", .null)])
            },
            isSatisfied: { state, _ in state["restart_hold.active"].bool == false }),
        OperationEffect(
            "node.restart", isIdempotent: false,
            simulate: { _, call in .record([("node", .optional(call.text("node"))), ("restarted", .bool(true))]) }),
        OperationEffect(
            "raft.transfer",
            simulate: { state, call in
                let old = state["raft.leader"].string
                let next = call.target ?? state.nextLeader(after: old)
                state["raft.leader"] = .optional(next)
                state["raft.term"] = .integer((state["raft.term"].integer ?? 0) + 1)
                if state["vip.follows"].string == "leader", !state["vip.address"].isNull { state["vip.owner"] = .optional(next) }
                return .record([("from", .optional(old)), ("to", .optional(next)), ("term", state["raft.term"])])
            },
            isSatisfied: { state, call in call.target != nil && state["raft.leader"].string == call.target }),
    ]

    static let data = [
        OperationEffect(
            "node.reinit", isIdempotent: false,
            simulate: { state, call in
                let name = call.text("node") ?? ""
                let source = call.text("from") ?? state.primary
                if let primary = state.primary { state.follow(name, primary) }
                state.refreshMembership()
                return .record([
                    ("operation_id", .string("op-simulated")), ("node", .string(name)), ("method", .string(call.text("method") ?? "auto")),
                    ("source", .optional(source)), ("bytes_copied", state.field("data_bytes", of: name)),
                    ("summary", .string("\(name) was reinitialized")),
                ])
            },
            checks: { _, call in
                let node: [(String, JSONValue)] = [("node", .optional(call.text("node")))]
                return [CheckInvocation("node.not_primary", node)]
                    + (call.text("from").map { [CheckInvocation("node.healthy", [("node", .string($0))])] } ?? [])
            })
    ]
}

extension SimulatedState {
    func peer(_ name: String) -> JSONValue {
        .record([
            ("name", .string(name)), ("address", field("address", of: name)), ("suffrage", field("raft.suffrage", of: name)),
            ("match_index", field("raft.match_index", of: name)), ("summary", .string("\(name) is a member")),
        ])
    }

    func nextLeader(after old: String?) -> String? {
        nodes.filter { $0["raft"]?["suffrage"]?.string == "voter" && $0["raft"]?["reachable"]?.bool == true }
            .compactMap { $0["name"]?.string }.first { $0 != old } ?? old
    }

    /// A member that has caught up; its PostgreSQL follows the primary, as a clone when it is new.
    mutating func join(_ name: String, address: String?, suffrage: String) {
        if node(name) == nil {
            var all = nodes
            var new = all.first ?? .record([("slots", .array([])), ("job", .record([("kind", .string("none")), ("percent", .null)]))])
            new.setMember("name", .string(name))
            new.setMember("slots", .array([]))
            all.append(new)
            nodes = all.sorted { ($0["name"]?.string ?? "") < ($1["name"]?.string ?? "") }
            setNode(name, [("drained", .bool(false)), ("fenced", .bool(false)), ("connections", .integer(0))])
        }
        if let primary, primary != name, field("streaming", of: name).bool != true { follow(name, primary) }
        setNode(
            name,
            [
                ("raft.suffrage", .string(suffrage)), ("raft.reachable", .bool(true)), ("raft.caught_up", .bool(true)),
                ("raft.match_index", self["raft.commit_index"]), ("raft.last_index", self["raft.commit_index"]),
                ("raft.last_term", self["raft.term"]), ("raft.cluster_id", self["cluster.id"]), ("reachable", .bool(true)),
                ("last_seen_seconds", .integer(0)),
            ])
        if let address { setNode(name, [("address", .string(String(address.split(separator: ":").first ?? Substring(address))))]) }
        refreshMembership()
    }

    /// The member and its slots are gone; leadership moved first.
    mutating func leave(_ name: String) {
        if self["raft.leader"].string == name { self["raft.leader"] = .optional(nextLeader(after: name)) }
        if self["vip.owner"].string == name { self["vip.owner"] = self["raft.leader"] }
        removeNode(name)
        for other in nodeNames {
            let kept = (field("slots", of: other).elements ?? []).filter { $0["name"]?.string != name }
            setNode(other, [("slots", .array(kept))])
        }
        let members = self["synchronous.members"].elements ?? []
        self["synchronous.members"] = .array(members.filter { $0.string != name })
        refreshMembership()
    }
}

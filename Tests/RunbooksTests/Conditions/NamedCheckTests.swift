import ClusterModel
import Operations
import Testing

@testable import Runbooks

/// Named checks: pure functions of the state document.
struct NamedCheckTests {
    private func judge(_ id: String, _ arguments: [(String, JSONValue)] = [], _ patches: [(String, JSONValue)] = []) throws
        -> ConditionResult.Status
    {
        var state = ConditionTests.state
        let base: [(String, JSONValue)] = [
            ("primary.verified", .bool(true)), ("primary.accepting_writes", .bool(true)), ("split_brain", .bool(false)),
            ("operations.active", .array([])), ("raft.failures_tolerated", .number("1")), ("raft.digest_agreement", .string("agree")),
            ("directives.pending", .number("0")),
        ]
        for (path, value) in base + patches { state.set(value, at: path.split(separator: ".").map(String.init)) }
        return try #require(NamedCheck.named(id)).judge(state, .record(arguments)).status
    }

    @Test func `every check of the specification is there`() {
        let wanted = """
            cluster.has_quorum cluster.healthy not_paused no_operation_in_progress one_primary digest.agrees synchronous.not_degraded
            raft.failures_tolerated primary.writable primary.unreachable no_long_transaction no_base_backup replica.caught_up
            replicas.caught_up replay_running standby.ready node.exists node.healthy node.is_replica node.not_primary node.unused
            peer.reachable peer.version membership.removal_safe disk.room_for_clone upgrade.ready downgrade.ready versions.all backup.fresh
            backup.verified backup.writable config.valid ports.free service.stopped data_dir.empty no_cluster_answers members.unreachable
            quorum.lost system_id.matches
            """.split(whereSeparator: \.isWhitespace).map(String.init)
        #expect(wanted.filter { NamedCheck.named($0) == nil } == [])
        #expect(Set(NamedCheck.all.map(\.id)).count == NamedCheck.all.count)
    }

    @Test func `no check passes on an empty document, except those that nothing can be said against`() {
        let silent: Set = ["node.unused", "peer.reachable", "peer.version", "backup.writable"]
        for check in NamedCheck.all where !silent.contains(check.id) {
            let arguments = JSONValue.record(check.parameters.map { ($0.name, .string($0.defaultText ?? "node1")) })
            #expect(check.judge(.object([]), arguments).status != .pass, "\(check.id)")
        }
    }

    @Test func `a check with a missing argument is unknown`() throws {
        #expect(try judge("node.healthy") == .unknown)
    }

    @Test func `checks of the cluster`() throws {
        #expect(try judge("cluster.has_quorum") == .pass)
        #expect(try judge("cluster.has_quorum", [], [("raft.has_quorum", .bool(false))]) == .fail)
        #expect(try judge("cluster.healthy") == .fail)
        #expect(try judge("not_paused") == .pass)
        #expect(try judge("not_paused", [], [("paused.active", .bool(true))]) == .fail)
        #expect(try judge("no_operation_in_progress", [], [("operations.active", .array([.record([("id", .string("op-1"))])]))]) == .fail)
        #expect(try judge("raft.failures_tolerated") == .pass)
        #expect(try judge("raft.failures_tolerated", [("min", .number("2"))]) == .fail)
        #expect(try judge("digest.agrees") == .pass)
        #expect(try judge("digest.agrees", [], [("raft.digest_agreement", .string("unknown"))]) == .unknown)
    }

    @Test func `checks of nodes and roles`() throws {
        #expect(try judge("node.is_replica", [("node", .string("node2"))]) == .pass)
        #expect(try judge("node.is_replica", [("node", .string("node1"))]) == .fail)
        #expect(try judge("node.not_primary", [("node", .string("node1"))]) == .fail)
        #expect(try judge("node.exists", [("node", .string("node9"))]) == .fail)
        #expect(try judge("node.unused", [("name", .string("node1")), ("address", .string("10.0.0.9"))]) == .fail)
        #expect(try judge("node.unused", [("name", .string("node4")), ("address", .string("10.0.0.9"))]) == .pass)
        #expect(try judge("versions.all", [("to", .string("1.2.0"))]) == .fail)
        #expect(try judge("backup.fresh") == .pass)
        #expect(try judge("backup.fresh", [("max_age", .string("30m"))]) == .fail)
        #expect(try judge("upgrade.ready", [("to", .string("1.10.0"))]) == .fail)
    }

    @Test func `a lag that was measured long ago is not known`() throws {
        let node: JSONValue = .record([
            ("name", .string("node2")), ("role", .string("replica")), ("streaming", .bool(true)), ("lag_bytes", .number("0")),
            ("lag_age_seconds", .number("60")),
        ])
        #expect(try judge("replica.caught_up", [("node", .string("node2"))], [("nodes", .array([node]))]) == .unknown)
        #expect(
            try judge("replica.caught_up", [("node", .string("node2")), ("max_age", .string("2m"))], [("nodes", .array([node]))]) == .pass)
    }

    @Test func `a lost quorum is one that cannot come back`() throws {
        func members(_ reachable: [Bool]) -> [(String, JSONValue)] {
            let list = reachable.enumerated().map { index, flag in
                JSONValue.record([("name", .string("node\(index + 1)")), ("reachable", .bool(flag)), ("has_leader", .null)])
            }
            return [("local.node", .string("node9")), ("local.members", .array(list))]
        }
        #expect(try judge("quorum.lost", [], members([false, false])) == .pass)
        #expect(try judge("quorum.lost", [], members([true, false])) == .fail)
        #expect(try judge("members.unreachable", [], members([false, false])) == .pass)
        #expect(try judge("members.unreachable", [], members([false, true])) == .fail)
    }
}

import ClusterModel
import Operations
import Testing

@testable import Runbooks

/// Conditions over a state document: three values, operators, quantifiers, and what they say.
struct ConditionTests {
    static let state: JSONValue = {
        let text = """
            {"captured_at":"2026-02-17T02:00:00Z","raft":{"leader":"node1","voters":3,"has_quorum":true},
             "primary":{"name":"node1","lsn":"0/5000060","since":"2026-02-17T01:59:00Z","accepting_writes":null},
             "backup":{"age_seconds":3600.5,"last_success_at":"2026-02-17T01:00:00Z","count_good":7},
             "paused":{"active":false,"by_run":null},
             "synchronous":{"mode":"quorum","members":["node2","node3"]},
             "versions":{"min":"1.2.0","max":"1.10.0"},
             "nodes":[
              {"name":"node1","role":"primary","healthy":true,"lag_bytes":null,"version":"1.10.0","slots":[{"name":"node2","kind":"physical"}],"raft":{"suffrage":"voter"}},
              {"name":"node2","role":"replica","healthy":true,"lag_bytes":52428800,"version":"1.2.0","slots":[],"raft":{"suffrage":"voter"}},
              {"name":"node3","role":"replica","healthy":false,"lag_bytes":1024,"version":"1.2.0","slots":[],"raft":{"suffrage":"learner"}}]}
            """
        do { return try JSONParser.parse(Array(text.utf8)) } catch { return .null }
    }()

    static func condition(_ text: String) throws -> Condition {
        let findings = FindingCollector(file: "t")
        let reading = LintSupport.reading(text)
        let node = try #require(reading.node)
        let condition = ConditionReader.condition(node, findings)
        #expect(findings.findings.isEmpty, "\(findings.findings.map(\.message))")
        return try #require(condition)
    }

    static func judge(_ text: String, _ change: (inout EvaluationScope) -> Void = { _ in }) throws -> ConditionResult {
        var scope = EvaluationScope(state: state)
        change(&scope)
        return scope.judge(try condition(text))
    }

    @Test(arguments: [
        ("{ path: raft.leader, equals: node1 }", "pass"), ("{ path: raft.leader, not_equals: node1 }", "fail"),
        ("{ path: raft.leader, in: [node1, node2] }", "pass"), ("{ path: raft.leader, not_in: [node1] }", "fail"),
        ("{ path: raft.leader, in: [] }", "fail"), ("{ path: raft.voters, gte: 3 }", "pass"), ("{ path: raft.voters, gt: 3 }", "fail"),
        ("{ path: raft.voters, between: [1, 3] }", "pass"), ("{ path: raft.voters, between: [4, 5] }", "fail"),
        ("{ path: raft.has_quorum, equals: true }", "pass"), ("{ path: \"nodes[name=node2].lag_bytes\", lte: 10MiB }", "fail"),
        ("{ path: \"nodes[name=node2].lag_bytes\", equals: 50MiB }", "pass"), ("{ path: backup.age_seconds, lt: 2h }", "pass"),
        ("{ path: backup.age_seconds, gt: 3600 }", "pass"), ("{ path: backup.last_success_at, newer_than: 2h }", "pass"),
        ("{ path: backup.last_success_at, older_than: 2h }", "fail"),
        ("{ path: primary.since, lt: \"2026-02-17T03:30:00+01:30\" }", "pass"),
        ("{ path: primary.lsn, gte: 0/5000000 }", "pass"), ("{ path: primary.lsn, gt: 1/0 }", "fail"),
        ("{ path: versions.max, gt: \"1.9.0\" }", "pass"), ("{ path: versions.max, version: \">=1.10.0 <2.0.0\" }", "pass"),
        ("{ path: versions.max, version: \"<1.10.0\" }", "fail"), ("{ path: raft.leader, matches: \"node?\" }", "pass"),
        ("{ path: raft.leader, matches: \"*2\" }", "fail"), ("{ path: raft.leader, contains: ode }", "pass"),
        ("{ path: synchronous.members, contains: node3 }", "pass"), ("{ path: synchronous.members, contains: node1 }", "fail"),
        // Missing and null.
        ("{ path: primary.accepting_writes, equals: true }", "unknown"), ("{ path: paused.by_run, not_equals: x }", "unknown"),
        ("{ path: paused.by_run, exists: false }", "pass"), ("{ path: raft.leader, exists: true }", "pass"),
        ("{ path: \"nodes[name=node9].role\", equals: replica }", "unknown"), ("{ path: \"nodes[name=node9]\", exists: false }", "pass"),
        ("{ not: { path: primary.accepting_writes, equals: true } }", "unknown"),
        ("{ all: [ { path: raft.voters, equals: 3 }, { path: primary.accepting_writes, equals: true } ] }", "unknown"),
        ("{ all: [ { path: raft.voters, equals: 4 }, { path: primary.accepting_writes, equals: true } ] }", "fail"),
        ("{ any: [ { path: raft.voters, equals: 3 }, { path: primary.accepting_writes, equals: true } ] }", "pass"),
        ("{ any: [ { path: raft.voters, equals: 4 }, { path: primary.accepting_writes, equals: true } ] }", "unknown"),
        // Lists.
        ("{ path: nodes, every: { healthy: { equals: true } } }", "fail"),
        ("{ path: nodes, some: { healthy: { equals: false } } }", "pass"),
        ("{ path: nodes, none: { role: { equals: witness } } }", "pass"),
        ("{ path: \"nodes[role=replica].version\", every: { equals: \"1.2.0\" } }", "pass"),
        ("{ path: \"nodes[*].lag_bytes\", every: { lte: 1GiB } }", "unknown"),
        ("{ path: \"nodes[*].lag_bytes\", some: { gt: 10MiB } }", "pass"),
        ("{ path: \"nodes[role=witness]\", every: { healthy: { equals: true } } }", "fail"),
        ("{ path: \"nodes[role=witness]\", every: { healthy: { equals: true } }, allow_empty: true }", "pass"),
        ("{ path: \"nodes[role=witness]\", some: { healthy: { equals: true } } }", "fail"),
        ("{ path: \"nodes[role=witness]\", none: { healthy: { equals: true } } }", "pass"),
        ("{ path: nodes, count: { equals: 3 } }", "pass"), ("{ path: \"nodes[role=witness]\", count: { equals: 0 } }", "pass"),
        ("{ path: nodes, count: { equals: 2, where: { role: { equals: replica } } } }", "pass"),
        ("{ path: nodes, count: { gte: 1, where: { lag_bytes: { lt: 10MiB } } } }", "pass"),
        ("{ path: nodes, count: { equals: 1, where: { lag_bytes: { lt: 10MiB } } } }", "unknown"),
        ("{ path: nodes, every: { raft.suffrage: { in: [voter, learner] } } }", "pass"),
        ("{ path: nodes, some: { slots: { count: { gte: 1 } } } }", "pass"),
        ("{ path: \"nodes[role=replica,healthy=true]\", count: { equals: 1 } }", "pass"),
    ])
    func `operators have three values`(_ text: String, _ wanted: String) throws {
        let result = try Self.judge(text)
        #expect(result.status.rawValue == wanted, "\(result.message)")
    }

    @Test func `a failure names path, value and limit with their units`() throws {
        let result = try Self.judge("{ path: \"nodes[name=${params.target}].lag_bytes\", lte: 10MiB }") {
            $0.params = ["target": .string("node2")]
        }
        #expect(result.message == "`nodes[name=node2].lag_bytes` is 52428800 (50 MiB), must be <= 10 MiB")
        #expect(result.path == "nodes[name=node2].lag_bytes")
        #expect(result.actual == "52428800")
        #expect(result.expected == "be <= 10 MiB")
    }

    @Test func `a missing path says so`() throws {
        let result = try Self.judge("{ path: \"nodes[name=node9].role\", equals: replica }")
        #expect(result.message == "`nodes[name=node9].role` is unknown (path not present in state), must be replica")
    }

    @Test func `a list names the elements that decided`() throws {
        let result = try Self.judge("{ path: \"nodes[*]\", every: { healthy: { equals: true } } }")
        #expect(result.message == "`nodes[*]` is a list with node3, must have only elements with healthy true (and at least one)")
    }

    @Test func `a parameter that was not given can be asked for`() throws {
        #expect(try Self.judge("{ value: \"${params.from}\", exists: false }") { $0.params = ["from": .null] }.status == .pass)
        #expect(try Self.judge("{ value: \"${params.from}\", equals: node1 }") { $0.params = ["from": .null] }.status == .unknown)
        #expect(
            try Self.judge("{ value: \"${steps.plan.apply_on}\", equals: node1 }") {
                $0.steps = ["plan": .record([("apply_on", .string("node1"))])]
            }.status == .pass)
        #expect(
            try Self.judge("{ value: \"${steps.plan.apply_on}\", equals: node1 }") { $0.steps = ["plan": .unknown("simulated")] }.status
                == .unknown)
    }

    @Test func `patches follow the field's unit and go through selectors`() throws {
        func patched(_ text: String) throws -> JSONValue {
            let findings = FindingCollector(file: "t")
            let node = try #require(LintSupport.reading(text).node)
            let patch = try #require(StepReader.patch(node, findings))
            return EvaluationScope(state: Self.state).apply(patch, to: Self.state)
        }
        let lag = try patched("{ path: \"nodes[name=node3].lag_bytes\", set: 50MiB }")
        #expect(lag["nodes"]?.elements?[2]["lag_bytes"] == .number("52428800"))
        let all = try patched("{ path: \"nodes[*].version\", set: \"2.0.0\" }")
        #expect(all["nodes"]?.elements?.compactMap { $0["version"]?.string } == ["2.0.0", "2.0.0", "2.0.0"])
        #expect(try patched("{ path: \"nodes[name=node3]\", remove: true }")["nodes"]?.elements?.count == 2)
        #expect(try patched("{ path: synchronous.members, append: node1 }")["synchronous"]?["members"]?.elements?.count == 3)
        #expect(try patched("{ path: primary.name, set: null }")["primary"]?["name"] == .null)
        #expect(try patched("{ path: \"nodes[name=node9].version\", set: \"2.0.0\" }") == Self.state)
    }
}

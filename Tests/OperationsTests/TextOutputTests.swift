import ClusterModel
import Operations
import Testing

/// The samples of `cli.md`, section 4.
@Suite struct TextOutputTests {
    @Test func `4-1 status shows the cluster on one screen`() async throws {
        #expect(
            try await text("status", on: example()) == """
                prod · epoch 3 · leader node2 (term 7) · quorum 3/3, tolerates 1 · automatic failover on · sync quorum 1 of 2
                NODE   ROLE     STATE      LAG      TL  RAFT    VERSION  SEEN
                node1  primary  running    -        5   voter   1.2.0    0s
                node2  replica  streaming  0 B      5   leader  1.2.0    0.4s  VIP 10.0.1.100
                node3  replica  streaming  1.2 MiB  5   voter   1.2.0    0.4s
                """)
    }

    @Test func `4-1 status says when failover is paused, an operation runs, or the data is old`() async throws {
        let gateway = example { view in
            view.paused = PauseView(reason: "maintenance", by: "root", since: "2026-02-17T12:00:00Z", forSeconds: 7200)
            var operation = ExampleCluster.switchover
            operation.result = .running
            operation.phase = "stop"
            view.operation = operation
            view.staleSeconds = 12
        }
        let lines = try await text("status", on: gateway).split(separator: "\n")
        #expect(lines[0].contains("automatic failover PAUSED until 14:00Z (maintenance)"))
        #expect(lines[1] == "no contact with a leader for 12s")
        #expect(lines[2] == "operation op-48231 · switchover · node1 -> node2 · phase stop")
    }

    @Test func `status --exit-code is 2 when something is wrong and 5 without quorum`() async throws {
        let input = #"{"exit_code":true}"#
        #expect(try await run("status", input, on: example()).exitStatus == 0)
        let sick = example { $0.nodes[2].healthy = false }
        #expect(try await run("status", input, on: sick).exitStatus == 2)
        #expect(try await run("status", on: sick).exitStatus == 0)
        #expect(try await run("status", input, on: example { $0.raft.hasQuorum = false }).exitStatus == 5)
    }

    @Test func `4-2 peers shows the members`() async throws {
        let gateway = example { view in
            var learner = PeerView(
                name: ExampleCluster.name("node4"), address: "10.0.1.4:8300", suffrage: .learner, isLeader: false,
                reachable: true)
            learner.lastContactMilliseconds = 9
            learner.matchIndex = 47009
            learner.version = "1.2.0"
            view.peers.append(learner)
        }
        #expect(
            try await text("peer.list", on: gateway) == """
                NODE   ADDRESS        SUFFRAGE  REACHABLE  CONTACT  BEHIND  VERSION
                node1  10.0.1.1:8300  voter     yes        12ms     0       1.2.0
                node2  10.0.1.2:8300  leader    yes        -        0       1.2.0
                node3  10.0.1.3:8300  voter     yes        12ms     0       1.2.0
                node4  10.0.1.4:8300  learner   yes        9ms      1204    1.2.0
                """)
    }

    @Test func `4-3 lag shows every replica`() async throws {
        #expect(
            try await text("replication.status", on: example()) == """
                primary node1 · timeline 5 · 0/5000060
                NODE   STATE      SYNC    LAG      TIME  SLOT   ACTIVE  MEASURED
                node2  streaming  quorum  0 B      0s    node2  yes     0.4s ago
                node3  streaming  quorum  1.2 MiB  0.3s  node3  yes     0.4s ago
                """)
        #expect(try await text("replication.status", on: example(), wide: true).contains("WAL_STATUS"))
    }

    @Test func `4-4 a switchover ends with who is the primary and how long writes waited`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            view.recentOperations = [ExampleCluster.switchover]
            return ClusterReply(operationID: "op-48231", summary: "switchover to node2 started")
        }
        let answer = try await run("switchover", #"{"node":"node2"}"#, on: gateway, wait: .seconds(5))
        #expect(answer.exitStatus == 0)
        let data = try #require(try OperationEnvelope(parsing: answer.envelope).data)
        #expect(data["operation_id"]?.string == "op-48231")
        #expect(data["new_timeline"] == .number("6"))
        #expect(data["lsn"]?.string == "0/5000108")
        #expect(data["phases"]?.elements?.count == 8)
        let rendered = try #require(Catalogue.operation(named: "switchover")).render(data: data.bytes)
        #expect(
            rendered.text == "node2 is the primary (timeline 6); writes waited 0.7 s; nothing acknowledged was lost")
    }

    @Test func `4-4 the phases of an operation are lined up`() async throws {
        let lines = try await text("op.show", #"{"id":"op-48231"}"#, on: example()).split(separator: "\n")
        #expect(lines[0] == "operation op-48231 · switchover · node1 -> node2")
        #expect(lines[2] == "✓ checkpoint  node1                         0.8s")
        #expect(lines.count == 10)
    }

    @Test func `health prints one line and its reasons`() async throws {
        #expect(try await text("health", on: example()) == "node1 ok")
        let sick = example { view in
            view.health.status = "postgres_down"
            view.health.reasons = ["the server does not run"]
        }
        #expect(try await text("health", on: sick) == "node1 postgres_down\n  the server does not run")
        #expect(try await run("health", on: sick).exitStatus == 2)
        #expect(try await text("health", #"{"node":"node2"}"#, on: example()) == "node2 ok")
        #expect(try await run("health", #"{"node":"node9"}"#, on: example()).exitStatus == 10)
    }

    @Test func `leader prints the name and nothing else, or is unavailable`() async throws {
        #expect(try await text("leader", on: example()) == "node2")
        let answer = try await run("leader", on: example { $0.raft.leader = nil })
        #expect(answer.exitStatus == 5)
    }

    @Test func `C01 version is one line with the bare version second`() async throws {
        let words = try await text("version", on: example()).split(separator: " ")
        #expect(words[0] == "pgbastion")
        #expect(words[1].split(separator: ".").allSatisfy { Int($0) != nil })
        let cluster = try await run("version", #"{"cluster":true}"#, on: example { $0.peers[2].reachable = false })
        #expect(cluster.exitStatus == 2)
    }

    @Test func `the envelope has exactly the fields of section 6`() async throws {
        let answer = try await run("leader", on: example())
        let document = try JSONParser.parse(answer.envelope)
        #expect(
            document.members?.map(\.name) == [
                "captured_at", "cluster", "data", "error", "format_version", "kind", "node", "ok", "request_id",
                "stale_seconds", "warnings",
            ])
        #expect(document["cluster"]?["id"]?.string == "0f0c41d2")
        #expect(answer.envelope.last == 0x0A)
    }

    @Test func `an error in the envelope has code, exit, hint and checks, and can be read back`() async throws {
        let answer = try await run(
            "switchover", #"{"to":"node3","max_lag":"1MiB"}"#, on: example(), dryRun: true)
        #expect(answer.exitStatus == 3)
        let envelope = try OperationEnvelope(parsing: answer.envelope)
        let error = try #require(envelope.error)
        #expect(error.code == .preconditionFailed)
        #expect(error.message == "switchover refused: replica \"node3\" is 1.2 MiB behind, the limit is 1.0 MiB")
        #expect(error.checks.map(\.id) == ["replica.caught_up"])
        #expect(error.checks.first?.overridable == true)
        #expect(envelope.data == nil)
    }
}

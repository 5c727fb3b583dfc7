import ClusterModel
import FoundationEssentials
import Operations
import Testing

/// Reading operations: the replication tree, decisions, slots, digests.
@Suite struct ViewTests {
    private func decisions(_ view: inout ClusterView) {
        view.decisions = []
        var started = DecisionRecord(
            at: 1_771_293_600_000, kind: "operation.started", rules: ["DE2", "LE8"],
            text: "failover node3: the lease of \"node3\" has ended")
        started.operationID = "op-7"
        view.decisions.chain(started, keeping: 512)
        var assigned = DecisionRecord(
            at: 1_771_293_601_000, kind: "primary.assigned", rules: ["LE8", "SE4", "SE6"],
            text: "node1 is appointed with token 41, timeline 5, basis expired, nothing is lost")
        assigned.operationID = "op-7"
        assigned.node = ExampleCluster.name("node1")
        assigned.inputs = "0123456789abcdef"
        assigned.candidates = [
            .init(node: ExampleCluster.name("node1"), isChosen: true, reason: "SE4: proven lossless"),
            .init(node: ExampleCluster.name("node2"), reason: "SE6: 96 bytes behind"),
        ]
        view.decisions.chain(assigned, keeping: 512)
        var paused = DecisionRecord(at: 1_771_293_700_000, kind: "failover.paused", rules: [], text: "automatic failover is paused: work")
        paused.actor = "uid 0 over unix socket"
        paused.reason = "work"
        paused.requestID = RequestID("r-9")
        view.decisions.chain(paused, keeping: 512)
        var settled = DecisionRecord(at: 1_771_293_800_000, kind: "synchronous.settled", rules: ["SE9"], text: "change 4 is settled")
        settled.node = ExampleCluster.name("node1")
        view.decisions.chain(settled, keeping: 512)
    }

    @Test func `topology is the replication tree`() async throws {
        let tree = try await text(
            "topology",
            on: example { view in
                view.nodes[2].upstream = ExampleCluster.name("node2")
                view.nodes.append(NodeView(name: ExampleCluster.name("node4"), host: "10.0.1.4", postgresPort: 5434, kind: .data))
            })
        #expect(
            tree == """
                NODE         ROLE     STATE        SYNC    LAG      TL  ADDRESS
                node1        primary  running      none    -        5   10.0.1.1:5434
                └─ node2     replica  streaming    quorum  0 B      5   10.0.1.2:5434
                   └─ node3  replica  streaming    quorum  1.2 MiB  5   10.0.1.3:5434
                node4        unknown  unreachable  none    -        -   10.0.1.4:5434
                """)
    }

    @Test func `explain tells the last decision about the primary, who lost, and what each rule means (PR8, D69)`() async throws {
        let answer = try await text("explain", "{\"at\":\"2026-02-17T02:01:30Z\"}", on: example(decisions))
        #expect(answer.hasPrefix("decision 2 · 2026-02-17T02:00:01.000Z · primary.assigned · by policy\nnode1 is appointed"))
        #expect(answer.contains("operation op-7 · facts 0123456789abcdef"))
        #expect(answer.contains("node2  decision  no         SE6: 96 bytes behind"))
        #expect(answer.contains("SE4   a candidate is proven lossless"))
        let last = try await text("explain", on: example(decisions))
        #expect(last.hasPrefix("decision 3"), "a pause concerns the primary, settling does not")
    }

    @Test func `explain of a node says why it is or is not a candidate now`() async throws {
        let answer = try await text(
            "explain", #"{"node":"node3"}"#,
            on: example { view in
                decisions(&view)
                view.nodes[2].promotable = false
                view.nodes[2].promotableReasons = ["SE5: drained", "DE4: its disk stalls"]
            })
        #expect(answer.contains("nothing was decided about this so far"))
        #expect(answer.contains("node3  now   no         SE5: drained; DE4: its disk stalls"))
        #expect(answer.contains("DE4   the disk of the primary stalls"))
        #expect(try await run("explain", #"{"node":"node9"}"#, on: example()).exitStatus == 10)
        #expect(try await text("explain", #"{"rule":"d19"}"#, on: example()).hasPrefix("D19  In quorum and strict"))
        #expect(try await run("explain", #"{"rule":"X1"}"#, on: example()).exitStatus == 10)
        #expect(try await run("explain", #"{"at":"soon"}"#, on: example()).exitStatus == 64)
    }

    @Test func `events are filtered by time, type and number, oldest first`() async throws {
        func numbers(_ input: String) async throws -> String {
            let lines = try await text("events", input, on: example(decisions)).split(separator: "\n").dropFirst()
            return lines.map { String($0.split(separator: " ")[1]) }.joined(separator: " ")
        }
        #expect(try await numbers("{}") == "operation.started primary.assigned failover.paused synchronous.settled")
        #expect(try await numbers(#"{"type":"primary"}"#) == "primary.assigned")
        #expect(try await numbers(#"{"after":3}"#) == "synchronous.settled")
        #expect(try await numbers(#"{"n":1}"#) == "synchronous.settled")
        #expect(try await numbers(#"{"since":"2026-02-17T02:01:40Z"}"#) == "failover.paused synchronous.settled")
        #expect(try await text("events", #"{"after":4}"#, on: example(decisions)).isEmpty)
    }

    @Test func `following events waits until something happens`() async throws {
        let gateway = example(decisions)
        async let answer = run("events", #"{"follow":true,"after":4}"#, on: gateway, wait: .seconds(20))
        await gateway.update { $0.decisions.chain(DecisionRecord(at: 0, kind: "failover.resumed", rules: [], text: "on"), keeping: 512) }
        let text = String(decoding: try await answer.envelope, as: UTF8.self)
        #expect(text.contains("failover.resumed"))
    }

    @Test func `audit lists who did what, and its check finds a line that was changed (9)`() async throws {
        let list = try await text("audit.list", on: example(decisions))
        #expect(list.split(separator: "\n").count == 2)
        #expect(list.contains("uid 0 over unix socket") && list.contains("r-9") && list.contains("(work)"))
        #expect(try await text("audit.list", #"{"all":true}"#, on: example(decisions)).split(separator: "\n").count == 5)
        #expect(try await run("audit.verify", on: example(decisions)).exitStatus == 0)
        let broken = example { view in
            decisions(&view)
            view.decisions[1].text = "node2 is appointed"
        }
        #expect(try await run("audit.verify", on: broken).exitStatus == 9)
        #expect(try await text("audit.verify", on: broken) == "BROKEN: line 2 does not fit the one before it")
    }

    @Test func `slot drop refuses what is active or needed`() async throws {
        let gateway = example { view in
            var slot = SlotFacts(name: "subscriber", isPhysical: false, isActive: false)
            slot.retainedBytes = 4096
            view.nodes[0].slots += [slot, SlotFacts(name: "busy", isPhysical: false, isActive: true)]
            view.nodes[0].slots[0].isActive = false
        }
        let needed = try await run("slot.drop", #"{"node":"node1","slot":"node2"}"#, on: gateway)
        #expect(needed.exitStatus == 3 && needed.error?.checks.first?.id == "slot.unused")
        let busy = try await run("slot.drop", #"{"node":"node1","slot":"busy"}"#, on: gateway)
        #expect(busy.error?.checks.first?.id == "slot.inactive")
        #expect(try await run("slot.drop", #"{"node":"node1","slot":"nope"}"#, on: gateway).exitStatus == 10)
        #expect(await gateway.questions.isEmpty)
        #expect(try await run("slot.drop", #"{"node":"node1","slot":"subscriber"}"#, on: gateway).exitStatus == 0)
        #expect(await gateway.questions.map(\.request) == [.inspect(.dropSlot("subscriber"))])
        #expect(try await text("replication.slots", on: gateway).contains("node1  subscriber  logical   no      4.0 KiB   -"))
    }

    private func answering(
        _ reply: @escaping @Sendable (NodeName, Inspection) throws(BastionError) -> InspectionReply
    ) -> RecordedGateway {
        RecordedGateway(
            ExampleCluster.healthy,
            nodeBehaviour: { node, request, view throws(BastionError) in
                guard case .inspect(let inspection) = request else { return .view(view) }
                return .inspected(try reply(node, inspection))
            })
    }

    @Test func `digests are compared at one index; a difference is 9 (CS6)`() async throws {
        let same = answering { _, _ throws(BastionError) in .digest(StateMark(index: 9, sha256: "aa")) }
        #expect(try await run("raft.digest", on: same).exitStatus == 0)
        #expect(try await text("raft.digest", on: same).hasPrefix("the members agree at index 9"))
        let other = answering { node, _ throws(BastionError) in
            .digest(StateMark(index: 9, sha256: node.rawValue == "node2" ? "bb" : "aa"))
        }
        #expect(try await run("raft.digest", on: other).exitStatus == 9)
        let one = answering { node, _ throws(BastionError) in
            if node.rawValue != "node1" { throw BastionError(.unavailable, "node does not answer") }
            return .digest(StateMark(index: 9, sha256: "aa"))
        }
        let answer = try await run("raft.digest", on: one)
        #expect(answer.exitStatus == 0 && String(decoding: answer.envelope, as: UTF8.self).contains(#""agreement":"unknown""#))
    }

    @Test func `version --cluster has a row for a node that does not answer, and ends with 2`() async throws {
        let gateway = answering { node, _ throws(BastionError) in
            if node.rawValue == "node3" { throw BastionError(.unavailable, "node does not answer") }
            return .release(version: "1.2.0", commit: "ab12cd3")
        }
        #expect(try await run("version", #"{"cluster":true}"#, on: gateway).exitStatus == 2)
        #expect(
            try await text("version", #"{"cluster":true}"#, on: gateway) == """
                NODE   VERSION      COMMIT   PG
                node1  1.2.0        ab12cd3  16.4
                node2  1.2.0        ab12cd3  16.4
                node3  unreachable  -        16.4
                """)
    }

    @Test func `a snapshot is written on every node that answers`() async throws {
        let gateway = answering { node, _ throws(BastionError) in
            if node.rawValue == "node3" { throw BastionError(.unavailable, "node does not answer") }
            return .snapshot(term: 7, index: 48213)
        }
        let answer = try await run("raft.snapshot", on: gateway)
        let envelope = try OperationEnvelope(parsing: answer.envelope)
        #expect(envelope.warnings == ["no snapshot on node3: node does not answer"])
        #expect(envelope.data?["nodes"]?.elements?.count == 2)
    }

    @Test func `sessions are counted over all proxies`() async throws {
        let gateway = RecordedGateway(
            ExampleCluster.healthy,
            nodeBehaviour: { node, _, _ throws(BastionError) in
                if node.rawValue == "node3" { throw BastionError(.unavailable, "away") }
                return .connections([ProxySessions(backend: ExampleCluster.name("node1"), portType: "primary", active: 4)])
            })
        let answer = try await text("connections", on: gateway)
        #expect(answer == "8 sessions\nBACKEND  PORT     ACTIVE\nnode1    primary  8")
        #expect(try await text("connections", on: gateway, wide: true).contains("node2  node1    primary  4"))
    }

    @Test func `a checkpoint goes to the primary unless a node is named`() async throws {
        let gateway = answering { _, _ throws(BastionError) in .checkpoint(lsn: LSN(0x5000060), seconds: 0.8) }
        #expect(try await text("postgres.checkpoint", on: gateway) == "node1 made a checkpoint in 0.8 s at 0/5000060")
        _ = try await run("postgres.checkpoint", #"{"node":"node2"}"#, on: gateway)
        #expect(await gateway.questions.map(\.node.rawValue) == ["node1", "node2"])
    }
}

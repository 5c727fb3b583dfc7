import ClusterModel
import FailoverCore
import Testing

/// The commands about the cluster, its nodes, lease terms and records (failover.md 3.2).
@Suite struct ClusterStateApplyTests {
    @Test func `nothing but InitCluster is accepted before there is a cluster (CS4)`() {
        let bench = StateBench()
        bench.refuses(.registerNode(record("a")), "CS4")
        bench.refuses(.pause(pause("p")), "CS4")
        bench.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000))
        bench.refuses(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000), "CS4")
        #expect(bench.state.leases.waitMilliseconds == 3000)
    }

    @Test(arguments: [(Int64(1), Int64(1000)), (5000, 5000), (99_999_999, 60_000)])
    func `InitCluster keeps the lease within 1 s to 60 s (2_3)`(asked: Int64, expected: Int64) {
        let bench = StateBench()
        bench.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: asked))
        #expect(bench.state.leases.durationMilliseconds == expected)
    }

    @Test func `an entry proposed in another term is rejected as stale (CS2)`() {
        let bench = StateBench.serving()
        let before = bench.state
        let result = bench.apply(.pause(pause("p")), term: 3, proposedTerm: 2)
        guard case .rejected(let rule, _) = result else {
            Issue.record("was applied")
            return
        }
        #expect(rule == "CS2")
        #expect(bench.state == before)
    }

    @Test func `a repeated request id returns the first result and changes nothing (CS5)`() {
        let bench = StateBench.serving()
        #expect(bench.apply(.pause(pause("p")), id: "r1") == .applied)
        let refused = bench.apply(.pause(pause("q")), id: "r2")
        #expect(refused == .rejected(rule: "CS4", reason: "already paused"))
        bench.must(.resume(id: nil))
        let before = bench.state
        #expect(bench.apply(.pause(pause("p")), id: "r1") == .applied)
        #expect(bench.apply(.pause(pause("q")), id: "r2") == refused)
        #expect(bench.state == before)
        #expect(bench.state.paused == nil)
    }

    @Test func `a refusal changes nothing but idempotency (CS4)`() {
        let bench = StateBench.serving()
        var expected = bench.state
        let result = bench.apply(.resume(id: nil), id: "r1")
        expected.idempotency = [IdempotencyRecord(requestID: request("r1"), result: result)]
        #expect(bench.state == expected)
    }

    @Test func `the results of 4096 requests are kept, the oldest are forgotten (3_1)`() {
        let bench = StateBench.serving()
        for i in 0..<(ClusterState.Caps.idempotency + 10) { bench.apply(.resume(id: nil), id: "r\(i)") }
        #expect(bench.state.idempotency.count == ClusterState.Caps.idempotency)
        #expect(bench.state.idempotency.first?.requestID == request("r10"))
    }

    // MARK: Nodes

    @Test func `a name belongs to one member until that is tombstoned (3_2 RegisterNode)`() {
        let bench = StateBench.serving()
        bench.refuses(.registerNode(record("b", life: 2)), "CS4")
        var renamed = record("b")
        renamed.name = name("d")
        bench.refuses(.registerNode(renamed), "CS4")
        bench.must(.removeNode(name: name("b"), memberID: member("b")))
        bench.refuses(.registerNode(record("b")), "D67")
        bench.must(.registerNode(record("b", life: 2)))
        #expect(bench.state.nodes[name("b")]?.standing == .joining)
    }

    @Test func `the same member may move without losing its standing (3_2 UpdateNode)`() {
        let bench = StateBench.serving()
        bench.must(.setDrained(node: name("b"), drained: true))
        var moved = record("b")
        moved.host = "10.0.0.9"
        bench.must(.registerNode(moved))
        let found = bench.state.nodes[name("b")]
        #expect(found?.host == "10.0.0.9")
        #expect(found?.standing == .ready)
        #expect(found?.dataID == dataOf("b"))
        #expect(found?.drained == true)
    }

    @Test func `a seventeenth node is refused (3_1)`() {
        let bench = StateBench.serving()
        for i in 4..<ClusterState.Caps.nodes { bench.must(.registerNode(record("n\(i)", kind: .witness))) }
        bench.refuses(.registerNode(record("n16", kind: .witness)), "CS4")
    }

    @Test func `a second data node waits until the lease has an end (4_10, LE12)`() {
        let bench = StateBench()
        bench.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000))
        bench.must(.registerNode(record("a")))
        bench.must(.setLeaseMode(.sole, token: .never, confirmed: false))
        bench.refuses(.registerNode(record("b")), "LE12")
        bench.must(.registerNode(record("w", kind: .witness)))
        bench.must(.setLeaseMode(.timed, token: .never, confirmed: false))
        bench.must(.registerNode(record("b")))
        bench.refuses(.setLeaseMode(.sole, token: .never, confirmed: false), "LE12")
    }

    @Test func `the lease gets an end only when the guard of the token confirmed it (LE12)`() {
        let bench = StateBench.serving()
        bench.state.leases.mode = .sole
        bench.refuses(.setLeaseMode(.timed, token: FencingToken(1), confirmed: false), "LE12")
        bench.refuses(.setLeaseMode(.timed, token: FencingToken(2), confirmed: true), "LE12")
        bench.must(.setLeaseMode(.timed, token: FencingToken(1), confirmed: true))
    }

    @Test func `RemoveNode refuses the primary, strangers and nodes of the operation (3_2)`() {
        let bench = StateBench.serving()
        bench.refuses(.removeNode(name: name("a"), memberID: member("a")), "node.not_primary")
        bench.refuses(.removeNode(name: name("x"), memberID: member("x")), "CS4")
        bench.refuses(.removeNode(name: name("b"), memberID: member("b", life: 2)), "CS4")
        bench.must(.startOperation(operation("op", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2)))
        bench.refuses(.removeNode(name: name("b"), memberID: member("b")), "no_operation_in_progress")
        bench.must(.removeNode(name: name("c"), memberID: member("c")))
        #expect(bench.state.tombstones == [member("c")])
        #expect(bench.state.nodes[name("c")] == nil)
    }

    @Test func `RemoveNode cancels the directives of the node (3_2)`() {
        let bench = StateBench.serving()
        bench.must(.publishDirective(directive("d1", "b")))
        bench.must(.removeNode(name: name("b"), memberID: member("b")))
        #expect(bench.state.directives.last?.status == .cancelled)
    }

    @Test func `256 tombstones are kept (3_1)`() {
        let bench = StateBench.serving()
        for i in 0..<260 {
            bench.must(.registerNode(record("x", kind: .witness, life: 2 + i)))
            bench.must(.removeNode(name: name("x"), memberID: member("x", life: 2 + i)))
        }
        #expect(bench.state.tombstones.count == ClusterState.Caps.tombstones)
        #expect(bench.state.tombstones.last == member("x", life: 261))
    }

    @Test func `the system identifier is set once (D60)`() {
        let bench = StateBench.serving()
        bench.must(.setSystemIdentifier(systemID, timeline: TimelineID(9)))
        #expect(bench.state.lastTimeline == TimelineID(2), "only the first assignment looks at the timeline found")
        bench.refuses(.setSystemIdentifier(7, timeline: TimelineID(1)), "D60")
    }

    @Test func `SetStanding needs the standing it starts from and the member (3_2)`() {
        let bench = StateBench.serving()
        let b = name("b")
        bench.refuses(
            .setStanding(node: b, memberID: member("b"), from: .joining, to: .ready, dataID: nil, reason: ""), "CS4")
        bench.refuses(
            .setStanding(node: b, memberID: member("x"), from: .ready, to: .diverged, dataID: nil, reason: ""), "CS4")
        bench.must(
            .setStanding(node: b, memberID: member("b"), from: .ready, to: .diverged, dataID: nil, reason: "fork"))
        #expect(bench.state.nodes[b]?.standingReason == "fork")
    }

    @Test func `only a registered node can be drained (3_2)`() {
        let bench = StateBench.serving()
        bench.refuses(.setDrained(node: name("x"), drained: true), "CS4")
        bench.must(.setDrained(node: name("b"), drained: true))
        #expect(bench.state.nodes[name("b")]?.drained == true)
    }

    // MARK: Lease terms, hold, pause

    @Test func `a longer lease also waits longer, a shorter one keeps the wait until it is settled (LE12)`() {
        let bench = StateBench.serving()
        bench.must(.setLeaseTerms(milliseconds: 30_000))
        #expect(bench.state.leases.waitMilliseconds == 30_000)
        bench.must(.setLeaseTerms(milliseconds: 2000))
        #expect(bench.state.leases.durationMilliseconds == 2000)
        #expect(bench.state.leases.waitMilliseconds == 30_000)
        bench.refuses(.settleLeaseWait(milliseconds: 3000), "LE12")
        bench.must(.settleLeaseWait(milliseconds: 2000))
        #expect(bench.state.leases.waitMilliseconds == 2000)
        bench.refuses(.setLeaseTerms(milliseconds: 999), "LE12")
        bench.refuses(.setLeaseTerms(milliseconds: 60_001), "LE12")
    }

    @Test func `a hold is for the serving guard, without an operation, at most 10 min, never shorter (LE12)`() {
        let bench = StateBench.serving()
        bench.refuses(.setHold(hold(1, token: 2)), "LE12")
        bench.refuses(.setHold(hold(1, incarnation: guardOf("a", life: 2))), "LE12")
        bench.refuses(.setHold(hold(1, milliseconds: 600_001)), "LE12")
        bench.refuses(.clearHold(id: 1), "LE12")
        bench.must(.setHold(hold(1)))
        bench.refuses(.setHold(hold(2, milliseconds: 59_999)), "LE12")
        bench.must(.setHold(hold(2)))
        bench.refuses(.clearHold(id: 1), "LE12")
        bench.must(.clearHold(id: 2))
        bench.must(.startOperation(operation("op", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2)))
        bench.refuses(.setHold(hold(3)), "no_operation_in_progress")
    }

    @Test func `one pause at a time, ended by its id or without one (3_2)`() {
        let bench = StateBench.serving()
        bench.refuses(.resume(id: nil), "CS4")
        bench.must(.pause(pause("p1")))
        bench.refuses(.pause(pause("p2")), "CS4")
        bench.refuses(.resume(id: "p2"), "CS4")
        bench.must(.resume(id: "p1"))
        bench.must(.pause(pause("p3")))
        bench.must(.resume(id: nil))
    }

    // MARK: Synchronous replication

    @Test func `a change of the rule needs the serving token and the next generation (D17)`() {
        let bench = StateBench.serving()
        bench.refuses(
            .beginSyncChange(token: FencingToken(2), generation: 2, mode: .quorum, rule: rule(2, "a", ["b"], 1)), "D17")
        bench.refuses(
            .beginSyncChange(token: FencingToken(1), generation: 3, mode: .quorum, rule: rule(1, "a", ["b"], 1)), "D17")
        bench.refuses(
            .beginSyncChange(token: FencingToken(1), generation: 2, mode: .quorum, rule: rule(2, "a", ["b"], 1)), "D17")
        bench.refuses(
            .beginSyncChange(token: FencingToken(1), generation: 2, mode: .strict, rule: rule(1, "a", [], 0)), "D20")
        bench.must(.beginSyncChange(token: FencingToken(1), generation: 2, mode: .quorum, rule: rule(1, "a", ["b"], 1)))
        #expect(bench.state.synchronous.rules.count == 2, "SE2: both rules count until the change is settled")
        #expect(bench.state.synchronous.degraded)
        bench.refuses(.settleSync(token: FencingToken(1), generation: 1), "SE9")
        bench.refuses(.settleSync(token: FencingToken(2), generation: 2), "SE9")
        bench.must(.settleSync(token: FencingToken(1), generation: 2))
        #expect(bench.state.synchronous.rules == [rule(1, "a", ["b"], 1)])
        #expect(!bench.state.synchronous.degraded)
    }

    @Test func `eight rules may be unsettled (3_1)`() {
        let bench = StateBench.serving()
        for generation in UInt64(2)...8 {
            bench.must(
                .beginSyncChange(
                    token: FencingToken(1), generation: generation, mode: .quorum, rule: rule(1, "a", ["b"], 1)))
        }
        #expect(bench.state.synchronous.rules.count == 8)
        bench.refuses(
            .beginSyncChange(token: FencingToken(1), generation: 9, mode: .quorum, rule: rule(1, "a", ["b"], 1)), "D17")
    }

    @Test func `the policy asks for at least one synchronous replica (SE1)`() {
        let bench = StateBench.serving()
        bench.refuses(.setSyncPolicy(mode: .strict, wanted: 0), "SE1")
        bench.must(.setSyncPolicy(mode: .strict, wanted: 2))
        #expect(bench.state.synchronous.configured == .strict)
        #expect(bench.state.synchronous.wanted == 2)
    }

    // MARK: Directives and decisions

    @Test func `a directive needs a registered node and the current token (D36)`() {
        let bench = StateBench.serving()
        bench.refuses(.publishDirective(directive("d", "x")), "CS4")
        bench.refuses(.publishDirective(directive("d", "b", token: 2)), "D36")
        bench.must(.publishDirective(directive("d", "b")))
        bench.refuses(.completeDirective(id: "e", status: .completed, error: nil), "CS4")
        bench.refuses(.completeDirective(id: "d", status: .pending, error: nil), "CS4")
        bench.must(.completeDirective(id: "d", status: .failed, error: "no space"))
        bench.refuses(.completeDirective(id: "d", status: .completed, error: nil), "CS4")
        #expect(bench.state.directives.last?.error == "no space")
    }

    @Test func `finished directives give way first when there are 256 (3_1)`() {
        let bench = StateBench.serving()
        bench.must(.publishDirective(directive("open", "b")))
        for i in 0..<300 {
            bench.must(.publishDirective(directive("d\(i)", "b")))
            bench.must(.completeDirective(id: "d\(i)", status: .completed, error: nil))
        }
        #expect(bench.state.directives.count == ClusterState.Caps.directives)
        #expect(bench.state.directives.first?.id == "open")
    }

    @Test func `the decision record keeps 512 lines (3_1)`() {
        let bench = StateBench.serving()
        for i in 0..<520 { bench.must(.appendDecision(DecisionRecord(at: Int64(i), rules: ["DE2"], text: "\(i)"))) }
        #expect(bench.state.decisions.count == ClusterState.Caps.decisions)
        #expect(bench.state.decisions.first?.text == "8")
    }
}

func pause(_ id: String, milliseconds: Int64? = nil) -> PauseRecord {
    PauseRecord(id: id, reason: "maintenance", by: "test", since: 0, durationMilliseconds: milliseconds)
}

func hold(
    _ id: UInt64, token: UInt64 = 1, incarnation: GuardIncarnation = guardOf("a"), milliseconds: Int64 = 60_000
) -> HoldRecord {
    HoldRecord(
        id: id, token: FencingToken(token), guardIncarnation: incarnation, durationMilliseconds: milliseconds,
        reason: "test")
}

func directive(_ id: String, _ node: String, token: UInt64 = 1, type: DirectiveRecord.Kind = .basebackup)
    -> DirectiveRecord
{
    DirectiveRecord(
        id: id, type: type, targetNode: name(node), token: FencingToken(token), status: .running, createdAt: 0,
        ttlMilliseconds: 60_000, term: 1)
}

import ClusterModel
import FailoverCore
import Testing

/// The commands of failover and switchover (failover.md 3.2).
@Suite struct ClusterStateOperationsTests {
    // MARK: StartOperation

    @Test func `an operation starts for the current token with the next ballot, one at a time (D36)`() {
        let bench = StateBench.serving()
        bench.refuses(.startOperation(operation("op", .failover, from: "a", fromToken: 0, ballot: 2)), "D36")
        bench.refuses(.startOperation(operation("op", .failover, from: "a", fromToken: 1, ballot: 3)), "D36")
        bench.must(.startOperation(operation("op", .failover, from: "a", fromToken: 1, ballot: 2)))
        let second = operation("op2", .failover, from: "a", fromToken: 1, ballot: 2)
        bench.refuses(.startOperation(second), "no_operation_in_progress")
    }

    @Test func `a failover ends the old primary at once and for good (3_2, LE6)`() {
        let bench = StateBench.serving()
        bench.must(.setHold(hold(1)))
        bench.failover()
        #expect(bench.state.primary?.phase == .ended)
        #expect(bench.state.hold == hold(1), "LE8: its guard counts it, so expiry waits for it")
        #expect(bench.state.directives.last?.type == .fence)
        bench.must(.finishOperation(id: "op", result: .failed, message: "nobody"))
        #expect(bench.state.primary?.phase == .ended, "also if the operation fails")
        #expect(bench.state.directives.last?.status == .cancelled)
    }

    @Test func `while paused only a person starts a failover (D65)`() {
        let bench = StateBench.serving()
        bench.must(.pause(pause("p")))
        let automatic = operation("op", .failover, from: "a", fromToken: 1, ballot: 2)
        bench.refuses(.startOperation(automatic), "D65")
        bench.must(.startOperation(operation("op", .failover, from: "a", fromToken: 1, ballot: 2, automatic: false)))
    }

    @Test func `a failover replaces a switchover that has promoted nobody, and nothing else does (3_2)`() {
        let bench = StateBench.serving()
        bench.must(.startOperation(operation("sw", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2)))
        let other = operation("sw2", .switchover, from: "a", to: "c", fromToken: 1, ballot: 2)
        bench.refuses(.startOperation(other), "no_operation_in_progress")
        bench.failover()
        #expect(bench.state.operation?.id == "op")
        #expect(bench.state.finished.last?.id == "sw")
        #expect(bench.state.finished.last?.result == .failed)
    }

    @Test func `an operation that only settles gives way to the next one (3_2)`() {
        let bench = promoting()
        bench.refuses(
            .startOperation(operation("op2", .failover, from: "b", fromToken: 2, ballot: 3)), "no_operation_in_progress"
        )
        bench.must(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(500)))
        #expect(bench.state.operation?.phase == .settle)
        bench.must(.startOperation(operation("op2", .failover, from: "b", fromToken: 2, ballot: 3)))
        #expect(bench.state.finished.last?.result == .succeeded)
    }

    // MARK: AdvanceOperation, FinishOperation

    @Test func `an operation follows the table of transitions (D37)`() {
        let bench = StateBench.serving()
        bench.must(.startOperation(operation("sw", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2)))
        bench.refuses(advance("x", .checkpoint, .hold), "D37")
        bench.refuses(advance("sw", .hold, .stop), "D37")
        bench.refuses(advance("sw", .checkpoint, .stop), "D37")
        bench.refuses(advance("sw", .checkpoint, .promote), "D37")
        bench.must(advance("sw", .checkpoint, .hold))
        bench.refuses(advance("sw", .hold, .settle), "D37")
        bench.must(advance("sw", .hold, .stop))
        #expect(bench.state.directives.last?.type == .demote)
        bench.must(advance("sw", .stop, .undo))
        #expect(bench.state.directives.allSatisfy { !$0.isOpen })
        bench.refuses(.finishOperation(id: "x", result: .undone, message: ""), "CS4")
        bench.must(.finishOperation(id: "sw", result: .undone, message: ""))
        #expect(bench.state.operation == nil)
        #expect(bench.state.primary?.phase == .serving, "SW2: the old primary goes on")
    }

    @Test func `a switchover that turns into a failover ends the primary and takes a new ballot (3_2)`() {
        let bench = StateBench.serving()
        bench.must(.startOperation(operation("sw", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2)))
        bench.must(advance("sw", .checkpoint, .hold))
        bench.must(advance("sw", .hold, .stop))
        bench.must(advance("sw", .stop, .pledge))
        #expect(bench.state.primary?.phase == .ended)
        #expect(bench.state.operation?.kind == .failover)
        #expect(bench.state.operation?.ballot == FencingToken(2))
    }

    @Test func `200 finished operations are kept (3_1)`() {
        let bench = StateBench.serving()
        for i in 0..<205 {
            bench.must(.startOperation(operation("s\(i)", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2)))
            bench.must(.finishOperation(id: "s\(i)", result: .failed, message: ""))
        }
        #expect(bench.state.finished.count == ClusterState.Caps.finished)
        #expect(bench.state.finished.first?.id == "s5")
    }

    // MARK: RecordRelease

    @Test func `only the guard that holds the token releases it (LE8)`() {
        let bench = StateBench.serving()
        let evidence = ReleaseEvidence(manner: .crash, endOfWAL: at(2, 900))
        let one = FencingToken(1)
        bench.refuses(.recordRelease(token: FencingToken(2), guardIncarnation: guardOf("a"), evidence: evidence), "LE8")
        bench.refuses(.recordRelease(token: one, guardIncarnation: guardOf("a", life: 2), evidence: evidence), "LE8")
        bench.refuses(.recordRelease(token: one, guardIncarnation: guardOf("b"), evidence: evidence), "LE8")
        bench.must(.setHold(hold(1)))
        bench.must(.recordRelease(token: one, guardIncarnation: guardOf("a"), evidence: evidence))
        #expect(bench.state.primary?.phase == .ended)
        #expect(bench.state.primary?.released == evidence)
        #expect(bench.state.hold == nil)
    }

    // MARK: AssignPrimary

    @Test func `an assignment takes the next token, the ballot and the next timeline (D1, D36, D59)`() {
        let bench = StateBench.serving()
        bench.refuses(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .expired, operation: "op")), "D36")
        bench.failover(released: true)
        bench.refuses(.assignPrimary(assignment(1, "b", timeline: 3, parent: 2, .released, operation: "op")), "D1")
        bench.refuses(.assignPrimary(assignment(3, "b", timeline: 3, parent: 2, .released, operation: "op")), "D1")
        bench.refuses(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "x")), "D36")
        bench.refuses(.assignPrimary(assignment(2, "b", timeline: 2, parent: 1, .released, operation: "op")), "D59")
        bench.refuses(.assignPrimary(assignment(2, "b", timeline: 4, parent: 2, .released, operation: "op")), "D59")
        bench.must(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op")))
        #expect(bench.state.lastToken == FencingToken(2))
        #expect(bench.state.lastTimeline == TimelineID(3))
        #expect(bench.state.operation?.phase == .promote)
        #expect(bench.state.timelines.last?.parent == TimelineID(2))
        #expect(bench.state.directives.last?.type == .promote)
    }

    @Test func `only a registered, ready data node with this member id is assigned (D26, SE5)`() {
        let bench = StateBench.serving()
        bench.failover(released: true)
        func assign(_ node: String) -> ClusterCommand {
            .assignPrimary(assignment(2, node, timeline: 3, parent: 2, .released, operation: "op"))
        }
        bench.refuses(assign("x"), "D26")
        bench.refuses(assign("w"), "D26")
        var stranger = assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op")
        stranger.memberID = member("b", life: 2)
        bench.refuses(.assignPrimary(stranger), "D26")
        bench.stand("b", .diverged)
        bench.refuses(assign("b"), "SE5")
        bench.stand("c", .joining)
        bench.refuses(assign("c"), "SE5")
    }

    @Test(arguments: [AssignmentBasis.never, .released, .expired, .sameNode])
    func `a basis that does not hold is refused (LE8)`(_ basis: AssignmentBasis) {
        let bench = StateBench.serving()
        bench.failover()
        bench.state.leases.mode = .sole
        bench.refuses(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, basis, operation: "op")), "LE8")
    }

    @Test func `the same node is assigned again without a wait (LE8 sameNode)`() {
        let bench = StateBench.serving()
        bench.failover()
        bench.must(.assignPrimary(assignment(2, "a", timeline: 3, parent: 2, .sameNode, operation: "op")))
    }

    @Test func `nobody is assigned while the last token may still be granted (LE6)`() {
        let bench = StateBench.serving()
        bench.must(.startOperation(operation("sw", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2)))
        bench.must(advance("sw", .checkpoint, .hold))
        bench.must(advance("sw", .hold, .stop))
        bench.refuses(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .expired, operation: "sw")), "LE6")
        bench.release(.cleanStop)
        bench.must(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "sw")))
    }

    @Test func `an assignment adds its rule, and drops the older ones only when their loss is accepted (SE8)`() {
        let kept = StateBench.synchronous()
        kept.failover(released: true)
        let new = rule(2, "b", ["c"], 1)
        kept.must(
            .assignPrimary(
                assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op", rule: new, mode: .quorum)))
        #expect(kept.state.synchronous.rules == [rule(1, "a", ["b", "c"], 1), new])
        let dropped = StateBench.synchronous()
        dropped.failover(released: true)
        dropped.must(
            .assignPrimary(
                assignment(
                    2, "b", timeline: 3, parent: 2, .released, operation: "op", rule: new, mode: .quorum,
                    dropsOlderRules: true)))
        #expect(dropped.state.synchronous.rules == [new])
    }

    // MARK: RecordPromotion, AbandonAssignment

    @Test func `a promotion is recorded once, for the assigned token and timeline (D32)`() {
        let bench = promoting()
        bench.refuses(.recordPromotion(token: FencingToken(1), timeline: TimelineID(3), forkLSN: LSN(5)), "D32")
        bench.refuses(.recordPromotion(token: FencingToken(2), timeline: TimelineID(4), forkLSN: LSN(5)), "D32")
        bench.must(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(5)))
        bench.refuses(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(5)), "D32")
        #expect(bench.state.primary?.phase == .serving)
        #expect(bench.state.timelines.last?.forkLSN == LSN(5))
        #expect(bench.state.synchronous.rules.count == 1, "a rule with k = 0 is settled at once")
    }

    @Test func `an abandoned assignment asks again with a new ballot and without its rule (SE10)`() {
        let bench = StateBench.synchronous()
        bench.refuses(.abandonAssignment(token: FencingToken(1), reason: ""), "SE10")
        bench.failover(released: true)
        let new = rule(2, "b", ["c"], 1)
        bench.must(
            .assignPrimary(
                assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op", rule: new, mode: .quorum)))
        bench.must(.abandonAssignment(token: FencingToken(2), reason: "no progress"))
        #expect(bench.state.primary?.phase == .ended)
        #expect(bench.state.operation?.phase == .pledge)
        #expect(bench.state.operation?.ballot == FencingToken(3))
        #expect(bench.state.synchronous.rules == [rule(1, "a", ["b", "c"], 1)])
        #expect(bench.state.timelines.last?.forkLSN == nil, "its timeline is abandoned for ever")
        bench.refuses(.abandonAssignment(token: FencingToken(2), reason: ""), "SE10")
        bench.refuses(.assignPrimary(assignment(3, "c", timeline: 3, parent: 2, .attested, operation: "op")), "D59")
        bench.must(.assignPrimary(assignment(3, "c", timeline: 4, parent: 2, .attested, operation: "op")))
    }

    @Test func `an assigned node that released is abandoned all the same (LE10, SE10)`() {
        let bench = promoting()
        bench.release()
        #expect(bench.state.primary?.phase == .ended)
        bench.must(.abandonAssignment(token: FencingToken(2), reason: "gave its lease up"))
        #expect(bench.state.operation?.phase == .pledge)
    }

    @Test func `128 timelines and 64 certificates are kept (3_1)`() {
        let bench = StateBench.serving()
        for i in UInt64(2)...140 {
            bench.must(.startOperation(operation("o\(i)", .failover, from: "a", fromToken: i - 1, ballot: i)))
            bench.release()
            var a = assignment(i, "a", timeline: UInt32(i + 1), parent: UInt32(i), .released, operation: "o\(i)")
            a.certificate = LossCertificate(
                operationID: "o\(i)", oldToken: FencingToken(i - 1), newToken: FencingToken(i), mode: .off, rules: [],
                answers: [], silent: [], lastKnownPrimaryLSN: nil, chosen: at(2, 5), provenZero: true, bytesMax: 0)
            bench.must(.assignPrimary(a))
            bench.must(.recordPromotion(token: FencingToken(i), timeline: TimelineID(UInt32(i + 1)), forkLSN: LSN(i)))
            bench.must(.finishOperation(id: "o\(i)", result: .succeeded, message: ""))
        }
        #expect(bench.state.timelines.count == ClusterState.Caps.timelines)
        #expect(bench.state.certificates.count == ClusterState.Caps.certificates)
        #expect(bench.state.certificates.last?.forkLSN == LSN(140))
    }

    /// Token 2 is assigned to `b`.
    private func promoting() -> StateBench {
        let bench = StateBench.serving()
        bench.failover(released: true)
        bench.must(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op")))
        return bench
    }

    private func advance(_ id: String, _ from: OperationRecord.Phase, _ to: OperationRecord.Phase) -> ClusterCommand {
        .advanceOperation(id: id, from: from, to: to, detail: "test")
    }
}

import ClusterModel
import FailoverCore
import FoundationEssentials
import Testing

/// Decision 0021: until a first set is settled, the promise is that of mode `off` (SE6, D17, D19).
@Suite struct TurningOnTests {
    @Test func `waiting that is being turned on promises what off promised until it is settled (D17, SE2)`() {
        let bench = turningOn()
        #expect(bench.state.synchronous.mode == .quorum)
        #expect(bench.state.synchronous.promisedMode == .off)
        #expect(bench.state.synchronous.degraded, "status shows it")
        bench.must(.settleSync(token: FencingToken(1), generation: 2))
        #expect(bench.state.synchronous.promisedMode == .quorum)
        #expect(!bench.state.synchronous.degraded)
    }

    @Test func `a primary lost in that window is replaced within max_lag_threshold, as a second earlier (SE6)`() {
        let q = question(turningOn().state, lastEnd: 950)
        let found = CandidateSelection(q)
        #expect(found.candidates.first?.node.name == name("b"))
        #expect(found.candidates.first?.isLossless == false)
        #expect(found.candidates.first?.lossBytes == 50)
        var far = q
        far.settings.maxLagBytes = 49
        #expect(CandidateSelection(far).candidates.isEmpty)
        far = q
        far.lastPrimaryReportIsRecent = false
        #expect(CandidateSelection(far).candidates.isEmpty)
    }

    @Test func `once settled only a proof promotes (D19)`() {
        let bench = turningOn()
        bench.must(.settleSync(token: FencingToken(1), generation: 2))
        #expect(CandidateSelection(question(bench.state, lastEnd: 950, pledged: ["b": 900])).candidates.isEmpty)
    }

    @Test func `a quorum that degraded stays blocked, also while it waits for somebody again (D19, SE7)`() {
        let bench = StateBench.synchronous()
        bench.must(change(3, .quorum, rule(1, "a", [], 0)))
        bench.must(.settleSync(token: FencingToken(1), generation: 3))
        #expect(bench.state.synchronous.promisedMode == .quorum)
        #expect(CandidateSelection(question(bench.state, lastEnd: 900)).candidates.isEmpty)
        bench.must(change(4, .quorum, rule(1, "a", ["b", "c"], 1)))
        #expect(bench.state.synchronous.promisedMode == .quorum)
        #expect(CandidateSelection(question(bench.state, lastEnd: 900)).candidates.isEmpty)
    }

    @Test func `quorum ordered with nobody to wait for is degraded from the start (D19)`() {
        let bench = StateBench.serving()
        bench.must(change(2, .quorum, rule(1, "a", [], 0)))
        #expect(bench.state.synchronous.promisedMode == .quorum)
        #expect(CandidateSelection(question(bench.state, lastEnd: 900)).candidates.isEmpty)
    }

    @Test func `a promotion that is given up brings the window back, one that serves has to settle as well (SE10, SE9)`() {
        let bench = turningOn()
        bench.failover(released: false)
        bench.must(
            .assignPrimary(
                assignment(
                    2, "b", timeline: 3, parent: 2, .expired, operation: "op", rule: rule(2, "b", ["c"], 1), mode: .quorum,
                    dropsOlderRules: true)))
        var served = bench.state
        #expect(run(&served, .recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(900))) == .applied)
        #expect(served.synchronous.promisedMode == .off, "nobody proved yet that its first commit waited")
        #expect(served.synchronous.degraded && !served.synchronous.isSettled)
        #expect(run(&served, .settleSync(token: FencingToken(2), generation: 3)) == .applied)
        #expect(served.synchronous.promisedMode == .quorum && !served.synchronous.degraded)
        bench.must(.abandonAssignment(token: FencingToken(2), reason: "test"))
        #expect(bench.state.synchronous.rules.count == 2)
        #expect(bench.state.synchronous.promisedMode == .off)
    }

    @Test func `an appointment that was proven inside the window keeps it until its set is settled (SE2)`() {
        let bench = turningOn()
        bench.failover(released: true)
        bench.must(
            .assignPrimary(
                assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op", rule: rule(2, "b", ["c"], 1), mode: .quorum)))
        bench.must(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(900)))
        #expect(bench.state.synchronous.rules.count == 3)
        #expect(bench.state.synchronous.promisedMode == .off)
        bench.must(.settleSync(token: FencingToken(2), generation: 3))
        #expect(bench.state.synchronous.promisedMode == .quorum)
    }

    @Test func `rules that an unserved appointment set aside hold again when a failover starts (SE2, SE10)`() {
        let bench = StateBench.synchronous()
        let before = bench.state.synchronous.rules
        bench.failover(released: true)
        bench.must(
            .assignPrimary(
                assignment(
                    2, "b", timeline: 3, parent: 2, .released, operation: "op", rule: rule(2, "b", ["c"], 1), mode: .quorum,
                    dropsOlderRules: true)))
        #expect(bench.state.synchronous.rules == [rule(2, "b", ["c"], 1)])
        bench.must(.finishOperation(id: "op", result: .failed, message: "test"))
        bench.failover("next")
        #expect(bench.state.synchronous.rules == before)
    }

    @Test func `turned off again there is nothing to wait for`() {
        let bench = turningOn()
        bench.must(.settleSync(token: FencingToken(1), generation: 2))
        bench.must(change(3, .off, rule(1, "a", [], 0)))
        #expect(bench.state.synchronous.promisedMode == .off)
        #expect(bench.state.synchronous.modeUntilSettled == nil)
    }

    @Test func `a state without the window is written as before it existed (CS6)`() throws {
        let encoder = JSONEncoder()
        func text(_ state: ClusterState) throws -> String { String(decoding: try encoder.encode(state.synchronous), as: UTF8.self) }
        #expect(try !text(StateBench.synchronous().state).contains("modeUntilSettled"))
        let open = turningOn().state
        #expect(try text(open).contains("modeUntilSettled"))
        #expect(try ArchivedState(open).clusterState() == open)
    }

    /// `off` a moment ago; `b` and `c` became ready, and the set is not settled.
    private func turningOn() -> StateBench {
        let bench = StateBench.serving()
        bench.must(change(2, .quorum, rule(1, "a", ["b", "c"], 1)))
        return bench
    }

    private func change(_ generation: UInt64, _ mode: SynchronousMode, _ rule: AckRule) -> ClusterCommand {
        .beginSyncChange(token: FencingToken(1), generation: generation, mode: mode, rule: rule)
    }

    private func run(_ state: inout ClusterState, _ command: ClusterCommand) -> ApplyResult {
        state.apply(ClusterEntry(actor: "test", proposedTerm: 1, wallTime: 0, command: command), term: 1)
    }

    /// `a` is silent; the others pledged, and `a` last reported this end.
    private func question(
        _ state: ClusterState, lastEnd: UInt64, pledged: [String: UInt64] = ["b": 900, "c": 800]
    ) -> CandidateSelection.Question {
        var reports: [NodeName: NodeReport] = [:]
        for (node, end) in pledged { reports[name(node)] = report(node, .replica, lsn: end) }
        return CandidateSelection.Question(
            state: state, pledges: pledges(pledged.mapValues { at(2, $0) }), excluded: [], reports: reports, leader: name("w"),
            settings: PolicySettings(), lastPrimaryLSN: LSN(lastEnd), lastPrimaryReportIsRecent: true)
    }
}

import ClusterModel
import Testing

@testable import FailoverCore

@Suite struct HoldAndReleaseTests {
    @Test func `LE12: a second data node needs a timed lease first`() {
        var state = Fixture.serving(1)
        #expect(state.run(.setLeaseMode(.sole, token: FencingToken(1), confirmed: false)) == .applied)
        #expect(state.run(.registerNode(Fixture.record(2))).rule == "LE12")
        #expect(state.run(.setLeaseMode(.timed, token: FencingToken(1), confirmed: false)).rule == "LE12")
        #expect(state.run(.setLeaseMode(.timed, token: FencingToken(1), confirmed: true)) == .applied)
        #expect(state.run(.registerNode(Fixture.record(2))) == .applied)
        #expect(state.run(.setLeaseMode(.sole, token: FencingToken(1), confirmed: false)).rule == "LE12")
    }

    @Test func `LE12: a failover does not end a hold that a guard still counts`() {
        var state = Fixture.serving()
        state.hold = HoldRecord(
            id: 1, token: FencingToken(1), guardIncarnation: Fixture.guardID(1), durationMilliseconds: 20_000, reason: "")
        #expect(state.run(.startOperation(Fixture.failover(state, automatic: false))) == .applied)
        #expect(state.hold?.id == 1)
    }

    @Test func `SE10: an abandoned assignment goes back to the pledges under the next ballot`() {
        var state = Fixture.serving()
        #expect(state.run(.startOperation(Fixture.failover(state))) == .applied)
        #expect(state.run(.assignPrimary(Fixture.assignment(state, to: 2))) == .applied)
        // The node may have given the lease up by itself before (LE10).
        let evidence = ReleaseEvidence(manner: .fenced, endOfWAL: nil)
        #expect(state.run(.recordRelease(token: FencingToken(2), guardIncarnation: Fixture.guardID(2), evidence: evidence)) == .applied)
        #expect(state.run(.abandonAssignment(token: FencingToken(2), reason: "test")) == .applied)
        #expect(state.operation?.phase == .pledge)
        #expect(state.operation?.ballot == FencingToken(3))
        #expect(state.synchronous.rules.count == 1)
        #expect(state.run(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(1))).rule == "D32")
    }
}

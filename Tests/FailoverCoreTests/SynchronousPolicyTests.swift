import ClusterModel
import Testing

@testable import FailoverCore

@Suite struct SynchronousPolicyTests {
    private func change(_ state: ClusterState, replicas: [Int], lost: [Int: Int64] = [:], now: Int64 = 10_000) -> (
        mode: SynchronousMode, rule: AckRule
    )? {
        var reports: [NodeName: TimedReport] = [:]
        reports[Fixture.name(1)] = TimedReport(report: Fixture.primaryReport(1, end: 500, replicas: replicas), at: Fixture.stamp(now))
        let lostSince = Dictionary(uniqueKeysWithValues: lost.map { (Fixture.name($0.key), Fixture.stamp($0.value)) })
        let command = SynchronousPolicy.change(
            state: state, reports: reports, lostSince: lostSince, settings: PolicySettings(), now: Fixture.stamp(now))
        guard case .beginSyncChange(_, _, let mode, let rule)? = command else { return nil }
        return (mode, rule)
    }

    @Test func `SE1: two ready replicas that stream turn the mode quorum on`() {
        let state = Fixture.serving()
        #expect(change(state, replicas: [2]) == nil)
        let result = change(state, replicas: [2, 3])
        #expect(result?.mode == .quorum)
        #expect(result?.rule.required == 1)
        #expect(result?.rule.members.map(\.node) == [Fixture.name(2), Fixture.name(3)])
    }

    @Test func `SE7: a member is lost only after degrade_after`() {
        let state = Fixture.serving(mode: .quorum, members: [2, 3], required: 1)
        #expect(change(state, replicas: [2], lost: [3: 8000]) == nil)
        #expect(change(state, replicas: [2], lost: [3: 7000])?.rule.members.map(\.node) == [Fixture.name(2)])
    }

    @Test func `SE7: with nobody left the mode quorum degrades by a committed rule`() {
        let state = Fixture.serving(mode: .quorum, members: [2, 3], required: 1)
        #expect(change(state, replicas: [], lost: [2: 0, 3: 0])?.rule.required == 0)
    }

    @Test func `D20: strict never degrades`() {
        var state = Fixture.serving(mode: .strict, members: [2, 3], required: 1)
        state.synchronous.configured = .strict
        #expect(change(state, replicas: [], lost: [2: 0, 3: 0]) == nil)
        let none = Fixture.rule(token: 1, primary: 1, members: [], required: 0)
        #expect(none.standbyNames(cluster: Fixture.cluster, mode: .strict) == AckRule.placeholder)
        #expect(none.standbyNames(cluster: Fixture.cluster, mode: .quorum).isEmpty)
    }

    @Test func `D17: nothing changes while a change is not settled`() {
        var state = Fixture.serving(mode: .quorum, members: [2], required: 1)
        state.synchronous.rules.append(Fixture.rule(token: 1, primary: 1, members: [2, 3], required: 1))
        #expect(change(state, replicas: []) == nil)
    }

    @Test func `D25: only members under their own application name count`() {
        let names = Fixture.rule(token: 1, primary: 1, members: [2, 3], required: 1).standbyNames(cluster: Fixture.cluster, mode: .quorum)
        #expect(names.hasPrefix("ANY 1 (\"pgb_"))
        #expect(
            applicationName(cluster: Fixture.cluster, node: Fixture.name(2))
                != applicationName(cluster: ClusterID(rawValue: 8), node: Fixture.name(2)))
    }
}

import ClusterModel
import FailoverCore
import Testing

/// Which replicas a commit waits for (SE1, SE7, SE8).
@Suite struct SynchronousRuleTests {
    @Test func `quorum begins once two replicas stream (SE1)`() {
        #expect(change(StateBench.serving().state, streaming: ["b"]) == nil)
        let begun = change(StateBench.serving().state, streaming: ["b", "c"])
        #expect(begun == begins(.quorum, rule(1, "a", ["b", "c"], 1)))
    }

    @Test func `nothing changes while a change is not settled, or nobody serves (SE2, SE9)`() {
        let bench = StateBench.serving()
        bench.must(.beginSyncChange(token: FencingToken(1), generation: 2, mode: .quorum, rule: rule(1, "a", ["b"], 1)))
        #expect(change(bench.state, streaming: ["b", "c"]) == nil)
        var nobody = StateBench.serving().state
        nobody.primary?.phase = .assigned
        #expect(change(nobody, streaming: ["b", "c"]) == nil)
    }

    @Test func `a lost member stays for degrade_after, then the rule goes on without it (SE7)`() {
        let state = StateBench.synchronous().state
        #expect(change(state, streaming: ["c"], lost: ["b": 0], now: 2999) == nil)
        #expect(
            change(state, streaming: ["c"], lost: ["b": 0], now: 3000) == begins(.quorum, rule(1, "a", ["c"], 1), 3))
    }

    @Test func `with nobody left quorum degrades and strict keeps waiting (SE7, D20)`() {
        var state = StateBench.synchronous().state
        #expect(
            change(state, streaming: [], lost: ["b": 0, "c": 0], now: 3000) == begins(.quorum, rule(1, "a", [], 0), 3))
        state.synchronous.configured = .strict
        state.synchronous.mode = .strict
        #expect(change(state, streaming: [], lost: ["b": 0, "c": 0], now: 3000) == nil)
    }

    @Test func `a member whose data were replaced or that lost its standing leaves at once (SE1)`() {
        var state = StateBench.synchronous().state
        state.nodes[name("b")]?.dataID = dataOf("b", life: 2)
        #expect(change(state, streaming: ["c"]) == begins(.quorum, rule(1, "a", ["c"], 1), 3))
        var diverged = StateBench.synchronous().state
        diverged.nodes[name("b")]?.standing = .diverged
        #expect(change(diverged, streaming: ["c"]) == begins(.quorum, rule(1, "a", ["c"], 1), 3))
    }

    @Test func `only ready replicas under the expected name, not tagged nosync, are members (SE7, D25)`() {
        var state = StateBench.serving().state
        state.synchronous.configured = .quorum
        state.nodes[name("b")]?.tags.nosync = true
        #expect(change(state, streaming: ["b", "c"]) == begins(.quorum, rule(1, "a", ["c"], 1)))
        var reports = reports(["b", "c"])
        reports[name("a")]?.report.facts?.server?.replicas = [
            StreamingReplica(applicationName: "walreceiver", state: "streaming", syncState: "async"),
            StreamingReplica(applicationName: applicationNameOf("c"), state: "catchup", syncState: "async"),
        ]
        guard let cluster = state.cluster, let primary = state.primary else { return }
        let found = SynchronousPolicy.streamingNodes(
            state: state, cluster: cluster, reports: reports, primary: primary, PolicySettings(), stamp(0))
        #expect(found.isEmpty)
    }

    @Test func `what the operator configured counts, and wanted is limited by the members (SE1)`() {
        var state = StateBench.serving().state
        state.synchronous.configured = .strict
        state.synchronous.wanted = 3
        #expect(change(state, streaming: ["b", "c"]) == nil, "D20: strict never asks for fewer than wanted")
        state.synchronous.configured = .quorum
        #expect(change(state, streaming: ["b", "c"]) == begins(.quorum, rule(1, "a", ["b", "c"], 2)))
        var off = StateBench.synchronous().state
        off.synchronous.configured = .off
        #expect(change(off, streaming: ["b", "c"]) == begins(.off, rule(1, "a", [], 0), 3))
    }

    @Test func `the standby names are a quorum, the placeholder or empty, never a star (SE1, D20)`() {
        let quorum = rule(1, "a", ["b", "c"], 1)
        let names = quorum.standbyNames(cluster: clusterID, mode: .quorum)
        #expect(names == "ANY 1 (\"\(applicationNameOf("b"))\", \"\(applicationNameOf("c"))\")")
        #expect(rule(1, "a", [], 0).standbyNames(cluster: clusterID, mode: .strict) == AckRule.placeholder)
        #expect(rule(1, "a", [], 0).standbyNames(cluster: clusterID, mode: .quorum) == "")
        #expect(quorum.standbyNames(cluster: clusterID, mode: .off) == "")
    }

    @Test func `the application name is unique per cluster and node, and fits 63 bytes (AG22, D25)`() {
        let long = name(String(repeating: "n", count: 63))
        #expect(applicationName(cluster: clusterID, node: long).utf8.count == 63)
        #expect(applicationNameOf("b") != applicationNameOf("c"))
        #expect(applicationNameOf("b") != applicationName(cluster: ClusterID(rawValue: 2), node: name("b")))
        #expect(applicationNameOf("b").hasPrefix("pgb_"))
        #expect(applicationNameOf("b").hasSuffix("_b"))
    }

    private func begins(_ mode: SynchronousMode, _ rule: AckRule, _ generation: UInt64 = 2) -> ClusterCommand {
        .beginSyncChange(token: FencingToken(1), generation: generation, mode: mode, rule: rule)
    }

    private func reports(_ streaming: [String]) -> [NodeName: TimedReport] {
        [name("a"): TimedReport(report: report("a", .primary, lsn: 900, replicas: streaming), at: stamp(0))]
    }

    private func change(
        _ state: ClusterState, streaming: [String], lost: [String: Int64] = [:], now: Int64 = 0
    ) -> ClusterCommand? {
        var lostSince: [NodeName: ClockStamp] = [:]
        for (node, since) in lost { lostSince[name(node)] = stamp(since) }
        return SynchronousPolicy.change(
            state: state, reports: reports(streaming), lostSince: lostSince, settings: PolicySettings(), now: stamp(now)
        )
    }
}

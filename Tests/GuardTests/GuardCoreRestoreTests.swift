import ClusterModel
import FailoverCore
import Testing

/// 4.12: tokens count per cluster; the cluster changes only while nothing is writable, or when the node was accepted.
@Suite struct GuardCoreRestoreTests {
    private static let first = ClusterID(rawValue: 1)
    private static let second = ClusterID(rawValue: 2)

    private func leased() -> CoreBench {
        var bench = CoreBench.primary()
        bench.feed(.cluster(Self.first))
        return bench
    }

    private func accept(_ bench: inout CoreBench, pid: Int32 = 100) -> String? {
        bench.feed(.order(.adopt(AdoptionRequest(role: .accepted, pid: pid, program: "p", dataDirectory: "/data", port: 5432))))
    }

    @Test func `a writable server under the old cluster's lease goes on under the new cluster when its node is accepted`() {
        var bench = leased()
        #expect(bench.feed(.cluster(Self.second)) == "D67")
        #expect(bench.status.clusterID == Self.first)
        #expect(accept(&bench) == nil)
        #expect(bench.status.clusterID == Self.second)
        #expect(bench.status.state == .primary && bench.status.token == nil && bench.status.postmasterPID == 100)
        #expect(bench.signals.filter { $0 != .promoteFileAndUSR1 }.isEmpty, "it was not restarted")
        #expect(bench.arm(1_000_001) == nil)
        #expect(bench.status.token == FencingToken(1_000_001))
    }

    @Test func `until then nothing of the new cluster counts, and the old lease ends as it must`() {
        var bench = leased()
        bench.feed(.cluster(Self.second))
        #expect(bench.arm(1_000_001) == "D67")
        #expect(bench.order(.promote(token: FencingToken(1_000_001))) == "D67")
        #expect(bench.order(.hold(id: 1, token: FencingToken(1), requestedAt: bench.now, durationMilliseconds: 60_000)) == "D67")
        bench.advance(.seconds(4))
        #expect(bench.status.state == .fenced)
        #expect(bench.status.clusterID == Self.second, "nothing is writable: from now on the new cluster counts")
        #expect(bench.arm(1) == nil, "its tokens begin anew")
    }

    @Test func `an acceptance of another process, or without a claim, changes nothing`() {
        var bench = leased()
        #expect(accept(&bench) == "D67")
        bench.feed(.cluster(Self.second))
        #expect(accept(&bench, pid: 7) == "D61")
        #expect(bench.status.clusterID == Self.first)
        #expect(bench.status.token == FencingToken(1))
    }

    @Test func `the daemon of the own cluster that comes back ends the claim`() {
        var bench = leased()
        bench.feed(.cluster(Self.second))
        bench.feed(.cluster(Self.first))
        #expect(accept(&bench) == "D67")
        #expect(bench.arm(1) == nil)
    }

    @Test func `a running standby without a lease changes the cluster and runs on`() {
        var bench = CoreBench.standby()
        bench.feed(.cluster(Self.first))
        #expect(bench.feed(.cluster(Self.second)) == nil)
        #expect(bench.status.state == .standby && bench.status.clusterID == Self.second)
        #expect(bench.signals.isEmpty)
    }
}

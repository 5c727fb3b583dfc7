import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import Testing

/// What the core reports for the metrics page: once for each thing that happened.
@Suite struct MeasurementTests {
    @Test func `a leader's proposals are measured from proposal to application`() throws {
        let bench = try TestNodes("a")
        bench.measured = [:]
        _ = try #require(bench.ask("a", .pause(forSeconds: nil, reason: "work"))).get()
        let latencies = (bench.measured["a"] ?? []).compactMap { if case .applied(let duration) = $0 { duration } else { nil } }
        #expect(latencies.count == 1 && latencies.allSatisfy { $0 < .seconds(1) })
    }

    @Test func `every node counts a change of leader once, and none at its start`() throws {
        let bench = try TestNodes("a")
        try bench.add("b")
        try bench.add("c")
        #expect(bench.measured.values.joined().count { $0 == .leaderChanged } == 0)
        bench.cut = ["a"]
        bench.run(until: { bench.leader != nil && bench.leader != "a" })
        let new = try #require(bench.leader)
        bench.run(until: { bench.raft("b")?.leader == server(new) && bench.raft("c")?.leader == server(new) })
        for node in ["b", "c"] { #expect((bench.measured[node] ?? []).count { $0 == .leaderChanged } == 1, "\(node)") }
        bench.cut = []
        bench.run(until: { bench.raft("a")?.leader == server(new) })
        #expect((bench.measured["a"] ?? []).count { $0 == .leaderChanged } == 1)
    }
}

import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import Testing

/// PR8 and CS6 inside whole nodes.
@Suite struct DecisionRecordingTests {
    private func three() throws -> TestNodes {
        let bench = try TestNodes("a")
        try bench.add("b")
        try bench.add("c")
        return bench
    }

    @Test func `who paused and resumed is recorded with the request, on every node alike`() throws {
        let bench = try three()
        _ = bench.ask("a", .pause(forSeconds: nil, reason: "upgrade"))
        _ = bench.ask("a", .resume)
        bench.run(until: { bench.state("c").decisions == bench.state("a").decisions })
        let lines = bench.state("a").decisions.suffix(2)
        #expect(lines.map(\.kind) == ["failover.paused", "failover.resumed"])
        #expect(lines.allSatisfy { $0.actor == "test" && $0.requestID != nil })
        #expect(bench.state("c").decisions == bench.state("a").decisions)
        #expect(bench.state("b").decisions.firstBrokenLink == nil)
    }

    @Test func `a refused request is recorded with its check, not more than once a second`() throws {
        let bench = try three()
        bench.run(seconds: 2)
        for _ in 0..<5 { _ = bench.ask("a", .failover(to: nil, allowDataLossBytes: nil)) }
        let refusals = bench.state("a").decisions.filter { $0.kind == "request.refused" }
        #expect(refusals.count == 1)
        #expect(refusals.first?.rules.contains("one_primary") == true)
        #expect(refusals.first?.actor == "test")
        bench.run(seconds: 2)
        _ = bench.ask("a", .failover(to: nil, allowDataLossBytes: nil))
        bench.run(seconds: 1)
        #expect(bench.state("a").decisions.filter { $0.kind == "request.refused" }.count == 2)
    }

    @Test func `nothing is written while nothing happens`() throws {
        let bench = try three()
        bench.run(seconds: 30)
        let index = bench.nodes["a"]?.raft.lastIndex
        bench.run(seconds: 60)
        #expect(bench.nodes["a"]?.raft.lastIndex == index)
    }

    @Test func `all members compute the same digest at the same entry (CS6)`() throws {
        let bench = try three()
        for number in 0..<40 {
            _ = bench.ask("a", .pause(forSeconds: nil, reason: "\(number)"))
            _ = bench.ask("a", .resume)
        }
        bench.run(seconds: 2)
        let marks = ["a", "b", "c"].map { bench.nodes[$0]?.stateMark }
        #expect(marks[0] != nil && marks[0]?.index ?? 1 >= 64)
        #expect(marks[0] == marks[1] && marks[1] == marks[2])
        let digests = try ["a", "b", "c"].map { try StateCodec.digest(of: bench.state($0)) }
        #expect(Set(digests).count == 1)
    }

    @Test func `the log is shown without its values`() throws {
        let bench = try three()
        _ = bench.ask("a", .pause(forSeconds: nil, reason: "a secret word"))
        let entries = try #require(bench.nodes["a"]).logEntries(last: 3)
        #expect(entries.count == 3)
        #expect(entries.contains { $0.command == "pause" && $0.actor == "test" && $0.requestID != nil })
        #expect(!"\(entries)".contains("secret"))
        #expect(bench.nodes["a"]?.logEntries(last: 10_000).isEmpty == false)
        #expect(bench.nodes["a"]?.logEntries(last: -1).isEmpty == true)
    }
}

import ClusterModel
import Synchronization
import Testing

@testable import Telemetry

private struct Nowhere: LogOutput {
    func write(_ line: LogLine, format: LogLine.Format) {}
}

/// What `pgbastion logs` reads: the newest lines, filtered where they were written.
struct LogRingTests {
    private let ring: LogRing
    private let control: LogControl

    init() throws {
        ring = LogRing(node: try #require(NodeName("node1")))
        control = LogControl(node: NodeName("node1"), output: Nowhere(), ring: ring, wallTime: { LogLineTests.time })
    }

    @Test func `lines keep their event, request id and fields; the node is the one that wrote them`() throws {
        control.write(
            .warn, "promote node2: it is appointed primary",
            ["event": "failover.target_selected", "request_id": "abc123", "node": "node2", "token": "42"])
        let record = try #require(ring.records(LogQuery()).first)
        #expect(record.node.rawValue == "node1")
        #expect(record.event == "failover.target_selected")
        #expect(record.requestID == "abc123")
        #expect(record.level == "warn")
        #expect(record.fields == ["node": "node2", "token": "42"])
        #expect(record.time == "2026-02-17T02:00:00.123Z")
    }

    @Test func `numbers order the lines of one moment, and a client goes on after one of them`() throws {
        for number in 0..<5 { control.write(.info, "line \(number)", [:]) }
        let all = ring.records(LogQuery())
        #expect(all.map(\.message) == (0..<5).map { "line \($0)" })
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.number < $1.number })
        let rest = ring.records(LogQuery(after: all[2].number))
        #expect(rest.map(\.message) == ["line 3", "line 4"])
        #expect(ring.records(LogQuery(limit: 2)).map(\.message) == ["line 3", "line 4"])
    }

    @Test func `only the newest lines are kept`() {
        for number in 0..<(LogRing.capacity + 10) { control.write(.info, "line \(number)", [:]) }
        let kept = ring.records(LogQuery(limit: .max))
        #expect(kept.count == LogRing.capacity)
        #expect(kept.first?.message == "line 10")
        #expect(kept.last?.message == "line \(LogRing.capacity + 9)")
    }

    @Test func `the four patterns of the guide find their lines`() {
        control.write(.info, "failover started", ["event": "operation.started"])
        control.write(.info, "demote: this node's server is shut down", ["event": "agent.demote"])
        control.write(.warn, "health check failed", ["event": "postgres.check_failed", "cause": "refused"])
        control.write(.info, "became leader", ["event": "raft.became_leader"])
        control.write(.warn, "invalid auth token", ["event": "api.invalid_token"])
        control.write(.info, "configuration reloaded", ["event": "daemon.reloaded"])
        func found(_ topic: LogTopic) -> [String] { ring.records(LogQuery(topic: topic)).map(\.message) }
        #expect(found(.failover) == ["failover started", "demote: this node's server is shut down"])
        #expect(found(.health) == ["health check failed"])
        #expect(found(.raft) == ["became leader"])
        #expect(found(.auth) == ["invalid auth token"])
    }

    @Test func `a counted repeat of a failed check is one line here as well (L02)`() {
        for _ in 0..<50 { control.write(.warn, "health check failed", ["cause": "refused"]) }
        #expect(ring.records(LogQuery()).count == 1)
    }
}

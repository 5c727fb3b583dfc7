import ClusterModel
import Operations
import Testing

/// `metrics` and `logs`: what other nodes are asked, and how their answers are shown.
@Suite struct MonitoringOperationTests {
    private static let page = #"""
        # HELP pgbastion_raft_term Current Raft term.
        # TYPE pgbastion_raft_term gauge
        pgbastion_raft_term{cluster="main"} 7
        pgbastion_api_requests_total{cluster="main",method="GET",path="/a\"b\\c,d=e",status="200"} 3

        """#

    private func gateway(_ records: [NodeName: [LogRecord]] = [:]) -> RecordedGateway {
        RecordedGateway(
            ExampleCluster.healthy,
            nodeBehaviour: { node, request, view throws(BastionError) in
                switch request {
                case .metrics: return .text(Self.page)
                case .logs(let query):
                    guard node.rawValue != "node3" else { throw BastionError(.unavailable, "node \"node3\" does not answer") }
                    return .logs((records[node] ?? []).filter(query.matches))
                default: return .view(view)
                }
            })
    }

    private func record(_ number: UInt64, _ node: String, _ message: String, _ event: String, request: String? = nil) throws -> LogRecord {
        LogRecord(
            number: number, time: "2026-02-17T02:00:00.000Z", node: try #require(NodeName(node)), level: "info", event: event,
            message: message, requestID: request, fields: ["cause": "not in time"])
    }

    @Test func `metrics shows the lines of a page with their labels apart`() async throws {
        let shown = try await text("metrics", #"{"grep":"raft_"}"#, on: gateway())
        #expect(shown == "pgbastion_raft_term{cluster=\"main\"} 7")
        let answer = try await run("metrics", #"{"node":"node2"}"#, on: gateway())
        let json = String(decoding: answer.envelope, as: UTF8.self)
        #expect(json.contains(#""labels":{"cluster":"main","method":"GET","path":"/a\"b\\c,d=e","status":"200"}"#), "\(json)")
        #expect(json.contains(#""name":"pgbastion_raft_term","value":"7""#), "\(json)")
    }

    @Test func `logs of all nodes are one list in order, and a silent node is a warning`() async throws {
        let records = [
            try #require(NodeName("node1")): [try record(5, "node1", "failover started", "operation.started", request: "abc")],
            try #require(NodeName("node2")): [try record(3, "node2", "became leader", "raft.became_leader")],
        ]
        let answer = try await run("logs", #"{"all":true}"#, on: gateway(records))
        let json = String(decoding: answer.envelope, as: UTF8.self)
        #expect(json.contains("does not answer") && json.contains(#""last":5"#), "\(json)")
        let shown = try await text("logs", #"{"all":true}"#, on: gateway(records))
        #expect(
            shown == """
                TIME NODE LEVEL MESSAGE
                2026-02-17T02:00:00.000Z node2 INFO became leader event=raft.became_leader cause="not in time"
                2026-02-17T02:00:00.000Z node1 INFO failover started event=operation.started request_id=abc cause="not in time"
                """)
        #expect(try await text("logs", #"{"all":true,"event":"raft"}"#, on: gateway(records)).split(separator: "\n").count == 2)
        #expect(try await text("logs", #"{"all":true,"request_id":"abc"}"#, on: gateway(records)).contains("failover started"))
        #expect(try await text("logs", #"{"all":true,"after":5}"#, on: gateway(records)).isEmpty)
    }

    @Test func `logs of one silent node are an error`() async throws {
        #expect(try await run("logs", #"{"node":"node3"}"#, on: gateway()).error?.code == .unavailable)
        #expect(try await run("logs", #"{"node":"node3","all":true}"#, on: gateway()).error?.code == .invalidRequest)
    }
}

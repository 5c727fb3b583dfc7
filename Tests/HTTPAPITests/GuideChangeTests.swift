import ClusterModel
import HTTPAPI
import Operations
import Testing

@Suite struct GuideChangeTests {
    private let node2 = ExampleCluster.name("node2")

    @Test func `E03 add peer`() async throws {
        let api = TestAPI()
        let answer = try await api.json("POST", "/raft/add-peer", body: #"{"id": "node4", "address": "10.0.1.4:8300"}"#)
        #expect(answer["status"]?.string == "peer added")
        #expect(answer["operation_id"] != nil)
        #expect(
            await api.gateway.submissions.map(\.request) == [
                .addPeer(name: ExampleCluster.name("node4"), host: "10.0.1.4", port: 8300, learnerOnly: false)
            ])
        #expect(await api.send("POST", "/raft/add-peer", body: #"{"id":"node4"}"#).status == 400)
        let foreign = TestAPI(failing(BastionError(.foreignState, "it holds another cluster's state")))
        #expect(await foreign.send("POST", "/raft/add-peer", body: #"{"id":"node4","address":"h"}"#).status == 409)
    }

    @Test func `E04 remove peer`() async throws {
        let api = TestAPI()
        #expect(
            try await api.json("POST", "/raft/remove-peer", body: #"{"id":"node3"}"#)["status"]?.string
                == "peer removed")
        #expect(
            await api.gateway.submissions.map(\.request) == [
                .removePeer(name: ExampleCluster.name("node3"), force: false)
            ])
        let unknown = TestAPI(failing(BastionError(.notFound, "peer \"node9\" is not a member")))
        #expect(await unknown.send("POST", "/raft/remove-peer", body: #"{"id":"node9"}"#).status == 404)
    }

    @Test func `E06 transfer leadership`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            view.raft.leader = ExampleCluster.name("node3")
            view.raft.term = 8
            return ClusterReply(summary: "moving")
        }
        let answer = try await TestAPI(gateway).json("POST", "/raft/transfer-leadership", body: #"{"to":"node3"}"#)
        #expect(answer["status"]?.string == "leadership transferred")
        #expect(answer["leader_id"]?.string == "node3")
        #expect(await gateway.submissions.map(\.forward) == [true])
    }

    @Test func `E06 without a body it must reach the leader`() async throws {
        let follower = TestAPI()
        for body in ["", "{}"] {
            let response = await follower.send("POST", "/raft/transfer-leadership", body: body)
            #expect(response.status == 409)
            #expect(try JSONParser.parse(response.body)["code"]?.string == "not_leader")
        }
        #expect(await follower.send("POST", "/raft/transfer-leadership", body: #"{"from":"node1"}"#).status == 409)
    }

    @Test func `E12 failover answers 202 with the operation and where to follow it`() async throws {
        let api = TestAPI()
        let response = await api.send("POST", "/cluster/failover", body: #"{"to": "node2", "allow_data_loss": "1MiB"}"#)
        #expect(response.status == 202)
        let answer = try JSONParser.parse(response.body)
        #expect(answer["status"]?.string == "failover initiated")
        #expect(answer["operation_id"]?.string == "op-1")
        #expect(answer["href"]?.string == "/v1/ops/op-1")
        #expect(await api.gateway.submissions.map(\.request) == [.failover(to: node2, allowDataLossBytes: 1 << 20)])
        let busy = TestAPI(failing(BastionError(.locked, "operation \"op-0\" is in progress")))
        let refused = await busy.send("POST", "/cluster/failover", body: #"{"to":"node2"}"#)
        #expect(refused.status == 409)
        #expect(try JSONParser.parse(refused.body)["code"]?.string == "locked")
    }

    @Test func `E13 switchover, E12 with wait answers with the outcome`() async throws {
        #expect(
            await TestAPI().send("POST", "/cluster/switchover", body: #"{"to":"node2","max_lag":1048576}"#).status
                == 202)
        let gateway = RecordedGateway(ExampleCluster.healthy) { _, view throws(BastionError) in
            view.recentOperations = [ExampleCluster.switchover]
            return ClusterReply(operationID: "op-48231", summary: "started")
        }
        let response = await TestAPI(gateway).send("POST", "/cluster/switchover?wait=20s", body: "{}")
        #expect(response.status == 200)
        let answer = try JSONParser.parse(response.body)
        #expect(answer["status"]?.string == "switchover succeeded")
        #expect(answer["result"]?["new_timeline"]?.integer == 6)
        let late = await TestAPI().send("POST", "/cluster/switchover?wait=20ms", body: "{}")
        #expect(late.status == 504)
        #expect(try JSONParser.parse(late.body)["operation_id"]?.string == "op-1")
        #expect(await TestAPI().send("POST", "/cluster/switchover?wait=soon").status == 400)
    }

    @Test func `E14 pause and E15 resume`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { request, view throws(BastionError) in
            if case .pause(let seconds, let reason) = request {
                view.paused = PauseView(reason: reason, by: "t", since: "2026-02-17T02:00:00Z", forSeconds: seconds)
            } else {
                view.paused = nil
            }
            return ClusterReply(summary: "done")
        }
        let api = TestAPI(gateway)
        let paused = try await api.json("POST", "/cluster/pause", body: #"{"for":"2h","reason":"work"}"#)
        #expect(paused["status"]?.string == "automatic failover paused")
        #expect(try await api.json("GET", "/cluster/state")["paused"] == .bool(true))
        let resumed = try await api.json("POST", "/cluster/resume")
        #expect(resumed["status"]?.string == "automatic failover resumed")
        #expect(try await api.json("GET", "/cluster/state")["paused"] == .bool(false))
    }

    @Test func `E16 reinitialize takes the receiving node by default`() async throws {
        let api = TestAPI()
        let response = await api.send("POST", "/cluster/reinitialize")
        #expect(response.status == 202)
        #expect(try JSONParser.parse(response.body)["status"]?.string == "reinitialization started")
        _ = await api.send("POST", "/cluster/reinitialize", body: #"{"node":"node3","from":"node2","method":"rewind"}"#)
        #expect(
            await api.gateway.submissions.map(\.request) == [
                .reinitialize(node: ExampleCluster.name("node1"), from: nil, method: .auto),
                .reinitialize(node: ExampleCluster.name("node3"), from: node2, method: .rewind),
            ])
    }

    @Test(arguments: ["", "application/json", "application/x-www-form-urlencoded", "text/plain"])
    func `Q01 a body is JSON whatever Content-Type says`(type: String) async throws {
        let api = TestAPI()
        let response = await api.send(
            "POST", "/cluster/failover", body: #"{"to": "node2"}"#, headers: [(name: "content-type", value: type)])
        #expect(response.status == 202)
    }

    @Test(arguments: ["/cluster/pause", "/cluster/resume", "/cluster/reinitialize"])
    func `Q02 no body, an empty one and an empty object are accepted`(path: String) async throws {
        for body in ["", " \n", "{}"] {
            let gateway = example { view in
                view.paused = path == "/cluster/pause" ? PauseView(reason: "", by: "", since: "", forSeconds: nil) : nil
            }
            #expect(await TestAPI(gateway).send("POST", path, body: body).status < 300, "\(path) \(body)")
        }
    }

    @Test func `Q03 an unknown field is 400 and named, malformed JSON has its position`() async throws {
        let api = TestAPI()
        let unknown = try await api.json("POST", "/cluster/failover", body: #"{"too":"node2"}"#)
        #expect(unknown["error"]?.string == "unknown field \"too\"")
        #expect(unknown["code"]?.string == "invalid_request")
        let broken = try await api.json("POST", "/cluster/failover", body: #"{"to": node2}"#)
        #expect(broken["error"]?.string?.contains("line 1, column 8") == true)
        #expect(await api.gateway.submissions.isEmpty)
    }

    @Test func `Q06 X-Pgbastion-Forward never makes a follower refuse`() async throws {
        let api = TestAPI()
        let response = await api.send(
            "POST", "/cluster/pause", headers: [(name: "x-pgbastion-forward", value: "never")])
        #expect(response.status == 409)
        #expect(try JSONParser.parse(response.body)["code"]?.string == "not_leader")
    }

    @Test func `Q08 every form of an address reaches the leader as host and port`() async throws {
        for (text, host, port) in [
            ("10.0.1.4", "10.0.1.4", 8300), ("[::1]:8300", "::1", 8300), ("node4:8301", "node4", 8301),
        ] {
            let api = TestAPI()
            _ = await api.send("POST", "/raft/add-peer", body: #"{"id":"node4","address":"\#(text)"}"#)
            #expect(
                await api.gateway.submissions.map(\.request) == [
                    .addPeer(name: ExampleCluster.name("node4"), host: host, port: port, learnerOnly: false)
                ])
        }
    }

    @Test func `Q10 the idempotency key and H05 the request id go with the change`() async throws {
        let api = TestAPI()
        let response = await api.send(
            "POST", "/cluster/failover", body: "{}",
            headers: [(name: "idempotency-key", value: "k-1"), (name: "x-request-id", value: "abc123")])
        #expect(response.header("X-Request-ID") == "abc123")
        let metadata = try #require(await api.gateway.submissions.first?.metadata)
        #expect(metadata.idempotencyKey?.rawValue == "k-1")
        #expect(metadata.requestID.rawValue == "abc123")
        #expect(metadata.actor == "unix socket")
        #expect(api.log.lines.contains { $0.contains("request_id=abc123") && $0.contains("/cluster/failover") })
        let bad = await api.send("POST", "/cluster/failover", headers: [(name: "idempotency-key", value: "a b")])
        #expect(bad.status == 400)
    }
}

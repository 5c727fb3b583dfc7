import ClusterModel
import HTTPAPI
import Operations
import Synchronization
import Testing

@Suite struct AccessTests {
    private let remote = APIRequest.Peer.address("10.0.0.9")

    private func bearer(_ token: String) -> [(name: String, value: String)] {
        [(name: "authorization", value: "Bearer \(token)")]
    }

    @Test func `Q04 the scheme word counts in any case and the token goes to the audit log as its holder's address`()
        async throws
    {
        let api = TestAPI()
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let response = await api.send(
                "POST", "/cluster/failover", headers: [(name: "authorization", value: "\(scheme) s3cret")], peer: remote
            )
            #expect(response.status == 202)
        }
        #expect(await api.gateway.submissions.allSatisfy { $0.metadata.actor == "token from 10.0.0.9" })
    }

    @Test func `Q04 a wrong token is 403 on every route, also on open ones`() async throws {
        for path in ["/raft/state", "/health", "/livez", "/", "/nowhere", "/v1/operations/status"] {
            let response = await TestAPI().send("GET", path, headers: bearer("wrong"), peer: remote)
            #expect(response.status == 403, "\(path)")
        }
    }

    @Test func `Q05 reads are open unless they are protected, probes always`() async throws {
        #expect(await TestAPI().send("GET", "/cluster/state", peer: remote).status == 200)
        let closed = TestAPI(protectReads: true)
        #expect(await closed.send("GET", "/cluster/state", peer: remote).status == 401)
        #expect(await closed.send("GET", "/v1/operations/status", peer: remote).status == 401)
        for path in ["/health", "/livez", "/readyz", "/primary"] {
            #expect(await closed.send("GET", path, peer: remote).status == 200, "\(path)")
        }
        #expect(await closed.send("GET", "/cluster/state", headers: bearer("s3cret"), peer: remote).status == 200)
        #expect(await closed.send("GET", "/cluster/state").status == 200)
    }

    @Test func `H02 the three refusals and L04 the log line without the token`() async throws {
        let api = TestAPI()
        let missing = await api.send("POST", "/cluster/pause", peer: remote)
        #expect(missing.status == 401)
        #expect(try JSONParser.parse(missing.body)["error"]?.string == "authorization required")
        let other = await api.send(
            "POST", "/cluster/pause", headers: [(name: "authorization", value: "Basic czNjcmV0")], peer: remote)
        #expect(other.status == 401)
        #expect(
            try JSONParser.parse(other.body)["error"]?.string
                == "invalid authorization format, expected Bearer token")
        let wrong = await api.send("POST", "/cluster/pause", headers: bearer("hunter2"), peer: remote)
        #expect(wrong.status == 403)
        #expect(try JSONParser.parse(wrong.body)["error"]?.string == "invalid token")
        let line = try #require(api.log.lines.first { $0.hasPrefix("invalid auth token") })
        #expect(line.contains("remote=10.0.0.9"))
        #expect(!api.log.lines.joined().contains("hunter2"))
        #expect(await api.gateway.submissions.isEmpty)
    }

    @Test func `H03 changes are limited per address before the token is looked at`() async throws {
        let time = Mutex(0.0)
        let api = TestAPI(now: { time.withLock { $0 } })
        for _ in 0..<10 { _ = await api.send("POST", "/cluster/failover", headers: bearer("s3cret"), peer: remote) }
        let limited = await api.send("POST", "/cluster/failover", headers: bearer("wrong"), peer: remote)
        #expect(limited.status == 429)
        #expect(limited.header("Retry-After") == "1")
        #expect(await api.send("GET", "/raft/state", headers: bearer("s3cret"), peer: remote).status == 200)
        #expect(
            await api.send("POST", "/cluster/failover", headers: bearer("s3cret"), peer: .address("10.0.0.8")).status
                == 202)
        #expect(await api.send("POST", "/cluster/failover").status == 202)
        time.withLock { $0 = 0.21 }
        #expect(await api.send("POST", "/cluster/failover", headers: bearer("s3cret"), peer: remote).status == 202)
        #expect(await api.send("POST", "/cluster/failover", headers: bearer("s3cret"), peer: remote).status == 429)
    }

    @Test func `H03 failed authentications are limited on reads as well`() async throws {
        let api = TestAPI()
        for _ in 0..<10 {
            #expect(await api.send("GET", "/raft/state", headers: bearer("wrong"), peer: remote).status == 403)
        }
        #expect(await api.send("GET", "/raft/state", headers: bearer("s3cret"), peer: remote).status == 429)
        #expect(await api.send("GET", "/raft/state", peer: remote).status == 200)
    }

    @Test func `H03 the limiter remembers a bounded number of addresses`() {
        let limiter = RateLimiter(now: { 0 })
        for number in 0..<20_100 {
            _ = limiter.takeForTest("10.\(number / 65_536).\(number / 256 % 256).\(number % 256)")
        }
        #expect(limiter.countForTest <= 10_000)
    }

    @Test func `K11 without a token changes from loopback are open and a token sent is ignored`() async throws {
        for token in [nil, ""] {
            let api = TestAPI(token: token)
            #expect(await api.send("POST", "/cluster/failover", peer: remote).status == 202)
            #expect(await api.send("POST", "/cluster/failover", headers: bearer(""), peer: remote).status == 202)
            #expect(await api.gateway.submissions.first?.metadata.actor == "10.0.0.9 without token")
        }
    }

    @Test func `H01 wrong method is 405 with Allow, unknown route is 404`() async throws {
        let api = TestAPI()
        let wrong = await api.send("DELETE", "/raft/state")
        #expect(wrong.status == 405)
        #expect(wrong.header("Allow") == "GET, HEAD")
        #expect(await api.send("GET", "/cluster/pause").status == 405)
        #expect(await api.send("GET", "/cluster/pause").header("Allow") == "POST")
        let unknown = try await api.json("GET", "/raft/stat")
        #expect(unknown["code"]?.string == "not_found")
        #expect(await api.send("GET", "/cluster/nothing").status == 404)
        let versioned = await api.send("GET", "/v1/nothing")
        #expect(try OperationEnvelope(parsing: versioned.body).error?.code == .notFound)
        #expect(await api.send("GET", "/v1/operations/pause").header("Allow") == "POST")
    }

    @Test func `H05 every response has a request id of its own or the valid one sent`() async throws {
        let api = TestAPI()
        for (sent, kept) in [
            ("abc.1_2-3", true), ("a b", false), (String(repeating: "a", count: 129), false), ("", false),
        ] {
            let response = await api.send("GET", "/raft/state", headers: [(name: "x-request-id", value: sent)])
            let id = try #require(response.header("X-Request-ID"))
            #expect((id == sent) == kept)
            if !kept { #expect(id.count == 16 && UInt64(id, radix: 16) != nil) }
        }
        #expect(await api.send("GET", "/nowhere").header("X-Request-ID") != nil)
    }

    @Test func `H06 an error body has its fields, with code and exit`() async throws {
        let error = BastionError(
            .preconditionFailed, "refused", detail: "d", hint: "h", checks: [FailedCheck(id: "node.healthy")])
        let body = try await TestAPI(failing(error)).json("POST", "/cluster/switchover")
        #expect(
            body.members?.map(\.name) == [
                "checks", "code", "detail", "error", "exit", "hint", "operation_id", "request_id",
            ])
        #expect(body["error"]?.string == "refused")
        #expect(body["exit"]?.integer == 3)
        #expect(body["checks"]?.elements?.first?["id"]?.string == "node.healthy")
    }

    @Test func `H10 no answer carries a token or a CORS header`() async throws {
        let api = TestAPI()
        for (method, path) in [
            ("GET", "/raft/state"), ("POST", "/cluster/failover"), ("GET", "/nowhere"), ("GET", "/patroni"),
        ] {
            let response = await api.send(method, path, headers: bearer("s3cret"), peer: remote)
            #expect(!String(decoding: response.body, as: UTF8.self).contains("s3cret"))
            #expect(!response.headers.contains { $0.name.lowercased().hasPrefix("access-control") })
        }
        #expect(!api.log.lines.joined().contains("s3cret"))
    }
}

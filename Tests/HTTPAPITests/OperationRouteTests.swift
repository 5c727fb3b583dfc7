import ClusterModel
import HTTPAPI
import Operations
import Testing

@Suite struct OperationRouteTests {
    @Test func `X14 every operation of the catalogue is served with the envelope`() async throws {
        for name in Catalogue.names {
            let answer = try await TestAPI().json("POST", "/v1/operations/\(name)?dry_run=true", body: "{}")
            #expect(answer["kind"]?.string == Catalogue.operation(named: name)?.definition.resultKind, "\(name)")
            #expect(answer["format_version"]?.string == "1.0")
        }
    }

    @Test func `X14 the status of the answer is that of its error code`() async throws {
        let refused = await TestAPI(failing(BastionError(.preconditionFailed, "no"))).send(
            "POST", "/v1/operations/switchover")
        #expect(refused.status == 409)
        #expect(try OperationEnvelope(parsing: refused.body).error?.code == .preconditionFailed)
        let invalid = await TestAPI().send("POST", "/v1/operations/pause", body: #"{"fo":"2h"}"#)
        #expect(invalid.status == 400)
        #expect(try OperationEnvelope(parsing: invalid.body).error?.hint == "did you mean \"for\"?")
        let unknown = await TestAPI().send("POST", "/v1/operations/peers.add")
        #expect(unknown.status == 404)
        #expect(try OperationEnvelope(parsing: unknown.body).error?.hint == "did you mean \"peer.add\"?")
    }

    @Test func `X14 reads are served by GET with their parameters in the query`() async throws {
        let api = TestAPI()
        let node = try await api.json("GET", "/v1/operations/node.show?node=node3")
        #expect(node["data"]?["node"]?["name"]?.string == "node3")
        let status = try await api.json("GET", "/v1/operations/status?exit_code=true")
        #expect(status["data"]?["exit"]?.integer == 0)
        let wait = try await api.json("GET", "/v1/operations/wait?conditions=leader&conditions=quorum&wait=5s")
        #expect(wait["data"]?["conditions"]?.elements?.count == 2)
        #expect(await api.send("GET", "/v1/operations/history?n=x").status == 400)
        #expect(await api.send("GET", "/v1/operations/node.show?node=node1&node=node2").status == 400)
        #expect(await api.send("GET", "/v1/operations/pause").status == 405)
        #expect(await api.gateway.submissions.isEmpty)
    }

    @Test func `X14 operations now and past`() async throws {
        let api = TestAPI()
        let list = try await api.json("GET", "/v1/ops")
        #expect(list["data"]?["operations"]?.elements?.count == 1)
        let one = try await api.json("GET", "/v1/ops/op-48231")
        #expect(one["data"]?["state"]?.string == "succeeded")
        let missing = await api.send("GET", "/v1/ops/op-1")
        #expect(missing.status == 404)
        #expect(try OperationEnvelope(parsing: missing.body).error?.code == .notFound)
    }

    @Test func `a refusal of access under v1 is an envelope as well`() async throws {
        let response = await TestAPI().send("POST", "/v1/operations/pause", peer: .address("10.0.0.9"))
        #expect(response.status == 401)
        let envelope = try OperationEnvelope(parsing: response.body)
        #expect(envelope.kind == "PauseResult")
        #expect(envelope.error?.code == .unauthenticated)
    }

    @Test func `every route served is known and none twice`() {
        let served = TestAPI().router.served
        #expect(Set(served).count == served.count)
        for route in [
            "GET /raft/state", "POST /cluster/failover", "HEAD /health", "OPTIONS /replica",
            "POST /v1/operations/{name}",
        ] {
            #expect(served.contains(route))
        }
    }

    @Test func `mutated requests are answered with a known status and one document`() async throws {
        var generator = SeededGenerator(state: 7)
        let api = TestAPI(example { $0.paused = PauseView(reason: "", by: "", since: "", forSeconds: nil) })
        let targets = api.router.served.compactMap { $0.split(separator: " ").last }.map { Array($0.utf8) }
        let bodies = [#"{"id":"node4","address":"[::1]:8300"}"#, #"{"to":"node2","max_lag":"10MiB"}"#, "{}"].map {
            Array($0.utf8)
        }
        for _ in 0..<2000 {
            let method = ["GET", "POST", "HEAD", "DELETE", "X"].randomElement(using: &generator) ?? "GET"
            var target = targets.randomElement(using: &generator) ?? []
            target += Array("?wait=1ms&lag=1&%zz=&limit=3".utf8.prefix(Int.random(in: 0...28, using: &generator)))
            mutate(&target, &generator)
            var body = bodies.randomElement(using: &generator) ?? []
            mutate(&body, &generator)
            var header = Array("Bearer s3cret".utf8)
            mutate(&header, &generator)
            let names = ["authorization", "x-request-id", "idempotency-key", "x-pgbastion-forward"]
            let request = APIRequest(
                method: method, target: String(decoding: target, as: UTF8.self),
                headers: [
                    (name: names.randomElement(using: &generator) ?? "", value: String(decoding: header, as: UTF8.self))
                ],
                body: body,
                peer: Bool.random(using: &generator)
                    ? .unixSocket(nil) : .address("10.0.0.\(Int.random(in: 1...250, using: &generator))"))
            let response = await api.router.respond(to: request)
            #expect(
                [200, 202, 400, 401, 403, 404, 405, 409, 429, 503, 504].contains(response.status), "\(request.target)")
            guard response.contentType == "application/json" else { continue }
            #expect(throws: Never.self) { try JSONParser.parse(response.body) }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 0...2, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            default: bytes.remove(at: index)
            }
        }
    }
}

/// A generator with a fixed seed: the same mutations every time.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

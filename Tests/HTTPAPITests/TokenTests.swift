import ClusterModel
import HTTPAPI
import Logging
import Operations
import Testing

/// Named tokens and their roles.
@Suite struct TokenTests {
    private let remote = APIRequest.Peer.address("10.0.0.9")

    /// A router that knows `api.auth_token` and one token of each role; the value of a token is its role.
    private func api(own: String? = "s3cret", roles: [TokenRole] = TokenRole.allCases, protectReads: Bool = false) -> TestAPI {
        TestAPI(
            token: own,
            named: roles.map { .init(name: "\($0.rawValue)-bot", role: $0, digest: TokenMint.digest(Array($0.rawValue.utf8))) },
            protectReads: protectReads)
    }

    private func bearer(_ token: String) -> [(name: String, value: String)] { [(name: "authorization", value: "Bearer \(token)")] }

    @Test func `Q05 a read token opens protected reads and no change`() async throws {
        let api = api(protectReads: true)
        #expect(await api.send("GET", "/cluster/state", headers: bearer("read"), peer: remote).status == 200)
        #expect(await api.send("GET", "/v1/operations/status", headers: bearer("read"), peer: remote).status == 200)
        let refused = await api.send("POST", "/cluster/pause", body: "{}", headers: bearer("read"), peer: remote)
        #expect(refused.status == 403)
        #expect(try JSONParser.parse(refused.body)["error"]?.string == "a token with role \"read\" may not do this")
        #expect(await api.gateway.submissions.isEmpty)
    }

    @Test func `an operate token does what can be undone or disturbs, and nothing destructive`() async throws {
        let api = api()
        for body in [#"{"to":"node2"}"#, "{}"] {
            #expect(await api.send("POST", "/cluster/failover", body: body, headers: bearer("operate"), peer: remote).status == 202)
        }
        #expect(await api.gateway.submissions.last?.metadata.actor == "token operate-bot from 10.0.0.9")
        let risky = [
            ("/cluster/failover", #"{"allow_data_loss":"1MiB"}"#), ("/raft/remove-peer", #"{"id":"node3","force":true}"#),
            ("/v1/operations/failover", #"{"allow_data_loss":"1MiB"}"#),
            ("/v1/operations/switchover?override=replica.caught_up", "{}"), ("/v1/operations/token.list", ""),
        ]
        for (path, body) in risky {
            #expect(await api.send("POST", path, body: body, headers: bearer("operate"), peer: remote).status == 403, "\(path)")
        }
        #expect(
            await api.send("POST", "/cluster/failover", body: risky[0].1, headers: bearer("admin"), peer: remote).status == 202)
    }

    @Test func `only an admin lists, makes, rotates and revokes tokens`() async throws {
        for (role, status) in [("read", 403), ("operate", 403), ("admin", 200)] {
            #expect(await api().send("GET", "/v1/operations/token.list", headers: bearer(role), peer: remote).status == status)
        }
        #expect(await api().send("GET", "/v1/operations/token.list", peer: remote).status == 401)
        #expect(await api().send("GET", "/v1/operations/token.list").status == 200)
    }

    @Test func `K11 a named token alone closes changes as well`() async throws {
        let api = api(own: nil, roles: [.operate])
        #expect(await api.send("POST", "/cluster/pause", peer: remote).status == 401)
        #expect(await api.send("POST", "/cluster/failover", headers: bearer("operate"), peer: remote).status == 202)
    }

    @Test func `L04 a refused role is logged without the words of a wrong token`() async throws {
        let api = api()
        _ = await api.send("POST", "/cluster/pause", headers: bearer("read"), peer: remote)
        _ = await api.send("POST", "/cluster/pause", headers: bearer("hunter2"), peer: remote)
        #expect(api.log.lines.count { $0.hasPrefix("invalid auth token") } == 1)
        #expect(api.log.lines.contains { $0.hasPrefix("API request refused") && $0.contains("remote=10.0.0.9") })
        #expect(!api.log.lines.joined().contains("hunter2"))
    }

    @Test func `a token's value is shown once, and the cluster is told its digest only`() async throws {
        let gateway = RecordedGateway(ExampleCluster.healthy) { request, view throws(BastionError) in
            guard case .createToken(let name, let role, let digest) = request else { throw BastionError(.internal, "wrong request") }
            view.tokens.append(
                TokenView(
                    name: name, role: role, createdAt: view.capturedAt, createdBy: "test", rotatedAt: nil,
                    fingerprint: String(digest.prefix(8))))
            return ClusterReply(summary: "token \"\(name)\" created")
        }
        let api = TestAPI(gateway)
        let made = try await api.json("POST", "/v1/operations/token.create", body: #"{"name":"deploy","role":"operate"}"#)
        #expect(made["data"]?["value"]?.string == "pgb_example")
        #expect(made["data"]?["role"]?.string == "operate")
        let listed = await api.send("GET", "/v1/operations/token.list")
        #expect(!String(decoding: listed.body, as: UTF8.self).contains("pgb_example"))
        guard case .createToken(_, _, let digest)? = await gateway.submissions.first?.request else {
            Issue.record("nothing was submitted")
            return
        }
        #expect(digest.utf8.count == 64 && !digest.contains("pgb_"))
    }

    @Test func `values are long, different, and found by their digest`() {
        let values = (0..<50).map { _ in TokenMint.mint() }
        #expect(Set(values.map(\.value)).count == 50)
        #expect(values.allSatisfy { $0.value.utf8.count == 68 && $0.value.hasPrefix("pgb_") })
        #expect(values.allSatisfy { TokenMint.digest(Array($0.value.utf8)) == $0.digest })
    }

    @Test func `H04 comparing takes no notice of where two tokens differ`() {
        // The digests of both sides are compared, whatever the tokens are: the time cannot depend on a common beginning.
        let right = Array(String(repeating: "a", count: 512).utf8)
        var early = right
        early[0] = 98
        var late = right
        late[511] = 98
        #expect(TokenMint.digest(early) != TokenMint.digest(right))
        #expect(TokenMint.digest(late) != TokenMint.digest(right))
        let clock = ContinuousClock()
        func median(_ presented: [UInt8]) -> Duration {
            (0..<201).map { _ in clock.measure { for _ in 0..<20 { _ = TokenMint.digest(presented) == TokenMint.digest(right) } } }
                .sorted()[100]
        }
        let (first, second) = (median(early), median(late))
        // A busy machine blurs this: what is looked for is a factor, as a comparison that stops early would show it.
        #expect(first < second * 3 && second < first * 3, "early \(first), late \(second)")
    }
}

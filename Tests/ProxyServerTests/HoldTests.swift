import ClusterModel
import NIOCore
import Testing

@testable import ProxyServer

@Suite(.serialized) struct HoldTests {
    @Test func `new sessions wait inside a switchover and go to the new primary (PX3)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.hold())
            var clients: [ProxyClient] = []
            for _ in 0..<20 {
                let client = try await ProxyClient.connect(fixture.primaryPort)
                client.send(Wire.startup)
                clients.append(client)
            }
            try await fixture.events.wait("held") { $0.filter { $0 == .held(.primary) }.count == 20 }
            #expect(fixture.proxy.statistics.held == 20)
            fixture.proxy.apply(fixture.table(2, primary: 2))
            for client in clients {
                try await client.record.wait("ready") { $0.bytes.ends(with: Wire.ready("I")) }
                #expect(try await client.who() == "node2")
            }
            #expect(fixture.proxy.statistics.held == 0)
        }
    }

    @Test func `a hold ends after its limit with 57P03 (PX3)`() async throws {
        try await ProxyFixture.run(settings: { $0.holdLimit = .milliseconds(200) }) { fixture in
            fixture.proxy.apply(fixture.hold())
            let error = try await ProxyClient.refusal(fixture.primaryPort)
            #expect(error["C"] == "57P03")
            #expect(error["M"]?.hasPrefix("the switchover did not end within") == true)
            #expect(error["H"] != nil)
            let ends = fixture.events.value.compactMap { event -> Duration? in
                if case .holdEnded(let time, resumed: false) = event { time } else { nil }
            }
            #expect(ends.count == 1)
            #expect(ends.allSatisfy { $0 >= .milliseconds(190) })
        }
    }

    @Test func `a hold that turns into a refusal refuses the held sessions`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.hold())
            let client = try await ProxyClient.connect(fixture.primaryPort)
            client.send(Wire.startup)
            try await fixture.events.wait("held") { $0.contains(.held(.primary)) }
            fixture.proxy.apply(fixture.table(1, primary: nil, replicas: []))
            #expect(try await client.end()["C"] == "57P03")
        }
    }

    @Test func `a client that leaves while held is forgotten`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.hold())
            let client = try await ProxyClient.connect(fixture.primaryPort)
            client.send(Wire.startup)
            try await fixture.events.wait("held") { $0.contains(.held(.primary)) }
            try await client.close()
            try await fixture.events.wait("closed") { $0.contains(.closed(.primary)) }
            #expect(fixture.proxy.statistics.held == 0)
            #expect(fixture.proxy.statistics.active[.primary] == 0)
        }
    }

    @Test func `idle sessions wait inside a switchover and go on when it is undone`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let idle = try await ProxyClient.session(fixture.primaryPort)
            let busy = try await ProxyClient.session(fixture.primaryPort)
            busy.send(Wire.query("begin"))
            try await busy.record.wait("transaction") { $0.bytes.ends(with: Wire.ready("T")) }
            fixture.proxy.apply(fixture.hold())
            // A session inside a transaction is still served, so it can end it.
            #expect(try await busy.who() == "node1")
            idle.send(Wire.query("who"))
            let other = try await ProxyClient.connect(fixture.primaryPort)
            other.send(Wire.startup)
            try await fixture.events.wait("held") { $0.contains(.held(.primary)) }
            #expect(fixture.servers[0].record.value.queries == ["begin", "who"])
            fixture.proxy.apply(fixture.table())
            try await fixture.servers[0].record.wait("resumed") { $0.queries == ["begin", "who", "who"] }
            try await idle.record.wait("answer") { $0.bytes.ends(with: Wire.ready("I")) && $0.text.contains("node1") }
        }
    }

    @Test func `an idle session that waited is told 57P01 when the primary has moved`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let idle = try await ProxyClient.session(fixture.primaryPort)
            fixture.proxy.apply(fixture.hold())
            idle.send(Wire.query("silent"))
            fixture.proxy.apply(fixture.table(2, primary: 2))
            #expect(try await idle.end()["C"] == "57P01")
        }
    }
}

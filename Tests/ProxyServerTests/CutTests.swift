import ClusterModel
import NIOCore
import Testing

@testable import ProxyServer

@Suite(.serialized) struct CutTests {
    @Test func `a higher epoch cuts sessions to the old primary with 57P01 (PX1)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let old = try await ProxyClient.session(fixture.primaryPort)
            fixture.proxy.apply(fixture.table(2, primary: 2))
            let error = try await old.end()
            #expect(error["C"] == "57P01")
            #expect(error["M"] == "terminating connection: the primary has changed")
            #expect(try await ProxyClient.who(fixture.primaryPort) == "node2")
            #expect(fixture.proxy.statistics.cutTotal == [.epoch: 1])
            try await fixture.servers[0].record.wait("server side closed") { $0.open == 0 }
        }
    }

    @Test func `a session in the middle of an answer is reset (PX3)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let busy = try await ProxyClient.session(fixture.primaryPort)
            busy.send(Wire.query("half"))
            try await busy.record.wait("half an answer") { $0.bytes.ends(with: Wire.message("D", [1])) }
            fixture.proxy.apply(fixture.table(2, primary: 2))
            let end = try await busy.record.wait("end") { $0.isGone }
            #expect(end.wasReset)
            #expect(end.error == [:])
        }
    }

    @Test func `an encrypted session is reset, never written into`() async throws {
        try await ProxyFixture.run(encryptionAnswer: "S") { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.connect(fixture.primaryPort)
            client.send(Wire.sslRequest)
            try await client.record.wait("S") { $0.text == "S" }
            client.send(Wire.ready("I"))  // stands for TLS records; the server echoes them
            try await client.record.wait("echo") { $0.bytes.count == 7 }
            fixture.proxy.apply(fixture.table(2, primary: 2))
            let end = try await client.record.wait("reset") { $0.isGone }
            #expect(end.bytes.count == 7)
            #expect(end.wasReset)
        }
    }

    @Test func `sessions of replicas survive a new epoch and a lost rotation (PX4)`() async throws {
        try await ProxyFixture.run(servers: 3) { fixture in
            fixture.proxy.apply(fixture.table())
            let first = try await ProxyClient.session(fixture.replicaPort)
            let name = try await first.who()
            fixture.proxy.apply(fixture.table(2, primary: 1, replicas: []))
            #expect(try await first.who() == name)
            // A session that fell back to the primary is one to the primary.
            let fallen = try await ProxyClient.session(fixture.replicaPort)
            fixture.proxy.apply(fixture.table(3, primary: 1, replicas: []))
            #expect(try await fallen.end()["C"] == "57P01")
            #expect(try await first.who() == name)
        }
    }

    @Test func `a server that is taken out loses its sessions and gets no new ones`() async throws {
        try await ProxyFixture.run(servers: 3) { fixture in
            fixture.proxy.apply(fixture.table(primary: 1, replicas: [2]))
            let client = try await ProxyClient.session(fixture.replicaPort)
            var table = fixture.table(primary: 1, replicas: [2, 3])
            table.cut = [ProxyFixture.name(2): "it is rewound"]
            fixture.proxy.apply(table)
            #expect(
                try await client.end()["M"] == "terminating connection: server \"node2\" is taken out: it is rewound")
            for _ in 0..<3 { #expect(try await ProxyClient.who(fixture.replicaPort) == "node3") }
        }
    }

    @Test func `a primary that merely becomes unknown keeps its sessions (PX2)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.session(fixture.primaryPort)
            fixture.proxy.apply(fixture.table(primary: nil, replicas: []))
            #expect(try await client.who() == "node1")
            #expect(try await ProxyClient.refusal(fixture.primaryPort)["C"] == "57P03")
        }
    }

    @Test func `after the deadline no byte of the own primary reaches a client (PX9)`() async throws {
        try await ProxyFixture.run(settings: { $0.localNode = ProxyFixture.name(1) }) { fixture in
            fixture.proxy.apply(fixture.table())
            let own = try await ProxyClient.session(fixture.primaryPort)
            let replica = try await ProxyClient.session(fixture.replicaPort)
            own.record.update { $0.bytes = [] }
            fixture.deadline.update { $0 = false }
            own.send(Wire.query("who"))
            let end = try await own.record.wait("end") { $0.isGone }
            #expect(end.bytes == [])
            #expect(try await replica.who() == "node2")
            #expect(fixture.proxy.statistics.cutTotal == [.deadline: 1])
        }
    }

    @Test func `a lost server is told with 08006`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.session(fixture.primaryPort)
            client.send(Wire.query("die"))
            let error = try await client.end()
            #expect(error["C"] == "08006")
            #expect(error["M"] == "the connection to server \"node1\" was lost")
        }
    }

    @Test func `a drained server loses idle sessions at once and busy ones when they are idle or time is over`()
        async throws
    {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let idle = try await ProxyClient.session(fixture.primaryPort)
            let ending = try await ProxyClient.session(fixture.primaryPort)
            let endless = try await ProxyClient.session(fixture.primaryPort)
            for client in [ending, endless] {
                client.send(Wire.query("begin"))
                try await client.record.wait("begin") { $0.bytes.ends(with: Wire.ready("T")) }
            }
            fixture.proxy.apply(fixture.drained(.seconds(2)))
            #expect(try await idle.end()["C"] == "57P01")
            #expect(try await ProxyClient.refusal(fixture.primaryPort)["C"] == "57P03")
            #expect(try await ending.who() == "node1")
            #expect(try await ending.end()["C"] == "57P01")
            #expect(!endless.record.value.isGone)
            #expect(try await endless.end()["C"] == "57P01")
            #expect(fixture.proxy.sessions() == [])
            fixture.proxy.apply(fixture.table())
            #expect(try await ProxyClient.who(fixture.primaryPort) == "node1")
        }
    }

    @Test func `a drain that is taken back in time cuts nobody, and a second one has its own time`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let busy = try await ProxyClient.session(fixture.primaryPort)
            busy.send(Wire.query("begin"))
            try await busy.record.wait("begin") { $0.bytes.ends(with: Wire.ready("T")) }
            fixture.proxy.apply(fixture.drained(.milliseconds(300)))
            fixture.proxy.apply(fixture.table())
            let other = try await ProxyClient.session(fixture.primaryPort)
            fixture.proxy.apply(fixture.drained(.seconds(600)))
            #expect(try await other.end()["C"] == "57P01")
            // The time of the first drain passes meanwhile.
            _ = try await fixture.largestBuffer()
            #expect(!busy.record.value.isGone)
            fixture.proxy.apply(fixture.table())
            #expect(try await busy.who() == "node1")
        }
    }

    @Test func `a proxy that stops says so and closes everything`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.session(fixture.primaryPort)
            await fixture.proxy.stop()
            #expect(try await client.end()["C"] == "57P01")
            #expect(fixture.proxy.sessions() == [])
            #expect(fixture.proxy.statistics.active[.primary] == 0)
        }
    }
}

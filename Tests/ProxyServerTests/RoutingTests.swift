import ClusterModel
import NIOCore
import Testing

@testable import ProxyServer

@Suite(.serialized) struct RoutingTests {
    @Test func `before the first table every session is refused with 57P03 and a hint`() async throws {
        try await ProxyFixture.run { fixture in
            let client = try await ProxyClient.session(fixture.primaryPort)
            let error = try await client.end()
            #expect(error["S"] == "FATAL")
            #expect(error["C"] == "57P03")
            #expect(error["M"] == "no primary is available: no primary is known yet")
            #expect(error["H"]?.contains("pgbastion status") == true)
        }
    }

    @Test func `the primary port leads to the primary`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table(primary: 2))
            let client = try await ProxyClient.session(fixture.primaryPort)
            #expect(try await client.who() == "node2")
            #expect(
                fixture.proxy.sessions()
                    == [BackendSessions(backend: fixture.servers[1].backend, portType: .primary, count: 1)])
            client.send(Wire.terminate)
            try await client.close()
            try await fixture.events.wait("parted") { $0.contains(.parted(.primary, backend: ProxyFixture.name(2))) }
            #expect(fixture.proxy.sessions() == [])
        }
    }

    @Test func `a missing primary is refused at once, with the reason`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table(primary: nil, replicas: []))
            for port in [fixture.primaryPort, fixture.replicaPort] {
                let error = try await ProxyClient.refusal(port)
                #expect(error["C"] == "57P03")
                #expect(error["M"]?.hasSuffix("the lease has ended") == true)
            }
            #expect(fixture.events.value.contains(.routingFailed(.primary, .noBackend, backend: nil)))
        }
    }

    @Test func `two writable servers stop all routing to a primary (DE8)`() async throws {
        try await ProxyFixture.run { fixture in
            var table = fixture.table()
            table.splitBrain = true
            fixture.proxy.apply(table)
            let refused = try await ProxyClient.refusal(fixture.primaryPort)["C"]
            #expect(refused == "57P03")
            let replica = try await ProxyClient.who(fixture.replicaPort)
            #expect(replica == "node2")
        }
    }

    @Test func `the replica port spreads sessions, fewest first (PX4)`() async throws {
        try await ProxyFixture.run(servers: 4) { fixture in
            fixture.proxy.apply(fixture.table())
            var names: [String] = []
            for _ in 0..<6 { names.append(try await ProxyClient.who(fixture.replicaPort)) }
            #expect(names.sorted() == ["node2", "node2", "node3", "node3", "node4", "node4"])
        }
    }

    @Test func `the replica port falls back to the primary (K08)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table(replicas: []))
            let name = try await ProxyClient.who(fixture.replicaPort)
            #expect(name == "node1")
        }
    }

    @Test func `one other server is tried on the replica port, none on the primary port (PX7)`() async throws {
        try await ProxyFixture.run { fixture in
            let dead = RoutingTable.Backend(node: ProxyFixture.name(9), host: "127.0.0.1", port: 1)
            var table = fixture.table(primary: 1, replicas: [])
            table.replicas = [dead]
            fixture.proxy.apply(table)
            #expect(try await ProxyClient.who(fixture.replicaPort) == "node1")
            table.primary = dead
            table.replicas = [fixture.servers[1].backend]
            table.epoch = FencingToken(2)
            fixture.proxy.apply(table)
            let error = try await ProxyClient.refusal(fixture.primaryPort)
            #expect(error["C"] == "08001")
            #expect(error["M"] == "could not connect to server \"node9\"")
            #expect(
                fixture.events.value.contains(
                    .routingFailed(.primary, .backendConnectFailed, backend: ProxyFixture.name(9))))
            #expect(fixture.proxy.sessions().map(\.count) == [])
        }
    }

    @Test func `the proxy never takes its own port for a server (PX8)`() async throws {
        try await ProxyFixture.run { fixture in
            let own = RoutingTable.Backend(
                node: ProxyFixture.name(1), host: "127.0.0.1", port: fixture.primaryPort ?? 0)
            fixture.proxy.apply(RoutingTable(epoch: FencingToken(1), primary: own))
            let error = try await ProxyClient.refusal(fixture.primaryPort)
            #expect(error["C"] == "08001")
            #expect(error["M"]?.contains("its address is a port of this proxy") == true)
        }
    }

    @Test func `the limit of sessions is refused with 53300, a cancel request is not (PX7)`() async throws {
        try await ProxyFixture.run(settings: { $0.maxSessions = 2 }) { fixture in
            fixture.proxy.apply(fixture.table())
            let first = try await ProxyClient.session(fixture.primaryPort)
            let second = try await ProxyClient.session(fixture.primaryPort)
            #expect(try await ProxyClient.refusal(fixture.primaryPort)["C"] == "53300")
            let cancel = try await ProxyClient.connect(fixture.primaryPort)
            cancel.send(Wire.cancel())
            try await fixture.servers[0].record.wait("cancel") { $0.cancels.count == 1 }
            #expect(try await first.who() + second.who() == "node1node1")
        }
    }

    @Test func `a port in use is an error with a hint`() async throws {
        try await ProxyFixture.run { fixture in
            let port = fixture.primaryPort ?? 0
            let second = ProxyServer(
                settings: ProxySettings(bindHosts: ["127.0.0.1"], primaryPort: port, replicaPort: 0),
                eventLoopGroup: fixture.servers[0].channel.eventLoop, deadline: { true }, observer: { _ in })
            await #expect(throws: BastionError.self) { try await second.start() }
            #expect(second.ports == [:])
        }
    }

    @Test func `a table with a lower epoch is ignored (PR5)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table(5, primary: 2))
            fixture.proxy.apply(fixture.table(4, primary: 1))
            let name = try await ProxyClient.who(fixture.primaryPort)
            #expect(name == "node2")
            #expect(fixture.proxy.statistics.epoch == FencingToken(5))
        }
    }
}

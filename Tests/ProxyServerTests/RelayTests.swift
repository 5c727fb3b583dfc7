import ClusterModel
import NIOCore
import Testing

@testable import ProxyServer

@Suite(.serialized) struct RelayTests {
    @Test func `a client that closes its sending side still gets the answer (PX7)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.session(fixture.primaryPort)
            client.record.update { $0.bytes = [] }
            client.send(Wire.query("bulk 3000000"))
            try await client.channel.close(mode: .output).get()
            try await fixture.servers[0].record.wait("half-close") { $0.inputsClosed == 1 }
            try await client.record.wait("answer") { $0.bytes.count == 3_000_011 }
        }
    }

    @Test func `a server that closes its sending side still gets what the client sends (PX7)`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.session(fixture.primaryPort)
            // After an unfinished answer the close is passed on as it is, without an error of the proxy's.
            client.send(Wire.query("half") + Wire.query("shut"))
            try await client.record.wait("half-close") { $0.inputClosed }
            client.send(Wire.query("last words"))
            try await fixture.servers[0].record.wait("last words") { $0.queries.last == "last words" }
        }
    }

    @Test func `a slow reader stops the server, and nothing is lost when it reads again (PX7)`() async throws {
        let size = 30_000_000
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.connect(fixture.primaryPort, reading: false)
            client.send(Wire.startup + Wire.query("bulk \(size)"))
            try await fixture.servers[0].record.wait("query") { $0.queries.count == 1 }
            // The kernel takes a few megabytes; the proxy's own part stays within its limit.
            let held = try await fixture.largestBuffer()
            #expect(held <= fixture.proxy.settings.bufferLimit)
            client.startReading()
            let end = try await client.record.wait("everything", seconds: 60) { $0.bytes.count >= size + 26 }
            #expect(end.bytes.count == size + 26)
            #expect(end.bytes.ends(with: Wire.ready("I")))
        }
    }

    @Test func `a server that does not read stops the client`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.session(fixture.primaryPort)
            client.send(Wire.query("deaf"))
            try await fixture.servers[0].record.wait("deaf") { $0.queries == ["deaf"] }
            for _ in 0..<400 { client.send(Wire.message("d", Array(repeating: 1, count: 65_536))) }
            let held = try await fixture.largestBuffer()
            #expect(held <= fixture.proxy.settings.bufferLimit)
            #expect(fixture.servers[0].record.value.bytesReceived < 2_000_000)
        }
    }

    @Test func `1000 idle sessions are held and cut at once by a new epoch`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let clients = try await withThrowingTaskGroup(of: ProxyClient.self) { group in
                for _ in 0..<1_000 { group.addTask { try await ProxyClient.session(fixture.primaryPort) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(fixture.proxy.sessions().map(\.count) == [1_000])
            fixture.proxy.apply(fixture.table(2, primary: 2))
            for client in clients { #expect(try await client.end()["C"] == "57P01") }
            for client in clients { try await client.close() }
            try await fixture.events.wait("all closed") { $0.filter { $0 == .closed(.primary) }.count == 1_000 }
            #expect(fixture.proxy.sessions() == [])
        }
    }

    @Test func `a peer is dead only when sent bytes stay unacknowledged`() {
        let limit = Duration.seconds(15)
        let idle = PeerSigns(silence: .seconds(20), unacknowledged: 0, retransmissions: 0, probes: 0)
        let dead = PeerSigns(silence: .seconds(20), unacknowledged: 3, retransmissions: 4, probes: 0)
        let shutWindow = PeerSigns(silence: .milliseconds(300), unacknowledged: 0, retransmissions: 0, probes: 0)
        let slow = PeerSigns(silence: .seconds(5), unacknowledged: 3, retransmissions: 3, probes: 0)
        let deadBehindShutWindow = PeerSigns(silence: .seconds(40), unacknowledged: 0, retransmissions: 0, probes: 7)
        #expect([idle, shutWindow, slow].allSatisfy { !$0.showDeath(after: limit) })
        #expect([dead, deadBehindShutWindow].allSatisfy { $0.showDeath(after: limit) })
    }
}

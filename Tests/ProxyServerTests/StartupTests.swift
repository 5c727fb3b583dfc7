import ClusterModel
import NIOCore
import Testing

@testable import ProxyServer

@Suite(.serialized) struct StartupTests {
    private static func parse(_ bytes: [UInt8]) -> StartupPacket.Parsed {
        StartupPacket.parse(ByteBuffer(bytes: bytes))
    }

    @Test func `each kind of first packet is recognised (PX5)`() {
        #expect(Self.parse(Wire.startup) == .complete(.session, length: Wire.startup.count))
        #expect(Self.parse(Wire.sslRequest) == .complete(.encryptionRequest, length: 8))
        #expect(Self.parse(Wire.int32(8) + Wire.int32(80_877_104)) == .complete(.encryptionRequest, length: 8))
        #expect(Self.parse(Wire.cancel()) == .complete(.cancel, length: 16))
        #expect(Self.parse(Wire.cancel(keyLength: 256)) == .complete(.cancel, length: 268))
    }

    @Test func `lengths outside 8 to 10000 and unknown codes are malformed (PX5)`() {
        for length in [0, 4, 7, 10_001, -1] {
            #expect(
                Self.parse(Wire.int32(length))
                    == .malformed("length of startup packet is \(UInt32(truncatingIfNeeded: length))"))
        }
        #expect(Self.parse(Wire.int32(10_000)) == .incomplete)
        #expect(
            Self.parse(Wire.int32(8) + Wire.int32(131_072)) == .malformed("code 131072 of startup packet is unknown"))
        #expect(Self.parse(Wire.cancel(keyLength: 3)).isMalformed)
        #expect(Self.parse(Array("GET / HTTP/1.1\r\n".utf8)).isMalformed)
    }

    @Test func `no bytes make the parser read past the end (fuzz, 20000 seeds)`() {
        for seed in UInt64(1)...20_000 {
            var random = TestRandom(state: seed)
            let bytes = random.packet()
            switch Self.parse(bytes) {
            case .complete(_, let length): #expect(length <= bytes.count && StartupPacket.lengths.contains(length))
            case .incomplete, .malformed: break
            }
        }
    }

    @Test func `garbage is answered with 08P01 and the port goes on (fuzz, 200 seeds)`() async throws {
        try await ProxyFixture.run(settings: { $0.startupTimeout = .milliseconds(300) }) { fixture in
            fixture.proxy.apply(fixture.table())
            for seed in UInt64(1)...200 {
                var random = TestRandom(state: seed)
                let bytes = random.packet()
                let client = try await ProxyClient.connect(fixture.primaryPort)
                client.send(bytes)
                if StartupTests.parse(bytes).isMalformed { #expect(try await client.end()["C"] == "08P01") }
                try await client.close()
            }
            try await fixture.events.wait("all closed") { $0.filter { $0 == .closed(.primary) }.count == 200 }
            #expect(try await ProxyClient.who(fixture.primaryPort) == "node1")
        }
    }

    @Test func `a silent client is told 08P01 after the startup timeout (PX5)`() async throws {
        try await ProxyFixture.run(settings: { $0.startupTimeout = .milliseconds(200) }) { fixture in
            let client = try await ProxyClient.connect(fixture.primaryPort)
            client.send([0, 0])
            #expect(try await client.end()["C"] == "08P01")
        }
    }

    @Test func `a startup packet in single bytes, with a query behind it, arrives whole`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.connect(fixture.primaryPort)
            for byte in Wire.startup { client.send([byte]) }
            client.send(Wire.query("who"))
            try await client.record.wait("answer") { $0.text.contains("node1") }
        }
    }

    @Test func `a refused encryption request is followed by a session in the clear`() async throws {
        try await ProxyFixture.run { fixture in
            fixture.proxy.apply(fixture.table())
            let client = try await ProxyClient.connect(fixture.primaryPort)
            client.send(Wire.sslRequest)
            try await client.record.wait("N") { $0.text == "N" }
            client.send(Wire.startup)
            try await client.record.wait("ready") { $0.bytes.ends(with: Wire.ready("I")) }
            #expect(try await client.who() == "node1")
        }
    }

    @Test func `an error is sent also before TLS (PX6)`() async throws {
        try await ProxyFixture.run { fixture in
            let client = try await ProxyClient.connect(fixture.primaryPort)
            client.send(Wire.sslRequest)
            #expect(try await client.end()["C"] == "57P03")
        }
    }

    @Test func `a cancel request goes to every server with sessions of its port (PX5)`() async throws {
        try await ProxyFixture.run(servers: 4) { fixture in
            fixture.proxy.apply(fixture.table(primary: 1, replicas: [2, 3]))
            var clients: [ProxyClient] = [try await .session(fixture.primaryPort)]
            for _ in 0..<2 { clients.append(try await .session(fixture.replicaPort)) }
            let cancel = try await ProxyClient.connect(fixture.replicaPort)
            cancel.send(Wire.cancel(keyLength: 32))
            for server in fixture.servers[1...2] {
                try await server.record.wait("cancel") { $0.cancels == [Wire.cancel(keyLength: 32)] }
            }
            _ = try await cancel.end()
            #expect(cancel.record.value.bytes == [])
            #expect(fixture.servers[0].record.value.cancels == [])
            #expect(fixture.servers[3].record.value.open == 0)
            #expect(clients.allSatisfy { !$0.record.value.isGone })
        }
    }

    @Test func `a cancel request behind a refused encryption request goes to every server as well`() async throws {
        try await ProxyFixture.run(servers: 3) { fixture in
            fixture.proxy.apply(fixture.table())
            let clients = [
                try await ProxyClient.session(fixture.replicaPort), try await ProxyClient.session(fixture.replicaPort),
            ]
            let cancel = try await ProxyClient.connect(fixture.replicaPort)
            cancel.send(Wire.sslRequest)
            try await cancel.record.wait("N") { $0.text == "N" }
            cancel.send(Wire.cancel())
            for server in fixture.servers[1...2] { try await server.record.wait("cancel") { $0.cancels.count == 1 } }
            #expect(clients.allSatisfy { !$0.record.value.isGone })
        }
    }

    @Test func `an error response has the fields of the manual in order`() {
        var bytes = ProxyRefusal(state: .cannotConnectNow, message: "no", hint: "wait").encoded(ByteBufferAllocator())
        #expect(bytes.readString(length: 1) == "E")
        #expect(bytes.readInteger(as: UInt32.self) == UInt32(bytes.readableBytes + 4))
        #expect(bytes.readString(length: bytes.readableBytes) == "SFATAL\0VFATAL\0C57P03\0Mno\0Hwait\0\0")
    }
}

extension StartupPacket.Parsed {
    var isMalformed: Bool { if case .malformed = self { true } else { false } }
}

/// SplitMix64: the same bytes for the same seed everywhere.
struct TestRandom {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    /// Bytes that are almost a startup packet: a true one with a changed length, code, byte or end, or noise.
    mutating func packet() -> [UInt8] {
        let originals = [Wire.startup, Wire.sslRequest, Wire.cancel(), Wire.cancel(keyLength: 40)]
        var bytes = originals[Int(next() % 4)]
        switch next() % 5 {
        case 0: bytes.replaceSubrange(0..<4, with: Wire.int32(Int(next() % 12_000)))
        case 1: bytes.replaceSubrange(4..<8, with: Wire.int32(Int(truncatingIfNeeded: next())))
        case 2: bytes[Int(next() % UInt64(bytes.count))] ^= UInt8(1 << (next() % 8))
        case 3: bytes = Array(bytes.prefix(Int(next() % UInt64(bytes.count))))
        default: bytes = (0..<(next() % 64)).map { _ in UInt8(truncatingIfNeeded: next()) }
        }
        return bytes
    }
}

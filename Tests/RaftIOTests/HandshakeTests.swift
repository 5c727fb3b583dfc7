import ClusterModel
import NIOCore
import Testing

@testable import RaftIO

/// RA19 and RA20: who may connect.
@Suite(.serialized) struct HandshakeTests {
    @Test func `another cluster is refused as foreign state`() async throws {
        let (a, b) = (try TestNode(1, cluster: 1), try TestNode(2, cluster: 2))
        a.transport.setPeers([b.address])
        #expect(await eventually { a.failures().first?.code == .foreignState })
        #expect(!a.transport.isConnected(b.member))
        await stop(a, b)
    }

    @Test func `a member that waits to be added is accepted by any cluster`() async throws {
        let (a, b) = (try TestNode(1, cluster: 1), try TestNode(2, cluster: nil))
        a.transport.setPeers([b.address])
        #expect(await eventually { a.transport.isConnected(b.member) })
        await stop(a, b)
    }

    @Test func `another member than expected is refused`() async throws {
        let (a, b) = (try TestNode(1), try TestNode(2))
        a.transport.setPeers([PeerAddress(memberID: MemberID(rawValue: 3), host: "127.0.0.1", port: b.port)])
        #expect(await eventually { a.failures().first?.code == .foreignState })
        await stop(a, b)
    }

    @Test func `wire versions without overlap are refused`() async throws {
        let (a, b) = (try TestNode(1, wire: 1...2), try TestNode(2, wire: 3...4))
        a.transport.setPeers([b.address])
        #expect(await eventually { a.failures().first?.code == .preconditionFailed })
        await stop(a, b)
    }

    @Test func `the owner's refusal reaches the other side with code and message`() async throws {
        let a = try TestNode(1)
        let b = try TestNode(2, admission: .reject(code: .removed, message: "member was removed"))
        a.transport.setPeers([b.address])
        #expect(await eventually { a.failures().first == BastionError(.removed, "member was removed") })
        #expect(b.transport.statistics.refusedConnections > 0)
        await stop(a, b)
    }

    @Test func `a probe tells who is there, of whatever cluster`() async throws {
        let (a, b) = (try TestNode(1, cluster: 1), try TestNode(2, cluster: 2))
        let hello = try await a.transport.probe(host: "localhost", port: b.port, timeout: .seconds(5))
        #expect(hello.memberID == b.member)
        #expect(hello.clusterID == ClusterID(rawValue: 2))
        let error = await #expect(throws: BastionError.self) {
            try await a.transport.probe(host: "127.0.0.1", port: 1, timeout: .seconds(5))
        }
        #expect(error?.code == .unavailable)
        await stop(a, b)
    }

    @Test func `two live daemons of one member id are both refused until one is silent`() async throws {
        let target = try TestNode(9, adjust: { $0.contestedSilence = .milliseconds(600) })
        let first = try TestNode(1, incarnation: 11)
        first.transport.setPeers([target.address])
        #expect(await eventually { target.transport.isConnected(first.member) })
        let second = try TestNode(1, incarnation: 12)
        second.transport.setPeers([target.address])
        #expect(await eventually { second.failures().first?.code == .preconditionFailed })
        #expect(await eventually { first.failures().first?.code == .preconditionFailed })
        #expect(!target.transport.isConnected(first.member))
        await first.transport.stop()
        #expect(await eventually { target.transport.isConnected(second.member) })
        await stop(second, target)
    }

    @Test func `a silent connection is replaced by the member's new life`() {
        let (member, old, new) = (MemberID(rawValue: 1), DaemonIncarnation(rawValue: 1), DaemonIncarnation(rawValue: 2))
        var registry = IncarnationRegistry(silence: .seconds(5))
        let second: Int64 = 1_000_000_000
        #expect(registry.rivals(of: old, for: member, now: 0).isEmpty)
        registry.opened(old, for: member, now: 0)
        #expect(registry.rivals(of: new, for: member, now: 4 * second) == [old])
        #expect(registry.rivals(of: new, for: member, now: 6 * second).isEmpty)
        registry.opened(new, for: member, now: 6 * second)
        registry.closed(new, for: member, byRefusal: false)
        #expect(registry.rivals(of: old, for: member, now: 7 * second).isEmpty)
    }

    // MARK: Hostile bytes

    @Test func `bytes that are no frame close the connection`() async throws {
        let node = try TestNode(1, adjust: { $0.handshakeTimeout = .milliseconds(300) })
        var generator = SeededGenerator(5)
        let hello = PeerFrame(kind: .hello, payload: Array("{\"purpose\":\"urgent\"}".utf8)).bytes
        var attempts: [[UInt8]] = [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [], [0x50], hello, PeerFrame(kind: .message, payload: [1]).bytes,
            PeerFrame(kind: .request, id: 4, payload: [1]).bytes, PeerFrame(kind: .hello, payload: []).bytes,
            PeerFrame(kind: .hello, payload: [UInt8](repeating: UInt8(ascii: "["), count: 60_000)).bytes,
            [0x50, 0x47, 0x42, 0x52, 1, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 12),
        ]
        for _ in 0..<40 {
            var damaged = hello
            damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^=
                1 << UInt8.random(in: 0..<8, using: &generator)
            attempts.append(damaged)
        }
        for bytes in attempts {
            let client = try RawClient(port: node.port)
            client.send(bytes)
            #expect(client.readToEnd() != nil, "\(bytes.prefix(30))")
            client.finish()
        }
        #expect(node.transport.statistics.damagedFrames > 20)
        // It still serves.
        let other = try TestNode(2)
        #expect(
            try await other.transport.probe(host: "127.0.0.1", port: node.port, timeout: .seconds(5)).memberID
                == node.member)
        await stop(node, other)
    }

    @Test func `connections without a handshake are limited`() async throws {
        let node = try TestNode(1, adjust: { $0.maxUnknownConnections = 4 })
        var clients: [RawClient] = []
        for _ in 0..<8 { clients.append(try RawClient(port: node.port)) }
        #expect(await eventually { node.transport.statistics.refusedConnections >= 4 })
        for client in clients { client.finish() }
        let other = try TestNode(2)
        other.transport.setPeers([node.address])
        #expect(await eventually { other.transport.isConnected(node.member) })
        await stop(node, other)
    }

    @Test func `frames are cut from any split of the stream`() throws {
        let frames = [
            PeerFrame(kind: .message, payload: []), PeerFrame(kind: .request, id: .max, payload: [1, 2, 3]),
            PeerFrame(kind: .response, id: 2, payload: [UInt8](repeating: 9, count: 5000)),
        ]
        let stream = frames.flatMap(\.bytes)
        for size in [1, 2, 23, 24, 25, 1000, 10_000] {
            let decoder = PeerFrameDecoder()
            var (buffer, found) = (ByteBuffer(), [PeerFrame]())
            for start in stride(from: 0, to: stream.count, by: size) {
                buffer.writeBytes(stream[start..<min(start + size, stream.count)])
                while let frame = try decoder.next(&buffer) { found.append(frame) }
            }
            #expect(found == frames)
        }
    }

    @Test func `no flipped bit in a frame goes unnoticed`() {
        let bytes = PeerFrame(kind: .message, id: 3, payload: [1, 2, 3]).bytes
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            var buffer = ByteBuffer(bytes: damaged)
            do throws(FrameError) {
                // A longer length waits for more; what comes then cannot have the checksum.
                let frame = try PeerFrameDecoder().next(&buffer)
                #expect(frame == nil, "bit \(bit)")
            } catch {}
        }
    }

    private func stop(_ nodes: TestNode...) async {
        for node in nodes { await node.transport.stop() }
    }
}

extension PeerFrame {
    var bytes: [UInt8] { Array(encode(ByteBufferAllocator()).readableBytesView) }
}

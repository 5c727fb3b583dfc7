import ClusterModel
import Testing

@testable import RaftIO

@Suite(.serialized) struct PeerTransportTests {
    @Test func `ten thousand messages arrive in order in each lane`() async throws {
        let (a, b) = (try TestNode(1), try TestNode(2))
        a.transport.setPeers([b.address])
        b.transport.setPeers([a.address])
        #expect(await eventually { a.transport.isConnected(b.member) && b.transport.isConnected(a.member) })
        for index in 0..<10_000 as Range<UInt32> {
            for (from, to) in [(a, b), (b, a)] {
                // Within the limit of the queue: wait for the reader now and then.
                if index % 200 == 0 { #expect(await eventually { to.received.count >= Int(index) * 2 }) }
                from.transport.send(to: to.member, lane: .urgent, [0] + number(index))
                from.transport.send(to: to.member, lane: .bulk, [1] + number(index))
            }
        }
        for node in [a, b] {
            #expect(await eventually { node.received.count == 20_000 })
            for lane in [0, 1] as [UInt8] {
                let arrived = node.received.values.filter { $0[0] == lane }.map { Array($0.dropFirst()) }
                #expect(arrived == (0..<10_000).map { number($0) })
            }
        }
        #expect(a.transport.statistics.sent == 20_000)
        #expect(a.transport.lastHeard(b.member) != nil)
        await a.transport.stop()
        await b.transport.stop()
    }

    @Test func `a restarted peer is connected again`() async throws {
        let a = try TestNode(1)
        var b = try TestNode(2)
        let address = b.address
        a.transport.setPeers([address])
        #expect(await eventually { a.transport.isConnected(b.member) })
        await b.transport.stop()
        #expect(await eventually { !a.transport.isConnected(b.member) })
        b = try TestNode(2, incarnation: 999, port: address.port)
        #expect(await eventually(within: .seconds(3)) { a.transport.isConnected(b.member) })
        a.transport.send(to: b.member, lane: .urgent, [5])
        #expect(await eventually { b.received.values == [[5]] })
        await a.transport.stop()
        await b.transport.stop()
    }

    @Test func `a member that is not configured is answered over its own connection`() async throws {
        let (a, b) = (try TestNode(1, cluster: nil), try TestNode(2))
        b.transport.setPeers([a.address])
        #expect(await eventually { a.transport.isConnected(b.member) })
        #expect(a.transport.send(to: b.member, lane: .bulk, [1, 2]))
        #expect(await eventually { b.received.values == [[1, 2]] })
        #expect(!a.transport.send(to: MemberID(rawValue: 77), lane: .bulk, [1]))
        await a.transport.stop()
        await b.transport.stop()
    }

    @Test func `sending to an unreachable peer never blocks and stays bounded`() async throws {
        let a = try TestNode(1)
        let missing = PeerAddress(memberID: MemberID(rawValue: 2), host: "127.0.0.1", port: 1)
        a.transport.setPeers([missing])
        for index in 0..<5000 as Range<UInt32> { a.transport.send(to: missing.memberID, lane: .bulk, number(index)) }
        let statistics = a.transport.statistics
        #expect(statistics.droppedBulk >= 5000 - 1024)
        #expect(!a.transport.isConnected(missing.memberID))
        #expect(await eventually { a.failures().first?.code == .unavailable })
        await a.transport.stop()
    }

    @Test func `a frame longer than the limit is not sent`() async throws {
        let (a, b) = (try TestNode(1), try TestNode(2))
        a.transport.setPeers([b.address])
        #expect(await eventually { a.transport.isConnected(b.member) })
        #expect(!a.transport.send(to: b.member, lane: .bulk, [UInt8](repeating: 1, count: 1024 * 1024 + 1)))
        #expect(a.transport.send(to: b.member, lane: .bulk, [UInt8](repeating: 1, count: 1024 * 1024)))
        #expect(await eventually { b.received.values.first?.count == 1024 * 1024 })
        await a.transport.stop()
        await b.transport.stop()
    }

    @Test func `bulk data does not delay the urgent lane`() async throws {
        let (a, b) = (try TestNode(1), try TestNode(2))
        a.transport.setPeers([b.address])
        #expect(await eventually { a.transport.isConnected(b.member) })
        for _ in 0..<16 { a.transport.send(to: b.member, lane: .bulk, [UInt8](repeating: 1, count: 900_000)) }
        a.transport.send(to: b.member, lane: .urgent, [9])
        #expect(await eventually { b.received.values.contains([9]) })
        let place = b.received.values.firstIndex(of: [9]) ?? .max
        #expect(place < 16)
        await a.transport.stop()
        await b.transport.stop()
    }

    // MARK: Requests

    @Test func `requests are answered, many at a time and up to four mebibytes`() async throws {
        let (a, b) = (try TestNode(1), try TestNode(2))
        a.transport.setPeers([b.address])
        #expect(await eventually { a.transport.isConnected(b.member) })
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<50 as Range<UInt32> {
                group.addTask {
                    do throws(BastionError) {
                        let answer = try await a.transport.request(
                            to: b.member, payload: number(index), timeout: .seconds(5))
                        return answer == number(index).reversed()
                    } catch {
                        return false
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        let large = [UInt8](repeating: 3, count: 4 * 1024 * 1024)
        #expect(
            try await a.transport.request(host: "127.0.0.1", port: b.port, payload: large, timeout: .seconds(5))
                == large)
        let tooLarge = await #expect(throws: BastionError.self) {
            try await a.transport.request(to: b.member, payload: large + [1], timeout: .seconds(5))
        }
        #expect(tooLarge?.code == .tooLarge)
        await a.transport.stop()
        await b.transport.stop()
    }

    @Test func `a request without an answer ends in time`() async throws {
        let release = Box(inbox: [Bool]())
        let a = try TestNode(1)
        let b = try TestNode(
            2,
            answer: { bytes in
                _ = await eventually { release.count > 0 }
                return bytes
            })
        let error = await #expect(throws: BastionError.self) {
            try await a.transport.request(host: "127.0.0.1", port: b.port, payload: [1], timeout: .milliseconds(200))
        }
        #expect(error?.code == .timeout)
        release.append(true)
        let refused = await #expect(throws: BastionError.self) {
            try await a.transport.request(host: "127.0.0.1", port: 1, payload: [1], timeout: .seconds(5))
        }
        #expect(refused?.code == .unavailable)
        await a.transport.stop()
        await b.transport.stop()
    }

    @Test func `a request fails when its connection ends`() async throws {
        let started = Box(inbox: [Bool]())
        let (a, release) = (try TestNode(1), Box(inbox: [Bool]()))
        let b = try TestNode(
            2,
            answer: { bytes in
                started.append(true)
                _ = await eventually { release.count > 0 }
                return bytes
            })
        async let answer = a.transport.request(host: "127.0.0.1", port: b.port, payload: [1], timeout: .seconds(30))
        #expect(await eventually { started.count > 0 })
        async let stopped: Void = b.transport.stop()
        do {
            _ = try await answer
            Issue.record("answered")
        } catch {
            #expect((error as? BastionError)?.code == .unavailable)
        }
        release.append(true)
        await stopped
        await a.transport.stop()
    }
}

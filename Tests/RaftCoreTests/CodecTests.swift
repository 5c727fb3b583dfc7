import RaftCore
import Testing

struct CodecTests {
    static let samples: [RaftMessage] = {
        let membership = Membership(voters: [server(1), ServerID(.max)], learners: [server(7)])
        let bodies: [RaftMessage.Body] = [
            .voteRequest(.init(lastIndex: index(3), lastTerm: term(2), preVote: true, transfer: false)),
            .voteRequest(.init(lastIndex: LogIndex(.max), lastTerm: Term(.max), preVote: false, transfer: true)),
            .voteResponse(.init(granted: true, preVote: true)),
            .append(.init(previousIndex: .zero, previousTerm: .zero, entries: [], commitIndex: .zero)),
            .append(
                .init(
                    previousIndex: index(300), previousTerm: term(5),
                    entries: [
                        LogEntry(index: index(301), term: term(5), payload: [1, 2, 3]),
                        LogEntry(index: index(302), term: term(6), kind: .empty),
                        LogEntry(index: index(303), term: term(6), kind: .membership, payload: membership.encoded()),
                    ], commitIndex: index(299), round: .max)),
            .appendResponse(.init(success: true, matchIndex: index(7), round: 9)),
            .appendResponse(
                .init(success: false, matchIndex: .zero, hintIndex: index(4), hintTerm: term(3), receivedBytes: 77)),
            .snapshot(
                .init(
                    index: index(9), snapshotTerm: term(2), membership: membership, offset: 5, totalBytes: 8,
                    data: [6, 7, 8], round: 1)),
            .timeoutNow,
        ]
        return bodies.map { RaftMessage(from: server(1), to: ServerID(.max - 5), term: term(1 << 40), body: $0) }
    }()

    @Test(arguments: samples) func `what was encoded is decoded`(_ message: RaftMessage) throws {
        #expect(try RaftMessage(decoding: message.encoded()) == message)
    }

    @Test func `memberships are decoded as they were`() throws {
        for membership in [Membership(), Membership(voters: (1...9).map(server), learners: [server(20)])] {
            #expect(try Membership(decoding: membership.encoded()) == membership)
        }
    }

    @Test(arguments: samples) func `every cut is an error`(_ message: RaftMessage) {
        let bytes = message.encoded()
        for length in bytes.indices {
            #expect(throws: RaftCodecError.self) { try RaftMessage(decoding: Array(bytes[..<length])) }
        }
        #expect(throws: RaftCodecError.trailingBytes(1)) { try RaftMessage(decoding: bytes + [0]) }
    }

    @Test func `foreign versions, kinds and numbers are refused`() {
        var bytes = Self.samples[8].encoded()
        bytes[0] = 9
        #expect(throws: RaftCodecError.unknownVersion(9)) { try RaftMessage(decoding: bytes) }
        bytes[0] = RaftMessage.codecVersion
        bytes[1] = 77
        #expect(throws: RaftCodecError.unknownKind(77)) { try RaftMessage(decoding: bytes) }
        let endless = [RaftMessage.codecVersion, 6] + [UInt8](repeating: 0xFF, count: 60)
        #expect(throws: RaftCodecError.invalidNumber) { try RaftMessage(decoding: endless) }
        let manyIDs: [UInt8] = [Membership.codecVersion, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(throws: RaftCodecError.truncated) { try Membership(decoding: manyIDs) }
    }

    /// Whatever can be decoded is also harmless to a node: hostile bytes never trap.
    @Test func `mutated messages are refused or stepped without harm`() {
        var generator = SeededGenerator(seed: 7)
        var cluster = TestCluster()
        cluster.elect(2)
        cluster.propose(2, "x")
        cluster.settle()
        var decoded = 0
        for _ in 0..<40_000 {
            var message = Self.samples[generator.draw(0...(Self.samples.count - 1))]
            message.to = server(generator.draw(1...3))
            message.from = server(generator.draw(1...4))
            message.term = term(generator.draw(0...4))
            var bytes = message.encoded()
            for _ in 0...generator.draw(0...3) {
                bytes[generator.draw(34...(bytes.count - 1))] = UInt8(truncatingIfNeeded: generator.next())
            }
            guard let mutated = decode(bytes) else { continue }
            decoded += 1
            let number = mutated.to.number
            cluster[number].step(mutated)
            cluster[number].tick()
            _ = cluster[number].ready()
        }
        #expect(decoded > 5000)
    }

    private func decode(_ bytes: [UInt8]) -> RaftMessage? {
        do { return try RaftMessage(decoding: bytes) } catch { return nil }
    }
}

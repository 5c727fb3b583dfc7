import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import Testing

/// What nodes say to each other, and what hostile bytes do (RA20, AS3).
@Suite struct PeerMessageTests {
    static let messages: [PeerMessage] = [
        .raft(RaftMessage(from: server("a"), to: server("b"), term: Term(3), body: .timeoutNow)),
        .raft(
            RaftMessage(
                from: server("a"), to: server("b"), term: Term(3),
                body: .append(
                    .init(
                        previousIndex: LogIndex(4), previousTerm: Term(2),
                        entries: [LogEntry(index: LogIndex(5), term: Term(3), payload: [1, 2, 3])],
                        commitIndex: LogIndex(4), round: 8)))),
        .node(.leaseRequest(request, relayed: true)),
        .node(
            .leaseGrant(
                LeaseGrant(
                    clusterID: clusterID, term: 3, token: FencingToken(1), guardIncarnation: incarnation,
                    daemon: daemon, sequence: 9,
                    durationMilliseconds: 3000, mode: .timed))),
        .node(.leaseDenial(LeaseDenial(daemon: daemon, sequence: 9, reason: .noQuorum))),
        .node(.release(term: 3, FencingToken(1), incarnation, ReleaseEvidence(manner: .cleanStop, endOfWAL: nil))),
        .node(.pledgeRequest(term: 3, ballot: FencingToken(2))),
        .node(.report(report)),
        .node(
            .clusterReport(
                ClusterReport(
                    term: 3, sequence: 4, items: [.init(report: report, ageMilliseconds: 20)],
                    orders: [
                        name("a"): .restartInPlace(FencingToken(1)), name("b"): .fence(FencingToken(1), reason: "DE8"),
                    ], peers: [],
                    votersReachable: 2, splitBrain: false))),
        .node(.holdRequest(id: 5, FencingToken(1), incarnation, milliseconds: 60_000)),
        .node(.holdGranted(id: 5, FencingToken(1))),
        .node(.removed(member("c"))),
    ]

    @Test(arguments: messages) func `a message survives the wire, with the same bytes each time (RA20)`(
        _ message: PeerMessage
    ) throws {
        let bytes = try message.encoded()
        #expect(try PeerMessage(bytes: bytes) == message)
        #expect(try PeerMessage(bytes: bytes).encoded() == bytes)
    }

    @Test func `bytes that are no message are refused with a reason (AS3)`() {
        for bytes in [[], [0], [3, 1, 2], [1], [2], [2, 0x7B], [1, 255, 255, 255]] as [[UInt8]] {
            #expect(throws: MalformedMessage.self) { try PeerMessage(bytes: bytes) }
        }
    }

    @Test func `20,000 damaged messages never trap (AS3)`() throws {
        var generator = SeededGenerator(seed: 7)
        let originals = try Self.messages.map { try $0.encoded() }
        var readable = 0
        for i in 0..<20_000 {
            var bytes = originals[i % originals.count]
            for _ in 0..<generator.draw(1...4) { damage(&bytes, &generator) }
            do {
                _ = try PeerMessage(bytes: bytes)
                readable += 1
            } catch {
                #expect(!error.reason.isEmpty)
            }
        }
        #expect(readable < 20_000)
    }

    @Test func `a node survives damaged messages of its own leader (AS3)`() throws {
        let bench = try TestNodes("a")
        try bench.add("b")
        var generator = SeededGenerator(seed: 11)
        let originals = try Self.messages.map { try $0.encoded() }
        for i in 0..<4000 {
            var bytes = originals[i % originals.count]
            damage(&bytes, &generator)
            do {
                let message = try PeerMessage(bytes: bytes)
                if case .node = message { bench.feed("b", .message(from: member("a"), message)) }
            } catch {
                continue
            }
        }
        bench.deliver()
        bench.run(seconds: 2)
        #expect(bench.halts.isEmpty)
        #expect(bench.state("b") == bench.state("a"))
    }

    @Test func `the state survives its codec with the same bytes (CS6)`() throws {
        let bench = try TestNodes("a")
        try bench.add("b")
        let bytes = try StateCodec.encode(bench.state("a"))
        let decoded = try StateCodec.decode(ClusterState.self, bytes)
        #expect(decoded == bench.state("a"))
        #expect(try StateCodec.encode(decoded) == bytes)
    }

    private func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = generator.draw(0...(bytes.count - 1))
        switch generator.draw(0...3) {
        case 0: bytes[place] ^= UInt8(1 << generator.draw(0...7))
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(UInt8(generator.draw(0...255)), at: place)
        default: bytes.removeLast(bytes.count - place)
        }
    }

    private static let incarnation = GuardIncarnation(rawValue: 77)
    private static let daemon = DaemonIncarnation(rawValue: 78)
    private static let request = LeaseRequest(
        clusterID: clusterID, epoch: 1, memberID: member("a"), token: FencingToken(1), guardIncarnation: incarnation,
        daemon: daemon,
        sequence: 9)
    private static var report: NodeReport {
        var report = NodeReport(node: name("b"), memberID: member("b"), version: "1.0")
        report.facts = PostgresFacts(dataDirectory: .present)
        report.facts?.server = ServerFacts(
            versionNumber: 170_004, systemIdentifier: 42, isInRecovery: true, timeline: TimelineID(2))
        report.guardStatus = GuardStatus(incarnation: incarnation)
        report.directiveResults = ["d1": nil, "d2": "no space"]
        return report
    }
}

import ClusterModel
import RaftCore
import Testing

@testable import LinKV
@testable import RaftIO

/// Three key-value nodes in one process behind a switch that loses, delays and doubles messages.
final class LossySwitch {
    let temporary: TemporaryDirectory
    let names = ["n0", "n1", "n2"]
    var nodes: [String: KeyValueNode] = [:]
    /// In percent.
    var loss = 0
    var duplication = 0
    var isolated: Set<String> = []
    private(set) var answers: [MaelstromMessage] = []
    private var underWay: [MaelstromMessage] = []
    private var generator: SeededGenerator

    init(seed: UInt64) throws {
        temporary = try TemporaryDirectory()
        generator = SeededGenerator(seed)
        for name in names { try start(name) }
    }

    func start(_ name: String) throws {
        nodes[name] = nil
        nodes[name] = try KeyValueNode(
            name: name, members: names, directory: "\(temporary.path)/\(name)", seed: generator.next())
    }

    /// As a kill: nothing is closed.
    func kill(_ name: String) { nodes[name] = nil }

    func step() throws {
        for name in names { nodes[name]?.tick() }
        for _ in 0..<3 {
            for name in names { try nodes[name]?.flush().forEach(post) }
            let batch = underWay
            underWay = []
            for message in batch {
                if Int.random(in: 0..<100, using: &generator) < 20 {
                    underWay.append(message)
                } else {
                    nodes[message.destination]?.receive(message)
                }
            }
        }
    }

    func post(_ message: MaelstromMessage) {
        guard names.contains(message.destination) else {
            answers.append(message)
            return
        }
        if isolated.contains(message.source) || isolated.contains(message.destination) { return }
        if Int.random(in: 0..<100, using: &generator) < loss { return }
        underWay.append(message)
        if Int.random(in: 0..<100, using: &generator) < duplication { underWay.append(message) }
    }

    func ask(_ node: String, client: String, id: Int64, _ fields: [String: JSONValue]) {
        var body = fields
        body["msg_id"] = .integer(id)
        post(MaelstromMessage(source: client, destination: node, body: body))
    }

    /// The answer to a request, once it came.
    func answer(client: String, id: Int64) -> [String: JSONValue]? {
        answers.first { $0.destination == client && $0.body["in_reply_to"] == .integer(id) }?.body
    }

    /// Asks, again and again under new numbers, until an answer is no error of availability.
    func insist(client: String, id: inout Int64, _ fields: [String: JSONValue]) throws -> [String: JSONValue]? {
        for attempt in 0..<60 {
            id += 1
            let name = names[attempt % names.count]
            guard nodes[name] != nil, !isolated.contains(name) else { continue }
            ask(name, client: client, id: id, fields)
            for _ in 0..<40 {
                try step()
                guard let body = answer(client: client, id: id) else { continue }
                if let code = body["code"]?.int, [0, 11, 14].contains(code) { break }
                return body
            }
            for _ in 0..<10 { try step() }
        }
        return nil
    }

    var leader: String? { names.first { nodes[$0]?.node.role == .leader } }
}

@Suite struct LinKVTests {
    static func write(_ key: Int64, _ value: Int64) -> [String: JSONValue] {
        ["type": .string("write"), "key": .integer(key), "value": .integer(value)]
    }
    static func read(_ key: Int64) -> [String: JSONValue] { ["type": .string("read"), "key": .integer(key)] }
    static func cas(_ key: Int64, _ from: Int64, _ to: Int64) -> [String: JSONValue] {
        ["type": .string("cas"), "key": .integer(key), "from": .integer(from), "to": .integer(to)]
    }

    @Test func `read, write and cas answer as the protocol says`() throws {
        let net = try LossySwitch(seed: 1)
        var id: Int64 = 0
        #expect(try net.insist(client: "c1", id: &id, Self.read(1))?["code"] == .integer(20))
        #expect(try net.insist(client: "c1", id: &id, Self.cas(1, 0, 1))?["code"] == .integer(20))
        #expect(try net.insist(client: "c1", id: &id, Self.write(1, 5))?["type"] == .string("write_ok"))
        #expect(try net.insist(client: "c1", id: &id, Self.cas(1, 4, 6))?["code"] == .integer(22))
        #expect(try net.insist(client: "c1", id: &id, Self.cas(1, 5, 6))?["type"] == .string("cas_ok"))
        #expect(try net.insist(client: "c1", id: &id, Self.read(1))?["value"] == .integer(6))
        net.ask("n0", client: "c1", id: 900, ["type": .string("write"), "key": .integer(1)])
        net.ask("n0", client: "c1", id: 901, ["type": .string("txn")])
        for _ in 0..<5 { try net.step() }
        #expect(net.answer(client: "c1", id: 900)?["code"] == .integer(12))
        #expect(net.answer(client: "c1", id: 901)?["code"] == .integer(10))
    }

    @Test func `a request delivered twice is carried out once`() {
        var state = KeyValueState()
        let first = KeyValueCommand(key: .integer(1), action: .write(.integer(1)), client: "c1", requestID: 1)
        let second = KeyValueCommand(
            key: .integer(1), action: .compareAndSet(from: .integer(1), to: .integer(2), createsMissing: false),
            client: "c2",
            requestID: 1)
        #expect(
            [state.apply(first), state.apply(second), state.apply(first), state.apply(second)] == [
                .done, .done, .done, .done,
            ])
        #expect(state[.integer(1)] == .integer(2))
        for id in 2...400 as ClosedRange<Int64> {
            _ = state.apply(
                KeyValueCommand(key: .integer(2), action: .write(.integer(id)), client: "c1", requestID: id))
        }
        #expect(state.apply(first) == .forgotten)
        #expect(StoredJSON.decode(KeyValueState.self, StoredJSON.encode(state)) == state)
    }

    @Test(arguments: [11, 12, 13, 14, 15, 16] as [UInt64])
    func `acknowledged operations survive loss, duplication, isolation and kills`(seed: UInt64) throws {
        let net = try LossySwitch(seed: seed)
        (net.loss, net.duplication) = (5, 5)
        var random = SeededGenerator(seed)
        var id: Int64 = 0
        #expect(try net.insist(client: "c1", id: &id, Self.write(1, 0)) != nil)
        // An operation without a definite answer may happen at any later time, or never.
        var indefinite: Set<Int64> = []
        var last: Int64 = 0
        var next: Int64 = 1
        var acknowledged = 0
        for round in 0..<40 {
            try disturb(net, round, &random)
            id += 1
            let name = net.names[Int.random(in: 0..<3, using: &random)]
            guard net.nodes[name] != nil else { continue }
            let value = next
            next += 1
            let isRead = round % 4 == 3
            net.ask(name, client: "c1", id: id, isRead ? Self.read(1) : Self.write(1, value))
            var body: [String: JSONValue]?
            for _ in 0..<260 where body == nil {
                try net.step()
                body = net.answer(client: "c1", id: id)
            }
            for _ in 0..<40 { try net.step() }
            if isRead {
                if let seen = body?["value"]?.int {
                    #expect(seen == last || indefinite.contains(seen), "round \(round): read \(seen), last \(last)")
                    acknowledged += 1
                }
            } else if body?["type"] == .string("write_ok") {
                last = value
                acknowledged += 1
            } else if body == nil || body?["code"] == .integer(0) {
                indefinite.insert(value)
            }
        }
        net.isolated = []
        for name in net.names where net.nodes[name] == nil { try net.start(name) }
        let seen = try #require(try net.insist(client: "c1", id: &id, Self.read(1))?["value"]?.int)
        #expect(seen == last || indefinite.contains(seen), "read \(seen), last \(last)")
        #expect(acknowledged >= 16, "only \(acknowledged) of 40 were acknowledged")
    }

    private func disturb(_ net: LossySwitch, _ round: Int, _ random: inout SeededGenerator) throws {
        switch round % 10 {
        case 2: if let leader = net.leader { net.isolated = [leader] }
        case 4: net.isolated = []
        case 6: net.kill(net.leader ?? "n0")
        case 8: for name in net.names where net.nodes[name] == nil { try net.start(name) }
        default: break
        }
    }

    @Test func `a node that was away is brought level by a snapshot`() throws {
        let net = try LossySwitch(seed: 3)
        var id: Int64 = 0
        #expect(try net.insist(client: "c1", id: &id, Self.write(0, 0)) != nil)
        let away = try #require(net.names.first { $0 != net.leader })
        net.isolated = [away]
        let leader = try #require(net.leader)
        var request: Int64 = 0
        while net.nodes[leader]?.node.firstIndex ?? .zero < LogIndex(2000) {
            for _ in 0..<100 {
                request += 1
                net.ask(leader, client: "c2", id: request, Self.write(request % 50, request))
            }
            try net.step()
            if request > 60_000 { break }
        }
        #expect(try DurableFile.names(in: "\(net.temporary.path)/\(leader)/snapshots").isEmpty == false)
        net.isolated = []
        var steps = 0
        while net.nodes[away]?.node.snapshot == nil && steps < 500 {
            try net.step()
            steps += 1
        }
        #expect(net.nodes[away]?.node.snapshot != nil)
        #expect(try net.insist(client: "c1", id: &id, Self.read(0)) != nil)
        // The directory of the restored node is complete.
        try net.start(away)
        #expect(net.nodes[away]?.node.snapshot != nil)
    }

    @Test func `lines of the protocol are read and written`() throws {
        let line = Array(
            #"{"src":"c1","dest":"n1","body":{"type":"write","key":"a","value":[1,2.5,null,true,{"x":"y"}],"msg_id":3}}"#
                .utf8)
        let message = try #require(MaelstromMessage(line: line))
        #expect(message.id == 3)
        #expect(MaelstromMessage(line: message.line) == message)
        #expect(message.body["value"]?.list?.count == 5)
        #expect(MaelstromMessage(line: Array("nonsense".utf8)) == nil)
    }
}

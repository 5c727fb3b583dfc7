import RaftCore
import Testing

@testable import RaftStep

/// Whatever comes in, every line gets one reply and nothing traps.
@Suite struct HostileCommandTests {
    private static let commands = [
        "hello", "node", "tick", "timeout", "campaign", "propose", "deliver", "forget", "step", "crash", "restart",
        "compact", "member", "transfer", "read", "unreachable", "state", "log", "committed", "vote_result",
    ]
    private static let types = ["vote", "vote_resp", "append", "append_resp", "snapshot", "timeout_now"]
    private static let keys = [
        "id", "voters", "learners", "log", "snap", "term", "vote", "commit", "election", "heartbeat", "prevote",
        "max_entries", "max_inflight", "n", "ticks", "data", "msgs", "index", "changes", "ctx", "peer", "match",
        "votes", "seed",
    ]
    private static let messageKeys = [
        "from", "term", "last_index", "last_term", "pre", "transfer", "granted", "prev_index", "prev_term", "entries",
        "commit", "round", "ok", "match", "hint_index", "hint_term", "index", "snap_term", "voters", "learners", "data",
    ]

    @Test(arguments: 0..<20)
    func `random commands and messages never trap`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var engine = StepEngine()
        for id in 1...3 { _ = engine.reply(toLine: #"{"cmd":"node","id":\#(id),"voters":[1,2,3]}"#) }
        var accepted = 0
        for _ in 0..<4_000 {
            let reply = engine.reply(to: Self.command(&generator))
            #expect(reply["error"] == nil)
            if reply["ok"] == .bool(true) { accepted += 1 }
        }
        #expect(accepted > 200, "\(accepted)")
    }

    @Test func `random bytes and deep nesting never trap`() {
        var generator = SeededGenerator(seed: 1)
        var engine = StepEngine()
        let letters = Array(#"{}[]",:\u0d8e+-.19truefalsn "#.utf8) + [0, 9, 0xFF, 0xC3]
        for _ in 0..<20_000 {
            let bytes = (0..<generator.draw(0...40)).map { _ in letters[generator.draw(0...(letters.count - 1))] }
            #expect(!engine.reply(toLine: String(decoding: bytes, as: UTF8.self)).isEmpty)
        }
        for bracket in ["[", #"{"a":"#] {
            let deep = String(repeating: bracket, count: 200_000)
            #expect(engine.reply(toLine: deep) == StepReply.refusal.line)
        }
    }

    @Test(arguments: [
        #""\u00e9\ud83d\ude00\n\/""#: #""é😀\u000a/""#, #""\ud83d""#: "\"\u{FFFD}\"", "1.0": "1.0", "-7": "-7",
        #" { "b" : [ ] , "a" : null } "#: #"{"a":null,"b":[]}"#,
    ])
    func `texts are read and written exactly`(_ text: String, _ line: String) {
        #expect(JSON(parsing: text)?.line == line)
    }

    @Test(arguments: ["01a", "+1", ".5", "1 2", "[1,]", "{\"a\"}", "\"\n\"", "\"\\x\"", "tru", "nan", "1e999", "\"a"])
    func `text that is no JSON is refused`(_ text: String) { #expect(JSON(parsing: text) == nil) }

    private static func command(_ generator: inout SeededGenerator) -> JSON {
        var fields: [String: JSON] = ["cmd": .string(pick(commands, &generator))]
        fields["node"] = .int(generator.draw(1...4))
        fields["to"] = .int(generator.draw(0...4))
        fields["msg"] = .int(generator.draw(1...3_000))
        for _ in 0..<generator.draw(0...4) { fields[pick(keys, &generator)] = value(&generator, depth: 0) }
        if fields["cmd"] == "step" { fields["msg"] = message(&generator) }
        return .object(fields)
    }

    private static func message(_ generator: inout SeededGenerator) -> JSON {
        var fields: [String: JSON] = [:]
        for key in messageKeys { fields[key] = .int(generator.draw(0...5)) }
        for key in ["pre", "transfer", "granted", "ok"] { fields[key] = .bool(generator.draw(0...1) == 1) }
        for key in ["entries", "voters", "learners"] { fields[key] = value(&generator, depth: 0).array.map(JSON.array) }
        fields["type"] = .string(pick(types, &generator))
        for _ in 0..<generator.draw(0...2) { fields[pick(messageKeys, &generator)] = value(&generator, depth: 0) }
        return .object(fields)
    }

    private static func value(_ generator: inout SeededGenerator, depth: Int) -> JSON {
        let numbers = [-1, 0, 1, 2, 3, 7, 1_000, (1 << 62) - 1, (1 << 62) - 2, 1 << 62, .max, .min]
        switch generator.draw(0...11) {
        case 0: return .null
        case 1: return .bool(generator.draw(0...1) == 1)
        case 2: return .double(1e300)
        case 3: return .string(pick(["", "x", "+v4", "-v2", "+l3", "membership", "\u{0}7"], &generator))
        case 4..<7 where depth < 3:
            return .array((0..<generator.draw(0...3)).map { _ in value(&generator, depth: depth + 1) })
        case 7..<9 where depth < 3:
            let names = ["term", "data", "kind", "index", "voters", "1", "2", "-3", "cmd"]
            var fields: [String: JSON] = [:]
            for _ in 0..<generator.draw(0...3) { fields[pick(names, &generator)] = value(&generator, depth: depth + 1) }
            return .object(fields)
        default: return .int(numbers[generator.draw(0...(numbers.count - 1))])
        }
    }

    private static func pick(_ from: [String], _ generator: inout SeededGenerator) -> String {
        from[generator.draw(0...(from.count - 1))]
    }
}

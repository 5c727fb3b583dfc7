import FoundationEssentials
import Operations
import Testing

@testable import CommandLineInterface

/// Any line ends with a listed exit code and a reason; none crashes.
@Suite struct ArgumentFuzzTests {
    private static let entries = ContractTests.tree.entries.filter { !$0.takesRawArguments }
    /// Every command at least once.
    private static let rounds = max(
        entries.count, Int(ProcessInfo.processInfo.environment["PGBASTION_FUZZ_ROUNDS"] ?? "").map { min($0, 100_000) } ?? 0)
    private static let known = Set(HelpTopic.exitStatuses.map(\.status))

    @Test func `random arguments of every command end with a listed exit code`() async {
        var generator = SeededGenerator(state: 20_261_123)
        for round in 0..<Self.rounds {
            let entry = Self.entries[round % Self.entries.count]
            let arguments = Self.line(entry, &generator)
            let screen = FakeTerminal(
                typed: ["y", "prod", ""], isInteractive: Bool.random(using: &generator), pausesBeforeInterrupt: 3)
            let run = await Run(arguments: arguments, on: screen, localCommands: SampleLocalCommand.harmless)
            #expect(Self.known.contains(run.status), "\(arguments) ended with \(run.status)")
            #expect(run.status == 0 || run.status == 2 || !(run.errors + run.output).isEmpty, "\(arguments) says nothing")
        }
    }

    private static func line(_ entry: CommandEntry, _ generator: inout SeededGenerator) -> [String] {
        var words = Int.random(in: 0..<10, using: &generator) == 0 ? [value(&generator)] : entry.words
        if Bool.random(using: &generator) { words += CommandSample.arguments(entry) }
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            let option = entry.shape.arguments.randomElement(using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: words.append(value(&generator))
            case 1: words.append((option?.spellings.randomElement(using: &generator) ?? "--") + "=" + value(&generator))
            case 2: words.append(mutated(option?.spellings.last ?? "--x", &generator))
            default:
                if let spelling = option?.spellings.randomElement(using: &generator) { words.append(spelling) }
                if option?.kind != .flag { words.append(option?.choices.randomElement(using: &generator) ?? value(&generator)) }
            }
        }
        if Int.random(in: 0..<8, using: &generator) == 0 { words.shuffle(using: &generator) }
        return words
    }

    private static let values = [
        "", "-", "--", "node1", "node2", "Node_1", "10.0.1.4:8300", "[::1]:99999", "10MiB", "18446744073709551616TiB", "30s", "-1s",
        "99999999999999d", "leader", "lag<=1", "a=b", "peers[].name", "nodes[name=node2].lag_bytes", "..", "[", "\u{0}", "\u{1B}[2J",
        "é́́́", "\u{202E}x", "1e999", "null", "*", "$(true)", String(repeating: "x", count: 5000), "2026-02-17T02:00Z", "@", "%n",
    ]

    private static func value(_ generator: inout SeededGenerator) -> String {
        let text = values.randomElement(using: &generator) ?? ""
        return Int.random(in: 0..<4, using: &generator) == 0 ? mutated(text, &generator) : text
    }

    private static func mutated(_ text: String, _ generator: inout SeededGenerator) -> String {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: 0...bytes.count, using: &generator)
            if index < bytes.count, Bool.random(using: &generator) {
                bytes.remove(at: index)
            } else {
                bytes.insert(UInt8.random(in: 1...255, using: &generator), at: index)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A generator with a fixed seed: the same lines every time.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

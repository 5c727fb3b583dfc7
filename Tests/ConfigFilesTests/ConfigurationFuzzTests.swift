import FoundationEssentials
import Testing

@testable import ConfigFiles

/// Damaged files are refused or read, never fatal, and always in bounded time.
@Suite struct ConfigurationFuzzTests {
    private static let pieces: [[UInt8]] = [
        "&a", "*a", "!!int", "---\n", "{", "}", "[", "]", "\"", "'", ": ", "\n", "\t", "# ", "|", ">", "%YAML 9.9\n",
        "? ",
        "\u{FEFF}", "\u{85}", "node:", "name:", "999999999999999999999", "-1", "0x10", "..", "null", "~", "<<: *a\n",
    ].map { Array($0.utf8) }

    private var rounds: Int {
        ProcessInfo.processInfo.environment["PGBASTION_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 3_000
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random damage to the guide's file never traps`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let clock = ContinuousClock()
        var slowest = Duration.zero
        for _ in 0..<rounds {
            var bytes = Array(GuideExamples.firstNode.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &generator) { damage(&bytes, &generator) }
            let time = clock.measure { read(bytes) }
            slowest = max(slowest, time)
        }
        #expect(slowest < .seconds(5))
    }

    @Test func `random bytes never trap`() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<rounds {
            let count = Int.random(in: 0...200, using: &generator)
            read((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
    }

    @Test func `damaged connection strings never trap`() {
        var generator = SeededGenerator(seed: 5)
        let originals = [
            "host=/run dbname='a b' password='x\\'y'", "postgresql://u:p%20@[::1]:5432/db?sslmode=off&host=/tmp",
        ]
        for round in 0..<rounds {
            var bytes = Array(originals[round % 2].utf8)
            for _ in 0..<4 { damage(&bytes, &generator) }
            do { _ = try ConnectionSettings(parsing: String(decoding: bytes, as: UTF8.self)) } catch {}
        }
    }

    @Test(arguments: [
        "a", "a: 1\n", "- ", "? ", "[],", "{},", "&a ", "k: {a: [b, \"c\"]}\n", "\"", "\\", "# c\n", "\n", "!a ", "|\n",
        ": ",
    ])
    func `a megabyte of anything is read in bounded time`(piece: String) {
        let text = String(repeating: piece, count: YAMLDocument.maximumBytes / piece.utf8.count)
        #expect(ContinuousClock().measure { read(Array(text.utf8)) } < .seconds(20))
        let keys = (0..<60_000).map { "key\($0): x\n" }.joined()
        #expect(ContinuousClock().measure { read(Array(keys.utf8)) } < .seconds(20))
    }

    /// Every error must have a place inside the text; more is not asked of a damaged file.
    private func read(_ bytes: [UInt8]) {
        do {
            _ = try ConfigurationFile.parse(bytes, file: "f", tokenFiles: .skip)
        } catch {
            #expect(!error.diagnostics.isEmpty)
            #expect(error.diagnostics.allSatisfy { $0.line >= 1 && $0.column >= 1 && !$0.description.contains("\n") })
        }
    }

    private func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(contentsOf: Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &generator)], at: at)
        case 3: bytes.removeSubrange(at..<min(bytes.count, at + 20))
        default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 30)], at: at)
        }
    }
}

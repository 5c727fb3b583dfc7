import FoundationEssentials

/// A test written as a conversation: commands, a line `----`, what must come out, an empty line.
///
///     # A comment.
///     campaign 1
///     ----
///     1 candidate in term 1
///
/// With `RECORD=1` in the environment the expected parts are rewritten; the difference is then reviewed.
package struct StoryFile {
    /// One part of the file: a comment or empty lines kept as they are, or a command with its expected output.
    private enum Part {
        case text(String)
        case step(command: String, expected: String, line: Int)
    }

    package let path: String
    private let parts: [Part]

    package init(path: String) throws {
        self.path = path
        parts = Self.parse(try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8))
    }

    /// The story files of a directory, sorted by name.
    package static func all(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.hasSuffix(".story") }.sorted().map { directory + "/" + $0 }
    }

    /// Carries out every command and compares. Rewrites the file instead when asked to record.
    ///
    /// - Parameter run: Gets the command (several lines are joined by newlines) and returns what came out.
    /// - Returns: One text per difference; empty when the story holds.
    package func check(run: (String) throws -> String) throws -> [String] {
        var differences: [String] = []
        var rewritten = ""
        for part in parts {
            switch part {
            case .text(let text): rewritten += text
            case .step(let command, let expected, let line):
                let actual = Self.normalised(try run(command))
                rewritten += command + "\n----\n" + actual + (actual.isEmpty ? "\n" : "\n\n")
                if actual != expected {
                    differences.append(
                        "\(path):\(line): \(command)\nexpected:\n\(expected)\nbut was:\n\(actual)")
                }
            }
        }
        guard ProcessInfo.processInfo.environment["RECORD"] == "1" else { return differences }
        while rewritten.hasSuffix("\n\n") { rewritten.removeLast() }
        try rewritten.write(to: URL(fileURLWithPath: path), atomically: true, encoding: .utf8)
        return []
    }

    /// Without empty lines, which end an expected part, and without trailing spaces.
    private static func normalised(_ output: String) -> String {
        output.split(separator: "\n").map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return String(line)
        }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private static func parse(_ text: String) -> [Part] {
        var parts: [Part] = []
        var command: [String] = []
        var expected: [String]?
        var start = 0
        func finish() {
            if let lines = expected {
                parts.append(
                    .step(command: command.joined(separator: "\n"), expected: lines.joined(separator: "\n"), line: start))
            }
            command = []
            expected = nil
        }
        for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = String(raw)
            if expected != nil {
                if line.isEmpty { finish() } else { expected?.append(line) }
            } else if line == "----" {
                expected = []
            } else if command.isEmpty, line.isEmpty || line.hasPrefix("#") {
                parts.append(.text(line + "\n"))
            } else {
                if command.isEmpty { start = number + 1 }
                command.append(line)
            }
        }
        finish()
        return parts
    }
}

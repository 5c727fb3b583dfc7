import Operations

/// `--json-log`: what goes to standard error becomes one JSON object per line.
enum JSONLog {
    static func terminal(_ terminal: Terminal) -> Terminal {
        var copy = terminal
        // Colours and repainted lines are for people.
        copy.isErrorTerminal = false
        copy.writeError = { text in
            for line in text.split(separator: "\n") { terminal.writeError(object(String(line), terminal) + "\n") }
        }
        return copy
    }

    private static func object(_ line: String, _ terminal: Terminal) -> String {
        let (level, message) = parts(line)
        let value = JSONValue.object([
            .init(name: "time", value: .string(terminal.timestamp())),
            .init(name: "level", value: .string(level)),
            .init(name: "message", value: .string(message)),
        ])
        return String(decoding: value.bytes, as: UTF8.self)
    }

    /// `pgbastion: error: …` and `Error: …` are errors, a line without a level is a note.
    private static func parts(_ line: String) -> (level: String, message: String) {
        if line.hasPrefix("Error: ") { return ("error", String(line.dropFirst(7))) }
        for level in ["error", "warning", "detail", "hint", "code", "note"] {
            let prefix = "pgbastion: \(level): "
            if line.hasPrefix(prefix) { return (level, String(line.dropFirst(prefix.count))) }
        }
        return ("info", line)
    }
}

import ClusterModel
import Operations

/// Findings as people, programs and GitHub read them (runbooks.md, section 10).
package enum DiagnosticText {
    /// `x.yaml:23:15: error[RB021]: ...`, the line with a caret, and the help.
    ///
    /// - Parameter lines: The lines of the file; empty: only the first line is shown.
    package static func text(_ diagnostic: RunbookDiagnostic, lines: [Substring] = []) -> String {
        let start = diagnostic.at.start
        var text =
            "\(diagnostic.file):\(start.line):\(start.column): \(diagnostic.severity.rawValue)[\(diagnostic.rule.rawValue)]: \(diagnostic.message)"
        if let line = excerpt(start, lines) {
            let number = "\(start.line)"
            let width = diagnostic.at.end.line == start.line ? max(1, diagnostic.at.end.column - start.column) : 1
            let free = max(1, line.text.unicodeScalars.count - line.column + 1)
            let margin = String(repeating: " ", count: number.utf8.count)
            text +=
                "\n \(number) | \(line.text)\n \(margin) | \(String(repeating: " ", count: line.column - 1))\(String(repeating: "^", count: min(width, free)))"
        }
        if let help = diagnostic.help { text += "\nhelp: \(help)" }
        return text
    }

    /// The part of the line around the place, without control characters; nil when the file has no such line.
    private static func excerpt(_ position: TextPosition, _ lines: [Substring]) -> (text: String, column: Int)? {
        guard lines.indices.contains(position.line - 1) else { return nil }
        let scalars = Array(lines[position.line - 1].unicodeScalars)
        guard position.column <= scalars.count + 1 else { return nil }
        // A long line is shown around the place.
        let first = max(0, position.column - 80)
        let shown = scalars[first..<min(scalars.count, first + 160)].map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
        return (String(shown), position.column - first)
    }

    /// One finding as an object: `{file, line, column, end_line, end_column, severity, rule, message, help}`.
    package static func json(_ diagnostic: RunbookDiagnostic) -> JSONValue {
        .record([
            ("file", .string(diagnostic.file)), ("line", .number("\(diagnostic.at.start.line)")),
            ("column", .number("\(diagnostic.at.start.column)")), ("end_line", .number("\(diagnostic.at.end.line)")),
            ("end_column", .number("\(diagnostic.at.end.column)")), ("severity", .string(diagnostic.severity.rawValue)),
            ("rule", .string(diagnostic.rule.rawValue)), ("message", .string(diagnostic.message)),
            ("help", diagnostic.help.map { .string($0) } ?? .null),
        ])
    }

    /// Workflow commands, and a summary: a platform may show only the first ten.
    package static func github(_ diagnostics: [RunbookDiagnostic]) -> String {
        let lines = diagnostics.map { diagnostic in
            let help = diagnostic.help.map { " (\($0))" } ?? ""
            return
                "::\(diagnostic.severity.rawValue) file=\(property(diagnostic.file)),line=\(diagnostic.at.start.line),col=\(diagnostic.at.start.column),"
                + "title=\(diagnostic.rule.rawValue)::\(data(diagnostic.message + help))"
        }
        return (lines + [summary(diagnostics)]).joined(separator: "\n")
    }

    package static func summary(_ diagnostics: [RunbookDiagnostic]) -> String {
        let errors = diagnostics.count { $0.severity == .error }
        let warnings = diagnostics.count - errors
        return "\(errors) error\(errors == 1 ? "" : "s"), \(warnings) warning\(warnings == 1 ? "" : "s")"
    }

    private static func data(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    private static func property(_ text: String) -> String { data(text).replacing(":", with: "%3A").replacing(",", with: "%2C") }
}

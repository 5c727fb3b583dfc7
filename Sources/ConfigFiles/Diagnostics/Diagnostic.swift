import ClusterModel

/// One thing wrong, or worth knowing, about a line of a file.
///
/// Printed as `file:line:column: error: message`, with the hint in brackets. Secrets never enter it.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    package enum Severity: String, Sendable, Hashable { case error, warning }

    package var severity: Severity
    package var file: String
    package var line: Int
    package var column: Int
    package var message: String
    package var hint: String?

    package init(
        _ severity: Severity, file: String, position: TextPosition, _ message: String, hint: String? = nil
    ) {
        self.severity = severity
        self.file = file
        line = position.line
        column = position.column
        self.message = message
        self.hint = hint
    }

    package var position: TextPosition { TextPosition(line: line, column: column) }

    package var description: String {
        let text = "\(file):\(line):\(column): \(severity.rawValue): \(message)"
        return hint.map { "\(text) (\($0))" } ?? text
    }

    /// At most 40 characters of `text` on one line, so that a message stays a line whatever the file holds.
    static func excerpt(_ text: String) -> String {
        let flat = String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
        return flat.count > 40 ? flat.prefix(39) + "…" : flat
    }
}

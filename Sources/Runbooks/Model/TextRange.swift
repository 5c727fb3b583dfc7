import ClusterModel

/// A part of a runbook's text: from its first character to just behind its last one.
package struct TextRange: Sendable, Hashable {
    package var start: TextPosition
    package var end: TextPosition

    package init(_ start: TextPosition, _ end: TextPosition) {
        self.start = start
        self.end = max(start, end)
    }

    package init(_ node: YAMLNode) { self.init(node.position, node.end) }

    /// The key of an entry.
    package init(keyOf entry: YAMLEntry) {
        let end = TextPosition(line: entry.position.line, column: entry.position.column + entry.key.unicodeScalars.count)
        self.init(entry.position, end)
    }

    package static let none = TextRange(.start, .start)

    /// The characters `from..<to` of a text on one line that begins `indent` characters behind the start (its quote).
    ///
    /// A text over several lines keeps its whole range: nobody can count columns in it.
    func part(_ from: Int, _ to: Int, indent: Int) -> TextRange {
        guard start.line == end.line else { return self }
        let first = TextPosition(line: start.line, column: start.column + indent + from)
        let last = TextPosition(line: start.line, column: start.column + indent + to)
        return first < end ? TextRange(first, min(last, end)) : self
    }
}

/// A value and where it was written.
package struct Located<Value: Sendable & Hashable>: Sendable, Hashable {
    package var value: Value
    package var at: TextRange

    package init(_ value: Value, at: TextRange) {
        self.value = value
        self.at = at
    }
}

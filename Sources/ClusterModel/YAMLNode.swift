/// A place in a text: both numbers begin at 1, as editors show them.
package struct TextPosition: Sendable, Hashable, Comparable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static let start = TextPosition(line: 1, column: 1)
    package static func < (a: TextPosition, b: TextPosition) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// One value of a YAML document, with the place where it begins.
package struct YAMLNode: Sendable, Hashable {
    package var content: Content
    package var position: TextPosition
    /// Just behind the value's last character.
    package var end: TextPosition

    package init(_ content: Content, at position: TextPosition, to end: TextPosition? = nil) {
        self.content = content
        self.position = position
        self.end = end ?? position
    }

    package enum Content: Sendable, Hashable {
        /// A text; `plain` when it was written without quotes and not as a block.
        case scalar(String, plain: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; keys are unique.
        case mapping([YAMLEntry])
        /// Something refused (an alias): an error was reported, so that readers pass over it in silence.
        case invalid
    }

    /// No value at all: `key:` with nothing after it, `~` or `null`.
    package var isNull: Bool {
        guard case .scalar(let text, plain: true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }

    /// What a person would call this value.
    package var kind: String {
        switch content {
        case .scalar: isNull ? "no value" : "a single value"
        case .sequence: "a list"
        case .mapping: "a section"
        case .invalid: "a refused value"
        }
    }

    /// The text of a scalar that is not null.
    package var text: String? {
        guard case .scalar(let text, _) = content, !isNull else { return nil }
        return text
    }

    package var entries: [YAMLEntry]? {
        guard case .mapping(let entries) = content else { return nil }
        return entries
    }

    package var elements: [YAMLNode]? {
        guard case .sequence(let elements) = content else { return nil }
        return elements
    }

    /// The value of `key` when this is a mapping that has it.
    package subscript(key: String) -> YAMLNode? { entries?.first { $0.key == key }?.value }
}

/// One `key: value` of a mapping.
package struct YAMLEntry: Sendable, Hashable {
    package var key: String
    package var position: TextPosition
    package var value: YAMLNode

    package init(key: String, position: TextPosition, value: YAMLNode) {
        self.key = key
        self.position = position
        self.value = value
    }
}

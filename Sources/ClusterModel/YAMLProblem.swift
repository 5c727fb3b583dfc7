/// What is wrong with the text of a YAML document, before anybody asks what it means.
package struct YAMLProblem: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case syntax, duplicateKey
        /// An anchor, alias, tag, merge key or directive.
        case refusedFeature
        case severalDocuments
        /// Too large, too deep or with too long a text.
        case limit
        case notUTF8
    }
    package var kind: Kind
    package var position: TextPosition
    package var end: TextPosition
    package var message: String
    package var hint: String?

    package init(_ kind: Kind, at position: TextPosition, to end: TextPosition? = nil, _ message: String, hint: String? = nil) {
        self.kind = kind
        self.position = position
        self.end = end ?? position
        self.message = message
        self.hint = hint
    }
}

/// What could be read of a YAML text.
package struct YAMLReading: Sendable {
    /// nil when nothing was understood.
    package var node: YAMLNode?
    /// False when the text could not be understood to its end; `node` then holds what comes before.
    package var isComplete: Bool
    package var problems: [YAMLProblem]

    package init(node: YAMLNode?, isComplete: Bool, problems: [YAMLProblem]) {
        self.node = node
        self.isComplete = isComplete
        self.problems = problems
    }
}

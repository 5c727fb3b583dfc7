import ClusterModel

/// A strict reading of one YAML document: what can surprise is refused, with its place.
///
/// Refused: anchors, aliases, tags, duplicate keys, keys that are not plain texts, several documents, nesting deeper
/// than `maximumDepth`, texts longer than `maximumBytes`, anything but UTF-8. Scalars stay texts: whoever reads a
/// value decides what it must be, so `no` is never silently false.
package enum YAMLDocument {
    /// Limit: nesting of lists and sections.
    package static let maximumDepth = 32
    /// Limit: bytes of a document.
    package static let maximumBytes = 1 << 20
    /// Limit: errors reported of one document; a text that is no YAML at all should not fill a screen.
    package static let maximumErrors = 100

    /// The document in `bytes`; an empty one is a null scalar.
    ///
    /// - Throws: every error found, in the order of the text.
    package static func parse(_ bytes: [UInt8], file: String) throws(ConfigurationErrors) -> YAMLNode {
        let result = read(bytes, file: file)
        guard result.errors.isEmpty, let node = result.node else { throw ConfigurationErrors(file, result.errors) }
        return node
    }

    package static func parse(_ text: String, file: String) throws(ConfigurationErrors) -> YAMLNode {
        try parse(Array(text.utf8), file: file)
    }

    /// What could be read although there may be errors: lets a reader report its own errors as well.
    /// `node` is nil when the text cannot be understood to its end.
    static func read(_ bytes: [UInt8], file: String) -> (node: YAMLNode?, errors: [Diagnostic]) {
        let reading = read(bytes, limits: YAMLLimits())
        let errors = reading.problems.map { problem in
            Diagnostic(.error, file: file, position: problem.position, problem.message, hint: problem.hint)
        }
        return (reading.isComplete ? reading.node : nil, errors)
    }

    /// The same within other limits, with what was understood before a text breaks off.
    package static func read(_ bytes: [UInt8], limits: YAMLLimits) -> YAMLReading {
        guard bytes.count <= limits.bytes else {
            let message = "the file has \(bytes.count) bytes; at most \(limits.bytes) are read"
            return YAMLReading(node: nil, isComplete: false, problems: [YAMLProblem(.limit, at: .start, message)])
        }
        if let position = firstInvalidUTF8(in: bytes) {
            let problem = YAMLProblem(.notUTF8, at: position, "the text is not UTF-8", hint: "save the file as UTF-8")
            return YAMLReading(node: nil, isComplete: false, problems: [problem])
        }
        return bytes.withUnsafeBufferPointer { buffer in
            var composer = YAMLComposer(buffer, limits: limits)
            return composer.compose()
        }
    }

    private static func firstInvalidUTF8(in bytes: [UInt8]) -> TextPosition? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var position = TextPosition.start
        while true {
            switch decoder.decode(&iterator) {
            case .emptyInput: return nil
            case .error: return position
            case .scalarValue("\n"): position = TextPosition(line: position.line + 1, column: 1)
            case .scalarValue: position.column += 1
            }
        }
    }
}

/// How large a document may be.
package struct YAMLLimits: Sendable, Hashable {
    package var bytes: Int
    /// Of one text.
    package var scalarBytes: Int
    package init(bytes: Int = YAMLDocument.maximumBytes, scalarBytes: Int = YAMLDocument.maximumBytes) {
        self.bytes = bytes
        self.scalarBytes = scalarBytes
    }
}

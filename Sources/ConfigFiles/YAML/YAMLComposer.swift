import CLibYAML
import ClusterModel

/// Builds a `YAMLNode` from libyaml's events and notes what is refused.
///
/// Safety: the buffer given to `init` must outlive the composer; libyaml reads from it until the last event.
struct YAMLComposer {
    private let input: UnsafeBufferPointer<UInt8>
    private let limits: YAMLLimits
    private var problems: [YAMLProblem] = []
    /// What was understood of the document before the place behind which nothing can be.
    private var partial: YAMLNode?

    init(_ input: UnsafeBufferPointer<UInt8>, limits: YAMLLimits) {
        self.input = input
        self.limits = limits
    }

    /// Nothing more can be understood after this; the error was noted.
    private struct Unreadable: Error {}

    mutating func compose() -> YAMLReading {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            note(.syntax, "could not start the YAML reader: out of memory", at: .start)
            return YAMLReading(node: nil, isComplete: false, problems: problems)
        }
        defer { yaml_parser_delete(&parser) }
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
        do throws(Unreadable) {
            let node = try document(&parser)
            return YAMLReading(node: node, isComplete: true, problems: problems)
        } catch {
            return YAMLReading(node: partial, isComplete: false, problems: problems)
        }
    }

    private mutating func document(_ parser: inout yaml_parser_t) throws(Unreadable) -> YAMLNode {
        var root: YAMLNode?
        while true {
            let event = try next(&parser)
            switch event.type {
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: break
            case YAML_DOCUMENT_START_EVENT:
                guard root == nil else {
                    partial = root
                    note(.severalDocuments, "a second document begins here; one file holds one document", at: event.position)
                    throw Unreadable()
                }
                if event.hasDirective {
                    note(.refusedFeature, "directives are not supported", at: event.position, hint: "remove the lines that begin with %")
                }
                root = try value(try next(&parser), depth: 0, &parser)
            default:
                return root ?? YAMLNode(.scalar("", plain: true), at: .start)
            }
        }
    }

    /// The value that begins with `event`.
    private mutating func value(
        _ event: ParsedEvent, depth: Int, _ parser: inout yaml_parser_t
    ) throws(Unreadable) -> YAMLNode {
        if event.hasAnchor {
            note(
                .refusedFeature, "anchors are not supported", at: event.position, to: event.end,
                hint: "write the value out where it is used")
        }
        if let tag = event.tag { note(.refusedFeature, "tags are not supported: \"\(tag)\"", at: event.position, to: event.end) }
        switch event.type {
        case YAML_SCALAR_EVENT:
            if event.text.utf8.count > limits.scalarBytes {
                note(.limit, "a text has more than \(limits.scalarBytes) bytes", at: event.position)
            }
            return YAMLNode(.scalar(event.text, plain: event.isPlain), at: event.position, to: event.end)
        case YAML_SEQUENCE_START_EVENT:
            try enter(depth, at: event.position)
            let elements = try elements(from: event, depth: depth + 1, &parser)
            return YAMLNode(.sequence(elements), at: event.position, to: TextPosition(parser.mark))
        case YAML_MAPPING_START_EVENT:
            try enter(depth, at: event.position)
            let entries = try entries(from: event, depth: depth + 1, &parser)
            return YAMLNode(.mapping(entries), at: event.position, to: TextPosition(parser.mark))
        default:
            note(
                .refusedFeature, "aliases are not supported", at: event.position, to: event.end,
                hint: "write the value out where it is used")
            return YAMLNode(.invalid, at: event.position)
        }
    }

    private mutating func enter(_ depth: Int, at position: TextPosition) throws(Unreadable) {
        guard depth >= YAMLDocument.maximumDepth else { return }
        note(.limit, "lists and sections are nested deeper than \(YAMLDocument.maximumDepth)", at: position)
        throw Unreadable()
    }

    private mutating func elements(
        from start: ParsedEvent, depth: Int, _ parser: inout yaml_parser_t
    ) throws(Unreadable) -> [YAMLNode] {
        var elements: [YAMLNode] = []
        do throws(Unreadable) {
            while true {
                let event = try next(&parser)
                if event.type == YAML_SEQUENCE_END_EVENT { return elements }
                elements.append(try value(event, depth: depth, &parser))
            }
        } catch {
            if let rest = partial { elements.append(rest) }
            partial = YAMLNode(.sequence(elements), at: start.position)
            throw error
        }
    }

    private mutating func entries(
        from start: ParsedEvent, depth: Int, _ parser: inout yaml_parser_t
    ) throws(Unreadable) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var firstLine: [String: Int] = [:]
        var pending: (text: String, position: TextPosition)?
        do throws(Unreadable) {
            while true {
                let event = try next(&parser)
                if event.type == YAML_MAPPING_END_EVENT { return entries }
                let key = try value(event, depth: depth, &parser)
                pending = key.text.map { ($0, key.position) }
                let value = try value(try next(&parser), depth: depth, &parser)
                pending = nil
                guard let text = accepted(key, event.end, &firstLine) else { continue }
                entries.append(YAMLEntry(key: text, position: key.position, value: value))
            }
        } catch {
            if let pending, let rest = partial, firstLine[pending.text] == nil {
                entries.append(YAMLEntry(key: pending.text, position: pending.position, value: rest))
            }
            partial = YAMLNode(.mapping(entries), at: start.position)
            throw error
        }
    }

    /// The text of a key that may stand in a mapping with the keys before it.
    private mutating func accepted(_ key: YAMLNode, _ end: TextPosition, _ firstLine: inout [String: Int]) -> String? {
        guard case .scalar(let text, let isPlain) = key.content else {
            if key.content != .invalid { note(.syntax, "a key must be a single text, not \(key.kind)", at: key.position) }
            return nil
        }
        if isPlain, text == "<<" {
            note(.refusedFeature, "merge keys are not supported", at: key.position, to: end, hint: "write the values out")
            return nil
        }
        if let line = firstLine[text] {
            note(
                .duplicateKey, "duplicate key \"\(Diagnostic.excerpt(text))\"; it is also in line \(line)", at: key.position, to: end)
            return nil
        }
        firstLine[text] = key.position.line
        return text
    }

    // MARK: libyaml

    private mutating func next(_ parser: inout yaml_parser_t) throws(Unreadable) -> ParsedEvent {
        guard problems.count < YAMLDocument.maximumErrors else {
            note(.syntax, "more errors follow", at: TextPosition(parser.mark))
            throw Unreadable()
        }
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else {
            noteSyntaxError(parser)
            throw Unreadable()
        }
        defer { yaml_event_delete(&event) }
        return ParsedEvent(event)
    }

    private mutating func noteSyntaxError(_ parser: yaml_parser_t) {
        let problem = parser.problem.map { String(cString: $0) } ?? "the text is not YAML"
        let context = parser.context.map { " " + String(cString: $0) } ?? ""
        let isReaderError = parser.error == YAML_READER_ERROR
        let mark = isReaderError ? parser.mark : parser.problem_mark
        let tab = problem.contains("cannot start any token") ? "indent with spaces, and quote special characters" : nil
        note(.syntax, "\(problem)\(context)", at: TextPosition(mark), hint: tab)
    }

    private mutating func note(
        _ kind: YAMLProblem.Kind, _ message: String, at position: TextPosition, to end: TextPosition? = nil, hint: String? = nil
    ) {
        problems.append(YAMLProblem(kind, at: position, to: end, message, hint: hint))
    }
}

/// What the composer needs of a libyaml event, copied so that the event can be freed at once.
private struct ParsedEvent {
    let type: yaml_event_type_t
    let position: TextPosition
    let end: TextPosition
    var hasAnchor = false
    var hasDirective = false
    var tag: String?
    var text = ""
    var isPlain = false

    init(_ event: yaml_event_t) {
        type = event.type
        position = TextPosition(event.start_mark)
        end = TextPosition(event.end_mark)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            hasAnchor = scalar.anchor != nil
            tag = ParsedEvent.string(scalar.tag)
            text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
        case YAML_SEQUENCE_START_EVENT:
            hasAnchor = event.data.sequence_start.anchor != nil
            tag = ParsedEvent.string(event.data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT:
            hasAnchor = event.data.mapping_start.anchor != nil
            tag = ParsedEvent.string(event.data.mapping_start.tag)
        case YAML_DOCUMENT_START_EVENT:
            let start = event.data.document_start
            hasDirective = start.version_directive != nil || start.tag_directives.start != start.tag_directives.end
        default: break
        }
    }

    private static func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { Diagnostic.excerpt(String(cString: $0)) }
    }
}

extension TextPosition {
    /// libyaml counts from 0.
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }
}

import CLibYAML

/// Builds a `YAMLNode` from libyaml's events and notes what is refused.
///
/// Safety: the buffer given to `init` must outlive the composer; libyaml reads from it until the last event.
struct YAMLComposer {
    private let file: String
    private let input: UnsafeBufferPointer<UInt8>
    private var errors: [Diagnostic] = []

    init(_ input: UnsafeBufferPointer<UInt8>, file: String) {
        self.input = input
        self.file = file
    }

    /// Nothing more can be understood after this; the error was noted.
    private struct Unreadable: Error {}

    mutating func compose() -> (node: YAMLNode?, errors: [Diagnostic]) {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            note("could not start the YAML reader: out of memory", at: .start)
            return (nil, errors)
        }
        defer { yaml_parser_delete(&parser) }
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
        do throws(Unreadable) {
            let node = try document(&parser)
            return (node, errors)
        } catch {
            return (nil, errors)
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
                    note("a second document begins here; one file holds one document", at: event.position)
                    throw Unreadable()
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
            note("anchors are not supported", at: event.position, hint: "write the value out where it is used")
        }
        if let tag = event.tag { note("tags are not supported: \"\(tag)\"", at: event.position) }
        switch event.type {
        case YAML_SCALAR_EVENT:
            return YAMLNode(.scalar(event.text, plain: event.isPlain), at: event.position)
        case YAML_SEQUENCE_START_EVENT:
            try enter(depth, at: event.position)
            return YAMLNode(.sequence(try elements(depth: depth + 1, &parser)), at: event.position)
        case YAML_MAPPING_START_EVENT:
            try enter(depth, at: event.position)
            return YAMLNode(.mapping(try entries(depth: depth + 1, &parser)), at: event.position)
        default:
            note("aliases are not supported", at: event.position, hint: "write the value out where it is used")
            return YAMLNode(.invalid, at: event.position)
        }
    }

    private mutating func enter(_ depth: Int, at position: TextPosition) throws(Unreadable) {
        guard depth >= YAMLDocument.maximumDepth else { return }
        note("lists and sections are nested deeper than \(YAMLDocument.maximumDepth)", at: position)
        throw Unreadable()
    }

    private mutating func elements(depth: Int, _ parser: inout yaml_parser_t) throws(Unreadable) -> [YAMLNode] {
        var elements: [YAMLNode] = []
        while true {
            let event = try next(&parser)
            if event.type == YAML_SEQUENCE_END_EVENT { return elements }
            elements.append(try value(event, depth: depth, &parser))
        }
    }

    private mutating func entries(depth: Int, _ parser: inout yaml_parser_t) throws(Unreadable) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var firstLine: [String: Int] = [:]
        while true {
            let event = try next(&parser)
            if event.type == YAML_MAPPING_END_EVENT { return entries }
            let key = try value(event, depth: depth, &parser)
            let value = try value(try next(&parser), depth: depth, &parser)
            guard case .scalar(let text, _) = key.content else {
                if key.content != .invalid { note("a key must be a single text, not \(key.kind)", at: key.position) }
                continue
            }
            if let line = firstLine[text] {
                note("duplicate key \"\(Diagnostic.excerpt(text))\"; it is also in line \(line)", at: key.position)
                continue
            }
            firstLine[text] = key.position.line
            entries.append(YAMLEntry(key: text, position: key.position, value: value))
        }
    }

    // MARK: libyaml

    private mutating func next(_ parser: inout yaml_parser_t) throws(Unreadable) -> ParsedEvent {
        guard errors.count < YAMLDocument.maximumErrors else {
            note("more errors follow", at: TextPosition(parser.mark))
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
        note("\(problem)\(context)", at: TextPosition(mark), hint: tab)
    }

    private mutating func note(_ message: String, at position: TextPosition, hint: String? = nil) {
        errors.append(Diagnostic(.error, file: file, position: position, message, hint: hint))
    }
}

/// What the composer needs of a libyaml event, copied so that the event can be freed at once.
private struct ParsedEvent {
    let type: yaml_event_type_t
    let position: TextPosition
    var hasAnchor = false
    var tag: String?
    var text = ""
    var isPlain = false

    init(_ event: yaml_event_t) {
        type = event.type
        position = TextPosition(event.start_mark)
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

import Operations

/// One line of `-o jsonl` (`cli.md` section 6). The last line of a command is always `result` and holds the envelope.
package enum JSONLine {
    case progress([JSONValue.Member])
    case event(JSONValue)
    case record(JSONValue)

    /// The line without its newline.
    package var text: String {
        let members: [JSONValue.Member] =
            switch self {
            case .progress(let members): [.init(name: "type", value: .string("progress"))] + members
            case .event(let value): Self.typed("event", "event", value)
            case .record(let value): Self.typed("record", "record", value)
            }
        return String(decoding: JSONValue.object(members).bytes, as: UTF8.self)
    }

    private static func typed(_ type: String, _ name: String, _ value: JSONValue) -> [JSONValue.Member] {
        [.init(name: "type", value: .string(type)), .init(name: name, value: value)]
    }

    static func result(_ envelope: ResultEnvelope) -> String { #"{"type":"result","envelope":\#(envelope.json)}"# }
    /// A snapshot of `--watch`.
    static func record(_ envelope: ResultEnvelope) -> String { #"{"type":"record","envelope":\#(envelope.json)}"# }
}

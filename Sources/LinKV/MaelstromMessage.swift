/// One line of the Maelstrom protocol.
///
/// - Source: Maelstrom, doc/protocol.md and doc/workloads.md (`lin-kv`).
package struct MaelstromMessage: Sendable, Hashable {
    package var source: String
    package var destination: String
    package var body: [String: JSONValue]

    package init(source: String, destination: String, body: [String: JSONValue]) {
        self.source = source
        self.destination = destination
        self.body = body
    }

    /// nil when the line is not a message.
    package init?(line: [UInt8]) {
        guard let value = JSONValue(bytes: line), let source = value["src"]?.text,
            let destination = value["dest"]?.text,
            case .object(let body) = value["body"]
        else { return nil }
        self.init(source: source, destination: destination, body: body)
    }

    package var line: [UInt8] {
        JSONValue.object(["src": .string(source), "dest": .string(destination), "body": .object(body)]).bytes
            + [UInt8(ascii: "\n")]
    }

    package var type: String { body["type"]?.text ?? "" }
    package var id: Int64? { body["msg_id"]?.int }
}

/// The error codes of the protocol. A definite one promises that the operation did not and will not happen.
package enum MaelstromError: Int64, Sendable {
    /// Indefinite.
    case timeout = 0
    case notSupported = 10
    case temporarilyUnavailable = 11
    case malformedRequest = 12
    case abort = 14
    case keyDoesNotExist = 20
    case keyAlreadyExists = 21
    case preconditionFailed = 22

    package func body(_ text: String) -> [String: JSONValue] {
        ["type": .string("error"), "code": .integer(rawValue), "text": .string(text)]
    }
}

import ClusterModel
import Operations

/// JSON Schemas of the documents that `-o json` prints, one per `kind` (`cli.md` section 6).
enum ResultSchemas {
    static func files(_ tree: CommandTree) -> [DocumentFile] {
        tree.visibleEntries.compactMap { entry -> DocumentFile? in
            switch entry.action {
            case .operation(let operation):
                return file(operation.definition.resultKind, schema(of: operation))
            case .local(let command):
                guard !withoutResult.contains(command.definition.words) else { return nil }
                let kind = command.definition.resultKind
                let data = command.definition.outputSchema().map { schema in
                    JSONValue.record([("anyOf", .array([schema, .record([("type", .string("null"))])]))])
                }
                return file(kind, envelope(kind: kind, data: data ?? type("object", isNullable: true), title: entry.summary))
            }
        }.sorted { $0.path < $1.path }
    }

    /// They print a text of their own, or run until they are stopped.
    private static let withoutResult = [
        ["serve"], ["help"], ["completions"], ["sandbox", "start"], ["sandbox", "demo"], ["sandbox", "measure"],
    ]

    private static func file(_ kind: String, _ schema: JSONValue) -> DocumentFile {
        DocumentFile("\(kind).json", JSONPretty.text(schema) + "\n")
    }

    /// The envelope with `data` of this operation.
    static func schema(of operation: AnyOperation) -> JSONValue {
        let data = JSONValue.record([("anyOf", .array([operation.outputSchema, .record([("type", .string("null"))])]))])
        return envelope(kind: operation.definition.resultKind, data: data, title: operation.definition.summary)
    }

    /// Of a command whose `data` has no schema of its own.
    static func envelope(kind: String, data: JSONValue = .object([]), title: String) -> JSONValue {
        let fields: [(String, JSONValue)] = [
            ("format_version", .record([("type", .string("string")), ("pattern", .string("^1\\."))])),
            ("kind", .record([("const", .string(kind))])),
            ("ok", type("boolean")),
            ("cluster", object([("id", nullable("string")), ("name", type("string"))], isNullable: true)),
            ("node", nullable("string")),
            ("captured_at", type("string")),
            ("stale_seconds", type("number")),
            ("request_id", type("string")),
            ("data", data),
            ("warnings", list(type("string"))),
            ("error", error),
        ]
        return .object(
            [
                .init(name: "$schema", value: .string("https://json-schema.org/draft/2020-12/schema")),
                .init(name: "title", value: .string("\(kind): \(title)")),
            ] + (object(fields).members ?? []))
    }

    private static var error: JSONValue {
        let check = object([
            ("id", type("string")), ("status", type("string")), ("path", nullable("string")), ("actual", nullable("string")),
            ("expected", nullable("string")), ("overridable", type("boolean")),
        ])
        return object(
            [
                ("code", .record([("type", .string("string"))])), ("exit", type("integer")), ("message", type("string")),
                ("detail", nullable("string")), ("hint", nullable("string")), ("checks", list(check)),
                ("request_id", type("string")), ("operation_id", nullable("string")), ("retryable", type("boolean")),
                ("docs", type("string")),
            ], isNullable: true)
    }

    private static func type(_ name: String, isNullable: Bool = false) -> JSONValue {
        .record([("type", isNullable ? .array([.string(name), .string("null")]) : .string(name))])
    }
    private static func nullable(_ name: String) -> JSONValue { type(name, isNullable: true) }
    private static func list(_ items: JSONValue) -> JSONValue { .record([("type", .string("array")), ("items", items)]) }

    /// All fields are always there; readers ignore those they do not know.
    private static func object(_ fields: [(String, JSONValue)], isNullable: Bool = false) -> JSONValue {
        .object([
            .init(name: "type", value: isNullable ? .array([.string("object"), .string("null")]) : .string("object")),
            .init(name: "properties", value: .record(fields)),
            .init(name: "required", value: .array(fields.map(\.0).sorted().map { .string($0) })),
        ])
    }
}

/// JSON with one member a line.
enum JSONPretty {
    static func text(_ value: JSONValue, _ margin: String = "") -> String {
        let inner = margin + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { inner + name($0.name) + ": " + text($0.value, inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(margin)}"
        case .array(let elements) where elements.contains(where: { $0.members != nil }):
            return "[\n" + elements.map { inner + text($0, inner) }.joined(separator: ",\n") + "\n\(margin)]"
        default: return String(decoding: value.bytes, as: UTF8.self)
        }
    }

    private static func name(_ text: String) -> String { String(decoding: JSONValue.string(text).bytes, as: UTF8.self) }
}

import ClusterModel
import Operations

/// JSON Schemas of what the catalogue's operations answer.
enum OperationSchemas {
    /// The component that `envelope` is.
    static func reference(_ name: String) -> JSONValue {
        let kind = Catalogue.operation(named: name)?.definition.resultKind ?? "ErrorEnvelope"
        return .record([("$ref", .string("#/components/schemas/\(kind)"))])
    }

    /// The envelope with the `data` of this operation (`cli.md`, section 6).
    static func envelope(_ name: String) -> JSONValue {
        let type = Catalogue.all.first { $0.definition.name == name }
        let data = type.map { schema(of: $0) } ?? .object([])
        return envelope(kind: type?.definition.resultKind, data: data)
    }

    private static func schema<Described: CatalogueOperation>(of type: Described.Type) -> JSONValue {
        SchemaReader.schema(of: Described.Output.self)
    }

    /// - Parameter kind: nil: any.
    static func envelope(kind: String?, data: JSONValue, error: JSONValue = .record([("type", .string("null"))])) -> JSONValue {
        let text = JSONValue.record([("type", .string("string"))])
        let properties: [(String, JSONValue)] = [
            ("format_version", .record([("const", .string(OperationEnvelope.formatVersion))])),
            ("kind", kind.map { .record([("const", .string($0))]) } ?? text),
            ("ok", .record([("type", .string("boolean"))])),
            (
                "cluster",
                object(
                    [("id", nullableText), ("name", text)], types: ["object", "null"])
            ),
            ("node", nullableText), ("captured_at", text),
            ("stale_seconds", .record([("type", .string("number"))])), ("request_id", text), ("data", data),
            ("warnings", .record([("type", .string("array")), ("items", text)])), ("error", error),
        ]
        return object(properties)
    }

    /// `error` of the envelope.
    static var envelopeError: JSONValue {
        object(
            errorFields + [
                ("message", .record([("type", .string("string"))])), ("retryable", .record([("type", .string("boolean"))])),
                ("docs", .record([("type", .string("string"))])),
            ])
    }

    /// The body of an error outside `/v1` (H06).
    static var errorBody: JSONValue { object(errorFields + [("error", .record([("type", .string("string"))]))]) }

    private static var errorFields: [(String, JSONValue)] {
        let codes = ErrorCode.allCases.map(\.rawValue).sorted().map(JSONValue.string)
        let check = object([
            ("id", .record([("type", .string("string"))])), ("status", .record([("type", .string("string"))])),
            ("path", nullableText), ("actual", nullableText), ("expected", nullableText),
            ("overridable", .record([("type", .string("boolean"))])),
        ])
        return [
            ("code", .record([("type", .string("string")), ("enum", .array(codes))])),
            ("exit", .record([("type", .string("integer"))])), ("detail", nullableText), ("hint", nullableText),
            ("checks", .record([("type", .string("array")), ("items", check)])),
            ("request_id", .record([("type", .string("string"))])), ("operation_id", nullableText),
        ]
    }

    private static var nullableText: JSONValue { .record([("type", .array([.string("string"), .string("null")]))]) }

    static func object(_ properties: [(String, JSONValue)], types: [String] = ["object"]) -> JSONValue {
        .record([
            ("type", types.count == 1 ? .string(types[0]) : .array(types.map(JSONValue.string))),
            ("properties", .record(properties)), ("required", .array(properties.map(\.0).sorted().map(JSONValue.string))),
        ])
    }
}

import Operations

/// JSON Schema of runbooks for editors, from the table that reads them.
package enum RunbookSchema {
    package static var schema: JSONValue {
        let definitions = RunbookShapes.all.map { ($0.name, schema(of: $0)) } + [("condition", condition), ("filter", filter)]
        return .object([
            .init(name: "$schema", value: .string("https://json-schema.org/draft/2020-12/schema")),
            .init(name: "title", value: .string("Runbook of pgbastion")),
            .init(name: "$ref", value: .string("#/$defs/runbook")),
            .init(name: "$defs", value: .record(definitions)),
        ])
    }

    private static func schema(of shape: ObjectShape) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("type", .string("object")), ("description", .string(shape.help)), ("additionalProperties", .bool(false)),
            ("properties", .record(shape.fields.map { ($0.name, property($0)) })),
            ("required", .array(shape.fields.filter(\.isRequired).map { .string($0.name) })),
        ]
        if shape.name == "step" {
            let kinds = RunbookShapes.kinds.map { JSONValue.record([("required", .array([.string($0)]))]) }
            members.append(("oneOf", .array(kinds)))
        }
        return .record(members)
    }

    private static func property(_ field: FieldDefinition) -> JSONValue {
        var members = schema(of: field.shape).members ?? []
        let help = field.defaultText.map { "\(field.help); default: \($0)" } ?? field.help
        members.append(.init(name: "description", value: .string(help)))
        return .record(members.map { ($0.name, $0.value) })
    }

    private static func schema(of shape: ValueShape) -> JSONValue {
        switch shape {
        case .constant(let text): .record([("const", .string(text))])
        case .id: pattern("^[a-z][a-z0-9-]{0,62}$")
        case .name: pattern("^[a-z][a-z0-9_]{0,62}$")
        case .text, .versionRange, .path: .record([("type", .string("string"))])
        case .template: scalar
        case .boolean: .record([("type", .string("boolean"))])
        case .integer(let range):
            .record([
                ("type", .string("integer")), ("minimum", .number("\(range.lowerBound)")), ("maximum", .number("\(range.upperBound)")),
            ])
        case .duration: pattern("^[0-9]+(ms|s|m|h|d)$")
        case .quantity: scalar
        case .choice(let choices): .record([("enum", .array(choices.map { .string($0) }))])
        case .list(let element): .record([("type", .string("array")), ("items", schema(of: element))])
        case .oneOrList(let element): .record([("anyOf", .array([schema(of: element), schema(of: .list(element))]))])
        case .map(let value): .record([("type", .string("object")), ("additionalProperties", schema(of: value))])
        case .object(let name): reference(name)
        case .value: .record([])
        case .condition: reference("condition")
        case .filter: reference("filter")
        case .operation: .record([("enum", .array(OperationVocabulary.standard.names.map { .string($0) }))])
        case .either(let shapes): .record([("anyOf", .array(shapes.map { schema(of: $0) }))])
        }
    }

    private static var scalar: JSONValue {
        .record([("type", .array(["string", "number", "boolean"].map { .string($0) }))])
    }

    private static func pattern(_ text: String) -> JSONValue { .record([("type", .string("string")), ("pattern", .string(text))]) }
    private static func reference(_ name: String) -> JSONValue { .record([("$ref", .string("#/$defs/\(name)"))]) }

    /// A condition has one head and, for `path` and `value`, one operator.
    private static var condition: JSONValue {
        let list = JSONValue.record([("type", .string("array")), ("items", reference("condition")), ("minItems", .number("1"))])
        let heads: [(String, JSONValue)] = [
            ("path", .record([("type", .string("string"))])), ("value", .record([("type", .string("string"))])),
            ("check", .record([("enum", .array(NamedCheck.all.map { .string($0.id) }))])), ("with", .record([("type", .string("object"))])),
            ("all", list), ("any", list), ("not", reference("condition")), ("allow_empty", .record([("type", .string("boolean"))])),
        ]
        let required = ConditionReader.heads.map { JSONValue.record([("required", .array([.string($0)]))]) }
        return .record([
            ("type", .string("object")), ("description", .string("what must hold of the state document")),
            ("properties", .record(heads + operators)), ("additionalProperties", .bool(false)), ("oneOf", .array(required)),
        ])
    }

    private static var operators: [(String, JSONValue)] { Operator.allCases.map { ($0.rawValue, .record([])) } }

    private static var filter: JSONValue {
        let comparison = JSONValue.record([
            ("type", .string("object")), ("properties", .record(operators)), ("additionalProperties", .bool(false)),
        ])
        return .record([
            ("type", .string("object")), ("description", .string("every entry must hold of an element")), ("minProperties", .number("1")),
            ("additionalProperties", comparison),
        ])
    }
}

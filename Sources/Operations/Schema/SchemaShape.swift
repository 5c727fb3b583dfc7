import ClusterModel

/// What a reader asks of one place of a document: the form of a value of some type, found by reading it.
final class SchemaShape {
    enum Kind {
        /// Nothing is known: any value.
        case any
        case string
        case boolean
        case integer(isUnsigned: Bool)
        case number
        case choice([String])
        case array(SchemaShape)
        case map(SchemaShape)
        case object([Property])
    }

    struct Property {
        var name: String
        var shape: SchemaShape
        /// Always written, perhaps as null.
        var isAlwaysThere: Bool
    }

    var kind = Kind.any
    var isNullable = false

    /// The property called `name`, which `Type` has read.
    func add(_ property: Property) {
        var properties: [Property] = []
        if case .object(let known) = kind { properties = known }
        properties.removeAll { $0.name == property.name }
        properties.append(property)
        kind = .object(properties)
    }

    /// - Source: JSON Schema, draft 2020-12, as OpenAPI 3.1 uses it.
    var schema: JSONValue {
        var members: [(String, JSONValue)]
        switch kind {
        case .any: return .object([])
        case .string: members = [("type", type("string"))]
        case .boolean: members = [("type", type("boolean"))]
        case .integer(let isUnsigned):
            members = [("type", type("integer"))] + (isUnsigned ? [("minimum", .number("0"))] : [])
        case .number: members = [("type", type("number"))]
        case .choice(let texts):
            let values = texts.sorted().map(JSONValue.string) + (isNullable ? [.null] : [])
            members = [("type", type("string")), ("enum", .array(values))]
        case .array(let element): members = [("type", type("array")), ("items", element.schema)]
        case .map(let value): members = [("type", type("object")), ("additionalProperties", value.schema)]
        case .object(let properties):
            let sorted = properties.sorted { $0.name < $1.name }
            members = [
                ("type", type("object")), ("properties", .record(sorted.map { ($0.name, $0.shape.schema) })),
                ("required", .array(sorted.filter(\.isAlwaysThere).map { .string($0.name) })),
            ]
        }
        return .record(members)
    }

    private func type(_ name: String) -> JSONValue {
        isNullable ? .array([.string(name), .string("null")]) : .string(name)
    }
}

extension JSONValue {
    /// An object with these members, in the order of their names.
    package static func record(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.map { Member(name: $0.0, value: $0.1) }.sorted { $0.name < $1.name })
    }
}

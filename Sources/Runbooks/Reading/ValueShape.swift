/// What the value of a key may be. Reading, the JSON Schema and the documentation all use this.
package indirect enum ValueShape: Sendable {
    case constant(String)
    /// `[a-z][a-z0-9-]{0,62}`
    case id
    /// `[a-z][a-z0-9_]{0,62}`
    case name
    /// Without references.
    case text
    /// With references.
    case template
    case boolean
    case integer(ClosedRange<Int>)
    case duration(DurationBounds)
    /// A whole number, a duration or a size.
    case quantity
    case choice([String])
    case versionRange
    case list(ValueShape)
    case oneOrList(ValueShape)
    /// Names chosen by the author.
    case map(ValueShape)
    case object(String)
    /// A scalar, list or map with references.
    case value
    case path, condition, filter, operation
    case either([ValueShape])

    package enum DurationBounds: Sendable { case any, atLeast200ms }

    /// In words: `a duration such as 30s`.
    package var description: String {
        switch self {
        case .constant(let text): "\"\(text)\""
        case .id: "an id"
        case .name: "a name"
        case .text: "a text"
        case .template: "a text with references"
        case .boolean: "true or false"
        case .integer: "a whole number"
        case .duration: "a duration such as 30s"
        case .quantity: "a number, duration or size"
        case .choice(let choices): choices.joined(separator: ", ")
        case .versionRange: "a version range"
        case .list(let shape): "a list of \(shape.plural)"
        case .oneOrList(let shape): "\(shape.description), or a list"
        case .map: "a map"
        case .object(let name): "a section `\(name)`"
        case .value: "a value"
        case .path: "a path into the state document"
        case .condition: "a condition"
        case .filter: "a filter"
        case .operation: "the name of an operation"
        case .either(let shapes): shapes.map(\.description).joined(separator: ", or ")
        }
    }

    private var plural: String {
        switch self {
        case .text, .template: "texts"
        case .object(let name): "`\(name)`"
        case .choice(let choices): choices.joined(separator: ", ")
        case .condition: "conditions"
        default: "values"
        }
    }
}

/// One key of a section.
package struct FieldDefinition: Sendable {
    package var name: String
    package var shape: ValueShape
    package var isRequired: Bool
    package var defaultText: String?
    package var help: String

    init(_ name: String, _ shape: ValueShape, required: Bool = false, default defaultText: String? = nil, _ help: String) {
        self.name = name
        self.shape = shape
        isRequired = required
        self.defaultText = defaultText
        self.help = help
    }
}

/// A section with fixed keys.
package struct ObjectShape: Sendable {
    package var name: String
    package var help: String
    package var fields: [FieldDefinition]

    init(_ name: String, _ help: String, _ fields: [FieldDefinition]) {
        self.name = name
        self.help = help
        self.fields = fields
    }
}

import Operations

/// Compares a document with a JSON Schema, as far as the schemas of this product go.
enum SchemaCheck {
    /// What does not fit, with its path; empty when all does.
    static func problems(_ value: JSONValue, _ schema: JSONValue, at path: String = "$") -> [String] {
        var found: [String] = []
        if let constant = schema["const"], constant != value { found.append("\(path) is not \(constant)") }
        if let choices = schema["enum"]?.elements, !choices.contains(value) { found.append("\(path) is none of \(choices)") }
        if let alternatives = schema["anyOf"]?.elements {
            let attempts = alternatives.map { problems(value, $0, at: path) }
            if !attempts.contains([]) { found += attempts.first ?? [] }
        }
        if let names = types(schema), !names.contains(where: { fits(value, $0) }) {
            return found + ["\(path) is \(value.kindName), not \(names.joined(separator: " or "))"]
        }
        if let minimum = schema["minimum"]?.integer, let number = value.integer, number < minimum {
            found.append("\(path) is below \(minimum)")
        }
        for name in schema["required"]?.elements?.compactMap(\.string) ?? [] where value.members != nil && value[name] == nil {
            found.append("\(path).\(name) is missing")
        }
        for member in value.members ?? [] {
            guard let inner = schema["properties"]?[member.name] ?? schema["additionalProperties"] else { continue }
            if inner == .bool(false) { found.append("\(path).\(member.name) is not known") }
            found += problems(member.value, inner, at: "\(path).\(member.name)")
        }
        if let items = schema["items"] {
            for (index, element) in (value.elements ?? []).enumerated() {
                found += problems(element, items, at: "\(path)[\(index)]")
            }
        }
        return found
    }

    private static func types(_ schema: JSONValue) -> [String]? {
        schema["type"]?.string.map { [$0] } ?? schema["type"]?.elements?.compactMap(\.string)
    }

    private static func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch (value, type) {
        case (.null, "null"), (.bool, "boolean"), (.string, "string"), (.array, "array"), (.object, "object"): true
        case (.number, "number"): true
        case (.number(let text), "integer"): text.allSatisfy { $0.isNumber || $0 == "-" }
        default: false
        }
    }
}

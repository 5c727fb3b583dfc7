import Operations

/// Compares a value with a schema of the document: types, required fields, and no field that is not described.
struct SchemaCheck {
    private let document: JSONValue

    init(_ document: JSONValue) { self.document = document }

    func complaints(_ value: JSONValue, _ schema: JSONValue, at path: String = "$") -> [String] {
        if let reference = schema["$ref"]?.string {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            guard let target = document["components"]?["schemas"]?[name] else { return ["\(path): no schema \(name)"] }
            return complaints(value, target, at: path)
        }
        if let options = schema["anyOf"]?.elements {
            let all = options.map { complaints(value, $0, at: path) }
            return all.contains([]) ? [] : all.first ?? []
        }
        if let constant = schema["const"] { return constant == value ? [] : ["\(path): is not \(constant)"] }
        let types = schema["type"]?.elements?.compactMap(\.string) ?? schema["type"]?.string.map { [$0] } ?? []
        guard !types.isEmpty else { return [] }
        guard types.contains(where: { fits(value, $0) }) else { return ["\(path): \(value.kindName) is not \(types)"] }
        if let choices = schema["enum"]?.elements, !choices.contains(value) { return ["\(path): \(value) is not a choice"] }
        return object(value, schema, path) + array(value, schema, path)
    }

    private func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch (value, type) {
        case (.null, "null"), (.bool, "boolean"), (.string, "string"), (.array, "array"), (.object, "object"),
            (.number, "number"):
            true
        case (.number(let text), "integer"): !text.contains(".") && !text.contains("e")
        default: false
        }
    }

    private func object(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> [String] {
        guard let members = value.members, let properties = schema["properties"] else {
            guard let members = value.members, let inner = schema["additionalProperties"] else { return [] }
            return members.flatMap { complaints($0.value, inner, at: "\(path).\($0.name)") }
        }
        let missing = (schema["required"]?.elements ?? []).compactMap(\.string).filter { value[$0] == nil }
        let known = members.flatMap { member in
            properties[member.name].map { complaints(member.value, $0, at: "\(path).\(member.name)") }
                ?? ["\(path).\(member.name): is not described"]
        }
        return missing.map { "\(path).\($0): is missing" } + known
    }

    private func array(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> [String] {
        guard let elements = value.elements, let inner = schema["items"] else { return [] }
        return elements.enumerated().flatMap { complaints($0.element, inner, at: "\(path)[\($0.offset)]") }
    }
}

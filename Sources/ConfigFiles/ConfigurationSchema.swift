/// The JSON Schema (draft 2020-12) of the file, made from the keys the reader asks for.
///
/// It says what one value alone can tell. Relations between keys, ranges of durations, and files that are named are checked
/// by the reader only: `config validate` has the last word.
package enum ConfigurationSchema {
    package static let dialect = "https://json-schema.org/draft/2020-12/schema"

    /// The schema as text, indented, with a newline at its end.
    package static var text: String { document.text(indent: 0) + "\n" }

    static var document: SchemaValue {
        let keys = ConfigurationFile.keys
        let defaults = defaultValues
        return .object(
            [
                ("$schema", .text(dialect)),
                ("title", .text("pgbastion.yaml")),
                (
                    "description",
                    .text(
                        "Configuration of one pgbastion node, version \(NodeConfiguration.supportedVersion). Relations between keys are "
                            + "checked by `pgbastion config validate`.")
                ),
            ] + section("", keys, defaults))
    }

    /// The schema of the mapping at `path`; empty for the whole file.
    private static func section(
        _ path: String, _ keys: [KeyDefinition], _ defaults: [String: String]
    ) -> [(String, SchemaValue)] {
        let prefix = path.isEmpty ? "" : path + "."
        var names: [String] = []
        for key in keys where key.name.hasPrefix(prefix) {
            let name = String(key.name.dropFirst(prefix.count).prefix { $0 != "." })
            if !names.contains(name) { names.append(name) }
        }
        let properties = names.map { name -> (String, SchemaValue) in
            guard let key = keys.first(where: { $0.name == prefix + name }) else {
                let inner = section(prefix + name, keys, defaults)
                return (name, .object(inner.map { $0.0 == "type" ? ("type", .list([.text("object"), .text("null")])) : $0 }))
            }
            return (name, .object(value(key, defaults[key.name])))
        }
        let required = names.filter { name in
            keys.contains { $0.isRequired && ($0.name == prefix + name || $0.name.hasPrefix(prefix + name + ".")) }
        }
        var members: [(String, SchemaValue)] = [
            ("type", .text("object")), ("additionalProperties", .flag(false)), ("properties", .object(properties)),
        ]
        if !required.isEmpty { members.append(("required", .list(required.map { .text($0) }))) }
        return members
    }

    private static func value(_ key: KeyDefinition, _ standard: String?) -> [(String, SchemaValue)] {
        if let replacement = key.replacement {
            return [("description", .text("Has no effect: \(replacement).")), ("deprecated", .flag(true))]
        }
        var members: [(String, SchemaValue)] = [("description", .text(key.expected))]
        if key.isList {
            let element = SchemaValue.object(form(key.form))
            members.append(("anyOf", .list([element, .object([("type", .text("array")), ("items", element)])])))
        } else {
            members += form(key.form)
        }
        if let standard, let typed = key.form.typed(standard), !key.isList { members.append(("default", typed)) }
        return members
    }

    private static func form(_ form: ValueForm) -> [(String, SchemaValue)] {
        switch form {
        // A plain scalar is read as text, whatever a YAML parser makes of it.
        case .text: [("type", .list([.text("string"), .text("number"), .text("boolean")]))]
        case .flag: [("type", .text("boolean"))]
        case .constantFlag(let only): [("const", .flag(only))]
        case .integer(let range):
            [("type", .text("integer")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound))]
        case .number(let range):
            [("type", .text("number")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound))]
        case .duration:
            [
                (
                    "anyOf",
                    .list([
                        .object([("const", .number(0))]),
                        .object([
                            ("type", .text("string")), ("pattern", .text(#"^(0|([0-9]+(\.[0-9]{1,9})?(d|h|m|s|ms|us|ns))+)$"#)),
                        ]),
                    ])
                )
            ]
        case .size: size("^[0-9]+ ?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?$")
        case .rate: size("^(unlimited|[0-9]+ ?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?)$")
        case .choice(let names): [("enum", .list(names.map { .text($0) }))]
        case .pattern(let expression):
            // What a YAML parser takes for a number (`name: 1`) is a text here.
            [("type", .list([.text("string"), .text("number")])), ("pattern", .text(expression))]
        }
    }

    private static func size(_ pattern: String) -> [(String, SchemaValue)] {
        let number = SchemaValue.object([("type", .text("integer")), ("minimum", .number(0))])
        let text = SchemaValue.object([("type", .text("string")), ("pattern", .text(pattern))])
        return [("anyOf", .list([number, text]))]
    }

    /// Of a file that gives only what it must.
    private static var defaultValues: [String: String] {
        let text = "node: {name: a, address: 127.0.0.1}\npostgresql: {}\n"
        do throws(ConfigurationErrors) {
            let entries = try ConfigurationFile.parse(text: text, tokenFiles: .skip).configuration.entries
            return Dictionary(entries.filter { !$0.key.hasPrefix("node.") || $0.key.hasSuffix("_dir") }.map { ($0.key, $0.value) }) {
                first, _ in first
            }
        } catch {
            preconditionFailure("the smallest configuration is refused: \(error)")
        }
    }
}

extension ValueForm {
    /// A default as the schema's `default`; nil when it is no value of this form.
    fileprivate func typed(_ text: String) -> SchemaValue? {
        switch self {
        case .flag, .constantFlag: .flag(text == "true")
        case .integer, .number: Int(text).map { .number($0) }
        case .size, .rate: Int(text).map { .number($0) } ?? .text(text)
        case .text, .duration, .choice, .pattern: .text(text)
        }
    }
}

/// JSON that keeps the order of its members.
indirect enum SchemaValue {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([SchemaValue])
    case object([(String, SchemaValue)])

    func text(indent: Int) -> String {
        let outer = String(repeating: " ", count: indent)
        let inner = String(repeating: " ", count: indent + 2)
        switch self {
        case .text(let text): return SchemaValue.quoted(text)
        case .number(let number): return "\(number)"
        case .flag(let flag): return "\(flag)"
        case .list(let values):
            let texts = values.map { $0.text(indent: indent + 2) }
            if texts.allSatisfy({ !$0.contains("\n") }) { return "[" + texts.joined(separator: ", ") + "]" }
            return "[\n" + texts.map { inner + $0 }.joined(separator: ",\n") + "\n" + outer + "]"
        case .object(let members):
            let lines = members.map { inner + SchemaValue.quoted($0.0) + ": " + $0.1.text(indent: indent + 2) }
            return lines.isEmpty ? "{}" : "{\n" + lines.joined(separator: ",\n") + "\n" + outer + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                precondition(scalar.value >= 0x20, "a control character in the schema's text")
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

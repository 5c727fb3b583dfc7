import ClusterModel
import Operations

/// The types of the state document, made from `StateDocument`: units come from the names of the fields, choices from a table.
package struct StateSchema: Sendable {
    package static let standard = StateSchema(SchemaReader.schema(of: StateDocument.self))
    package let root: FieldType

    init(_ schema: JSONValue) { root = StateSchema.type(schema, name: "", path: "") }

    /// A path's type, or the key that does not exist.
    package enum Resolution: Sendable, Hashable {
        case found(FieldType)
        case unknownKey(Located<String>, known: [String])
        /// A key behind a list, or a selector on something else.
        case misplaced(TextRange?, String)
    }

    package func resolve(_ path: StatePath) -> Resolution { StateSchema.resolve(path, in: root) }

    /// Of a list of `nodes`: one node.
    package var node: FieldType { root.fields?.first { $0.name == "nodes" }?.type.element ?? .any }

    package static func resolve(_ path: StatePath, in root: FieldType) -> Resolution {
        var type = root
        // Behind `[*]`, or a selector that may fit several elements, everything is a list.
        var isMany = false
        for step in path.steps {
            if type == .any { return .found(.any) }
            switch step {
            case .key(let key):
                if case .list = type {
                    return .misplaced(key.at, "a list stands before '\(key.value)': choose elements with [*] or [field=value]")
                }
                guard let fields = type.fields else { return .misplaced(key.at, "'\(key.value)' stands behind \(type.description)") }
                guard let field = fields.first(where: { $0.name == key.value }) else { return .unknownKey(key, known: fields.map(\.name)) }
                type = field.type
            case .every:
                guard case .list(let element, _) = type else { return .misplaced(nil, "[*] stands behind something that is no list") }
                type = element
                isMany = true
            case .selector(let conditions):
                guard case .list(let element, let unique) = type else {
                    return .misplaced(conditions.first?.field.at, "a selector stands behind something that is no list")
                }
                for condition in conditions {
                    guard let fields = element.fields else {
                        return .misplaced(condition.field.at, "the elements of this list have no fields")
                    }
                    guard let field = fields.first(where: { $0.name == condition.field.value }) else {
                        return .unknownKey(condition.field, known: fields.map(\.name))
                    }
                    guard field.type.isScalar else { return .misplaced(condition.field.at, "'\(field.name)' is no single value") }
                }
                if !conditions.contains(where: { $0.field.value == unique }) { isMany = true }
                type = element
            }
        }
        return .found(isMany ? .list(type, uniqueKey: nil) : type)
    }

    // MARK: From JSON Schema

    /// The type of another document, as the outputs of an operation.
    package static func type(of schema: JSONValue) -> FieldType { type(schema, name: "", path: "") }

    private static func type(_ schema: JSONValue, name: String, path: String) -> FieldType {
        switch kind(schema) {
        case "object":
            let members = schema["properties"]?.members ?? []
            return .object(
                members.map { member in
                    let inner = path.isEmpty ? member.name : "\(path).\(member.name)"
                    return .init(
                        name: member.name, type: type(member.value, name: member.name, path: inner), isNullable: isNullable(member.value))
                })
        case "array":
            let element = type(schema["items"] ?? .null, name: name, path: path)
            let keys = element.fields?.map(\.name) ?? []
            // The name of an operation in progress is not its own.
            return .list(element, uniqueKey: path == "operations.active" ? "id" : keys.contains("name") ? "name" : nil)
        case "boolean": return .boolean
        case "integer": return name.hasSuffix("_bytes") ? .bytes : .integer
        case "number": return name.hasSuffix("_seconds") ? .seconds : .decimal
        case "string": return text(schema, name, path)
        default: return .any
        }
    }

    private static func text(_ schema: JSONValue, _ name: String, _ path: String) -> FieldType {
        if let choices = schema["enum"]?.elements { return .choice(choices.compactMap(\.string)) }
        if let choices = choices[path] { return .choice(choices.split(separator: " ").map(String.init)) }
        if name.hasSuffix("_at") || name == "since" || name == "until" { return .time }
        if name == "lsn" { return .lsn }
        if name == "version" || path == "versions.min" || path == "versions.max" { return .version }
        return .text
    }

    /// - Source: runbooks.md, section 5.
    private static let choices = [
        "source": "live recorded simulated", "raft.digest_agreement": "agree disagree unknown", "synchronous.mode": "off quorum strict",
        "nodes.state": "starting running streaming catching_up cloning rewinding stopped fenced failed unreachable",
        "nodes.sync": "none async potential quorum sync", "nodes.job.kind": "none clone rewind", "nodes.slots.kind": "physical logical",
        "nodes.raft.suffrage": "voter learner none", "vip.follows": "leader primary",
        "local.data_dir": "missing empty initialised restored recovered",
    ]

    private static func kind(_ schema: JSONValue) -> String? {
        schema["type"]?.string ?? schema["type"]?.elements?.compactMap(\.string).first { $0 != "null" }
    }

    private static func isNullable(_ schema: JSONValue) -> Bool {
        schema["type"]?.elements?.contains(.string("null")) ?? false
    }
}

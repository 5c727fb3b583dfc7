import ClusterModel
import Operations

/// Changes of a state document by path: `simulate` of manual steps, and the start states of tests.
extension EvaluationScope {
    /// The document after the patch; a path that leads nowhere changes nothing.
    ///
    /// Values follow the field: `50MiB` becomes a number of bytes, `30s` one of seconds.
    package func apply(_ patch: StatePatch, to document: JSONValue) -> JSONValue {
        var type = FieldType.any
        if case .found(let known) = schema.resolve(patch.path) { type = known }
        switch patch.change {
        case .set(let template):
            // A path to several places sets each of them.
            let single = patch.path.isToMany ? type.element ?? type : type
            let value = EvaluationScope.fitted(value(of: template), to: single)
            return changed(document, patch.path.steps[...]) { _ in value }
        case .append(let template):
            let value = EvaluationScope.fitted(value(of: template), to: type.element ?? .any)
            return changed(document, patch.path.steps[...]) { .array(($0.elements ?? []) + [value]) }
        case .remove: return changed(document, patch.path.steps[...]) { _ in nil }
        }
    }

    private func changed(
        _ value: JSONValue, _ steps: ArraySlice<StatePath.Step>, _ change: (JSONValue) -> JSONValue?
    ) -> JSONValue { changedOrGone(value, steps, change) ?? .null }

    private func changedOrGone(
        _ value: JSONValue, _ steps: ArraySlice<StatePath.Step>, _ change: (JSONValue) -> JSONValue?
    ) -> JSONValue? {
        guard let step = steps.first else { return change(value) }
        let rest = steps.dropFirst()
        switch step {
        case .key(let key):
            if let elements = value.elements {
                return .array(elements.compactMap { changedOrGone($0, steps, change) })
            }
            guard value == .null || value.members != nil else { return value }
            var object = value == .null ? JSONValue.object([]) : value
            if let inner = changedOrGone(value[key.value] ?? .null, rest, change) {
                object.setMember(key.value, inner)
            } else {
                object.removeMember(key.value)
            }
            return object
        case .every:
            guard let elements = value.elements else { return value }
            return .array(elements.compactMap { changedOrGone($0, rest, change) })
        case .selector(let conditions):
            guard let elements = value.elements else { return value }
            return .array(elements.compactMap { isSelected($0, conditions) ? changedOrGone($0, rest, change) : $0 })
        }
    }

    private func isSelected(_ element: JSONValue, _ conditions: [StatePath.Condition]) -> Bool {
        conditions.allSatisfy { condition in
            let wanted = value(of: condition.value)
            guard wanted.unknownReason == nil, wanted != .null, let actual = element[condition.field.value], actual != .null else {
                return false
            }
            return ValueText.plain(actual) == ValueText.plain(wanted)
        }
    }

    /// A literal as the document writes it.
    static func fitted(_ value: JSONValue, to type: FieldType) -> JSONValue {
        switch (type, value) {
        case (.bytes, .string(let text)): return Quantity.bytes(text).map { .number("\($0)") } ?? value
        case (.seconds, .string(let text)): return Quantity.duration(text).map { .seconds($0.seconds) } ?? value
        case (.integer, .string(let text)), (.decimal, .string(let text)): return Ambiguous.isNumber(text) ? .number(text) : value
        case (.list(let element, _), .array(let elements)): return .array(elements.map { fitted($0, to: element) })
        case (.object(let fields), .object(let members)):
            return .object(
                members.map { member in
                    let field = fields.first { $0.name == member.name }?.type ?? .any
                    return .init(name: member.name, value: fitted(member.value, to: field))
                })
        default: return value
        }
    }
}

extension StatePath {
    /// `[*]`, or a selector that may fit several elements.
    var isToMany: Bool {
        steps.contains { step in
            switch step {
            case .key: false
            case .every: true
            case .selector(let conditions): !conditions.contains { $0.field.value == "name" || $0.field.value == "id" }
            }
        }
    }
}

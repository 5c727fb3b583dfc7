import ClusterModel
import Operations

/// Conditions with three values (runbooks.md, 4.3).
extension EvaluationScope {
    package func judge(_ condition: Condition) -> ConditionResult {
        switch condition.kind {
        case .path(let path, let comparison): judge(path, comparison)
        case .value(let template, let comparison): judge(template, comparison)
        case .check(let call): judge(call)
        case .all(let conditions): all(conditions.map { judge($0) })
        case .any(let conditions): any(conditions.map { judge($0) })
        case .not(let inner): negated(judge(inner))
        }
    }

    private func all(_ results: [ConditionResult]) -> ConditionResult {
        let status = ConditionResult.Status.all(results.map(\.status))
        let deciding = results.filter { $0.status == status }
        let message = deciding.map(\.message).joined(separator: "; ")
        guard let first = deciding.first else { return ConditionResult(.pass, message) }
        return ConditionResult(status, path: first.path, actual: first.actual, expected: first.expected, message)
    }

    private func any(_ results: [ConditionResult]) -> ConditionResult {
        let status = ConditionResult.Status.any(results.map(\.status))
        guard let first = results.first(where: { $0.status == status }) else {
            return ConditionResult(.fail, "none of no conditions holds")
        }
        if status == .pass { return first }
        let message = "none of these holds: " + results.map(\.message).joined(separator: "; ")
        return ConditionResult(status, path: first.path, actual: first.actual, expected: first.expected, message)
    }

    private func negated(_ inner: ConditionResult) -> ConditionResult {
        let message =
            inner.status == .unknown
            ? inner.message : inner.status == .pass ? "must not hold: \(inner.message)" : "does not hold, as it should: \(inner.message)"
        return ConditionResult(
            inner.status.inverted, path: inner.path, actual: inner.actual, expected: inner.expected.map { "not \($0)" }, message)
    }

    private func judge(_ call: CheckCall) -> ConditionResult {
        guard let check = NamedCheck.named(call.name.value) else {
            return ConditionResult(.unknown, "there is no check \"\(Excerpt.of(call.name.value))\"")
        }
        var arguments: [JSONValue.Member] = []
        for argument in call.arguments {
            let value = value(of: argument.value)
            if value == .null { continue }
            if let reason = value.unknownReason {
                return ConditionResult(.unknown, "argument \(argument.name.value) of \(call.name.value): \(reason)")
            }
            arguments.append(.init(name: argument.name.value, value: value))
        }
        return check.judge(state, .object(arguments), contexts: contexts)
    }

    // MARK: Values

    private func judge(_ path: StatePath, _ comparison: Comparison) -> ConditionResult {
        var type = FieldType.any
        if case .found(let known) = schema.resolve(path) { type = known }
        return judge(find(path, in: state), type, text(of: path), comparison)
    }

    private func judge(_ template: Template, _ comparison: Comparison) -> ConditionResult {
        var type = FieldType.any
        if let reference = template.soleReference, reference.root == .state, let path = reference.path,
            case .found(let known) = schema.resolve(path)
        {
            type = known
        }
        let value = value(of: template)
        let found = value.unknownReason.map { Found.unknown($0) } ?? .one(value)
        return judge(found, type, template.source, comparison)
    }

    private func judge(_ found: Found, _ type: FieldType, _ name: String, _ comparison: Comparison) -> ConditionResult {
        let expected = expectation(comparison, type)
        if comparison.op == .exists { return judgeExistence(found, name, comparison, expected) }
        let actual: RunbookValue
        switch found {
        case .unknown(let reason):
            return ConditionResult(.unknown, path: name, expected: expected, "`\(name)` is unknown (\(reason)), must \(expected)")
        case .one(.null): return ConditionResult(.unknown, path: name, expected: expected, "`\(name)` is unknown, must \(expected)")
        case .one(let value): actual = value
        case .many(let values): actual = .array(values)
        }
        let status = status(of: actual, type, comparison)
        let shown = shown(actual, type, comparison)
        let link = status == .pass ? "as it must" : "must"
        return ConditionResult(
            status, path: name, actual: ValueText.plain(actual), expected: expected, "`\(name)` is \(shown), \(link) \(expected)")
    }

    private func judgeExistence(_ found: Found, _ name: String, _ comparison: Comparison, _ expected: String) -> ConditionResult {
        let isThere: Bool
        var actual = RunbookValue.null
        switch found {
        case .unknown: isThere = false
        case .one(let value): (isThere, actual) = (value != .null, value)
        case .many(let values): (isThere, actual) = (values.contains { $0 != .null }, .array(values))
        }
        guard case .value(let operand) = comparison.operand, case .bool(let wanted) = value(of: operand) else {
            return ConditionResult(.unknown, path: name, "`exists` of `\(name)` needs true or false")
        }
        let text = "`\(name)` is \(isThere ? "present" : "not present")"
        return ConditionResult(
            .init(isThere == wanted), path: name, actual: ValueText.plain(actual), expected: expected,
            isThere == wanted ? text : "\(text), must \(expected)")
    }

    // MARK: Lists

    func status(of actual: RunbookValue, _ type: FieldType, _ comparison: Comparison) -> ConditionResult.Status {
        if actual == .null, comparison.op != .exists { return .unknown }
        switch comparison.operand {
        case .value(let operand):
            let wanted = value(of: operand)
            if comparison.op == .exists { return wanted.bool.map { .init((actual != .null) == $0) } ?? .unknown }
            if wanted.unknownReason != nil || wanted == .null { return .unknown }
            return ScalarComparison(type: type, capturedAt: state["captured_at"]?.string).status(actual, comparison.op, wanted)
        case .elements(let test, let allowsEmpty):
            guard let elements = actual.elements else { return .unknown }
            let statuses = elements.map { status(of: $0, type.element ?? .any, test) }
            switch comparison.op {
            case .every: return statuses.isEmpty ? .init(allowsEmpty) : .all(statuses)
            case .some: return statuses.isEmpty ? .fail : .any(statuses)
            default: return statuses.isEmpty ? .pass : ConditionResult.Status.any(statuses).inverted
            }
        case .count(let number, let filter):
            guard let elements = actual.elements else { return .unknown }
            let statuses = elements.map { element in filter.map { matches($0, element) } ?? .pass }
            let sure = statuses.count { $0 == .pass }
            // What is not known of an element may make the number larger: it counts only when it cannot decide.
            let lowest = status(of: .number("\(sure)"), .integer, number)
            let possible = statuses.count { $0 == .unknown }
            let others = possible == 0 ? [] : (1...possible).map { status(of: .number("\(sure + $0)"), .integer, number) }
            return others.allSatisfy { $0 == lowest } ? lowest : .unknown
        }
    }

    private func status(of element: RunbookValue, _ type: FieldType, _ test: Comparison.ElementTest) -> ConditionResult.Status {
        switch test {
        case .comparison(let comparison): status(of: element, type, comparison)
        case .filter(let filter): matches(filter, element, type)
        }
    }

    /// Whether an element passes a filter.
    package func matches(_ filter: StateFilter, _ element: RunbookValue) -> ConditionResult.Status { matches(filter, element, schema.node) }

    private func matches(_ filter: StateFilter, _ element: RunbookValue, _ type: FieldType) -> ConditionResult.Status {
        .all(
            filter.entries.map { entry in
                var field = FieldType.any
                if case .found(let known) = StateSchema.resolve(entry.field, in: type) { field = known }
                switch find(entry.field, in: element) {
                case .one(let value): return status(of: value, field, entry.comparison)
                case .many(let values): return status(of: .array(values), field, entry.comparison)
                case .unknown: return status(of: .null, field, entry.comparison)
                }
            })
    }
}

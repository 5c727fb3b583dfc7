import ClusterModel
import Operations

/// What conditions say about themselves.
extension EvaluationScope {
    /// `be <= 10 MiB`: behind the word "must".
    func expectation(_ comparison: Comparison, _ type: FieldType) -> String {
        switch comparison.operand {
        case .value(let operand): expectation(comparison.op, value(of: operand), type)
        case .elements(let test, let allowsEmpty):
            "have \(quantity(comparison.op)) \(text(of: test, type.element ?? .any))"
                + (comparison.op == .every && !allowsEmpty ? " (and at least one)" : "")
        case .count(let number, let filter):
            "have a number of elements\(filter.map { " with \(text(of: $0))" } ?? "") that is \(symbol(number, .integer))"
        }
    }

    private func quantity(_ op: Operator) -> String {
        switch op {
        case .every: "only elements with"
        case .some: "an element with"
        default: "no element with"
        }
    }

    private func text(of test: Comparison.ElementTest, _ type: FieldType) -> String {
        switch test {
        case .comparison(let comparison): "a value \(symbol(comparison, type))"
        case .filter(let filter): text(of: filter, type)
        }
    }

    func text(of filter: StateFilter, _ type: FieldType? = nil) -> String {
        filter.entries.map { entry in
            var field = FieldType.any
            if case .found(let known) = StateSchema.resolve(entry.field, in: type ?? schema.node) { field = known }
            return "\(entry.field.source) \(symbol(entry.comparison, field))"
        }.joined(separator: " and ")
    }

    private func symbol(_ comparison: Comparison, _ type: FieldType) -> String {
        let text = expectation(comparison, type)
        return text.hasPrefix("be ") ? String(text.dropFirst(3)) : text
    }

    private func expectation(_ op: Operator, _ wanted: RunbookValue, _ type: FieldType) -> String {
        let shown = wanted.unknownReason == nil ? ValueText.wanted(wanted, type.element ?? type) : "unknown"
        switch op {
        case .equals: return "be \(shown)"
        case .notEquals: return "not be \(shown)"
        case .in: return "be one of \(shown)"
        case .notIn: return "be none of \(shown)"
        case .gt: return "be > \(shown)"
        case .gte: return "be >= \(shown)"
        case .lt: return "be < \(shown)"
        case .lte: return "be <= \(shown)"
        case .between: return "be within \(shown)"
        case .exists: return wanted == .bool(true) ? "be present" : "not be present"
        case .matches: return "match \(shown)"
        case .contains: return "contain \(shown)"
        case .version: return "be a version \(shown)"
        case .newerThan: return "be newer than \(shown)"
        case .olderThan: return "be older than \(shown)"
        case .every, .some, .none, .count: return shown
        }
    }

    /// The actual value; of a list the elements that decided.
    func shown(_ actual: RunbookValue, _ type: FieldType, _ comparison: Comparison) -> String {
        guard let elements = actual.elements, comparison.op != .contains else { return ValueText.actual(actual, type) }
        let element = type.element ?? .any
        guard case .elements(let test, _) = comparison.operand else { return "a list of \(elements.count)" }
        let wanted: ConditionResult.Status = comparison.op == .every ? .fail : .pass
        let deciding = elements.filter { one in
            switch test {
            case .comparison(let inner): status(of: one, element, inner) == wanted
            case .filter(let filter):
                filter.entries.isEmpty ? false : status(of: .array([one]), .list(element, uniqueKey: nil), some(filter)) == wanted
            }
        }
        if elements.isEmpty { return "an empty list" }
        let chosen = deciding.isEmpty ? elements : deciding
        let names = chosen.prefix(3).map { $0["name"]?.string ?? ValueText.actual($0, element) }
        let more = chosen.count > 3 ? " and \(chosen.count - 3) more" : ""
        return deciding.isEmpty || deciding.count == elements.count
            ? "[\(names.joined(separator: ", "))\(more)]" : "a list with \(names.joined(separator: ", "))\(more)"
    }

    private func some(_ filter: StateFilter) -> Comparison {
        Comparison(op: .some, operand: .elements(.filter(filter), allowEmpty: false), at: filter.at)
    }
}

import ClusterModel
import Operations

/// Reads conditions and filters (runbooks.md, 4.1).
package enum ConditionReader {
    /// Keys of a condition beside the operators.
    static let heads = ["path", "value", "check", "all", "any", "not"]
    static let keys = heads + ["with", "allow_empty"] + Operator.allCases.map(\.rawValue)

    package static func condition(_ node: YAMLNode, _ findings: FindingCollector) -> Condition? {
        guard let entries = node.entries else {
            if node.content != .invalid {
                findings.note(.wrongType, at: TextRange(node.position, node.position), "a condition must be a section, not \(node.kind)")
            }
            return nil
        }
        let at = entries.first.map { TextRange(keyOf: $0) } ?? TextRange(node.position, node.position)
        guard refuseUnknown(entries, keys, findings) else { return nil }
        let present = entries.filter { heads.contains($0.key) }
        guard let head = present.first else {
            guard findings.isComplete else { return nil }
            findings.note(.missingKey, at: at, "a condition needs one of \(heads.map { "`\($0)`" }.joined(separator: ", "))")
            return nil
        }
        if present.count > 1 {
            findings.note(
                .valueNotAllowed, at: TextRange(keyOf: present[1]),
                "a condition has one of `path`, `value`, `check`, `all`, `any` and `not`; this one has `\(head.key)` and `\(present[1].key)`"
            )
            return nil
        }
        return kind(head, entries, at, findings).map { Condition($0, at: at) }
    }

    private static func kind(_ head: YAMLEntry, _ entries: [YAMLEntry], _ at: TextRange, _ findings: FindingCollector) -> Condition.Kind? {
        switch head.key {
        case "path":
            refuseOthers(entries, than: ["path", "allow_empty"], operators: true, findings)
            // Both are read, so that both are checked.
            let path = StatePathParser.path(head.value, findings)
            let comparison = ConditionReader.comparison(entries, at, findings)
            guard let path, let comparison else { return nil }
            return .path(path, comparison)
        case "value":
            refuseOthers(entries, than: ["value", "allow_empty"], operators: true, findings)
            guard head.value.text != nil else {
                findings.note(
                    .wrongType, at: TextRange(head.value.position, head.value.position),
                    "`value` must be a reference, not \(head.value.kind)")
                return nil
            }
            let value = TemplateParser.template(head.value, findings)
            if value.soleReference == nil, value.references.isEmpty {
                findings.note(.wrongType, at: value.at, "`value` must be a reference such as ${params.target}")
            }
            return comparison(entries, at, findings).map { .value(value, $0) }
        case "check":
            refuseOthers(entries, than: ["check", "with"], operators: false, findings)
            return check(entries, findings).map { .check($0) }
        case "not":
            refuseOthers(entries, than: ["not"], operators: false, findings)
            return condition(head.value, findings).map { .not($0) }
        default:
            refuseOthers(entries, than: [head.key], operators: false, findings)
            guard let elements = head.value.elements, !elements.isEmpty else {
                findings.note(.wrongType, at: TextRange(keyOf: head), "`\(head.key)` must be a list of conditions that is not empty")
                return nil
            }
            let conditions = elements.compactMap { condition($0, findings) }
            return head.key == "all" ? .all(conditions) : .any(conditions)
        }
    }

    /// `check: NAME, with: {...}` among `entries`.
    static func check(_ entries: [YAMLEntry], _ findings: FindingCollector) -> CheckCall? {
        guard let check = entries.first(where: { $0.key == "check" })?.value else { return nil }
        guard let name = check.text else {
            findings.note(
                .wrongType, at: TextRange(check.position, check.position), "`check` must be the name of a check, not \(check.kind)")
            return nil
        }
        var arguments: [Argument] = []
        if let with = entries.first(where: { $0.key == "with" })?.value, !with.isNull {
            guard let members = with.entries else {
                findings.note(.wrongType, at: TextRange(with.position, with.position), "`with` must be a section, not \(with.kind)")
                return nil
            }
            arguments = members.map { Argument(Located($0.key, at: TextRange(keyOf: $0)), TemplateParser.value($0.value, findings)) }
        }
        return CheckCall(Located(name, at: TextRange(check)), arguments)
    }

    // MARK: Comparisons

    private static func comparison(_ entries: [YAMLEntry], _ at: TextRange, _ findings: FindingCollector) -> Comparison? {
        let present = entries.compactMap { entry in Operator(rawValue: entry.key).map { (op: $0, entry: entry) } }
        guard let first = present.first else {
            if findings.isComplete {
                findings.note(
                    .missingKey, at: at, "an operator is missing",
                    help: "one of \(Operator.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return nil
        }
        if present.count > 1 {
            findings.note(
                .valueNotAllowed, at: TextRange(keyOf: present[1].entry),
                "a condition has one operator; this one has `\(first.op.rawValue)` and `\(present[1].op.rawValue)`",
                help: "write two conditions in `all`")
            return nil
        }
        var allowsEmpty = false
        if let entry = entries.first(where: { $0.key == "allow_empty" }) {
            if first.op != .every {
                findings.note(.operatorType, at: TextRange(keyOf: entry), "`allow_empty` belongs to `every`")
            }
            let shape = ObjectShape("condition", "", [FieldDefinition("allow_empty", .boolean, "")])
            let single = YAMLNode(.mapping([entry]), at: entry.position, to: entry.value.end)
            allowsEmpty = ObjectReader(single, shape, findings)?.boolean("allow_empty", default: false) ?? false
        }
        return comparison(first.op, first.entry, allowsEmpty, findings)
    }

    private static func comparison(
        _ op: Operator, _ entry: YAMLEntry, _ allowsEmpty: Bool, _ findings: FindingCollector
    ) -> Comparison? {
        let at = TextRange(keyOf: entry)
        switch op {
        case .every, .some, .none:
            guard let test = elementTest(entry.value, findings) else { return nil }
            return Comparison(op: op, operand: .elements(test, allowEmpty: allowsEmpty), at: at)
        case .count:
            guard let members = entry.value.entries else {
                findings.note(
                    .wrongType, at: TextRange(keyOf: entry), "`count` must be a section such as { gte: 2 }, not \(entry.value.kind)")
                return nil
            }
            guard refuseUnknown(members, ["where"] + Operator.allCases.map(\.rawValue), findings) else { return nil }
            let filter = members.first { $0.key == "where" }.flatMap { ConditionReader.filter($0.value, findings) }
            guard let number = comparison(members.filter { $0.key != "where" }, at, findings) else { return nil }
            return Comparison(op: op, operand: .count(number, where: filter), at: at)
        default:
            return Comparison(op: op, operand: .value(TemplateParser.value(entry.value, findings)), at: at)
        }
    }

    /// `{ OP: V }` when the one key is an operator whose value is no section; else a filter.
    ///
    /// A field may be called as an operator is (`version`): the form of its value tells them apart.
    private static func elementTest(_ node: YAMLNode, _ findings: FindingCollector) -> Comparison.ElementTest? {
        guard let entries = node.entries, !entries.isEmpty else {
            findings.note(
                .wrongType, at: TextRange(node.position, node.position),
                "a test of elements must be { OPERATOR: value } or a filter, not \(node.kind)")
            return nil
        }
        if entries.count == 1, let op = Operator(rawValue: entries[0].key), entries[0].value.entries == nil {
            return comparison(op, entries[0], false, findings).map { .comparison($0) }
        }
        return filter(node, findings).map { .filter($0) }
    }

    package static func filter(_ node: YAMLNode, _ findings: FindingCollector) -> StateFilter? {
        guard let entries = node.entries, !entries.isEmpty else {
            findings.note(
                .wrongType, at: TextRange(node.position, node.position),
                "a filter must be a section such as { role: { equals: replica } }, not \(node.kind)")
            return nil
        }
        var result = StateFilter(entries: [], at: TextRange(keyOf: entries[0]))
        for entry in entries {
            let keyRange = TextRange(keyOf: entry)
            let field = StatePathParser.path(YAMLNode(.scalar(entry.key, plain: true), at: keyRange.start, to: keyRange.end), findings)
            guard let members = entry.value.entries else {
                findings.note(
                    .wrongType, at: entry.value.text == nil ? keyRange : TextRange(entry.value),
                    "field `\(Excerpt.of(entry.key))` needs a section with an operator",
                    help: "write { \(Excerpt.of(entry.key)): { equals: \(Excerpt.of(entry.value.text ?? "value")) } }")
                continue
            }
            guard refuseUnknown(members, Operator.allCases.map(\.rawValue) + ["allow_empty"], findings),
                let comparison = ConditionReader.comparison(members, keyRange, findings), let field
            else { continue }
            result.entries.append(.init(field: field, comparison: comparison))
        }
        return result
    }

    // MARK: Keys

    /// False when there is a key that nobody knows: what was meant cannot be read.
    private static func refuseUnknown(_ entries: [YAMLEntry], _ known: [String], _ findings: FindingCollector) -> Bool {
        let unknown = entries.filter { !known.contains($0.key) }
        for entry in unknown {
            findings.note(
                .unknownKey, at: TextRange(keyOf: entry), "unknown key '\(Excerpt.of(entry.key))' in a condition",
                help: Excerpt.closest(to: entry.key, among: known).map { "did you mean '\($0)'?" })
        }
        return unknown.isEmpty
    }

    private static func refuseOthers(_ entries: [YAMLEntry], than allowed: [String], operators: Bool, _ findings: FindingCollector) {
        for entry in entries where !allowed.contains(entry.key) && !heads.contains(entry.key) {
            if operators, Operator(rawValue: entry.key) != nil { continue }
            findings.note(.valueNotAllowed, at: TextRange(keyOf: entry), "`\(entry.key)` does not belong to `\(allowed[0])`")
        }
    }
}

import ClusterModel
import Operations

/// Conditions: paths, operators and the literals they compare with.
extension LintWalk {
    func check(_ condition: Condition) {
        switch condition.kind {
        case .path(let path, let comparison):
            let type = check(path)
            check(comparison, of: type ?? .any, "`\(Excerpt.of(path.source))`")
        case .value(let template, let comparison):
            var type: FieldType?
            if let reference = template.soleReference { type = check(reference) } else { check(references: template.references) }
            check(comparison, of: type ?? .any, "`\(Excerpt.of(template.source))`")
        case .check(let call): check(call)
        case .all(let conditions), .any(let conditions): conditions.forEach { check($0) }
        case .not(let inner): check(inner)
        }
    }

    func check(_ filter: StateFilter, _ element: FieldType) {
        for entry in filter.entries {
            let type = check(entry.field, in: element)
            check(entry.comparison, of: type ?? .any, "`\(Excerpt.of(entry.field.source))`")
        }
    }

    private func check(_ comparison: Comparison, of type: FieldType, _ name: String) {
        switch comparison.operand {
        case .value(let value): check(value, comparison, of: type, name)
        case .elements(let test, _):
            guard let element = element(comparison, type, name) else { return }
            switch test {
            case .comparison(let inner): check(inner, of: element, "an element of \(name)")
            case .filter(let filter):
                if element.isScalar, element != .any {
                    findings.note(.operatorType, at: filter.at, "the elements of \(name) have no fields: write { OPERATOR: value }")
                } else {
                    check(filter, element)
                }
            }
        case .count(let number, let filter):
            guard let element = element(comparison, type, name) else { return }
            check(number, of: .integer, "the number of elements")
            if let filter { check(filter, element) }
        }
    }

    private func element(_ comparison: Comparison, _ type: FieldType, _ name: String) -> FieldType? {
        if type == .any { return .any }
        if let element = type.element { return element }
        findings.note(.operatorType, at: comparison.at, "`\(comparison.op.rawValue)` is for lists; \(name) is \(type.description)")
        return nil
    }

    private func check(_ value: ValueTemplate, _ comparison: Comparison, of type: FieldType, _ name: String) {
        let op = comparison.op
        if case .list = type, op != .exists, op != .contains {
            findings.note(
                .listWithoutQuantifier, at: comparison.at, "\(name) is a list: `\(op.rawValue)` needs a quantifier",
                help: "write every, some, none or count")
            check(references: value.references)
            return
        }
        guard fits(op, type) else {
            findings.note(.operatorType, at: comparison.at, "`\(op.rawValue)` does not fit \(name), which is \(type.description)")
            check(references: value.references)
            return
        }
        switch op {
        case .exists: check(value, fits: .boolean, op)
        case .in, .notIn: checkList(value, type, op, count: nil)
        case .between: checkList(value, type, op, count: 2)
        case .contains: check(value, fits: type.element ?? .text, op)
        case .matches: check(value, fits: .text, op)
        case .newerThan, .olderThan: check(value, fits: .seconds, op)
        case .version:
            check(references: value.references)
            if case .text(let template) = value.content, let text = template.literal {
                if VersionRange(text) == nil {
                    findings.note(.operatorType, at: value.at, "'\(Excerpt.of(text))' is no version range", help: VersionRange.help)
                }
            } else if value.references.isEmpty {
                findings.note(.operatorType, at: value.at, "`version` needs a version range", help: VersionRange.help)
            }
        default: check(value, fits: type, op)
        }
    }

    private func fits(_ op: Operator, _ type: FieldType) -> Bool {
        if type == .any { return true }
        switch op {
        case .exists: return true
        case .gt, .gte, .lt, .lte, .between: return type.isOrdered
        case .matches: return type.isText
        case .contains: return type.isText || type.element?.isScalar == true
        case .version: return type == .version
        case .newerThan, .olderThan: return type == .time
        default: return type.isScalar
        }
    }

    private func checkList(_ value: ValueTemplate, _ type: FieldType, _ op: Operator, count: Int?) {
        switch value.content {
        case .list(let elements):
            if let count, elements.count != count {
                findings.note(.operatorType, at: elements.last?.at ?? value.at, "`\(op.rawValue)` needs \(count) values")
            }
            elements.forEach { check($0, fits: type, op) }
        case .text(let template) where template.soleReference != nil:
            guard let reference = template.soleReference, let found = check(reference) else { return }
            if found != .any, found.element == nil {
                findings.note(.operatorType, at: value.at, "`\(op.rawValue)` needs a list; ${\(reference.source)} is \(found.description)")
            }
        default:
            check(references: value.references)
            findings.note(.operatorType, at: value.at, "`\(op.rawValue)` needs a list of values", help: "write [a, b]")
        }
    }

    // MARK: Literals

    /// A literal must be one of the field's type; a reference must have it.
    ///
    /// - Parameter op: nil in patches, where null is a value.
    func check(_ value: ValueTemplate, fits type: FieldType, _ op: Operator?) {
        check(references: value.references)
        switch value.content {
        case .text(let template):
            if let reference = template.soleReference {
                checkReference(reference, type)
            } else if let text = template.literal {
                checkText(text, template, type)
            } else if ![FieldType.any, .text].contains(type), !type.isText {
                findings.note(.operatorType, at: value.at, "a text is no value of this field: \(type.description) is wanted")
            }
        case .literal(.null):
            if op != nil { findings.note(.operatorType, at: value.at, "null cannot be compared with", help: "write exists: false") }
        case .literal(.bool(let flag)):
            if type != .boolean, type != .any { mismatch(value.at, "\(flag)", type) }
        case .literal(let number):
            checkNumber(number, value.at, type)
        case .list(let elements):
            if let element = type.element {
                elements.forEach { check($0, fits: element, op) }
            } else if type != .any {
                mismatch(value.at, "a list", type)
            }
        case .map:
            if type.isScalar, type != .any { mismatch(TextRange(value.at.start, value.at.start), "a section", type) }
        }
    }

    private func checkReference(_ reference: Reference, _ type: FieldType) {
        guard let found = self.type(of: reference), found != .any, type != .any, found != type else { return }
        switch (found, type) {
        case (.text, .choice), (.choice, .text), (.choice, .choice), (.integer, .decimal), (.integer, .bytes), (.integer, .seconds),
            (.decimal, .seconds):
            return
        // A version or an LSN in a text keeps its form.
        case (.text, .version), (.text, .lsn), (.text, .time): return
        default:
            findings.note(
                .operatorType, at: reference.at, "${\(Excerpt.of(reference.source))} is \(found.description), not \(type.description)")
        }
    }

    private func checkText(_ text: String, _ template: Template, _ type: FieldType) {
        let isOne: Bool
        switch type {
        case .any, .text: return
        case .choice(let choices):
            if choices.contains(text) { return }
            findings.note(
                .valueNotAllowed, at: template.at, "'\(Excerpt.of(text))' is never a value of this field",
                help: Excerpt.help(for: text, among: choices))
            return
        case .boolean:
            if template.isPlain, Ambiguous.boolean(text) { return ambiguous(text, template.at, "write true or false") }
            isOne = false
        case .integer, .decimal:
            if template.isPlain, Ambiguous.number(text) { return ambiguous(text, template.at, "write a decimal number") }
            if Quantity.duration(text) != nil || Quantity.bytes(text) != nil, !Ambiguous.isNumber(text) {
                findings.note(.unit, at: template.at, "this field has no unit; '\(Excerpt.of(text))' has one")
                return
            }
            isOne = false
        case .bytes: return checkQuantity(text, template, Quantity.bytes(text) != nil, "sizes", Quantity.bytesHelp(text))
        case .seconds: return checkQuantity(text, template, Quantity.duration(text) != nil, "durations", Quantity.durationHelp(text))
        case .time: isOne = ZonedTime.seconds(text) != nil
        case .lsn: isOne = LSN(text) != nil
        case .version: isOne = SemanticVersion(text) != nil
        case .list, .object: isOne = false
        }
        if !isOne { mismatch(template.at, "'\(Excerpt.of(text))'", type) }
    }

    private func checkQuantity(_ text: String, _ template: Template, _ isOne: Bool, _ what: String, _ help: String) {
        if isOne { return }
        if template.isPlain, Ambiguous.number(text) { return ambiguous(text, template.at, "write a decimal number and a unit") }
        let beginsWithDigit = text.first.map { $0.isASCII && $0.isNumber } ?? false
        let rule: LintRule = beginsWithDigit ? .unit : .operatorType
        findings.note(rule, at: template.at, "'\(Excerpt.of(text))' does not fit a field of \(what)", help: help)
    }

    private func checkNumber(_ number: RunbookValue, _ at: TextRange, _ type: FieldType) {
        switch type {
        case .any, .decimal: return
        case .seconds: return
        case .integer, .bytes:
            if number.integer == nil { mismatch(at, ValueText.plain(number), type) }
        default: mismatch(at, ValueText.plain(number), type)
        }
    }

    private func ambiguous(_ text: String, _ at: TextRange, _ help: String) {
        findings.note(.ambiguousScalar, at: at, "'\(Excerpt.of(text))' is read differently by different programs", help: help)
    }

    private func mismatch(_ at: TextRange, _ what: String, _ type: FieldType) {
        findings.note(.operatorType, at: at, "\(what) is not \(type.description)")
    }
}

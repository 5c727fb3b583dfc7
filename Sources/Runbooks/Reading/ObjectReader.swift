import ClusterModel
import Operations

/// Reads the keys of one section by its table: unknown and missing keys are found at once, values when they are asked for.
package struct ObjectReader {
    package let node: YAMLNode
    package let shape: ObjectShape
    package let findings: FindingCollector
    package let at: TextRange

    /// - Parameter extra: Names of further keys that somebody else reads.
    package init?(_ node: YAMLNode, _ shape: ObjectShape, _ findings: FindingCollector, extra: [String] = []) {
        guard let entries = node.entries else {
            if node.content != .invalid {
                findings.note(.wrongType, at: TextRange(node), "`\(shape.name)` must be a section, not \(node.kind)")
            }
            return nil
        }
        self.node = node
        self.shape = shape
        self.findings = findings
        // A section reaches to the next one; its first key is what a person looks at.
        at = entries.first.map { TextRange(keyOf: $0) } ?? TextRange(node.position, node.position)
        let known = shape.fields.map(\.name) + extra
        for entry in entries where !known.contains(entry.key) {
            findings.note(
                .unknownKey, at: TextRange(keyOf: entry), "unknown key '\(Excerpt.of(entry.key))' in `\(shape.name)`",
                help: Excerpt.help(for: entry.key, among: known))
        }
        guard findings.isComplete else { return }
        for field in shape.fields where field.isRequired && node[field.name]?.isNull != false {
            let place = entries.first { $0.key == field.name }.map { TextRange(keyOf: $0) } ?? at
            findings.note(.missingKey, at: place, "`\(shape.name)` needs `\(field.name)`: \(field.shape.description)")
        }
    }

    /// The value of `key`; nil when it is absent or null.
    package func value(_ key: String) -> YAMLNode? {
        guard let value = node[key], !value.isNull else { return nil }
        return value
    }

    package func keyRange(_ key: String) -> TextRange {
        node.entries?.first { $0.key == key }.map { TextRange(keyOf: $0) } ?? at
    }

    // MARK: Scalars

    /// A text without references.
    package func text(_ key: String) -> Located<String>? {
        guard let value = value(key) else { return nil }
        return plainText(value, key)
    }

    package func template(_ key: String) -> Template? {
        guard let value = value(key) else { return nil }
        guard value.text != nil else { return wrong(value, key, "a text") }
        return TemplateParser.template(value, findings)
    }

    package func boolean(_ key: String, default fallback: Bool) -> Bool {
        guard let value = value(key) else { return fallback }
        if case .scalar(let text, plain: true) = value.content {
            if text == "true" || text == "false" { return text == "true" }
            if Ambiguous.boolean(text) {
                noteAmbiguous(value, text, "write true or false")
                return fallback
            }
        }
        return wrong(value, key, "true or false") ?? fallback
    }

    package func integer(_ key: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        value(key).flatMap { integer($0, key, in: range) } ?? fallback
    }

    func integer(_ value: YAMLNode, _ key: String, in range: ClosedRange<Int>) -> Int? {
        guard case .scalar(let text, plain: true) = value.content else { return wrong(value, key, "a whole number") }
        if Ambiguous.number(text) {
            noteAmbiguous(value, text, "write a decimal number without leading zero")
            return nil
        }
        guard let number = Int(text) else { return wrong(value, key, "a whole number") }
        guard range.contains(number) else {
            findings.note(
                .valueNotAllowed, at: TextRange(value), "`\(key)` is \(number); from \(range.lowerBound) to \(range.upperBound) is allowed")
            return nil
        }
        return number
    }

    package func duration(_ key: String, atLeast shortest: Duration = .zero) -> DurationValue? {
        guard let value = value(key) else { return nil }
        guard let text = value.text else { return wrong(value, key, "a duration such as 30s") }
        guard let duration = Quantity.duration(text) else {
            findings.note(
                .wrongType, at: TextRange(value), "`\(key)`: '\(Excerpt.of(text))' is not a duration", help: Quantity.durationHelp(text))
            return nil
        }
        guard duration.duration >= shortest else {
            findings.note(.valueNotAllowed, at: TextRange(value), "`\(key)` is \(duration); at least \(DurationValue(shortest)) is needed")
            return nil
        }
        return duration
    }

    package func choice<Choice: CaseIterable & RawRepresentable>(_ key: String, _ type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let text = text(key) else { return nil }
        return choice(text, key, type)
    }

    func choice<Choice: CaseIterable & RawRepresentable>(_ text: Located<String>, _ key: String, _ type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        if let choice = Choice(rawValue: text.value) { return choice }
        let names = type.allCases.map(\.rawValue)
        findings.note(
            .valueNotAllowed, at: text.at, "`\(key)` cannot be '\(Excerpt.of(text.value))'",
            help: Excerpt.help(for: text.value, among: names))
        return nil
    }

    /// An id or a name; `separator` is what may stand in it beside letters and digits.
    package func id(_ key: String, separator: Character = "-") -> Located<String>? {
        guard let text = text(key) else { return nil }
        guard NameForm.isName(text.value, separator: separator) else {
            findings.note(
                .badID, at: text.at, "`\(key)`: '\(Excerpt.of(text.value))' is no \(separator == "-" ? "id" : "name")",
                help: "a small letter, then small letters, digits and '\(separator)', at most 63")
            return nil
        }
        return text
    }

    // MARK: Lists

    /// The elements of a list; nothing when the key is absent.
    package func list(_ key: String) -> [YAMLNode] {
        guard let value = value(key) else { return [] }
        guard let elements = value.elements else { return wrong(value, key, "a list") ?? [] }
        return elements
    }

    package func texts(_ key: String) -> [Located<String>] { list(key).compactMap { plainText($0, key) } }

    package func oneOrMore(_ key: String) -> [Located<String>] {
        guard let value = value(key) else { return [] }
        if let elements = value.elements { return elements.compactMap { plainText($0, key) } }
        return plainText(value, key).map { [$0] } ?? []
    }

    package func choices<Choice: CaseIterable & RawRepresentable>(_ key: String, _ type: Choice.Type) -> [Choice]
    where Choice.RawValue == String {
        texts(key).compactMap { choice($0, key, type) }
    }

    /// `name: value` pairs with references in the values.
    package func arguments(_ key: String) -> [Argument] {
        guard let value = value(key) else { return [] }
        guard let entries = value.entries else { return wrong(value, key, "a section") ?? [] }
        return entries.map { Argument(Located($0.key, at: TextRange(keyOf: $0)), TemplateParser.value($0.value, findings)) }
    }

    /// The section at `key`.
    package func object(_ key: String, _ shape: ObjectShape) -> ObjectReader? {
        value(key).flatMap { ObjectReader($0, shape, findings) }
    }

    // MARK: Findings

    private func plainText(_ value: YAMLNode, _ key: String) -> Located<String>? {
        guard let text = value.text else { return wrong(value, key, "a text") }
        if text.contains("${") {
            findings.note(
                .valueNotAllowed, at: TextRange(value), "references are not allowed in `\(key)`", help: "write $${ for a plain ${")
        }
        return Located(text, at: TextRange(value))
    }

    private func noteAmbiguous(_ value: YAMLNode, _ text: String, _ help: String) {
        findings.note(.ambiguousScalar, at: TextRange(value), "'\(Excerpt.of(text))' is read differently by different programs", help: help)
    }

    func wrong<Value>(_ value: YAMLNode, _ key: String, _ wanted: String) -> Value? {
        guard value.content != .invalid else { return nil }
        var range = TextRange(value)
        if value.text == nil { range = TextRange(value.position, value.position) }
        findings.note(.wrongType, at: range, "`\(key)` must be \(wanted), not \(value.kind)")
        return nil
    }
}

import ClusterModel
import Operations

/// Reads a runbook strictly and reports everything that is wrong with its form; what it means is the lint's part.
package struct RunbookReader {
    let findings: FindingCollector

    /// The runbook as far as it could be read, and the findings in the order of the text.
    ///
    /// - Returns: nil for the runbook when it has no name or no risk; a runbook of a file with findings must not be run.
    package static func read(_ reading: YAMLReading, file: String) -> (runbook: Runbook?, diagnostics: [RunbookDiagnostic]) {
        let findings = FindingCollector(file: file, isComplete: reading.isComplete)
        findings.take(reading.problems)
        let runbook = reading.node.flatMap { RunbookReader(findings: findings).runbook($0) }
        return (runbook, findings.findings.sorted(by: RunbookDiagnostic.inOrder))
    }

    package func runbook(_ root: YAMLNode) -> Runbook? {
        guard let reader = ObjectReader(root, RunbookShapes.runbook, findings) else { return nil }
        constant("apiVersion", Runbook.apiVersion, reader)
        constant("kind", "Runbook", reader)
        let metadata = reader.object("metadata", RunbookShapes.metadata).flatMap { self.metadata($0) }
        // Everything below is read even when the metadata cannot be: its findings are wanted too.
        let placeholder = Runbook.Metadata(name: Located("", at: reader.at), risk: Located(.reads, at: reader.at))
        var runbook = Runbook(metadata: metadata ?? placeholder)
        runbook.parameters = reader.list("parameters").compactMap { ParameterReader(findings: findings).parameter($0) }
        runbook.vars = reader.arguments("vars")
        runbook.lock = reader.template("lock")
        runbook.timeout = reader.duration("timeout") ?? runbook.timeout
        runbook.onFailure = reader.choice("on_failure", FailurePolicy.self) ?? .abort
        runbook.preconditions = entries("preconditions", "pre", reader)
        runbook.postconditions = entries("postconditions", "post", reader)
        let steps = StepReader(findings: findings)
        runbook.steps = reader.list("steps").compactMap { steps.step($0) }
        runbook.always = reader.list("always").compactMap { steps.alwaysStep($0) }
        if let node = reader.value("steps"), node.elements?.isEmpty == true {
            findings.note(.valueNotAllowed, at: reader.keyRange("steps"), "`steps` must not be empty")
        }
        checkNames(runbook)
        checkLock(runbook)
        return metadata == nil ? nil : runbook
    }

    private func constant(_ key: String, _ wanted: String, _ reader: ObjectReader) {
        guard let text = reader.text(key), text.value != wanted else { return }
        findings.note(
            .valueNotAllowed, at: text.at, "`\(key)` is '\(Excerpt.of(text.value))'; '\(wanted)' is known",
            help: "did you mean '\(wanted)'?")
    }

    private func metadata(_ reader: ObjectReader) -> Runbook.Metadata? {
        let name = reader.id("name")
        let risk = reader.text("risk").flatMap { self.risk($0) }
        var metadata = Runbook.Metadata(name: name ?? Located("", at: reader.at), risk: risk ?? Located(.reads, at: reader.at))
        metadata.title = reader.text("title")?.value ?? ""
        metadata.guide = reader.oneOrMore("guide")
        metadata.description = reader.text("description")?.value ?? ""
        metadata.tags = reader.texts("tags").map(\.value)
        metadata.estimated = reader.duration("estimated")
        metadata.scope = reader.choice("scope", Runbook.Scope.self) ?? .cluster
        metadata.requires = reader.text("requires")
        if let range = metadata.requires, VersionRange(range.value) == nil {
            findings.note(.wrongType, at: range.at, "`requires`: '\(Excerpt.of(range.value))' is no version range", help: VersionRange.help)
            metadata.requires = nil
        }
        for capability in reader.texts("capabilities") {
            if capability.value == "exec" {
                metadata.capabilities.insert("exec")
            } else {
                findings.note(
                    .valueNotAllowed, at: capability.at, "unknown capability '\(Excerpt.of(capability.value))'",
                    help: Excerpt.help(for: capability.value, among: ["exec"]))
            }
        }
        return name == nil || risk == nil ? nil : metadata
    }

    private func risk(_ text: Located<String>) -> Located<OperationDefinition.Risk>? {
        if let risk = OperationDefinition.Risk(runbookName: text.value) { return Located(risk, at: text.at) }
        let names = OperationDefinition.Risk.inOrder.map(\.runbookName)
        findings.note(
            .valueNotAllowed, at: text.at, "`risk` cannot be '\(Excerpt.of(text.value))'", help: Excerpt.help(for: text.value, among: names)
        )
        return nil
    }

    // MARK: Conditions

    private func entries(_ key: String, _ prefix: String, _ reader: ObjectReader) -> [ConditionEntry] {
        reader.list(key).enumerated().compactMap { index, node in entry(node, "\(prefix)-\(index + 1)", isPrecondition: prefix == "pre") }
    }

    private func entry(_ node: YAMLNode, _ number: String, isPrecondition: Bool) -> ConditionEntry? {
        guard let reader = ObjectReader(node, RunbookShapes.conditionEntry, findings) else { return nil }
        let condition = RunbookReader.checkOrThat(reader)
        var name = number
        if case .check(let call)? = condition?.kind { name = call.name.value }
        var entry = ConditionEntry(
            id: reader.id("id") ?? Located(name, at: reader.at), condition: condition ?? Condition(.all([]), at: reader.at), at: reader.at)
        entry.level = reader.choice("level", ConditionEntry.Level.self) ?? .block
        entry.message = reader.template("message")
        entry.hint = reader.template("hint")
        entry.isOverridable = reader.boolean("overridable", default: false)
        entry.isRechecked = reader.boolean("recheck", default: true)
        if !isPrecondition, reader.value("overridable") != nil {
            findings.note(.valueNotAllowed, at: reader.keyRange("overridable"), "only preconditions can be overridable")
        }
        return condition == nil ? nil : entry
    }

    /// `check` with `with`, or `that`: exactly one of them.
    static func checkOrThat(_ reader: ObjectReader) -> Condition? {
        let findings = reader.findings
        switch (reader.value("check"), reader.value("that")) {
        case (.some, .some):
            findings.note(.valueNotAllowed, at: reader.keyRange("that"), "one of `check` and `that` is wanted, not both")
            return nil
        case (.some, nil):
            let entries = (reader.node.entries ?? []).filter { ["check", "with"].contains($0.key) }
            return ConditionReader.check(entries, findings).map { Condition(.check($0), at: $0.name.at) }
        case (nil, let that?):
            if reader.value("with") != nil {
                findings.note(.valueNotAllowed, at: reader.keyRange("with"), "`with` belongs to `check`")
            }
            return ConditionReader.condition(that, findings)
        case (nil, nil):
            if findings.isComplete { findings.note(.missingKey, at: reader.at, "`check` or `that` is missing") }
            return nil
        }
    }

    // MARK: Names

    private func checkNames(_ runbook: Runbook) {
        unique(runbook.parameters.map(\.name), "parameter")
        for variable in runbook.vars where !NameForm.isName(variable.name.value, separator: "_") {
            findings.note(.badID, at: variable.name.at, "'\(Excerpt.of(variable.name.value))' is no name of a variable")
        }
        unique((runbook.preconditions + runbook.postconditions).map(\.id), "condition")
        unique((runbook.steps + runbook.always).flatMap { $0.withInner }.map(\.id), "step")
    }

    private func unique(_ ids: [Located<String>], _ what: String) {
        var first: [String: TextRange] = [:]
        for id in ids where !id.value.isEmpty {
            guard let earlier = first.updateValue(first[id.value] ?? id.at, forKey: id.value) else { continue }
            findings.note(.badID, at: id.at, "\(what) '\(Excerpt.of(id.value))' is also in line \(earlier.start.line)")
        }
    }

    private func checkLock(_ runbook: Runbook) {
        guard let lock = runbook.lock else { return }
        let source = lock.source
        let isNode = source.hasPrefix("node:") && source.count > 5
        guard !isNode, !["cluster", "none"].contains(source), lock.soleReference == nil else { return }
        findings.note(
            .valueNotAllowed, at: lock.at, "`lock` cannot be '\(Excerpt.of(source))'",
            help: Excerpt.help(for: source, among: ["cluster", "none", "node:NAME"]))
    }
}

extension RunbookStep {
    /// This step and the steps of its loop.
    package var withInner: [RunbookStep] {
        guard case .forEach(let loop) = kind else { return [self] }
        return [self] + loop.steps.flatMap(\.withInner)
    }
}

extension OperationDefinition.Risk {
    /// From harmless to destructive.
    package static let inOrder: [OperationDefinition.Risk] = [.reads, .reversible, .disruptive, .destructive]
    package var rank: Int { OperationDefinition.Risk.inOrder.firstIndex(of: self) ?? 0 }
    /// `read` in runbooks, `reads` in the catalogue.
    package var runbookName: String { self == .reads ? "read" : rawValue }

    package init?(runbookName: String) {
        guard let risk = OperationDefinition.Risk.inOrder.first(where: { $0.runbookName == runbookName }) else { return nil }
        self = risk
    }
}

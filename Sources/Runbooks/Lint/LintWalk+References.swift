import ClusterModel
import Operations

/// References: what they name, and of which type it is.
extension LintWalk {
    func check(references: [Reference]) {
        for reference in references { _ = check(reference) }
    }

    /// The type of what is referred to; nil when it is unknown, which was reported.
    @discardableResult
    func check(_ reference: Reference) -> FieldType? {
        switch reference.root {
        case .params: return named(reference, "parameter", types.params.keys.sorted()) { types.params[$0] }
        case .vars: return named(reference, "variable", types.vars.sorted()) { types.vars.contains($0) ? .any : nil }
        case .run: return member(reference, of: ReferenceTypes.run)
        case .state:
            guard reference.path != nil else { return unknown(reference, "names no field of the state document") }
            return member(reference, of: schema.root)
        case .step(let id): return step(id, reference)
        case .loop(let name):
            guard let loop, loop.name == name else {
                let roots = ["params", "vars", "steps", "state", "run"] + (loop.map { [$0.name] } ?? [])
                return unknown(reference, "has an unknown root '\(Excerpt.of(name))'", help: Excerpt.help(for: name, among: roots))
            }
            return member(reference, of: loop.type)
        }
    }

    /// The same without reporting.
    func type(of reference: Reference) -> FieldType? {
        var silent = self
        silent = LintWalk(
            runbook: runbook, types: types, findings: FindingCollector(file: ""), environment: environment, finished: finished,
            uncertain: uncertain, loop: loop, areStepsKnown: areStepsKnown)
        return silent.check(reference)
    }

    private func named(_ reference: Reference, _ what: String, _ known: [String], _ type: (String) -> FieldType?) -> FieldType? {
        guard case .key(let key)? = reference.path?.steps.first else { return unknown(reference, "names no \(what)", help: nil) }
        guard let found = type(key.value) else {
            return unknown(
                reference, "names an unknown \(what) '\(Excerpt.of(key.value))'", help: Excerpt.help(for: key.value, among: known))
        }
        guard let path = reference.path, path.steps.count > 1 else { return found }
        if found == .any { return .any }
        return unknown(reference, "goes into '\(key.value)', which is \(found.description)")
    }

    private func step(_ id: String, _ reference: Reference) -> FieldType? {
        guard areStepsKnown else { return unknown(reference, "stands before the steps") }
        guard let outputs = types.outputs[id] else {
            return unknown(
                reference, "names an unknown step '\(Excerpt.of(id))'", help: Excerpt.help(for: id, among: types.outputs.keys.sorted()))
        }
        guard reference.path != nil else { return unknown(reference, "names no field of step '\(id)'") }
        if !finished.contains(id) {
            findings.note(
                .skippedStep, at: reference.at,
                uncertain.contains(id)
                    ? "'${\(Excerpt.of(reference.source))}': step '\(id)' may not have run"
                    : "'${\(Excerpt.of(reference.source))}': step '\(id)' does not run before")
        }
        return member(reference, of: outputs)
    }

    private func member(_ reference: Reference, of root: FieldType) -> FieldType? {
        guard let path = reference.path else { return root }
        switch StateSchema.resolve(path, in: root) {
        case .found(let type): return type
        case .unknownKey(let key, let known):
            return unknown(reference, "has an unknown field '\(Excerpt.of(key.value))'", help: Excerpt.help(for: key.value, among: known))
        case .misplaced(_, let message): return unknown(reference, "is wrong: \(message)")
        }
    }

    private func unknown(_ reference: Reference, _ message: String, help: String? = nil) -> FieldType? {
        findings.note(.unknownReference, at: reference.at, "'${\(Excerpt.of(reference.source))}' \(message)", help: help)
        return nil
    }

    // MARK: Paths

    /// The type a path leads to; nil when it leads nowhere, which was reported.
    @discardableResult
    func check(_ path: StatePath) -> FieldType? { check(path, in: schema.root) }

    func check(_ path: StatePath, in root: FieldType) -> FieldType? {
        check(references: path.references)
        checkSelectors(path, in: root)
        switch StateSchema.resolve(path, in: root) {
        case .found(let type): return type
        case .unknownKey(let key, let known):
            findings.note(
                .unknownPath, at: key.at, "unknown path '\(Excerpt.of(path.source))'",
                help: Excerpt.closest(to: key.value, among: known).map { "did you mean '\($0)'?" }
                    ?? "known: \(known.joined(separator: ", "))")
        case .misplaced(let range, let message):
            // `nodes.name`: a list needs a selector or a quantifier.
            let rule: LintRule = message.hasPrefix("a list stands") ? .listWithoutQuantifier : .unknownPath
            findings.note(rule, at: range ?? path.at, "'\(Excerpt.of(path.source))': \(message)")
        }
        return nil
    }

    func type(of path: StatePath) -> FieldType? {
        guard case .found(let type) = schema.resolve(path) else { return nil }
        return type
    }

    /// Values of selectors that the field never has.
    private func checkSelectors(_ path: StatePath, in root: FieldType) {
        for (index, step) in path.steps.enumerated() {
            guard case .selector(let conditions) = step else { continue }
            let before = StatePath(Array(path.steps[..<index]), at: path.at)
            guard case .found(let list) = StateSchema.resolve(before, in: root), let fields = list.element?.fields else { continue }
            for condition in conditions {
                guard let field = fields.first(where: { $0.name == condition.field.value }), let text = condition.value.literal else {
                    continue
                }
                if case .choice(let choices) = field.type, !choices.contains(text) {
                    findings.note(
                        .valueNotAllowed, at: condition.value.at, "`\(field.name)` is never '\(Excerpt.of(text))'",
                        help: Excerpt.help(for: text, among: choices))
                }
                if field.type == .boolean, text != "true", text != "false" {
                    findings.note(.operatorType, at: condition.value.at, "`\(field.name)` is true or false, not '\(Excerpt.of(text))'")
                }
            }
        }
    }
}

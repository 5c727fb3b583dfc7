import ClusterModel
import Operations

/// Walks over a runbook in the order in which it runs and looks at every name and value.
struct LintWalk {
    let runbook: Runbook
    let types: ReferenceTypes
    let findings: FindingCollector
    let environment: LintEnvironment
    /// Steps that have certainly run at the present place.
    var finished: Set<String> = []
    /// Steps before the present place that may have been skipped.
    var uncertain: Set<String> = []
    /// In a loop: its variable and what it holds.
    var loop: (name: String, type: FieldType)?
    /// Whether steps can be referred to at all.
    var areStepsKnown = true

    mutating func run() {
        areStepsKnown = false
        for parameter in runbook.parameters { parameter.filter.map { check($0, schema.node) } }
        for variable in runbook.vars { check(references: variable.value.references) }
        if let lock = runbook.lock { check(references: lock.references) }
        for entry in runbook.preconditions { check(entry) }
        areStepsKnown = true
        for step in runbook.steps { check(step) }
        for entry in runbook.postconditions { check(entry) }
        // They run after a failure of any step as well: what came before is not certain.
        uncertain.formUnion(finished)
        finished = []
        for step in runbook.always { check(step) }
        CallGraph(environment: environment, findings: findings).check(runbook)
    }

    var schema: StateSchema { types.schema }

    private func check(_ entry: ConditionEntry) {
        check(entry.condition)
        if let message = entry.message { check(references: message.references) }
        if let hint = entry.hint { check(references: hint.references) }
    }

    // MARK: Steps

    private mutating func check(_ step: RunbookStep) {
        if let when = step.when { check(when) }
        if let skip = step.skipIf { check(skip) }
        if let context = step.context { check(references: context.references) }
        switch step.kind {
        case .run(let call): check(call, isSandbox: false)
        case .wait(let wait): check(wait.until)
        case .assert(let condition, let message):
            check(condition)
            if let message { check(references: message.references) }
        case .confirm(let message, let type): check(references: (message?.references ?? []) + (type?.references ?? []))
        case .manual(let manual): check(manual)
        case .forEach(let loop): check(loop)
        case .call(let call): check(call)
        }
        // Its own outputs are there when it is checked and undone.
        note(step)
        if let expect = step.expect { check(expect) }
        if case .run(let call)? = step.undo?.value { check(call, isSandbox: false) }
    }

    private mutating func note(_ step: RunbookStep) {
        let mayBeSkipped = step.when != nil || step.skipIf != nil || (step.onFailure ?? runbook.onFailure) == .continue
        if mayBeSkipped { uncertain.insert(step.id.value) } else { finished.insert(step.id.value) }
    }

    private func check(_ manual: Manual) {
        check(references: manual.instructions.references + manual.exec.flatMap(\.references))
        if let done = manual.doneWhen { check(done) }
        for patch in manual.simulate {
            check(patch.path)
            if case .set(let value) = patch.change, let type = type(of: patch.path) {
                check(value, fits: patch.path.isToMany ? type.element ?? type : type, nil)
            } else if case .append(let value) = patch.change {
                check(references: value.references)
            }
        }
        for call in manual.sandbox { check(call, isSandbox: true) }
    }

    private mutating func check(_ each: ForEach) {
        var element = schema.node
        switch each.items {
        case .nodes(let filter): check(filter, schema.node)
        case .list(let list):
            check(references: list.references)
            element = .any
            if let reference = list.soleReference, let type = type(of: reference) { element = type.element ?? .any }
        }
        if let between = each.between { check(between.condition) }
        let before = finished
        loop = (each.variable.value, element)
        for step in each.steps { check(step) }
        loop = nil
        // Behind the loop nobody knows for which item a step ran.
        uncertain.formUnion(finished.subtracting(before))
        finished = before
    }

    private func check(_ call: RunbookCall) {
        for argument in call.params { check(references: argument.value.references) }
        guard let called = environment.runbooks[call.runbook.value] else {
            let names = environment.runbooks.keys.sorted()
            // Without a library nobody can tell.
            if !names.isEmpty {
                findings.note(
                    .callCycle, at: call.runbook.at, "there is no runbook '\(Excerpt.of(call.runbook.value))'",
                    help: Excerpt.help(for: call.runbook.value, among: names))
            }
            return
        }
        let known = called.parameters.map(\.name.value)
        for argument in call.params {
            guard let parameter = called.parameters.first(where: { $0.name.value == argument.name.value }) else {
                findings.note(
                    .argument, at: argument.name.at, "runbook '\(called.name)' has no parameter '\(Excerpt.of(argument.name.value))'",
                    help: Excerpt.help(for: argument.name.value, among: known))
                continue
            }
            guard let constant = argument.value.constant, case .failure(let problem) = parameter.value(of: constant) else { continue }
            findings.note(.argument, at: argument.value.at, "`\(argument.name.value)`: \(problem.message)", help: problem.help)
        }
        for parameter in called.parameters
        where parameter.isRequired && !call.params.contains(where: { $0.name.value == parameter.name.value }) {
            findings.note(.argument, at: call.runbook.at, "runbook '\(called.name)' needs the parameter '\(parameter.name.value)'")
        }
    }

    // MARK: Operations and checks

    private func check(_ call: OperationCall, isSandbox: Bool) {
        let vocabulary = OperationVocabulary.standard
        let name = call.operation.value
        guard let entry = vocabulary.entry(named: name) else {
            check(references: call.arguments.flatMap(\.value.references))
            let canonical = vocabulary.canonical(name)
            let candidates = vocabulary.names.filter { $0.hasPrefix("sandbox.") == isSandbox }
            findings.note(
                .unknownOperation, at: call.operation.at,
                canonical == nil
                    ? "unknown operation '\(Excerpt.of(name))'" : "'\(Excerpt.of(name))' is an alias; runbooks use canonical names",
                help: (canonical ?? Excerpt.closest(to: name, among: candidates)).map { "did you mean '\($0)'?" })
            return
        }
        if entry.isSandboxOnly != isSandbox {
            findings.note(
                .sandboxOutside, at: call.operation.at,
                isSandbox ? "'\(name)' is no operation of the sandbox" : "'\(name)' is allowed only in `sandbox` and `setup`")
        }
        check(call.arguments, of: "operation '\(name)'", entry.definition.parameters, at: call.operation.at)
    }

    func check(_ call: CheckCall) {
        guard let check = NamedCheck.named(call.name.value) else {
            self.check(references: call.arguments.flatMap(\.value.references))
            let names = NamedCheck.all.map(\.id)
            findings.note(
                .unknownCheck, at: call.name.at, "unknown check '\(Excerpt.of(call.name.value))'",
                help: Excerpt.closest(to: call.name.value, among: names).map { "did you mean '\($0)'?" })
            return
        }
        let parameters = check.parameters.map { ParameterDefinition(name: $0.name, kind: $0.kind, help: "", isRequired: $0.isRequired) }
        self.check(call.arguments, of: "check '\(check.id)'", parameters, at: call.name.at)
    }

    private func check(_ arguments: [Argument], of what: String, _ parameters: [ParameterDefinition], at: TextRange) {
        for argument in arguments {
            check(references: argument.value.references)
            guard let parameter = parameters.first(where: { $0.name == argument.name.value }) else {
                findings.note(
                    .argument, at: argument.name.at, "\(what) has no argument '\(Excerpt.of(argument.name.value))'",
                    help: Excerpt.help(for: argument.name.value, among: parameters.map(\.name)))
                continue
            }
            ArgumentTypes(findings: findings, typeOf: { type(of: $0) }).check(argument, parameter)
        }
        for parameter in parameters where parameter.isRequired && !arguments.contains(where: { $0.name.value == parameter.name }) {
            guard findings.isComplete else { continue }
            findings.note(.argument, at: at, "\(what) needs the argument '\(parameter.name)'")
        }
    }
}

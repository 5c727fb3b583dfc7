import ClusterModel
import Operations

/// Rules about a runbook as a whole: risk, confirmation, the way back, what is unused.
struct LintRules {
    let runbook: Runbook
    let findings: FindingCollector
    let environment: LintEnvironment
    private let vocabulary = OperationVocabulary.standard

    init(runbook: Runbook, findings: FindingCollector, environment: LintEnvironment) {
        self.runbook = runbook
        self.findings = findings
        self.environment = environment
    }

    /// - Parameter reader: What reading found: a rule about a step that could not be read would only confuse.
    func run(reader: [RunbookDiagnostic]) {
        file()
        requires()
        risks()
        confirmations()
        pauses()
        undos()
        exec()
        if isMutating { changes() }
        guide()
        for entry in runbook.preconditions where entry.level == .block && entry.hint == nil {
            findings.note(.noHint, at: entry.at, "precondition '\(entry.id.value)' blocks without a hint what to do")
        }
        unused()
        for step in allSteps {
            step.when.flatMap { _ in step.skipIf }.map {
                findings.note(.whenAndSkipIf, at: $0.at, "step '\(step.id.value)' has both when and skip_if")
            }
        }
        for step in allSteps {
            guard case .manual(let manual) = step.kind, manual.doneWhen != nil, manual.simulate.isEmpty else { continue }
            findings.note(
                .manualWithoutSimulation, at: step.id.at, "step '\(step.id.value)' waits for a condition that no simulate fulfils")
        }
    }

    private var allSteps: [RunbookStep] { (runbook.steps + runbook.always).flatMap(\.withInner) }

    private func entry(_ step: RunbookStep) -> OperationEntry? {
        guard case .run(let call) = step.kind else { return nil }
        return vocabulary.entry(named: call.operation.value)
    }

    private func risk(_ step: RunbookStep) -> OperationDefinition.Risk {
        switch step.kind {
        case .run(let call): vocabulary.entry(named: call.operation.value)?.risk(call.arguments) ?? .reads
        case .call(let call): environment.runbooks[call.runbook.value]?.metadata.risk.value ?? .reads
        case .manual: .reversible
        default: .reads
        }
    }

    private var isMutating: Bool { allSteps.contains { risk($0) != .reads } }

    // MARK: Metadata

    private func file() {
        let last = findings.file.split(separator: "/").last.map(String.init) ?? findings.file
        guard last != "-", last != "\(runbook.name).yaml" else { return }
        findings.note(
            .fileName, at: runbook.metadata.name.at, "`metadata.name` is '\(runbook.name)', the file is called '\(Excerpt.of(last))'",
            help: last.hasSuffix(".yaml") ? "did you mean '\(Excerpt.of(String(last.dropLast(5))))'?" : "runbooks are files NAME.yaml")
    }

    private func requires() {
        guard let requires = runbook.metadata.requires, let range = VersionRange(requires.value),
            let own = SemanticVersion(environment.version),
            !range.contains(own)
        else { return }
        findings.note(.requires, at: requires.at, "the runbook is for \(requires.value), this is pgbastion \(own)")
    }

    private func guide() {
        if runbook.metadata.guide.isEmpty {
            findings.note(.noGuide, at: runbook.metadata.name.at, "`metadata.guide` names no procedure of the operations guide")
        }
        guard let anchors = environment.anchors else { return }
        for anchor in runbook.metadata.guide where !anchors.contains(anchor.value) {
            findings.note(
                .unknownAnchor, at: anchor.at, "the guide has no anchor '\(Excerpt.of(anchor.value))'",
                help: Excerpt.closest(to: anchor.value, among: anchors.sorted()).map { "did you mean '\($0)'?" })
        }
    }

    private func risks() {
        guard let worst = allSteps.max(by: { risk($0).rank < risk($1).rank }), risk(worst).rank > runbook.metadata.risk.value.rank else {
            return
        }
        // A person's work is as risky as the author says, but it is no read.
        if case .manual = worst.kind, runbook.metadata.risk.value != .reads { return }
        findings.note(
            .riskTooLow, at: runbook.metadata.risk.at,
            "`risk` is \(runbook.metadata.risk.value.runbookName), but step '\(worst.id.value)' is \(risk(worst).runbookName)",
            help: "did you mean '\(risk(worst).runbookName)'?")
    }

    private func changes() {
        if runbook.postconditions.isEmpty {
            findings.note(.noPostconditions, at: runbook.metadata.name.at, "the runbook changes something and has no postconditions")
        }
        if let lock = runbook.lock, lock.literal == "none" {
            findings.note(
                .unlockedChange, at: lock.at, "the runbook changes something: `lock: none` is for reads", help: "did you mean 'cluster'?")
        }
    }

    // MARK: Steps

    private func confirmations() {
        var isConfirmed = false
        for step in runbook.steps.flatMap(\.withInner) {
            if case .confirm(_, let type) = step.kind, type != nil { isConfirmed = true }
            guard case .run = step.kind, risk(step) == .destructive, !isConfirmed else { continue }
            findings.note(
                .destructiveWithoutConfirm, at: step.id.at, "step '\(step.id.value)' is destructive and no typed confirm stands before it",
                help: "put a step confirm: { type: ..., message: ... } before it")
        }
    }

    private func pauses() {
        for step in allSteps {
            guard case .run(let call) = step.kind, call.operation.value == "pause" else { continue }
            if !call.arguments.contains(where: { $0.name.value == "for" }) {
                findings.note(
                    .pauseWithoutEnd, at: call.operation.at, "`pause` without `for` lasts for ever when the runbook is interrupted",
                    help: "add for: 2h")
            }
            let resumes = (runbook.always + (step.context == nil ? [] : runbook.steps)).contains { other in
                guard case .run(let call) = other.kind else { return false }
                return call.operation.value == "resume"
            }
            if !resumes {
                findings.note(.pauseWithoutEnd, at: step.id.at, "step '\(step.id.value)' pauses and no `resume` stands in `always`")
            }
        }
    }

    private func undos() {
        for step in runbook.steps.flatMap(\.withInner) {
            guard case .run(let call) = step.kind, let entry = entry(step), entry.isMutating(call.arguments) else { continue }
            if step.undo == nil, entry.compensation == nil, !step.isPointOfNoReturn {
                findings.note(
                    .mutatingWithoutUndo, at: step.id.at, "step '\(step.id.value)' changes something and cannot be undone by itself",
                    help: "say undo: none, undo: { run: ... } or point_of_no_return: true")
            }
            if step.undo?.value == .auto, entry.compensation == nil {
                findings.note(
                    .mutatingWithoutUndo, at: step.undo?.at ?? step.at,
                    "operation '\(entry.name)' has no compensation: `undo: auto` does nothing")
            }
        }
        var line: RunbookStep?
        for step in runbook.steps {
            if step.isPointOfNoReturn, line == nil { line = step }
            guard let line, step.id != line.id, let undo = step.undo, undo.value != .nothing else { continue }
            findings.note(
                .undoNeverRuns, at: undo.at,
                "the undo of '\(step.id.value)' stands behind '\(line.id.value)', from where nothing is undone", help: nil)
        }
    }

    private func exec() {
        for step in allSteps {
            guard case .manual(let manual) = step.kind, let first = manual.exec.first, !runbook.metadata.capabilities.contains("exec")
            else { continue }
            findings.note(
                .execWithoutCapability, at: first.at, "step '\(step.id.value)' runs a program",
                help: "add capabilities: [ exec ] to metadata")
        }
    }

    private func unused() {
        let used = ReferenceCollector.references(of: runbook)
        func names(_ root: Reference.Root) -> Set<String> {
            Set(
                used.compactMap { reference in
                    guard reference.root == root, case .key(let key)? = reference.path?.steps.first else { return nil }
                    return key.value
                })
        }
        let params = names(.params)
        for parameter in runbook.parameters where !params.contains(parameter.name.value) {
            findings.note(.unused, at: parameter.name.at, "parameter '\(parameter.name.value)' is not used")
        }
        let vars = names(.vars)
        for variable in runbook.vars where !vars.contains(variable.name.value) {
            findings.note(.unused, at: variable.name.at, "variable '\(variable.name.value)' is not used")
        }
    }
}

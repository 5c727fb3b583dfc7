import ClusterModel
import Operations

/// What the cases of a runbook must show, and whether they do (runbooks.md, section 13).
package struct Coverage {
    package var library: [String: LoadedRunbook]
    package var tests: [TestFile]
    /// Names of the runbooks that the package ships: their gaps are errors.
    package var shipped: Set<String>
    /// Path of a runbook's file, for diagnostics.
    package var file: (String) -> String

    package init(library: [String: LoadedRunbook], tests: [TestFile], shipped: Set<String>, file: @escaping (String) -> String) {
        self.library = library
        self.tests = tests
        self.shipped = shipped
        self.file = file
    }

    /// Runbooks without a case in the sandbox: there cannot be two clusters yet.
    static let exemptFromSandbox: Set<String> = ["blue-green-cutover"]

    package var findings: [RunbookDiagnostic] {
        library.values.sorted { $0.name < $1.name }.flatMap { gaps($0.runbook) }.sorted(by: RunbookDiagnostic.inOrder)
    }

    /// Nobody can write before there is a first node.
    static let exemptFromLoad: Set<String> = ["bootstrap-first-node"]

    private func gaps(_ runbook: Runbook) -> [RunbookDiagnostic] {
        let cases = tests.filter { $0.runbook.value == runbook.name }.flatMap(\.cases)
        var gaps: [(TextRange, String)] = []
        let name = runbook.metadata.name.at
        if !cases.contains(where: { $0.expected.status == .succeeded && $0.faults.isEmpty }) {
            gaps.append((name, "no case that succeeds"))
        }
        for entry in runbook.preconditions where entry.level == .block {
            let isShown = cases.contains { $0.expected.failedCheck?.value == entry.id.value && $0.expected.steps?.isEmpty == true }
            if !isShown { gaps.append((entry.id.at, "no case in which only the precondition '\(entry.id.value)' fails, with `steps: []`")) }
        }
        let mutating = runbook.allSteps.dropLast(runbook.always.count).filter(\.isMutatingRun)
        for step in mutating where !cases.contains(where: { Coverage.hasError($0, step.id.value) }) {
            gaps.append((step.id.at, "no case in which step '\(step.id.value)' fails"))
        }
        gaps += crashGaps(runbook, cases)
        gaps += alwaysGaps(runbook, cases)
        for step in runbook.allSteps {
            guard case .confirm(_, .some) = step.kind else { continue }
            let isShown = cases.contains {
                $0.expected.failedStep?.value == step.id.value && $0.answers.contains { $0.step.value == step.id.value }
            }
            if !isShown { gaps.append((step.id.at, "no case in which the confirmation '\(step.id.value)' is refused")) }
        }
        if runbook.metadata.risk.value != .reads, !Coverage.exemptFromSandbox.contains(runbook.name) {
            let isShown = cases.contains { one in
                one.place == .sandbox
                    && (acceptsLoss(one) || Coverage.exemptFromLoad.contains(runbook.name)
                        || one.setup.contains { $0.operation.value == "sandbox.load" })
            }
            if !isShown { gaps.append((name, "no case on the sandbox under sandbox.load")) }
        }
        return gaps.map { at, message in
            var finding = RunbookDiagnostic(.coverage, file: file(runbook.name), at: at, message)
            finding.severity = shipped.contains(runbook.name) ? .error : .warning
            return finding
        }
    }

    private func crashGaps(_ runbook: Runbook, _ cases: [TestCase]) -> [(TextRange, String)] {
        let crashing = cases.filter { one in
            one.resumes && !one.expected.executedOnce.isEmpty && one.faults.contains { if case .crash = $0.kind { true } else { false } }
        }
        let final = runbook.allSteps.filter(\.isPointOfNoReturn)
        guard !final.isEmpty else {
            return crashing.isEmpty ? [(runbook.metadata.name.at, "no case with a crash, `resume: true` and `executed_once`")] : []
        }
        let isShown = crashing.contains { one in
            one.faults.contains { fault in fault.kind == .crash(after: true) && final.contains { $0.id.value == fault.step } }
        }
        return isShown ? [] : [(final[0].id.at, "no case with a crash after the point of no return, `resume: true` and `executed_once`")]
    }

    private func alwaysGaps(_ runbook: Runbook, _ cases: [TestCase]) -> [(TextRange, String)] {
        runbook.always.compactMap { step in
            let isShown = cases.contains { one in
                one.expected.status != .succeeded && one.expected.alwaysRan?.contains { $0.value == step.id.value } == true
            }
            return isShown ? nil : (step.id.at, "no case that shows the always step '\(step.id.value)' after a failure")
        }
    }

    private static func hasError(_ one: TestCase, _ step: String) -> Bool {
        one.faults.contains { fault in
            guard fault.matches(step), case .error = fault.kind else { return false }
            return true
        }
    }

    /// Losing something was accepted by the operator.
    private func acceptsLoss(_ one: TestCase) -> Bool {
        one.params["allow_data_loss"].map { !["0B", "0"].contains($0.plainText) } ?? false
    }
}

/// Names that test files get wrong (RB091), and fixtures that are no state documents (RB092).
package struct TestFileLint {
    package var library: [String: LoadedRunbook]
    package var loadState: (String) -> Result<JSONValue, BastionError>

    package init(library: [String: LoadedRunbook], loadState: @escaping (String) -> Result<JSONValue, BastionError>) {
        self.library = library
        self.loadState = loadState
    }

    package func findings(_ file: TestFile) -> [RunbookDiagnostic] {
        var findings: [RunbookDiagnostic] = []
        func note(_ rule: LintRule, _ at: TextRange, _ message: String, _ help: String? = nil) {
            findings.append(RunbookDiagnostic(rule, file: file.file, at: at, message, help: help))
        }
        guard let runbook = library[file.runbook.value]?.runbook else {
            note(
                .unknownInTest, file.runbook.at, "there is no runbook '\(Excerpt.of(file.runbook.value))'",
                Excerpt.help(for: file.runbook.value, among: library.keys.sorted()))
            return findings
        }
        let steps = Set(
            pathsOfSteps(runbook, prefix: "", depth: 0).flatMap { path in [path, String(path.split(separator: "/").last ?? "")] })
        let checks = (runbook.preconditions + runbook.postconditions).map(\.id.value)
        for one in file.cases {
            let expected = one.expected
            let named =
                one.faultSteps + one.answers.map(\.step) + (expected.steps ?? []) + (expected.undone ?? []) + (expected.alwaysRan ?? [])
                + expected.executedOnce
            for step in named where !steps.contains(step.value) {
                note(
                    .unknownInTest, step.at, "the runbook has no step '\(Excerpt.of(step.value))'",
                    Excerpt.help(for: step.value, among: steps.sorted()))
            }
            if let step = expected.failedStep, !steps.contains(step.value), !checks.contains(step.value) {
                note(
                    .unknownInTest, step.at, "the runbook has no step '\(Excerpt.of(step.value))'",
                    Excerpt.help(for: step.value, among: steps.sorted()))
            }
            if let check = expected.failedCheck, !checks.contains(check.value) {
                note(
                    .unknownInTest, check.at, "the runbook has no condition '\(Excerpt.of(check.value))'",
                    Excerpt.help(for: check.value, among: checks))
            }
            if let state = one.state, case .failure(let error) = loadState(state.value) {
                note(.badFixture, state.at, "'\(Excerpt.of(state.value))' is no state document: \(error.message)", error.hint)
            }
        }
        return findings.sorted(by: RunbookDiagnostic.inOrder)
    }

    private func pathsOfSteps(_ runbook: Runbook, prefix: String, depth: Int) -> [String] {
        runbook.allSteps.flatMap { step -> [String] in
            let path = prefix + step.id.value
            guard case .call(let call) = step.kind, depth < RunEngine.deepestCall, let called = library[call.runbook.value] else {
                return [path]
            }
            return [path] + pathsOfSteps(called.runbook, prefix: path + "/", depth: depth + 1)
        }
    }
}

extension RunbookStep {
    /// It calls an operation that changes something.
    var isMutatingRun: Bool {
        guard case .run(let call) = kind else { return false }
        return RunEngine.isMutating(call)
    }
}

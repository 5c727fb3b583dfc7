import ClusterModel
import Operations

/// `<name>.test.yaml`: cases that show what a runbook does (runbooks.md, section 9).
package struct TestFile: Sendable {
    package var file: String
    package var runbook: Located<String>
    package var cases: [TestCase]
}

package struct TestCase: Sendable {
    package enum Place: String, Sendable, Hashable, CaseIterable { case simulator, sandbox }

    package var name: Located<String>
    package var place = Place.simulator
    /// A file or `builtin:X`.
    package var state: Located<String>?
    package var patches: [StatePatch] = []
    /// Documents of other clusters that steps address by `context`.
    package var contexts: [(name: String, state: String)] = []
    /// Operations before the run, in the sandbox.
    package var setup: [OperationCall] = []
    package var params: [String: JSONValue] = [:]
    /// By id of a confirm or manual step.
    package var answers: [(step: Located<String>, text: String)] = []
    package var faults: [SimulatedFault] = []
    /// Where each fault's step is named, for the lint of test files.
    package var faultSteps: [Located<String>] = []
    package var resumes = false
    package var expected = Expectation()
    package var at: TextRange

    package struct Expectation: Sendable {
        package var status: RunStatus?
        package var exit: Int32?
        package var failedCheck: Located<String>?
        package var failedStep: Located<String>?
        package var steps: [Located<String>]?
        package var undone: [Located<String>]?
        package var alwaysRan: [Located<String>]?
        package var executedOnce: [Located<String>] = []
        package var final: [Condition] = []
    }
}

/// Reads test files with the pieces that read runbooks.
package struct TestFileReader {
    private let findings: FindingCollector

    package static func read(_ reading: YAMLReading, file: String) -> (file: TestFile?, diagnostics: [RunbookDiagnostic]) {
        let findings = FindingCollector(file: file, isComplete: reading.isComplete)
        findings.take(reading.problems)
        let found = reading.node.flatMap { TestFileReader(findings: findings).file($0, file) }
        return (found, findings.findings.sorted(by: RunbookDiagnostic.inOrder))
    }

    private init(findings: FindingCollector) { self.findings = findings }

    private func file(_ root: YAMLNode, _ name: String) -> TestFile? {
        guard let reader = ObjectReader(root, TestShapes.file, findings), let runbook = reader.id("runbook") else { return nil }
        let cases = reader.list("cases").compactMap { testCase($0) }
        var names: Set<String> = []
        for one in cases where !names.insert(one.name.value).inserted {
            findings.note(.badID, at: one.name.at, "two cases are called '\(Excerpt.of(one.name.value))'")
        }
        return TestFile(file: name, runbook: runbook, cases: cases)
    }

    private func testCase(_ node: YAMLNode) -> TestCase? {
        guard let reader = ObjectReader(node, TestShapes.testCase, findings), let name = reader.text("name") else { return nil }
        var one = TestCase(name: name, at: reader.at)
        one.place = reader.choice("on", TestCase.Place.self) ?? .simulator
        one.state = reader.text("state")
        one.patches = StepReader.patches("patch", reader)
        one.contexts = (reader.value("contexts")?.entries ?? []).compactMap { entry in entry.value.text.map { (entry.key, $0) } }
        one.setup = reader.list("setup").compactMap { operation($0) }
        one.params = Dictionary(reader.arguments("params").compactMap { argument in constant(argument).map { (argument.name.value, $0) } })
        {
            first, _ in first
        }
        one.answers = reader.arguments("answers").compactMap { argument in
            constant(argument).map { (argument.name, ValueText.plain($0)) }
        }
        for node in reader.list("faults") {
            guard let (fault, step) = fault(node) else { continue }
            one.faults.append(fault)
            one.faultSteps.append(step)
        }
        one.resumes = reader.boolean("resume", default: false)
        if let expect = reader.object("expect", TestShapes.expect) { one.expected = expectation(expect) }
        if one.place == .simulator, let first = one.setup.first {
            findings.note(.sandboxOutside, at: first.operation.at, "`setup` belongs to cases with `on: sandbox`")
        }
        return one
    }

    private func constant(_ argument: Argument) -> JSONValue? {
        if let value = argument.value.constant { return value }
        findings.note(.valueNotAllowed, at: argument.value.at, "references are not allowed here")
        return nil
    }

    private func operation(_ node: YAMLNode) -> OperationCall? {
        guard let reader = ObjectReader(node, TestShapes.operation, findings), let name = reader.text("run") else { return nil }
        return OperationCall(name, reader.arguments("with"))
    }

    private func fault(_ node: YAMLNode) -> (SimulatedFault, Located<String>)? {
        guard let reader = ObjectReader(node, TestShapes.fault, findings), let step = reader.text("step") else { return nil }
        let times = reader.integer("times", in: 1...1000, default: 1)
        if let error = reader.choice("error", TestShapes.FaultError.self) {
            return (SimulatedFault(step: step.value, kind: .error(error.code), times: times), step)
        }
        if let crash = reader.choice("crash", TestShapes.CrashPlace.self) {
            return (SimulatedFault(step: step.value, kind: .crash(after: crash == .after), times: times), step)
        }
        let patches = StepReader.patches("patch", reader)
        if patches.isEmpty, findings.isComplete {
            findings.note(.missingKey, at: reader.at, "a fault needs one of `error`, `crash` and `patch`")
        }
        return (SimulatedFault(step: step.value, kind: .patch(patches), times: times), step)
    }

    private func expectation(_ reader: ObjectReader) -> TestCase.Expectation {
        var expected = TestCase.Expectation()
        expected.status = reader.choice("status", RunStatus.self)
        if reader.value("exit") != nil { expected.exit = Int32(reader.integer("exit", in: 0...255, default: 0)) }
        expected.failedCheck = reader.text("failed_check")
        expected.failedStep = reader.text("failed_step")
        expected.steps = reader.value("steps") == nil ? nil : reader.texts("steps")
        expected.undone = reader.value("undone") == nil ? nil : reader.texts("undone")
        expected.alwaysRan = reader.value("always_ran") == nil ? nil : reader.texts("always_ran")
        expected.executedOnce = reader.texts("executed_once")
        expected.final = reader.list("final").compactMap { ConditionReader.condition($0, findings) }
        return expected
    }
}

/// The keys of test files.
package enum TestShapes {
    enum FaultError: String, CaseIterable {
        case timeout, unreachable, refused, failed, incomplete
        var code: ErrorCode {
            switch self {
            case .timeout: .timeout
            case .unreachable: .unavailable
            case .refused: .preconditionFailed
            case .failed: .failed
            case .incomplete: .incomplete
            }
        }
    }
    enum CrashPlace: String, CaseIterable { case before, after }

    static let file = ObjectShape(
        "test file", "Cases of one runbook.",
        [
            FieldDefinition("runbook", .id, required: true, "Name of the runbook."),
            FieldDefinition("cases", .list(.object("case")), required: true, "The cases."),
        ])

    static let testCase = ObjectShape(
        "case", "One run and what must come of it.",
        [
            FieldDefinition("name", .text, required: true, "Unique in the file."),
            FieldDefinition("on", .choice(TestCase.Place.allCases.map(\.rawValue)), default: "simulator", "Where it runs."),
            FieldDefinition("state", .text, "Start state of the simulator: a file or builtin:X."),
            FieldDefinition("patch", .list(.object("patch")), default: "[]", "Changes of the start state."),
            FieldDefinition("contexts", .map(.text), default: "{}", "Start states of other clusters, by context."),
            FieldDefinition("setup", .list(.object("sandbox")), default: "[]", "Operations before the run, in the sandbox."),
            FieldDefinition("params", .map(.value), default: "{}", "Parameters of the run."),
            FieldDefinition("answers", .map(.text), default: "{}", "By id of a confirm or manual step: what the operator types."),
            FieldDefinition("faults", .list(.object("fault")), default: "[]", "What goes wrong."),
            FieldDefinition("resume", .boolean, default: "false", "After a crash, resume and go on."),
            FieldDefinition("expect", .object("expect"), "What must come of it."),
        ])

    static let operation = ObjectShape(
        "sandbox", "An operation.",
        [
            FieldDefinition("run", .operation, required: true, "Its name."),
            FieldDefinition("with", .map(.value), default: "{}", "Its arguments."),
        ])

    static let fault = ObjectShape(
        "fault", "Something that goes wrong on purpose.",
        [
            FieldDefinition("step", .text, required: true, "Id of the step."),
            FieldDefinition("error", .choice(FaultError.allCases.map(\.rawValue)), "The step fails so."),
            FieldDefinition("crash", .choice(CrashPlace.allCases.map(\.rawValue)), "The runner dies there."),
            FieldDefinition("patch", .list(.object("patch")), "The world changes just before the step."),
            FieldDefinition("times", .integer(1...1000), default: "1", "How often."),
        ])

    static let expect = ObjectShape(
        "expect", "What must come of a case.",
        [
            FieldDefinition("status", .choice(RunStatus.allCases.map(\.rawValue)), "State of the run."),
            FieldDefinition("exit", .integer(0...255), "Exit status."),
            FieldDefinition("failed_check", .text, "A precondition that fails."),
            FieldDefinition("failed_step", .text, "The step that decides."),
            FieldDefinition("steps", .list(.text), "Executed, in this order."),
            FieldDefinition("undone", .list(.text), "Undone, in this order."),
            FieldDefinition("always_ran", .list(.text), "Steps of `always` that ran."),
            FieldDefinition("executed_once", .list(.text), "Carried out exactly once."),
            FieldDefinition("final", .list(.condition), "Hold of the last state."),
        ])
}

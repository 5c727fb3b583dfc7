import ClusterModel
import Operations

/// How one case ended.
package struct CaseReport: Sendable, Hashable {
    package enum Outcome: String, Sendable, Hashable { case passed, failed, skipped }
    package var file: String
    package var runbook: String
    package var name: String
    package var place: TestCase.Place
    package var outcome: Outcome
    /// What is not as expected.
    package var problems: [String] = []
    /// What led there: differences of the state per step, and the deciding condition.
    package var trace: [String] = []
    package var result: RunResult?
    package var at: TextRange
    package var seconds = 0.0

    package init(_ file: TestFile, _ one: TestCase, _ outcome: Outcome) {
        self.file = file.file
        runbook = file.runbook.value
        name = one.name.value
        place = one.place
        self.outcome = outcome
        at = one.at
    }

    package var text: String {
        let head = "\(outcome == .passed ? "ok  " : outcome == .skipped ? "skip" : "FAIL") \(runbook): \(name)"
        guard outcome == .failed else { return head }
        return ([head] + problems.map { "     \($0)" } + trace.map { "       \($0)" }).joined(separator: "\n")
    }
}

/// Runs the cases of test files on the simulator: pure, with virtual time.
package struct TestRunner: Sendable {
    package var library: [String: LoadedRunbook]
    /// A fixture by the name a case gives; `builtin:X` is known here.
    package var loadState: @Sendable (String) throws(BastionError) -> JSONValue

    package init(library: [String: LoadedRunbook], loadState: @escaping @Sendable (String) throws(BastionError) -> JSONValue) {
        self.library = library
        self.loadState = loadState
    }

    /// - Returns: One report for each case; those of the sandbox are skipped.
    package func run(_ file: TestFile) async -> [CaseReport] {
        var reports: [CaseReport] = []
        for one in file.cases { reports.append(await run(one, of: file)) }
        return reports
    }

    package func run(_ one: TestCase, of file: TestFile) async -> CaseReport {
        guard one.place == .simulator else { return CaseReport(file, one, .skipped) }
        var report = CaseReport(file, one, .failed)
        do throws(BastionError) {
            let world = try world(one)
            let result = try await carryOut(one, file, world)
            report.result = result
            report.problems = CaseJudge(one: one, result: result, final: world.finalState, executions: world.executions).problems
            report.outcome = report.problems.isEmpty ? .passed : .failed
            if !report.problems.isEmpty { report.trace = trace(world, result) }
        } catch {
            report.problems = [error.description]
        }
        return report
    }

    package func state(_ name: String) throws(BastionError) -> JSONValue {
        if name.hasPrefix(BuiltinState.prefix) {
            guard let builtin = BuiltinState(source: name) else {
                throw BastionError(
                    .notFound, "there is no state \"\(name)\"",
                    hint: NameSuggestion.hint(for: name, among: BuiltinState.allCases.map { BuiltinState.prefix + $0.rawValue }))
            }
            return try builtin.document()
        }
        return try loadState(name)
    }

    package func world(_ one: TestCase) throws(BastionError) -> SimulatedWorld {
        var state = try state(one.state?.value ?? "builtin:healthy-3")
        for patch in one.patches { state = EvaluationScope(state: state).apply(patch, to: state) }
        var contexts: [String: JSONValue] = [:]
        for (name, source) in one.contexts { contexts[name] = try self.state(source) }
        let answers = Dictionary(one.answers.map { ($0.step.value, $0.text) }) { first, _ in first }
        return SimulatedWorld(state: state, contexts: contexts, faults: one.faults, answers: answers)
    }

    /// Runs, and resumes after each invented death when the case says so.
    private func carryOut(_ one: TestCase, _ file: TestFile, _ world: SimulatedWorld) async throws(BastionError) -> RunResult {
        let order = try order(one, file, state: world.finalState)
        return try await TestRunner.run(order, in: world, resumes: one.resumes)
    }

    package func order(_ one: TestCase, _ file: TestFile, state: JSONValue) throws(BastionError) -> RunOrder {
        guard let main = library[file.runbook.value] else {
            throw BastionError(
                .notFound, "there is no runbook \"\(file.runbook.value)\"",
                hint: NameSuggestion.hint(for: file.runbook.value, among: library.keys.sorted()))
        }
        let params = try ParameterValues.resolve(main.runbook, given: one.params, state: state)
        var order = RunOrder(
            runID: "run-simulated", main: main, library: library, params: params, user: "tester", host: "simulator")
        order.allowsExec = false
        return order
    }

    /// - Parameter resumes: After a death the run goes on from its journal; else the death is the end of the case.
    package static func run(_ order: RunOrder, in world: SimulatedWorld, resumes: Bool) async throws(BastionError) -> RunResult {
        var order = order
        for _ in 0..<most {
            let engine = RunEngine(order: order, world: world)
            do throws(RunHalt) {
                return try await engine.run()
            } catch {
                guard resumes else {
                    var result = engine.result
                    result.status = .interrupted
                    result.exitStatus = 137
                    return result
                }
                order.journal = try Journal.read(world.lines.map { $0 + "\n" }.joined())
                // Nothing was written: it never began.
                guard order.journal.header != nil else { continue }
                order.memory = RunMemory(order.journal).resumed()
                order.mode = .resume(.init())
            }
        }
        throw BastionError(.failed, "the run did not come to an end")
    }

    /// Limit: deaths of one case.
    private static let most = 1000

    /// The shortest way there: what each step changed, then what decided.
    private func trace(_ world: SimulatedWorld, _ result: RunResult) -> [String] {
        var lines = world.trace.map(\.text)
        if let failure = result.failure {
            lines.append("decided by \(failure.step)\(failure.item.map { "[\($0)]" } ?? ""): \(failure.condition ?? failure.message)")
        }
        lines.append("ended \(result.status.rawValue) with \(result.exitStatus)")
        return lines
    }
}

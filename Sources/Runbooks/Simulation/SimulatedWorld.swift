import ClusterModel
import Operations

/// A run's outside in memory: state documents that operations change, virtual time, invented faults.
package final class SimulatedWorld: RunWorld {
    /// By context; the empty name is the run's own cluster.
    package private(set) var states: [String: SimulatedState]
    private let initial: SimulatedState
    package private(set) var now: Int64
    package var signals: [RunSignal] = []
    package var isInteractive: Bool { true }
    package private(set) var lines: [String] = []
    /// What the replicated state remembers of calls.
    private var keys: [String: Result<JSONValue, BastionError>] = [:]
    /// Every call that had an effect, in order: step and operation.
    package private(set) var executions: [Execution] = []
    package private(set) var trace: [TraceEntry] = []
    package var faults: [SimulatedFault]
    package var answers: [String: String]
    /// The journal's line at which the process dies; nil: none.
    package var crashAtLine: Int?
    /// Nothing is refused: a plan shows what the checks say instead.
    package var isPlan = false
    package private(set) var calls: [SimulatedCall] = []
    private var lockHolder: String?
    /// The documents before the present step.
    private var before: [String: JSONValue] = [:]

    package struct Execution: Sendable, Hashable {
        package var step: String
        package var item: String?
        package var operation: String
        package var isMutating: Bool

        package init(step: String, item: String?, operation: String, isMutating: Bool) {
            self.step = step
            self.item = item
            self.operation = operation
            self.isMutating = isMutating
        }
    }

    /// What one step did to the state.
    package struct TraceEntry: Sendable, Hashable {
        package var text: String
    }

    package init(state: JSONValue, contexts: [String: JSONValue] = [:], faults: [SimulatedFault] = [], answers: [String: String] = [:]) {
        var states = ["": SimulatedState(state)]
        for (name, document) in contexts { states[name] = SimulatedState(document) }
        self.states = states
        initial = SimulatedState(state)
        self.faults = faults
        self.answers = answers
        now = Int64((states[""]?.capturedAt).flatMap { Timestamp.seconds($0) } ?? 0) * 1000
    }

    package var finalState: JSONValue { states[""]?.document ?? .object([]) }

    // MARK: RunWorld

    package func state(context: String?) -> Result<JSONValue, BastionError> {
        makeContext(context ?? "")
        return .success(states[context ?? ""]?.document ?? .object([]))
    }

    /// Another cluster that no case describes begins as the run's own did.
    private func makeContext(_ name: String) {
        if states[name] == nil { states[name] = initial }
    }

    package func write(_ line: String) throws(RunHalt) {
        if let crashAtLine, lines.count >= crashAtLine {
            self.crashAtLine = nil
            throw .crash
        }
        lines.append(line)
    }

    package func prepare(_ step: String, item: String?) throws(RunHalt) -> BastionError? {
        before = Dictionary(states.map { ($0.key, $0.value.document) }) { first, _ in first }
        var error: BastionError?
        for index in faults.indices where faults[index].matches(step) {
            switch faults[index].kind {
            case .patch(let patches):
                guard faults[index].take() else { continue }
                for patch in patches { apply(patch, scope: nil, context: nil) }
            case .crash(after: false):
                if faults[index].take() { throw .crash }
            case .error(let code) where code != .incomplete:
                if error == nil, faults[index].take() { error = BastionError(code, "an invented fault: \(code.rawValue)") }
            default: break
            }
        }
        if let error { trace.append(TraceEntry(text: "\(step): \(error.message)")) }
        return error
    }

    package func completed(_ step: String, item: String?) throws(RunHalt) {
        let name = item.map { "\(step)[\($0)]" } ?? step
        for (context, state) in states.sorted(by: { $0.key < $1.key }) {
            let changes = StateDifference.between(before[context] ?? .null, state.document)
            if !changes.isEmpty {
                trace.append(
                    TraceEntry(text: "\(name)\(context.isEmpty ? "" : " (\(context))"): " + changes.map(\.text).joined(separator: "; ")))
            }
        }
        for index in faults.indices where faults[index].matches(step) {
            if case .crash(after: true) = faults[index].kind, faults[index].take() { throw .crash }
        }
    }

    package func call(_ request: StepRequest) -> Result<JSONValue, BastionError> {
        if let known = keys[request.key] { return known }
        let outcome = perform(request)
        keys[request.key] = outcome
        return outcome
    }

    private func perform(_ request: StepRequest) -> Result<JSONValue, BastionError> {
        let context = request.context ?? ""
        makeContext(context)
        guard var state = states[context] else { return .failure(BastionError(.notFound, "there is no context \"\(context)\"")) }
        let effect = OperationEffect.of(request.invocation.operation)
        let invocations = effect.checks(state, request.invocation)
        let checks = BuiltinChecks.judge(invocations, state: state.document)
        if !isPlan, !effect.isSatisfied(state, request.invocation), request.isMutating,
            let refusal = BuiltinChecks.refusal(invocations, state: state.document, request)
        {
            return .failure(refusal)
        }
        do throws(BastionError) {
            let output = try effect.perform(on: &state, request.invocation)
            calls.append(
                SimulatedCall(
                    request: request, output: output, changes: StateDifference.between(states[context]?.document ?? .null, state.document),
                    checks: checks))
            states[context] = state
            executions.append(
                Execution(
                    step: request.step, item: request.item, operation: request.invocation.operation,
                    isMutating: request.isMutating && !output.saysAlreadySo))
            for index in faults.indices where faults[index].matches(request.step) {
                if case .error(.incomplete) = faults[index].kind, faults[index].take() {
                    return .failure(BastionError(.incomplete, "an invented fault: the operation did not finish everything"))
                }
            }
            return .success(output)
        } catch {
            return .failure(error)
        }
    }

    package func outcome(of request: StepRequest) -> KeyOutcome {
        keys[request.key].map { .finished($0) } ?? .neverHeard
    }

    package func sleep(milliseconds: Int64) {
        now += milliseconds
        for name in states.keys { states[name]?.advance(by: Double(milliseconds) / 1000) }
    }

    package func canAnswer(_ question: RunQuestion) -> Bool { true }

    /// Everything is confirmed unless an answer of the case says otherwise.
    package func ask(_ question: RunQuestion) -> RunReply {
        switch question {
        case .risk(_, let name): name.map { .text($0) } ?? .yes
        case .override(_, let name): .text(name)
        case .next: .yes
        case .confirm(let step, _, let type): answers[lastPart(step)].map { .text($0) } ?? type.map { .text($0) } ?? .yes
        case .acknowledge(let step, _):
            ["no", "refuse"].contains(answers[lastPart(step)]) ? .no : answers[lastPart(step)] == "later" ? .later : .yes
        }
    }

    private func lastPart(_ step: String) -> String { String(step.split(separator: "/").last ?? Substring(step)) }

    /// The work is done at once: its `simulate` patches say what it changes.
    package func begin(_ work: ManualWork) -> Result<Void, BastionError> {
        executions.append(Execution(step: work.step, item: work.item, operation: "manual", isMutating: !work.patches.isEmpty))
        for patch in work.patches { apply(patch, scope: work.scope, context: nil) }
        states[""]?.refreshVersions()
        return .success(())
    }

    private func apply(_ patch: StatePatch, scope: EvaluationScope?, context: String?) {
        guard var state = states[context ?? ""] else { return }
        let scope = scope ?? EvaluationScope(state: state.document)
        state.document = scope.apply(patch, to: state.document)
        states[context ?? ""] = state
    }

    package func acquireLock(_ lock: LockRequest) -> BastionError? {
        guard lockHolder == nil || lockHolder == lock.runID else {
            return BastionError(.locked, "run \"\(lockHolder ?? "")\" has the lock")
        }
        lockHolder = lock.runID
        return nil
    }

    package func releaseLock() { lockHolder = nil }
    package func report(_ event: RunEvent) {}
}

/// One call, with what it changed and what its checks said before.
package struct SimulatedCall: Sendable, Hashable {
    package var request: StepRequest
    package var output: JSONValue
    package var changes: [StateDifference]
    package var checks: [JudgedEntry]
}

/// Something that goes wrong on purpose.
package struct SimulatedFault: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case error(ErrorCode)
        case crash(after: Bool)
        /// The world changes by itself, just before the step.
        case patch([StatePatch])
    }
    package var step: String
    package var kind: Kind
    /// How often.
    package var times: Int

    package init(step: String, kind: Kind, times: Int = 1) {
        self.step = step
        self.kind = kind
        self.times = times
    }

    /// By the whole path, or by the id alone.
    func matches(_ path: String) -> Bool { path == step || path.split(separator: "/").last.map(String.init) == step }

    mutating func take() -> Bool {
        guard times > 0 else { return false }
        times -= 1
        return true
    }
}

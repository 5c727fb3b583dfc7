import ClusterModel
import Operations

/// Carries out one run: order, retries, waits, loops, calls, undoing, resuming (runbooks.md, section 7).
///
/// It decides from what the world answers and from the journal; only the world acts. Everything it knows beside the journal can
/// be made again from it, so a run goes on after a crash of the process at any line.
package final class RunEngine {
    let order: RunOrder
    let world: any RunWorld
    var memory: RunMemory
    var journal: Journal
    var result: RunResult
    /// Completed steps with an effect or a point of no return, oldest first.
    var effects: [RunEffect] = []
    var warnings: [String] = []
    /// The state document seen last.
    var lastState: JSONValue = .object([])
    /// Milliseconds at which the run's time is over.
    var deadline: Int64 = .max
    /// `--from` and `--only`: whether steps of the main runbook are carried out at present.
    var isSelected = true

    package init(order: RunOrder, world: any RunWorld) {
        self.order = order
        self.world = world
        memory = order.memory
        journal = order.journal
        result = RunResult(runID: order.runID, status: .planned, exitStatus: 0)
    }

    /// Runs until the end, a hold, or a halt; a halt leaves `status` as it was.
    package func run() async throws(RunHalt) -> RunResult {
        result.startedAt = memory.startedAt > 0 ? memory.startedAt : world.now
        do throws(RunStop) {
            try await begin()
            let outcome = try await decide()
            try await conclude(outcome)
        } catch {
            switch error {
            case .halt(let halt): throw halt
            case .refused(let failure): await end(.failed, failure, code: failure.code.exitStatus)
            case .failed(let failure, _), .held(let failure): await end(.failed, failure, code: failure.code.exitStatus)
            case .interrupted, .aborted: break
            }
        }
        return result
    }

    /// What is to happen after the steps.
    enum Decision {
        case succeeded
        case failed(StepFailure, FailurePolicy)
        case held(StepFailure)
        case refused(StepFailure)
        case interrupted(RunSignal)
        case aborted
    }

    // MARK: Beginning

    private func begin() async throws(RunStop) {
        await world.report(.status(.preflight))
        if order.mode == .start {
            try await write(
                .started,
                [
                    ("run_id", .string(order.runID)), ("runbook", .string(order.main.name)), ("sha256", .string(order.main.sha256)),
                    ("called", calledHashes), ("params", .record(order.params.map { ($0.key, $0.value) })), ("user", .string(order.user)),
                    ("host", .string(order.host)), ("version", .string(order.version)),
                    ("overrides", .array(order.overrides.map { .string($0) })), ("from", .optional(order.from)),
                    ("only", .optional(order.only)),
                ])
        } else {
            try await write(
                .resumed,
                [
                    ("user", .string(order.user)), ("host", .string(order.host)), ("sha256", .string(order.main.sha256)),
                    ("mode", .string(order.mode.name)),
                ])
        }
        let lock = try await acquireLock()
        if let refusal = lock { throw .refused(StepFailure(step: "lock", refusal)) }
        deadline = result.startedAt + order.main.runbook.timeout.duration.inMilliseconds
        if order.mode != .start { deadline = world.now + order.main.runbook.timeout.duration.inMilliseconds }
        recallEffects()
    }

    /// Hashes of every runbook that may be called, so that a change of one of them is seen as well.
    private var calledHashes: JSONValue {
        var names: Set<String> = []
        var open = [order.main.runbook]
        while let next = open.popLast() {
            for name in next.calledRunbooks where names.insert(name).inserted {
                if let called = order.library[name] { open.append(called.runbook) }
            }
        }
        return .record(names.sorted().map { ($0, .optional(order.library[$0]?.sha256)) })
    }

    private func acquireLock() async throws(RunStop) -> BastionError? {
        let state = try await freshState(nil)
        var frame = RunFrame(runbook: order.main.runbook, params: order.params)
        frame.vars = RunMemory.map(memory.vars[""])
        let text = frame.scope(state.value ?? .object([]), run: runValue).text(of: order.main.runbook.effectiveLock)
        guard text != "none" else { return nil }
        let node = text.hasPrefix("node:") ? String(text.dropFirst(5)) : nil
        return try await halting { () async throws(RunHalt) in
            try await world.acquireLock(
                LockRequest(
                    runID: order.runID, runbook: order.main.name, node: node,
                    isOffline: order.main.runbook.metadata.scope == .offline))
        }
    }

    // MARK: Deciding

    private func decide() async throws(RunStop) -> Decision {
        switch order.mode {
        case .rollback: return .failed(StepFailure(step: "rollback", .failed, "rolled back on request"), .rollback)
        case .abort: return .aborted
        case .start, .resume: break
        }
        if let known = recalledDecision { return known }
        do throws(RunStop) {
            var frame = RunFrame(runbook: order.main.runbook, params: order.params)
            try await freezeVars(&frame)
            try await preconditions(frame)
            try await confirmRisk()
            await world.report(.status(.running))
            isSelected = order.from == nil && order.only == nil
            try await steps(order.main.runbook.steps, &frame)
            try await postconditions(frame)
            return .succeeded
        } catch {
            switch error {
            case .halt: throw error
            case .refused(let failure): return .refused(failure)
            case .failed(let failure, let policy): return .failed(failure, policy)
            case .held(let failure): return .held(failure)
            case .interrupted(let signal): return .interrupted(signal)
            case .aborted: return .aborted
            }
        }
    }

    /// A crash while the `always` steps ran: how the run ends was decided before.
    private var recalledDecision: Decision? {
        guard let decided = memory.decision, let status = decided["status"]?.string else { return nil }
        let failure = StepFailure(decided: decided) ?? StepFailure(step: "run", .failed, status)
        switch status {
        case "succeeded": return .succeeded
        case "rolling_back": return .failed(failure, .rollback)
        case "aborted": return .aborted
        case "interrupted": return .interrupted(failure.code == .interrupted ? .interrupt : .terminate)
        default: return .failed(failure, .abort)
        }
    }

    // MARK: Ending

    private func conclude(_ decision: Decision) async throws(RunStop) {
        switch decision {
        case .refused(let failure):
            // A resumed run that is refused stays as it was: it can be resumed once more.
            let isAgain = order.mode != .start
            try await finish(isAgain ? .interrupted : .failed, failure, code: failure.code.exitStatus, keepsLock: isAgain)
        case .held(let failure):
            let code = failure.isUnknown ? ErrorCode.timeout.exitStatus : ErrorCode.incomplete.exitStatus
            try await finish(.held, failure, code: code, keepsLock: true)
        case .succeeded:
            try await recordDecision("succeeded", nil)
            let failed = try await always()
            if let failed { try await finish(.failed, failed, code: exitCode(failed)) } else { try await finish(.succeeded, nil, code: 0) }
        case .failed(let failure, .rollback):
            try await rollBackAndFinish(failure)
        case .failed(let failure, _):
            try await recordDecision("failed", failure)
            _ = try await always()
            try await finish(.failed, failure, code: exitCode(failure))
        case .aborted:
            let failure = StepFailure(step: "abort", .failed, "aborted on request")
            try await recordDecision("aborted", failure)
            _ = try await always()
            try await finish(.aborted, failure, code: exitCode(failure))
        case .interrupted(let signal):
            let failure = StepFailure(step: "signal", signal == .interrupt ? .interrupted : .terminated, "stopped by a signal")
            try await recordDecision("interrupted", failure)
            _ = try await always()
            try await finish(.interrupted, failure, code: signal.exitStatus, keepsLock: !remainingEffects.isEmpty)
        }
    }

    private func rollBackAndFinish(_ failure: StepFailure) async throws(RunStop) {
        try await recordDecision("rolling_back", failure)
        await world.report(.status(.rollingBack))
        let undoing = try await rollBack()
        _ = try await always()
        let isClean = remainingEffects.isEmpty && failure.code != .incomplete
        switch undoing {
        case .failed(let undoFailure):
            warnings.append("undoing stopped: \(undoFailure.message)")
            try await finish(.rollbackFailed, failure, code: ErrorCode.incomplete.exitStatus)
        case .complete where isClean: try await finish(.rolledBack, failure, code: ErrorCode.failed.exitStatus)
        case .complete, .stopped: try await finish(.failed, failure, code: exitCode(failure))
        }
    }

    /// Exit status of a run that failed: 7 when something of it remains (7.1).
    private func exitCode(_ failure: StepFailure) -> Int32 {
        if failure.isUnknown { return ErrorCode.timeout.exitStatus }
        return remainingEffects.isEmpty ? failure.code.exitStatus : ErrorCode.incomplete.exitStatus
    }

    private func recordDecision(_ status: String, _ failure: StepFailure?) async throws(RunStop) {
        try await write(
            .decided,
            [
                ("status", .string(status)), ("step", .optional(failure?.step)), ("item", .optional(failure?.item)),
                ("code", .optional(failure?.code.rawValue)), ("message", .optional(failure?.message)),
            ])
    }

    private func finish(_ status: RunStatus, _ failure: StepFailure?, code: Int32, keepsLock: Bool = false) async throws(RunStop) {
        try await write(
            .ended,
            [
                ("status", .string(status.rawValue)), ("exit", .integer(code)), ("step", .optional(failure?.step)),
                ("item", .optional(failure?.item)), ("message", .optional(failure?.message)),
                ("remaining", .array(remainingEffects.map { .string(RunFrame.key($0.step, $0.item)) })),
            ])
        if !keepsLock { try await halting { () async throws(RunHalt) in try await world.releaseLock() } }
        await end(status, failure, code: code)
    }

    private func end(_ status: RunStatus, _ failure: StepFailure?, code: Int32) async {
        result.status = status
        result.exitStatus = code
        result.failure = failure
        result.remaining = status == .succeeded ? [] : remainingEffects
        result.warnings = warnings
        result.endedAt = world.now
        await world.report(.status(status))
        await world.report(.finished(result))
    }
}

/// Why the engine leaves what it does.
enum RunStop: Error {
    case halt(RunHalt)
    /// Nothing was changed.
    case refused(StepFailure)
    case failed(StepFailure, FailurePolicy)
    case held(StepFailure)
    case interrupted(RunSignal)
    case aborted
}

extension StepFailure {
    fileprivate init?(decided: JSONValue) {
        guard let step = decided["step"]?.string, let code = decided["code"]?.string.flatMap({ ErrorCode(rawValue: $0) }) else {
            return nil
        }
        self.init(step: step, item: decided["item"]?.string, code, decided["message"]?.string ?? "")
    }
}

extension RunOrder.Mode {
    var name: String {
        switch self {
        case .start: "start"
        case .resume: "resume"
        case .rollback: "rollback"
        case .abort: "abort"
        }
    }
}

extension Runbook {
    /// Names of the runbooks it calls itself, in order.
    package var calledRunbooks: [String] {
        func calls(_ steps: [RunbookStep]) -> [String] {
            steps.flatMap { step -> [String] in
                switch step.kind {
                case .call(let call): [call.runbook.value]
                case .forEach(let loop): calls(loop.steps)
                default: []
                }
            }
        }
        return calls(steps)
    }
}

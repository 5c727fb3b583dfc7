import ClusterModel
import Operations

/// The way back, and what runs in every case.
extension RunEngine {
    enum Undoing {
        case complete
        /// At a point of no return; what came before it stays.
        case stopped
        case failed(StepFailure)
    }

    /// Undoes completed steps in reverse order, journaled like steps.
    func rollBack() async throws(RunStop) -> Undoing {
        for effect in effects.reversed() where !effect.isGone {
            if effect.isPointOfNoReturn { return .stopped }
            guard effect.isEffect else { continue }
            guard let undo = effect.undo else { return .stopped }
            if let failure = try await undoOne(effect, undo) { return .failed(failure) }
            markGone(effect.key)
        }
        return .complete
    }

    private func undoOne(_ effect: RunEffect, _ undo: OperationInvocation) async throws(RunStop) -> StepFailure? {
        let key = "undo." + effect.key
        var frame = RunFrame(runbook: order.main.runbook, params: order.params)
        frame.items = effect.item.map { [$0] } ?? []
        frame.context = effect.context
        let step = RunbookStep.making(effect.path, undo.operation)
        let failure = try await single(
            step, undo, frame, key: key, timeout: .seconds(300), context: effect.context, phase: .undo)
        if failure == nil { result.undone.append(effect.path) }
        return failure
    }

    /// Runs every `always` step of the main runbook, whatever happened to the ones before.
    ///
    /// - Returns: The first failure.
    func always() async throws(RunStop) -> StepFailure? {
        var frame = RunFrame(runbook: order.main.runbook, params: order.params)
        frame.vars = RunMemory.map(memory.vars[""])
        for (key, step) in memory.steps where step.isEnded && !key.contains("/") { frame.outputs[key] = step.output }
        return try await always(frame)
    }

    func always(_ frame: RunFrame) async throws(RunStop) -> StepFailure? {
        var first: StepFailure?
        for step in frame.runbook.always {
            guard case .run(let call) = step.kind else { continue }
            let key = "always." + frame.key(step)
            if let known = memory.steps[key], known.isEnded, RunEngine.isDone(known.outcome) { continue }
            if let when = step.when, try await !judge(when, frame, step).isPass {
                try await record(
                    step, frame, key: key, outcome: "skipped", output: .null, message: "its condition does not hold", phase: .always)
                continue
            }
            let (scope, _) = try await scope(frame, step)
            guard case .success(let arguments) = scope.arguments(call.arguments, of: RunEngine.definition(call.operation.value)) else {
                first = first ?? failure(step, frame, .failed, "an argument is not known")
                continue
            }
            let invocation = OperationInvocation(call.operation.value, arguments, runID: order.runID)
            let failed = try await single(
                step, invocation, frame, key: key, timeout: step.timeout?.duration ?? .seconds(60), context: context(step, frame),
                phase: .always)
            if let failed {
                warnings.append("always \"\(step.id.value)\": \(failed.message)")
                first = first ?? failed
            } else {
                markTaken(by: invocation)
            }
        }
        return first
    }

    /// One call outside the order of the steps: asked for by its key when it was started before.
    private func single(
        _ step: RunbookStep, _ invocation: OperationInvocation, _ frame: RunFrame, key: String, timeout: Duration, context: String?,
        phase: StepReport.Phase
    ) async throws(RunStop) -> StepFailure? {
        let request = StepRequest(
            step: frame.path(step), item: frame.item, invocation: invocation, key: "\(order.runID)/\(key)/g\(memory.generation)",
            timeout: timeout, context: context, isMutating: RunEngine.isMutating(invocation), overrides: order.overrides)
        var answer: Result<JSONValue, BastionError>?
        if let open = memory.steps[key], !open.isEnded,
            case .finished(let known) = try await halting({ () async throws(RunHalt) in try await world.outcome(of: request) })
        {
            answer = known
        }
        if answer == nil {
            _ = try await start(
                step, frame, key: key, operation: invocation.operation, arguments: invocation.arguments, phase: phase)
            let refusal = try await halting { () async throws(RunHalt) in
                try await world.prepare("\(phase.rawValue):\(frame.path(step))", item: frame.item)
            }
            if let refusal {
                answer = .failure(refusal)
            } else {
                answer = try await halting { () async throws(RunHalt) in try await world.call(request) }
            }
        }
        switch answer {
        case .failure(let error)?:
            let failure = StepFailure(step: frame.path(step), item: frame.item, error)
            try await record(step, frame, key: key, outcome: "failed", output: .null, message: failure.message, phase: phase)
            return failure
        case .success(let output)?:
            try await record(step, frame, key: key, outcome: "succeeded", output: output, message: "", phase: phase)
            return nil
        case nil: return nil
        }
    }
}

extension RunbookStep {
    /// A step that calls an operation and is in no file.
    static func making(_ id: String, _ operation: String) -> RunbookStep {
        RunbookStep(id: Located(id, at: .none), kind: .run(OperationCall(Located(operation, at: .none))), at: .none)
    }
}

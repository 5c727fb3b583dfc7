import ClusterModel
import Operations

/// Calling operations: once, whatever happens to the run (runbooks.md, 7.3).
extension RunEngine {
    func run(_ step: RunbookStep, _ call: OperationCall, _ frame: RunFrame) async throws(RunStop) -> StepOutcome {
        let key = frame.key(step)
        let (scope, error) = try await scope(frame, step)
        let isOffline = order.main.runbook.metadata.scope == .offline
        if let error, !isOffline, RunEngine.isMutating(call) {
            return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil)
        }
        let open = memory.steps[key].flatMap { $0.isEnded ? nil : $0 }
        let arguments: JSONValue
        if let open, !open.arguments.isNull {
            arguments = open.arguments
        } else {
            switch scope.arguments(call.arguments, of: RunEngine.definition(call.operation.value), allowsUnknown: order.isPlan) {
            case .success(let values): arguments = values
            case .failure(let error): return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil)
            }
        }
        var request = StepRequest(
            step: frame.path(step), item: frame.item,
            invocation: OperationInvocation(call.operation.value, arguments, runID: order.runID), key: "\(order.runID)/\(key)",
            timeout: step.effectiveTimeout?.duration ?? .seconds(300), context: context(step, frame),
            isMutating: RunEngine.isMutating(call), overrides: order.overrides)
        if let open, let known = try await reconcile(open, step, request, frame) {
            return try await verify(step, known, frame)
        }
        let outcome = try await attempts(step, &request, frame, key: key)
        return try await verify(step, outcome, frame)
    }

    /// A step that was started and not ended: known by its key, satisfied, or to be done (again).
    ///
    /// - Returns: nil: carry it out.
    private func reconcile(
        _ open: RunMemory.Step, _ step: RunbookStep, _ request: StepRequest, _ frame: RunFrame
    ) async throws(RunStop) -> StepOutcome? {
        var request = request
        // A later attempt had its own key.
        request.key = keyed(request.key, attempt: open.attempts)
        if case .resume(let choice) = order.mode {
            if choice.skipsStep {
                warnings.append("step \"\(frame.path(step))\" counts as done by --skip-step")
                return .succeeded(.unknown("the step was skipped by the operator"), "reconciled")
            }
            if choice.retriesStep { return nil }
        }
        let outcome = try await settled(request)
        switch outcome {
        case .neverHeard: return nil
        case .finished(.success(let output)): return .succeeded(output, "adopted")
        // It ended without effect: it is tried again under a new key.
        case .finished(.failure(let error)) where error.code == .incomplete:
            return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil)
        case .finished(.failure): return nil
        case .running, .unknown:
            let effect = OperationEffect.of(request.invocation.operation)
            if let state = try await freshState(request.context).value, effect.isSatisfied(SimulatedState(state), request.invocation) {
                return .succeeded(.record([("already_so", .bool(false))]), "reconciled")
            }
            if !request.isMutating { return nil }
            if case .unknown = outcome, effect.isIdempotent { return nil }
            return .failed(unknown(step, frame), nil)
        }
    }

    private func unknown(_ step: RunbookStep, _ frame: RunFrame) -> StepFailure {
        var failure = StepFailure(
            step: frame.path(step), item: frame.item, .timeout, "what became of the operation is not known",
            hint: "look at the cluster, then resume with --retry-step or --skip-step, or abort")
        failure.isUnknown = true
        return failure
    }

    /// Asks for the outcome until it is decided or a minute is over.
    private func settled(_ request: StepRequest) async throws(RunStop) -> KeyOutcome {
        let end = world.now + min(60_000, request.timeout.inMilliseconds)
        while true {
            let outcome = try await halting { () async throws(RunHalt) in try await world.outcome(of: request) }
            switch outcome {
            case .neverHeard, .finished: return outcome
            case .running, .unknown:
                guard world.now < end, world.signals.count < 2, request.isMutating else { return outcome }
                if case .unknown = outcome, RunEngine.isLocal(request.invocation.operation) { return outcome }
            }
            try await halting { () async throws(RunHalt) in try await world.sleep(milliseconds: 1000) }
        }
    }

    static func isLocal(_ operation: String) -> Bool { OperationVocabulary.standard.entry(named: operation)?.isLocal ?? false }

    private func attempts(
        _ step: RunbookStep, _ request: inout StepRequest, _ frame: RunFrame, key: String
    ) async throws(RunStop) -> StepOutcome {
        let base = request.key
        var last = StepFailure(step: frame.path(step), item: frame.item, .failed, "was not tried")
        let before = memory.steps[key].map { $0.isEnded || isRetriedByOperator ? $0.attempts : $0.attempts - 1 } ?? 0
        for attempt in 1...max(1, step.retry.attempts) {
            if attempt > 1 {
                if let signal = world.signals.first { throw .interrupted(signal) }
                try await halting { () async throws(RunHalt) in
                    try await world.sleep(milliseconds: step.retry.delay.duration.inMilliseconds)
                }
            }
            request.key = keyed(base, attempt: before + attempt)
            _ = try await start(
                step, frame, operation: request.invocation.operation, arguments: request.invocation.arguments, attempt: before + attempt)
            let refusal = try await prepare(step, frame)
            let answer: Result<JSONValue, BastionError>
            if let refusal { answer = .failure(refusal) } else { answer = try await called(request) }
            try await completed(step, frame)
            switch answer {
            case .success(let output): return .succeeded(output, "succeeded")
            case .failure(let error):
                last = StepFailure(step: frame.path(step), item: frame.item, error)
                // What this machine did itself is known.
                let isRemote = !RunEngine.isLocal(request.invocation.operation)
                if request.isMutating, isRemote, error.isOpen, refusal == nil || error.code == .timeout {
                    switch try await settled(request) {
                    case .finished(.success(let output)): return .succeeded(output, "adopted")
                    case .finished(.failure(let known)): last = StepFailure(step: frame.path(step), item: frame.item, known)
                    case .neverHeard: break
                    case .running, .unknown: return .failed(unknown(step, frame), nil)
                    }
                }
                guard step.retry.covers(last.code) else { return .failed(last, nil) }
            }
        }
        return .failed(last, nil)
    }

    private var isRetriedByOperator: Bool {
        if case .resume(let choice) = order.mode { choice.retriesStep } else { false }
    }

    /// The first attempt has the key of the step; each later one its own, so that a known failure is not answered again.
    private func keyed(_ key: String, attempt: Int) -> String { attempt > 1 ? "\(key)/a\(attempt)" : key }

    private func called(_ request: StepRequest) async throws(RunStop) -> Result<JSONValue, BastionError> {
        try await halting { () async throws(RunHalt) in try await world.call(request) }
    }

    /// `expect` on fresh state.
    private func verify(_ step: RunbookStep, _ outcome: StepOutcome, _ frame: RunFrame) async throws(RunStop) -> StepOutcome {
        guard case .succeeded(let output, _) = outcome, let expect = step.expect else { return outcome }
        var frame = frame
        frame.outputs[step.id.value] = output
        let judged = try await judge(expect, frame, step)
        guard !judged.isPass else { return outcome }
        // It did something all the same: what it did is remembered, so that it can be undone.
        if let effect = effect(of: step, output: output, frame) { effects.append(effect) }
        return .failed(failure(step, frame, .failed, "the step did not bring about what it should: \(judged.message)", judged), nil)
    }
}

extension BastionError {
    /// The call may have been carried out although it failed here.
    fileprivate var isOpen: Bool { code == .timeout || code == .unavailable || code == .interrupted }
}

extension RetryPolicy {
    func covers(_ code: ErrorCode) -> Bool {
        switch code {
        case .unavailable: !reasons.isDisjoint(with: [.unreachable, .unavailable])
        case .noLeader, .rateLimited: reasons.contains(.unavailable)
        case .timeout: reasons.contains(.timeout)
        case .locked, .busy, .notLeader: reasons.contains(.conflict)
        default: false
        }
    }
}

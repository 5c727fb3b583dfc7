import ClusterModel
import Operations

/// One step after the other.
extension RunEngine {
    func steps(_ steps: [RunbookStep], _ frame: inout RunFrame) async throws(RunStop) {
        for step in steps { try await self.step(step, &frame) }
    }

    private func step(_ step: RunbookStep, _ frame: inout RunFrame) async throws(RunStop) {
        if frame.depth == 0, frame.loop == nil, !select(step) { return }
        try checkTime(step, frame)
        let key = frame.key(step)
        if let known = memory.steps[key], known.isEnded, RunEngine.isDone(known.outcome) {
            try await recall(step, known, &frame)
            return
        }
        let isContainer = step.kind.isContainer
        if !isContainer { try await pause(before: step, frame) }
        let outcome: StepOutcome
        if let reason = try await skipReason(step, frame) {
            outcome = reason
        } else {
            outcome = try await perform(step, &frame)
        }
        try await settle(step, outcome, &frame)
    }

    enum StepOutcome {
        /// With a word for the report.
        case succeeded(JSONValue, String)
        case skipped(String)
        case failed(StepFailure, FailurePolicy?)
    }

    static func isDone(_ outcome: String) -> Bool { ["succeeded", "skipped", "reconciled", "adopted", "warning"].contains(outcome) }

    /// `--from` and `--only` name steps of the main runbook.
    private func select(_ step: RunbookStep) -> Bool {
        if let only = order.only { return step.id.value == only }
        if order.from == step.id.value { isSelected = true }
        return isSelected
    }

    private func checkTime(_ step: RunbookStep, _ frame: RunFrame) throws(RunStop) {
        if let signal = world.signals.first { throw .interrupted(signal) }
        guard world.now < deadline else { throw .failed(overdue(step, frame), order.main.runbook.onFailure) }
    }

    func overdue(_ step: RunbookStep, _ frame: RunFrame) -> StepFailure {
        StepFailure(
            step: frame.path(step), item: frame.item, .timeout,
            "the run did not finish within its timeout of \(order.main.runbook.timeout)")
    }

    private func recall(_ step: RunbookStep, _ known: RunMemory.Step, _ frame: inout RunFrame) async throws(RunStop) {
        frame.outputs[step.id.value] = known.output
        var report = StepReport(phase: .step, path: frame.path(step), item: frame.item, kind: step.kind.name, operation: known.operation)
        report.outcome = known.outcome
        report.message = known.message
        report.output = known.output
        report.attempts = known.attempts
        report.startedAt = known.startedAt
        report.endedAt = known.endedAt
        report.isRecalled = true
        result.steps.append(report)
        // What a finished step expected must hold still (7.3).
        guard let expect = step.expect, ["succeeded", "reconciled", "adopted"].contains(known.outcome), case .run = step.kind else {
            return
        }
        let judged = try await judge(expect, frame, step)
        guard judged.isPass else {
            var failure = StepFailure(
                step: frame.path(step), item: frame.item, .preconditionFailed,
                "what the step brought about no longer holds: \(judged.message)")
            failure.condition = judged.message
            throw .held(failure)
        }
    }

    private func pause(before step: RunbookStep, _ frame: RunFrame) async throws(RunStop) {
        guard order.stepwise else { return }
        let title = step.title.map { $0.source } ?? step.id.value
        let reply = try await ask(.next(step: frame.path(step), title: title))
        if reply != .yes {
            throw .failed(StepFailure(step: frame.path(step), item: frame.item, .notConfirmed, "stopped before this step"), .abort)
        }
    }

    private func skipReason(_ step: RunbookStep, _ frame: RunFrame) async throws(RunStop) -> StepOutcome? {
        if let when = step.when {
            let judged = try await judge(when, frame, step)
            if judged.status == "fail" { return .skipped("its condition does not hold: \(judged.message)") }
            guard judged.isPass else {
                return .failed(failure(step, frame, .failed, "its condition cannot be decided: \(judged.message)", judged), nil)
            }
        }
        if let skip = step.skipIf, try await judge(skip, frame, step).isPass { return .skipped("already done") }
        return nil
    }

    private func perform(_ step: RunbookStep, _ frame: inout RunFrame) async throws(RunStop) -> StepOutcome {
        switch step.kind {
        case .run(let call): return try await run(step, call, frame)
        case .forEach(let loop): return try await each(step, loop, &frame)
        case .call(let call): return try await self.call(step, call, frame)
        case .wait, .assert, .confirm, .manual:
            let started = try await start(step, frame)
            if let error = try await prepare(step, frame) {
                return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil)
            }
            let outcome: StepOutcome
            switch step.kind {
            case .wait(let wait): outcome = try await self.wait(step, wait, frame)
            case .assert(let condition, let message): outcome = try await assert(step, condition, message, frame)
            case .confirm(let message, let type): outcome = try await confirm(step, message, type, frame)
            case .manual(let manual): outcome = try await self.manual(step, manual, frame, wasStarted: started)
            default: outcome = .succeeded(.object([]), "succeeded")
            }
            try await completed(step, frame)
            return outcome
        }
    }

    /// - Returns: Whether an earlier part of the run had started the step already.
    func start(
        _ step: RunbookStep, _ frame: RunFrame, key: String? = nil, operation: String? = nil, arguments: JSONValue = .null,
        attempt: Int = 1, phase: StepReport.Phase = .step
    ) async throws(RunStop) -> Bool {
        let key = key ?? frame.key(step)
        let known = memory.steps[key]
        var report = StepReport(phase: phase, path: frame.path(step), item: frame.item, kind: step.kind.name, operation: operation)
        report.attempts = attempt
        report.startedAt = world.now
        await world.report(.started(report, title: step.title?.source ?? step.id.value))
        try await write(
            .stepStarted,
            [
                ("id", .string(frame.path(step))), ("item", .optional(frame.item)), ("key", .string(key)), ("attempt", .integer(attempt)),
                ("step_kind", .string(step.kind.name)), ("operation", .optional(operation)), ("args", arguments),
            ])
        return known.map { !$0.isEnded } ?? false
    }

    func prepare(_ step: RunbookStep, _ frame: RunFrame) async throws(RunStop) -> BastionError? {
        try await halting { () async throws(RunHalt) in try await world.prepare(frame.path(step), item: frame.item) }
    }

    func completed(_ step: RunbookStep, _ frame: RunFrame) async throws(RunStop) {
        try await halting { () async throws(RunHalt) in try await world.completed(frame.path(step), item: frame.item) }
    }

    // MARK: After a step

    private func settle(_ step: RunbookStep, _ outcome: StepOutcome, _ frame: inout RunFrame) async throws(RunStop) {
        let key = frame.key(step)
        switch outcome {
        case .skipped(let reason):
            frame.outputs[step.id.value] = .unknown("step \"\(step.id.value)\" was skipped")
            try await record(step, frame, key: key, outcome: "skipped", output: frame.outputs[step.id.value] ?? .null, message: reason)
        case .succeeded(let output, let word):
            frame.outputs[step.id.value] = output
            let effect = effect(of: step, output: output, frame)
            if let effect { effects.append(effect) }
            try await record(step, frame, key: key, outcome: word, output: output, message: "", effect: effect)
        case .failed(let failure, let forced):
            try await fail(step, failure, forced ?? policy(step, frame), &frame)
        }
    }

    func policy(_ step: RunbookStep, _ frame: RunFrame) -> FailurePolicy { step.onFailure ?? frame.runbook.onFailure }

    private func fail(
        _ step: RunbookStep, _ failure: StepFailure, _ policy: FailurePolicy, _ frame: inout RunFrame
    ) async throws(RunStop) {
        let key = frame.key(step)
        if failure.isUnknown {
            // The outcome may be known later: the step stays open in the journal.
            throw .held(failure)
        }
        let known = failure.code == .incomplete ? effect(of: step, output: .object([]), frame, isIncomplete: true) : nil
        if let known { effects.append(known) }
        if policy == .continue {
            warnings.append("step \"\(frame.path(step))\": \(failure.message)")
            frame.outputs[step.id.value] = .unknown("step \"\(step.id.value)\" failed")
            try await record(
                step, frame, key: key, outcome: "warning", output: frame.outputs[step.id.value] ?? .null, message: failure.message,
                effect: known)
            return
        }
        try await record(step, frame, key: key, outcome: "failed", output: .null, message: failure.message, effect: known)
        throw policy == .hold ? .held(failure) : .failed(failure, policy)
    }

    func record(
        _ step: RunbookStep, _ frame: RunFrame, key: String, outcome: String, output: JSONValue, message: String, effect: RunEffect? = nil,
        phase: StepReport.Phase = .step
    ) async throws(RunStop) {
        let started = memory.steps[key]
        try await write(
            .stepEnded,
            [
                ("id", .string(frame.path(step))), ("item", .optional(frame.item)), ("key", .string(key)), ("outcome", .string(outcome)),
                ("output", output), ("message", .string(message)), ("effect", effect?.json ?? .null),
                ("step_kind", .string(step.kind.name)),
            ])
        var report = StepReport(
            phase: phase, path: frame.path(step), item: frame.item, kind: step.kind.name, operation: started?.operation)
        report.outcome = outcome
        report.message = message
        report.output = output
        report.attempts = started?.attempts ?? 0
        report.startedAt = started?.startedAt ?? world.now
        report.endedAt = world.now
        result.steps.append(report)
        await world.report(.ended(report))
    }

    func failure(
        _ step: RunbookStep, _ frame: RunFrame, _ code: ErrorCode, _ message: String, _ judged: JudgedEntry? = nil
    ) -> StepFailure {
        var failure = StepFailure(step: frame.path(step), item: frame.item, code, message)
        failure.condition = judged?.message
        return failure
    }

    // MARK: Lines

    func write(_ kind: JournalLine.Kind, _ fields: [(String, JSONValue)]) async throws(RunStop) {
        let line = JournalLine(kind, fields + [("at", .integer(world.now))])
        let text = journal.append(line)
        try await halting { () async throws(RunHalt) in try await world.write(text) }
        if kind == .stepStarted || kind == .stepEnded { memory.note(line) }
    }

    func halting<Value>(_ body: () async throws(RunHalt) -> Value) async throws(RunStop) -> Value {
        do throws(RunHalt) { return try await body() } catch { throw .halt(error) }
    }

    func ask(_ question: RunQuestion) async throws(RunStop) -> RunReply {
        try await halting { () async throws(RunHalt) in try await world.ask(question) }
    }
}

extension RunbookStep.Kind {
    package var isContainer: Bool {
        switch self {
        case .forEach, .call: true
        default: false
        }
    }
}

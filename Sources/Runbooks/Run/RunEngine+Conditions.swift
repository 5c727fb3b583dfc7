import ClusterModel
import Operations

/// What the engine asks of the state: conditions, variables, waits, questions.
extension RunEngine {
    struct FreshState {
        var value: JSONValue?
        var error: BastionError?
    }

    func freshState(_ context: String?) async throws(RunStop) -> FreshState {
        let answer = try await halting { () async throws(RunHalt) in try await world.state(context: context) }
        switch answer {
        case .success(let value):
            lastState = value
            return FreshState(value: value, error: nil)
        case .failure(let error): return FreshState(value: nil, error: error)
        }
    }

    /// `run` of interpolation.
    var runValue: JSONValue {
        .record([
            ("id", .string(order.runID)), ("runbook", .string(order.main.name)), ("user", .string(order.user)),
            ("node", .string(order.host)),
            ("started_at", .optional(Timestamp.adding(Double(result.startedAt) / 1000, to: "1970-01-01T00:00:00Z"))),
        ])
    }

    func scope(_ frame: RunFrame, _ step: RunbookStep?) async throws(RunStop) -> (scope: EvaluationScope, error: BastionError?) {
        let state = try await freshState(context(step, frame))
        return (frame.scope(state.value ?? .object([]), run: runValue), state.error)
    }

    /// The context of the command line that a step addresses; filled in from what the run was given.
    func context(_ step: RunbookStep?, _ frame: RunFrame) -> String? {
        guard let context = step?.context else { return frame.context }
        return frame.scope(.object([]), run: runValue).text(of: context)
    }

    func judge(_ condition: Condition, _ frame: RunFrame, _ step: RunbookStep?) async throws(RunStop) -> JudgedEntry {
        var (scope, error) = try await self.scope(frame, step)
        if let error { return JudgedEntry(id: "", level: "block", status: "unknown", message: error.message) }
        try await addContexts([condition], to: &scope)
        return RunEngine.entry(scope.judge(condition))
    }

    /// Documents of the other clusters that a check names (`standby.ready`).
    private func addContexts(_ conditions: [Condition], to scope: inout EvaluationScope) async throws(RunStop) {
        for call in conditions.flatMap(\.checkCalls) {
            guard let argument = call.arguments.first(where: { $0.name.value == "context" }),
                let name = scope.value(of: argument.value).string, let state = try await freshState(name).value
            else { continue }
            scope.contexts[name] = state
        }
    }

    private static func plain(_ value: RunbookValue?) -> String? { value.map { ValueText.plain($0) } }
    private static func plain(_ text: String?) -> String? { text }

    static func entry(_ result: ConditionResult, id: String = "", level: String = "block") -> JudgedEntry {
        JudgedEntry(
            id: id, level: level, status: result.status.rawValue, path: result.path, actual: plain(result.actual),
            expected: result.expected,
            message: result.message)
    }

    // MARK: Before and after the steps

    func freezeVars(_ frame: inout RunFrame) async throws(RunStop) {
        if let frozen = memory.vars[frame.key] {
            frame.vars = RunMemory.map(frozen)
            return
        }
        let (scope, error) = try await scope(frame, nil)
        if let error, frame.runbook.metadata.scope == .cluster { throw .refused(StepFailure(step: "vars", error)) }
        var vars: [(String, JSONValue)] = []
        for variable in frame.runbook.vars { vars.append((variable.name.value, scope.value(of: variable.value))) }
        frame.vars = Dictionary(vars) { first, _ in first }
        memory.vars[frame.key] = .record(vars)
        try await write(.vars, [("frame", .string(frame.key)), ("vars", .record(vars)), ("fingerprint", RunPlan.fingerprint(scope.state))])
    }

    func preconditions(_ frame: RunFrame) async throws(RunStop) {
        let isAgain = order.mode != .start && memory.checksPassed && frame.depth == 0
        // Only forward is left: what the run itself has changed since must not keep it from going on.
        if isAgain, isBehindPointOfNoReturn { return }
        let entries = frame.runbook.preconditions.filter { !isAgain || $0.isRechecked }
        let judged = try await judgeAll(entries, frame, phase: "precondition")
        if frame.depth == 0 { result.preconditions = judged }
        let failed = judged.filter { !$0.isPass && $0.level == "block" && !$0.isOverridden }
        for entry in judged where !entry.isPass && (entry.level == "warn" || entry.isOverridden) {
            warnings.append("\(entry.id): \(entry.message)")
        }
        try await write(
            .preconditions, [("frame", .string(frame.key)), ("ok", .bool(failed.isEmpty)), ("results", .array(judged.map(\.json)))])
        guard let first = failed.first else { return }
        if frame.depth == 0 { result.failedChecks = failed }
        var failure = StepFailure(step: first.id, .preconditionFailed, failed.map { "\($0.id): \($0.message)" }.joined(separator: "; "))
        failure.hint = first.hint
        failure.condition = first.message
        if order.isPlan { return }
        throw .refused(failure)
    }

    func postconditions(_ frame: RunFrame) async throws(RunStop) {
        if order.only != nil, frame.depth == 0 { return }
        let judged = try await judgeAll(frame.runbook.postconditions, frame, phase: "postcondition")
        if frame.depth == 0 { result.postconditions = judged }
        for entry in judged where !entry.isPass && entry.level == "warn" { warnings.append("\(entry.id): \(entry.message)") }
        guard let first = judged.first(where: { !$0.isPass && $0.level == "block" }) else { return }
        var failure = StepFailure(step: frame.prefix + first.id, .failed, first.message, hint: first.hint)
        failure.condition = first.message
        throw .failed(failure, frame.runbook.onFailure == .hold ? .hold : .abort)
    }

    private func judgeAll(_ entries: [ConditionEntry], _ frame: RunFrame, phase: String) async throws(RunStop) -> [JudgedEntry] {
        guard !entries.isEmpty else { return [] }
        var (scope, error) = try await self.scope(frame, nil)
        if error == nil { try await addContexts(entries.map(\.condition), to: &scope) }
        var judged: [JudgedEntry] = []
        for entry in entries {
            var one: JudgedEntry
            if let error {
                one = JudgedEntry(id: "", level: "", status: "unknown", message: error.message)
            } else {
                one = RunEngine.entry(scope.judge(entry.condition))
            }
            one.id = entry.id.value
            one.level = entry.level.rawValue
            if !one.isPass, let message = entry.message {
                one.message = "\(scope.text(of: message)) (\(one.message))"
            }
            one.hint = entry.hint.map { scope.text(of: $0) }
            one.isOverridden = !one.isPass && entry.isOverridable && order.overrides.contains(entry.id.value)
            judged.append(one)
            await world.report(.judged(one, phase: phase))
        }
        return judged
    }

    // MARK: Steps without an operation

    /// True without interruption for `stableFor`; what is not known counts as not true.
    func wait(_ step: RunbookStep, _ wait: Wait, _ frame: RunFrame) async throws(RunStop) -> StepOutcome {
        let limit = wait.timeout ?? step.timeout ?? DurationValue(.seconds(300))
        let found = try await hold(
            wait.until, frame, step, limit: limit, interval: wait.interval, stableFor: wait.stableFor)
        if let judged = found {
            return .failed(failure(step, frame, .timeout, "did not become true within \(limit): \(judged.message)", judged), nil)
        }
        return .succeeded(.object([]), "succeeded")
    }

    /// nil when the condition held long enough; else how it was judged last.
    func hold(
        _ condition: Condition, _ frame: RunFrame, _ step: RunbookStep, limit: DurationValue, interval: DurationValue,
        stableFor: DurationValue
    ) async throws(RunStop) -> JudgedEntry? {
        let end = world.now + limit.duration.inMilliseconds
        let needed = stableFor.duration.inMilliseconds
        var since: Int64?
        await world.report(.status(.waiting))
        while true {
            if let signal = world.signals.first { throw .interrupted(signal) }
            let judged = try await judge(condition, frame, step)
            let now = world.now
            if judged.isPass {
                since = since ?? now
                if now - (since ?? now) >= needed { break }
            } else {
                since = nil
                await world.report(.waiting(step: frame.path(step), reason: judged.message))
            }
            guard now < end, now < deadline else {
                if now >= deadline { throw .failed(overdue(step, frame), order.main.runbook.onFailure) }
                return judged.isPass
                    ? JudgedEntry(id: "", level: "", status: "fail", message: "it did not stay true for \(stableFor)") : judged
            }
            let rest = since.map { needed - (now - $0) } ?? Int64.max
            let pause = max(1, min(interval.duration.inMilliseconds, rest, end - now))
            try await halting { () async throws(RunHalt) in try await world.sleep(milliseconds: pause) }
        }
        await world.report(.status(.running))
        return nil
    }

    func assert(_ step: RunbookStep, _ condition: Condition, _ message: Template?, _ frame: RunFrame) async throws(RunStop) -> StepOutcome {
        var (scope, error) = try await self.scope(frame, step)
        if let error { return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil) }
        try await addContexts([condition], to: &scope)
        let judged = RunEngine.entry(scope.judge(condition))
        guard !judged.isPass else { return .succeeded(.object([]), "succeeded") }
        let text = message.map { "\(scope.text(of: $0)) (\(judged.message))" } ?? judged.message
        return .failed(failure(step, frame, .failed, text, judged), nil)
    }

    func confirm(
        _ step: RunbookStep, _ message: Template?, _ type: Template?, _ frame: RunFrame
    ) async throws(RunStop) -> StepOutcome {
        let (scope, _) = try await scope(frame, step)
        let wanted = type.map { scope.text(of: $0) }
        let question = RunQuestion.confirm(
            step: frame.path(step), message: message.map { scope.text(of: $0) } ?? step.title?.source ?? "Go on?", type: wanted)
        let reply = try await ask(question)
        let isGranted: Bool
        switch reply {
        case .yes: isGranted = true
        case .text(let text): isGranted = text == wanted || (wanted == nil && ["y", "yes"].contains(text.lowercased()))
        case .no, .later: isGranted = false
        }
        if isGranted { return .succeeded(.object([]), "succeeded") }
        let what = wanted.map { "\"\($0)\" was not typed" } ?? "it was declined"
        return .failed(failure(step, frame, .notConfirmed, what), nil)
    }

    /// Before the first step: the risk of the whole runbook, and every override.
    func confirmRisk() async throws(RunStop) {
        guard order.mode == .start else { return }
        let risk = order.main.runbook.metadata.risk.value
        let name = try await clusterName()
        let used = order.overrides.filter { id in result.preconditions.contains { $0.id == id && $0.isOverridden } }
        var questions: [RunQuestion] = used.isEmpty ? [] : [.override(used, name: name)]
        switch risk {
        case .reads, .reversible: break
        case .disruptive: questions.append(.risk(risk.rawValue, name: nil))
        // Its own typed confirmations say more than the cluster's name would (RB030).
        case .destructive: questions.append(.risk(risk.rawValue, name: name))
        }
        for question in questions + laterQuestions {
            guard world.canAnswer(question) else { throw .refused(StepFailure.promptNeeded(question)) }
        }
        for question in questions {
            let reply = try await ask(question)
            guard reply == .yes || reply == .text(name) else {
                throw .refused(StepFailure(step: "confirmation", .notConfirmed, "not confirmed; nothing was done"))
            }
        }
    }

    private func clusterName() async throws(RunStop) -> String {
        try await freshState(nil).value?.value(at: ["cluster", "name"])?.string ?? "main"
    }

    /// The confirmations of the runbook itself, as far as their texts are known now.
    private var laterQuestions: [RunQuestion] {
        func questions(_ steps: [RunbookStep]) -> [RunQuestion] {
            steps.flatMap { step -> [RunQuestion] in
                switch step.kind {
                case .confirm(_, let type): [.confirm(step: step.id.value, message: "", type: type.map { $0.literal ?? "?" })]
                case .forEach(let loop): questions(loop.steps)
                case .call(let call): order.library[call.runbook.value].map { questions($0.runbook.steps) } ?? []
                default: []
                }
            }
        }
        return questions(order.main.runbook.steps)
    }
}

extension StepFailure {
    static func promptNeeded(_ question: RunQuestion) -> StepFailure {
        let hint: String
        switch question {
        case .risk(_, nil), .confirm(_, _, nil), .next: hint = "pass --yes"
        case .risk(_, let name?), .override(_, let name): hint = "pass --confirm \(name)"
        case .confirm(_, _, let text?): hint = text == "?" ? "pass --confirm TEXT for each typed confirmation" : "pass --confirm \(text)"
        case .acknowledge(let step, _): hint = "acknowledge it with --ack \(step)"
        }
        return StepFailure(step: "confirmation", .usage, "refusing to prompt: stdin is not a terminal", hint: hint)
    }
}

extension JudgedEntry {
    package var json: JSONValue {
        .record([
            ("id", .string(id)), ("level", .string(level)), ("status", .string(status)), ("path", .optional(path)),
            ("actual", .optional(actual)), ("expected", .optional(expected)), ("message", .string(message)),
        ])
    }
}

extension Condition {
    /// Every check in it.
    package var checkCalls: [CheckCall] {
        switch kind {
        case .check(let call): [call]
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.checkCalls)
        case .not(let condition): condition.checkCalls
        case .path, .value: []
        }
    }
}

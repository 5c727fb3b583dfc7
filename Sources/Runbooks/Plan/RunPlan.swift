import ClusterModel
import Operations

/// What a run would do: checks, steps with what they change, checks again (runbooks.md, section 8).
///
/// The same runbook, parameters and state give the same bytes.
package struct RunPlan: Sendable, Hashable {
    package var document: JSONValue
    /// 0 feasible; 3 a precondition blocks; 2 a postcondition fails or is unknown.
    package var exitStatus: Int32

    package static let formatVersion = "1.0"

    /// - Parameter order: Its mode and journal are not looked at.
    package static func make(
        _ order: RunOrder, state: JSONValue, contexts: [String: JSONValue] = [:], withTimes: Bool = false
    ) async throws(BastionError) -> RunPlan {
        var order = order
        order.runID = "RUN-ID"
        order.isPlan = true
        order.mode = .start
        order.memory = RunMemory()
        order.journal = Journal()
        order.stepwise = false
        let world = SimulatedWorld(state: state, contexts: contexts)
        world.isPlan = true
        let engine = RunEngine(order: order, world: world)
        let result: RunResult
        do throws(RunHalt) { result = try await engine.run() } catch {
            throw BastionError(.internal, "the plan could not be made", detail: "\(error)")
        }
        return RunPlan(order, result, world, engine.memory, state: state, withTimes: withTimes)
    }

    private init(
        _ order: RunOrder, _ result: RunResult, _ world: SimulatedWorld, _ memory: RunMemory, state: JSONValue, withTimes: Bool
    ) {
        let blocking = result.preconditions.filter { !$0.isPass && $0.level == "block" && !$0.isOverridden }
        let post = result.postconditions
        var warnings = result.warnings
        if let failure = result.failure { warnings.append("step \"\(failure.step)\" would fail: \(failure.message)") }
        let final = StateDifference.between(state, world.finalState).filter { withTimes || !$0.isTime }
        document = .object([
            .init(name: "format_version", value: .string(RunPlan.formatVersion)),
            .init(
                name: "runbook",
                value: .object([
                    .init(name: "name", value: .string(order.main.name)), .init(name: "sha256", value: .string(order.main.sha256)),
                ])),
            .init(name: "params", value: .record(order.params.map { ($0.key, $0.value) })),
            .init(name: "vars", value: memory.vars[""] ?? RunPlan.vars(memory)),
            .init(name: "state_fingerprint", value: RunPlan.fingerprint(state)),
            .init(name: "preconditions", value: .array(result.preconditions.map(\.json))),
            .init(
                name: "steps",
                value: .array(result.steps.filter { $0.phase == .step }.map { RunPlan.step($0, order, world, withTimes: withTimes) })),
            .init(name: "postconditions", value: .array(post.map(\.json))),
            .init(
                name: "always",
                value: .array(result.steps.filter { $0.phase == .always }.map { RunPlan.step($0, order, world, withTimes: withTimes) })),
            .init(name: "final_state_diff", value: .array(final.map(\.json))),
            .init(name: "warnings", value: .array(warnings.map { .string($0) })),
        ])
        if !blocking.isEmpty {
            exitStatus = ErrorCode.preconditionFailed.exitStatus
        } else if result.failure != nil || post.contains(where: { !$0.isPass && $0.level == "block" }) {
            exitStatus = 2
        } else {
            exitStatus = 0
        }
    }

    private static func vars(_ memory: RunMemory) -> JSONValue { memory.vars[""] ?? .object([]) }

    /// What must be as it was for the plan to hold.
    package static func fingerprint(_ state: JSONValue) -> JSONValue {
        let voters = (state["nodes"]?.elements ?? []).filter { $0["raft"]?["suffrage"]?.string == "voter" }
            .compactMap { $0["name"]?.string }.sorted()
        return .object([
            .init(name: "cluster_id", value: state.value(at: ["cluster", "id"]) ?? .null),
            .init(name: "epoch", value: state.value(at: ["cluster", "epoch"]) ?? .null),
            .init(name: "primary", value: state.value(at: ["primary", "name"]) ?? .null),
            .init(name: "voters", value: .array(voters.map { .string($0) })),
        ])
    }

    private static func step(_ report: StepReport, _ order: RunOrder, _ world: SimulatedWorld, withTimes: Bool) -> JSONValue {
        let call = world.calls.first { $0.request.step == report.path && $0.request.item == report.item }
        let source = order.step(report.path)
        let definition = report.operation.flatMap { RunEngine.definition($0) }
        let given = call?.request.invocation.arguments.members?.map(\.name) ?? []
        return .object([
            .init(name: "id", value: .string(report.path)), .init(name: "item", value: .optional(report.item)),
            .init(name: "kind", value: .string(report.kind)), .init(name: "operation", value: .optional(report.operation)),
            .init(name: "args", value: call?.request.invocation.arguments ?? .object([])),
            .init(name: "risk", value: .optional(definition?.risk(given: given).rawValue)),
            .init(name: "skipped", value: .bool(report.outcome == "skipped")),
            .init(name: "changes", value: .array((call?.changes ?? []).filter { withTimes || !$0.isTime }.map(\.json))),
            .init(name: "checks", value: .array((call?.checks ?? []).map(\.json))),
            .init(name: "undo", value: undo(source, call)),
            .init(name: "point_of_no_return", value: .bool(source?.completesForGood ?? false)),
        ])
    }

    private static func undo(_ step: RunbookStep?, _ call: SimulatedCall?) -> JSONValue {
        switch step?.undo?.value {
        case .nothing: return .string("none")
        case .run(let undo): return .string(undo.operation.value)
        case .auto, nil:
            guard let call else { return .null }
            let effect = OperationEffect.of(call.request.invocation.operation)
            return .optional(effect.compensation(call.request.invocation, call.output)?.commandLine)
        }
    }

    /// Compares a plan that was saved with what is there now.
    ///
    /// - Returns: What differs; empty: the plan may be carried out.
    package static func differences(plan: JSONValue, runbook: LoadedRunbook, state: JSONValue, params: [String: JSONValue])
        -> [StateDifference]
    {
        var differences: [StateDifference] = []
        func compare(_ path: String, _ planned: JSONValue?, _ present: JSONValue) {
            if (planned ?? .null) != present { differences.append(StateDifference(path: path, before: planned ?? .null, after: present)) }
        }
        compare("runbook.name", plan["runbook"]?["name"], .string(runbook.name))
        compare("runbook.sha256", plan["runbook"]?["sha256"], .string(runbook.sha256))
        compare("params", plan["params"], .record(params.map { ($0.key, $0.value) }))
        let present = fingerprint(state)
        for name in ["cluster_id", "epoch", "primary", "voters"] {
            compare("state_fingerprint.\(name)", plan["state_fingerprint"]?[name], present[name] ?? .null)
        }
        return differences
    }
}

extension StateDifference {
    /// A time, which is another one at every moment.
    var isTime: Bool {
        let field = path.split(separator: ".").last ?? ""
        return field.hasSuffix("_at") || field == "since" || field == "until"
    }
}

extension RunbookStep {
    var completesForGood: Bool {
        if isPointOfNoReturn { return true }
        if case .manual = kind { return undo == nil }
        return false
    }
}

extension RunOrder {
    /// The step with this path; `checklist/backup` is a step of the runbook that step `checklist` calls.
    func step(_ path: String) -> RunbookStep? {
        var runbook = main.runbook
        var found: RunbookStep?
        for id in path.split(separator: "/") {
            found = runbook.step(String(id))
            if case .call(let call)? = found?.kind, let called = library[call.runbook.value] { runbook = called.runbook }
        }
        return found
    }
}

extension Runbook {
    /// Of its steps, those in loops and the `always` ones.
    package func step(_ id: String) -> RunbookStep? { allSteps.first { $0.id.value == id } }

    /// With the steps in loops, each behind its loop; then the `always` ones.
    package var allSteps: [RunbookStep] {
        func flat(_ steps: [RunbookStep]) -> [RunbookStep] {
            steps.flatMap { step -> [RunbookStep] in
                if case .forEach(let loop) = step.kind { return [step] + flat(loop.steps) }
                return [step]
            }
        }
        return flat(steps) + always
    }
}

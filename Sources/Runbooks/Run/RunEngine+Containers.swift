import ClusterModel
import Operations

/// Steps that hold other steps, and steps of people.
extension RunEngine {
    // MARK: for_each

    func each(_ step: RunbookStep, _ loop: ForEach, _ frame: inout RunFrame) async throws(RunStop) -> StepOutcome {
        let key = frame.key(step)
        if let error = try await prepare(step, frame) { return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil) }
        let items: [JSONValue]
        if let known = memory.items[key] {
            items = known
        } else {
            let (scope, error) = try await scope(frame, step)
            if let error { return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil) }
            switch RunEngine.items(of: loop, scope) {
            case .success(let found): items = found
            case .failure(let error): return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil)
            }
            try await write(.items, [("step", .string(key)), ("items", .array(items))])
            memory.items[key] = items
        }
        var failures = 0
        for (index, batch) in RunEngine.batches(items, sizes: loop.serial).enumerated() {
            if index > 0, let between = loop.between, !batch.allSatisfy({ isItemDone($0, loop, frame) }) {
                let judged = try await hold(
                    between.condition, frame, step, limit: between.timeout, interval: DurationValue(.seconds(2)),
                    stableFor: between.stableFor)
                if let judged {
                    return .failed(failure(step, frame, .timeout, "the next batch could not start: \(judged.message)", judged), nil)
                }
            }
            for item in batch {
                do throws(RunStop) {
                    try await each(item, loop, frame, step)
                } catch {
                    guard case .failed(let failure, let policy) = error, policy != .rollback, !failure.isUnknown else { throw error }
                    failures += 1
                    warnings.append("\(frame.path(step)) of \(RunEngine.itemName(item)): \(failure.message)")
                    if failures > loop.maximumFailures { return .failed(failure, nil) }
                }
            }
        }
        return .succeeded(
            .record([("items", .array(items.map { .string(RunEngine.itemName($0)) })), ("failures", .integer(failures))]), "succeeded")
    }

    private func each(_ item: JSONValue, _ loop: ForEach, _ frame: RunFrame, _ step: RunbookStep) async throws(RunStop) {
        var inner = frame
        inner.loop = (loop.variable.value, item)
        inner.items.append(RunEngine.itemName(item))
        try await steps(loop.steps, &inner)
    }

    private func isItemDone(_ item: JSONValue, _ loop: ForEach, _ frame: RunFrame) -> Bool {
        var inner = frame
        inner.items.append(RunEngine.itemName(item))
        return loop.steps.allSatisfy { memory.steps[inner.key($0)].map { $0.isEnded && RunEngine.isDone($0.outcome) } ?? false }
    }

    static func itemName(_ item: JSONValue) -> String { item["name"]?.string ?? item.plainText }

    static func batches(_ items: [JSONValue], sizes: [Int]) -> [[JSONValue]] {
        var batches: [[JSONValue]] = []
        var rest = items[...]
        while !rest.isEmpty {
            let size = max(1, sizes.isEmpty ? 1 : sizes[min(batches.count, sizes.count - 1)])
            batches.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return batches
    }

    /// The items in their order, once and for all.
    static func items(of loop: ForEach, _ scope: EvaluationScope) -> Result<[JSONValue], BastionError> {
        var items: [JSONValue]
        switch loop.items {
        case .list(let template):
            let value = scope.value(of: ValueTemplate(.text(template)))
            guard let elements = value.elements else {
                return .failure(BastionError(.failed, "the list of items is not known", detail: value.unknownReasonInside))
            }
            items = elements
        case .nodes(let filter):
            items = (scope.state["nodes"]?.elements ?? []).filter { scope.matches(filter, $0) == .pass }
        }
        for order in loop.order.reversed() {
            let keyed = items.enumerated().map { (key: sortKey($0.element, order.by, scope.state), place: $0.offset, item: $0.element) }
            // Without `last` what has the property (leads, is smaller) comes first.
            items = keyed.sorted { a, b in
                if a.key == b.key { return a.place < b.place }
                return order.last ? b.key < a.key : a.key < b.key
            }.map(\.item)
        }
        return .success(items)
    }

    /// Values that sort like what they stand for.
    private static func sortKey(_ node: JSONValue, _ key: ForEach.Order.Key, _ state: JSONValue) -> SortKey {
        switch key {
        case .name: SortKey(number: 0, text: node["name"]?.string ?? node.plainText)
        case .role: SortKey(number: node["role"]?.string == "primary" ? 0 : 1, text: node["role"]?.string ?? "")
        case .lagBytes: SortKey(number: node["lag_bytes"]?.decimal ?? .greatestFiniteMagnitude, text: "")
        case .version:
            SortKey(
                number: node["version"]?.string.flatMap { SemanticVersion($0) }.map {
                    Double($0.major) * 1e8 + Double($0.minor) * 1e4 + Double($0.patch)
                } ?? 0, text: "")
        case .raftLeader: SortKey(number: state.value(at: ["raft", "leader"])?.string == node["name"]?.string ? 0 : 1, text: "")
        }
    }

    private struct SortKey: Comparable {
        var number: Double
        var text: String
        static func < (a: SortKey, b: SortKey) -> Bool { (a.number, a.text) < (b.number, b.text) }
    }

    // MARK: call

    func call(_ step: RunbookStep, _ call: RunbookCall, _ frame: RunFrame) async throws(RunStop) -> StepOutcome {
        if let error = try await prepare(step, frame) { return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil) }
        guard let called = order.library[call.runbook.value] else {
            return .failed(failure(step, frame, .notFound, "there is no runbook \"\(call.runbook.value)\""), nil)
        }
        guard frame.depth < RunEngine.deepestCall else { return .failed(failure(step, frame, .failed, "calls are nested too deeply"), nil) }
        let (scope, _) = try await scope(frame, step)
        guard case .success(let given) = scope.arguments(call.params, of: nil) else {
            return .failed(failure(step, frame, .failed, "a parameter of \"\(call.runbook.value)\" is not known"), nil)
        }
        var inner = RunFrame(runbook: called.runbook, params: [:])
        inner.prefix = frame.path(step) + "/"
        inner.items = frame.items
        inner.depth = frame.depth + 1
        inner.context = context(step, frame)
        do throws(BastionError) {
            // Which nodes fit was asked when the call began; its own steps may have changed that.
            inner.params = try ParameterValues.resolve(
                called.runbook, given: RunMemory.map(given), state: hasBegun(inner) ? nil : scope.state)
        } catch {
            return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil)
        }
        return try await carryOut(inner, step, frame)
    }

    /// Limit: a call within a call within a call.
    static let deepestCall = 3

    private func carryOut(_ inner: RunFrame, _ step: RunbookStep, _ frame: RunFrame) async throws(RunStop) -> StepOutcome {
        var inner = inner
        do throws(RunStop) {
            try await freezeVars(&inner)
            if !hasBegun(inner) { try await preconditions(inner) }
            try await steps(inner.runbook.steps, &inner)
            try await postconditions(inner)
            _ = try await always(inner)
            return .succeeded(.object([]), "succeeded")
        } catch {
            switch error {
            case .halt, .held, .aborted: throw error
            case .interrupted:
                _ = try await always(inner)
                throw error
            case .refused(let failure): return .failed(prefixed(failure, inner), nil)
            case .failed(let failure, let policy):
                _ = try await always(inner)
                return .failed(failure, policy == .rollback ? .rollback : nil)
            }
        }
    }

    private func prefixed(_ failure: StepFailure, _ inner: RunFrame) -> StepFailure {
        var failure = failure
        if !failure.step.hasPrefix(inner.prefix) { failure.step = inner.prefix + failure.step }
        return failure
    }

    /// Its preconditions held in an earlier part of the run; its own steps may have changed what they ask.
    private func hasBegun(_ frame: RunFrame) -> Bool { memory.passedFrames.contains(frame.key) && order.mode != .start }

    // MARK: manual

    /// Shows what is to be done, then waits until it is, or until somebody says so.
    func manual(_ step: RunbookStep, _ manual: Manual, _ frame: RunFrame, wasStarted: Bool) async throws(RunStop) -> StepOutcome {
        let (scope, _) = try await scope(frame, step)
        if case .resume(let choice) = order.mode {
            if choice.acknowledged == step.id.value || choice.acknowledged == frame.path(step), manual.doneWhen == nil {
                return .succeeded(.object([]), "succeeded")
            }
            if choice.skipsStep, wasStarted { return .succeeded(.object([]), "reconciled") }
        }
        // After a crash the work may be done: it is not asked for twice.
        if wasStarted, let done = manual.doneWhen, try await judge(done, frame, step).isPass {
            return .succeeded(.object([]), "reconciled")
        }
        var sandbox: [OperationInvocation] = []
        for call in manual.sandbox {
            guard case .success(let arguments) = scope.arguments(call.arguments, of: RunEngine.definition(call.operation.value)) else {
                continue
            }
            sandbox.append(OperationInvocation(call.operation.value, arguments, runID: order.runID))
        }
        let mayExecute = order.allowsExec && frame.runbook.metadata.capabilities.contains("exec")
        let work = ManualWork(
            step: frame.path(step), item: frame.item, instructions: scope.text(of: manual.instructions),
            exec: mayExecute ? manual.exec.map { scope.text(of: $0) } : [], patches: manual.simulate, scope: scope, sandbox: sandbox,
            hasSandbox: !manual.sandbox.isEmpty)
        let begun = try await halting { () async throws(RunHalt) in try await world.begin(work) }
        if case .failure(let error) = begun { return .failed(StepFailure(step: frame.path(step), item: frame.item, error), nil) }
        guard let done = manual.doneWhen else { return try await acknowledged(step, frame) }
        let limit = manual.timeout ?? step.timeout ?? DurationValue(.seconds(1800))
        let judged = try await hold(done, frame, step, limit: limit, interval: DurationValue(.seconds(2)), stableFor: DurationValue(.zero))
        if let judged { return .failed(failure(step, frame, .timeout, "was not done within \(limit): \(judged.message)", judged), nil) }
        return .succeeded(.object([]), "succeeded")
    }

    private func acknowledged(_ step: RunbookStep, _ frame: RunFrame) async throws(RunStop) -> StepOutcome {
        switch try await ask(.acknowledge(step: frame.path(step), item: frame.item)) {
        case .yes, .text: return .succeeded(.object([]), "succeeded")
        case .no: return .failed(failure(step, frame, .notConfirmed, "it was not done"), nil)
        case .later:
            let failure = StepFailure(
                step: frame.path(step), item: frame.item, .incomplete, "waits until it is acknowledged",
                hint: "run `pgbastion runbook resume \(order.runID) --ack \(step.id.value)`")
            throw .held(failure)
        }
    }
}

import ClusterModel
import Operations

/// What a completed step did to the world, and the way back.
struct RunEffect: Sendable, Hashable {
    var path: String
    var item: String?
    var operation: String?
    /// Completed: nothing before it is undone any more.
    var isPointOfNoReturn: Bool
    /// Something to take back or to tell of; a step that says `undo: none` has none.
    var isEffect: Bool
    /// The undoing call; nil when nothing takes it back.
    var undo: OperationInvocation?
    var context: String?
    /// Its undoing, or an `always` step that did the same, succeeded.
    var isGone = false

    var key: String { RunFrame.key(path, item) }

    var json: JSONValue {
        .record([
            ("path", .string(path)), ("item", .optional(item)), ("operation", .optional(operation)),
            ("point_of_no_return", .bool(isPointOfNoReturn)), ("effect", .bool(isEffect)), ("context", .optional(context)),
            ("undo", undo.map { .record([("run", .string($0.operation)), ("with", $0.arguments)]) } ?? .null),
        ])
    }

    init(
        path: String, item: String?, operation: String?, isPointOfNoReturn: Bool, isEffect: Bool, undo: OperationInvocation?,
        context: String?
    ) {
        self.path = path
        self.item = item
        self.operation = operation
        self.isPointOfNoReturn = isPointOfNoReturn
        self.isEffect = isEffect
        self.undo = undo
        self.context = context
    }

    init?(_ value: JSONValue, runID: String) {
        guard let path = value["path"]?.string else { return nil }
        self.path = path
        item = value["item"]?.string
        operation = value["operation"]?.string
        isPointOfNoReturn = value["point_of_no_return"]?.bool ?? false
        isEffect = value["effect"]?.bool ?? false
        context = value["context"]?.string
        undo = value["undo"]?["run"]?.string.map {
            OperationInvocation($0, value["undo"]?["with"] ?? .object([]), runID: runID)
        }
    }
}

extension RunEngine {
    /// The effect of a step that completed (or went past its own point of no return); nil: none worth remembering.
    func effect(of step: RunbookStep, output: JSONValue, _ frame: RunFrame, isIncomplete: Bool = false) -> RunEffect? {
        var undo: OperationInvocation?
        var isEffect = false
        var operation: String?
        switch step.kind {
        case .run(let call):
            operation = call.operation.value
            guard RunEngine.isMutating(call), !output.saysAlreadySo || isIncomplete else { return step.isPointOfNoReturn ? plain() : nil }
            isEffect = step.undo?.value != .nothing || step.isPointOfNoReturn || isIncomplete
            undo = isIncomplete ? nil : undoing(step, call, output, frame)
        case .manual:
            isEffect = step.undo?.value != .nothing
            if case .run(let call)? = step.undo?.value { undo = invocation(call, output: output, step, frame) }
        case .wait, .assert, .confirm, .forEach, .call:
            guard step.isPointOfNoReturn else { return nil }
        }
        let isManual = if case .manual = step.kind { true } else { false }
        return RunEffect(
            path: frame.path(step), item: frame.item, operation: operation,
            isPointOfNoReturn: step.isPointOfNoReturn || isIncomplete || (isManual && step.undo == nil), isEffect: isEffect, undo: undo,
            context: context(step, frame))

        func plain() -> RunEffect {
            RunEffect(
                path: frame.path(step), item: frame.item, operation: operation, isPointOfNoReturn: true, isEffect: false, undo: nil,
                context: nil)
        }
    }

    private func undoing(_ step: RunbookStep, _ call: OperationCall, _ output: JSONValue, _ frame: RunFrame) -> OperationInvocation? {
        switch step.undo?.value {
        case .nothing: return nil
        case .run(let undo): return invocation(undo, output: output, step, frame)
        case .auto, nil:
            let arguments = memory.steps[frame.key(step)]?.arguments ?? .object([])
            let done = OperationInvocation(call.operation.value, arguments, runID: order.runID)
            return OperationEffect.of(call.operation.value).compensation(done, output)
        }
    }

    /// An undo of the file's own, with the state that was seen last.
    private func invocation(_ call: OperationCall, output: JSONValue, _ step: RunbookStep, _ frame: RunFrame) -> OperationInvocation? {
        var frame = frame
        frame.outputs[step.id.value] = output
        let scope = frame.scope(lastState, run: runValue)
        guard case .success(let arguments) = scope.arguments(call.arguments, of: RunEngine.definition(call.operation.value)) else {
            return nil
        }
        return OperationInvocation(call.operation.value, arguments, runID: order.runID)
    }

    static func definition(_ operation: String) -> OperationDefinition? {
        OperationVocabulary.standard.entry(named: operation)?.definition
    }

    static func isMutating(_ call: OperationInvocation) -> Bool {
        guard let definition = definition(call.operation) else { return true }
        let given = (call.arguments.members ?? []).filter { $0.value != .null && $0.value != .bool(false) }.map(\.name)
        return definition.risk(given: given) != .reads
    }

    static func isMutating(_ call: OperationCall) -> Bool {
        OperationVocabulary.standard.entry(named: call.operation.value)?.isMutating(call.arguments) ?? true
    }

    /// What the journal of an earlier part of the run says was done.
    func recallEffects() {
        for key in memory.order {
            guard let step = memory.steps[key] else { continue }
            if key.hasPrefix("undo."), step.outcome == "succeeded" { markGone(String(key.dropFirst("undo.".count))) }
            if let effect = RunEffect(step.effect, runID: order.runID), !key.hasPrefix("undo."), !key.hasPrefix("always.") {
                effects.append(effect)
            }
        }
        for key in memory.order where key.hasPrefix("always.") {
            guard let step = memory.steps[key], step.outcome == "succeeded", let operation = step.operation else { continue }
            markTaken(by: OperationInvocation(operation, step.arguments))
        }
    }

    /// A step from which no rollback comes back was completed, or begun with an outcome that is not known.
    var isBehindPointOfNoReturn: Bool {
        if effects.contains(where: \.isPointOfNoReturn) { return true }
        let final = Set(order.library.values.flatMap { $0.runbook.allSteps.filter(\.isPointOfNoReturn).map(\.id.value) })
        return memory.steps.contains { key, step in
            !step.isEnded && key.split(separator: "/").contains { final.contains(String($0)) }
        }
    }

    func markGone(_ key: String) {
        for index in effects.indices where effects[index].key == key { effects[index].isGone = true }
    }

    /// An `always` step did what would have undone these.
    func markTaken(by call: OperationInvocation) {
        for index in effects.indices {
            guard let undo = effects[index].undo, undo.operation == call.operation, undo.arguments == call.arguments else { continue }
            effects[index].isGone = true
        }
    }

    var remainingEffects: [RemainingEffect] {
        effects.filter { $0.isEffect && !$0.isGone }.map { effect in
            RemainingEffect(
                step: effect.path, item: effect.item, what: effect.operation ?? "what was done by hand",
                command: effect.undo.map(\.commandLine))
        }
    }
}

extension OperationInvocation {
    /// As a person would type it: `pgbastion node undrain --node node2`.
    package var commandLine: String {
        let words = operation.split(separator: ".").joined(separator: " ")
        let options = (arguments.members ?? []).map { member -> String in
            let name = "--" + member.name.replacing("_", with: "-")
            if member.value == .bool(true) { return name }
            let parameter = RunEngine.definition(operation)?.parameters.first { $0.name == member.name }
            let value = member.value.plainText
            return parameter?.position == nil ? "\(name) \(value)" : value
        }
        return (["pgbastion", words] + options).joined(separator: " ")
    }
}

extension JSONValue {
    /// For people: a text without quotes, everything else as JSON.
    package var plainText: String {
        switch self {
        case .string(let text), .number(let text): text
        case .array(let elements): elements.map(\.plainText).joined(separator: ",")
        default: String(decoding: bytes, as: UTF8.self)
        }
    }
}

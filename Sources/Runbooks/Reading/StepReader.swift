import ClusterModel
import Operations

/// Reads steps (runbooks.md, 2.4).
struct StepReader {
    let findings: FindingCollector
    /// Inside a `for_each`, where there is no other one.
    var isInner = false

    func step(_ node: YAMLNode) -> RunbookStep? {
        guard let reader = ObjectReader(node, RunbookShapes.step, findings) else { return nil }
        let id = reader.id("id")
        guard let key = kindKey(reader), let kind = kind(key, reader) else {
            // Its conditions are checked although nobody knows what it does.
            _ = conditions(reader)
            return nil
        }
        var step = RunbookStep(id: id ?? Located("", at: reader.at), kind: kind, at: reader.at)
        step.title = reader.text("title").map { Template(text: $0.value, at: $0.at) }
        (step.when, step.skipIf, step.expect) = conditions(reader)
        step.timeout = reader.duration("timeout")
        step.retry = retry(reader)
        step.undo = undo(reader)
        step.onFailure = reader.choice("on_failure", FailurePolicy.self)
        step.isPointOfNoReturn = reader.boolean("point_of_no_return", default: false)
        step.context = reader.template("context")
        misplaced(key, reader)
        return id == nil ? nil : step
    }

    /// Only `run` steps stand in `always`.
    func alwaysStep(_ node: YAMLNode) -> RunbookStep? {
        guard var step = step(node) else { return nil }
        guard case .run = step.kind else {
            findings.note(.stepKind, at: step.at, "`always` has only `run` steps; '\(step.id.value)' is `\(step.kind.name)`")
            return nil
        }
        step.timeout = step.timeout ?? DurationValue(.seconds(60))
        return step
    }

    private func conditions(_ reader: ObjectReader) -> (Condition?, Condition?, Condition?) {
        func read(_ key: String) -> Condition? { reader.value(key).flatMap { ConditionReader.condition($0, findings) } }
        return (read("when"), read("skip_if"), read("expect"))
    }

    private func kindKey(_ reader: ObjectReader) -> String? {
        let present = (reader.node.entries ?? []).map(\.key).filter { RunbookShapes.kinds.contains($0) }
        if present.count == 1 { return present[0] }
        guard findings.isComplete || present.count > 1 else { return nil }
        if let second = present.dropFirst().first {
            findings.note(
                .stepKind, at: reader.keyRange(second),
                "a step has one kind; this one has \(present.map { "`\($0)`" }.joined(separator: " and "))")
        } else {
            findings.note(.stepKind, at: reader.at, "a step needs one of \(RunbookShapes.kinds.map { "`\($0)`" }.joined(separator: ", "))")
        }
        return nil
    }

    private func misplaced(_ key: String, _ reader: ObjectReader) {
        if key != "run", reader.value("with") != nil {
            findings.note(.valueNotAllowed, at: reader.keyRange("with"), "`with` belongs to `run`")
        }
        if key != "for_each", reader.value("steps") != nil {
            findings.note(.valueNotAllowed, at: reader.keyRange("steps"), "`steps` belongs to `for_each`")
        }
        if key != "run", reader.value("retry") != nil {
            findings.note(.valueNotAllowed, at: reader.keyRange("retry"), "`retry` belongs to `run`")
        }
    }

    // MARK: Kinds

    private func kind(_ key: String, _ reader: ObjectReader) -> RunbookStep.Kind? {
        switch key {
        case "run": return operation(reader).map { .run($0) }
        case "wait": return reader.object("wait", RunbookShapes.wait).flatMap { wait($0, step: reader) }
        case "assert":
            guard let inner = reader.object("assert", RunbookShapes.assert) else { return nil }
            let message = inner.template("message")
            return inner.value("that").flatMap { ConditionReader.condition($0, findings) }.map { .assert($0, message: message) }
        case "confirm":
            return reader.object("confirm", RunbookShapes.confirm).map {
                .confirm(message: $0.template("message"), type: $0.template("type"))
            }
        case "manual": return reader.object("manual", RunbookShapes.manual).flatMap { manual($0) }
        case "for_each": return forEach(reader)
        default:
            guard let inner = reader.object("call", RunbookShapes.call) else { return nil }
            let params = inner.arguments("params")
            return inner.id("runbook").map { .call(RunbookCall($0, params: params)) }
        }
    }

    private func operation(_ reader: ObjectReader) -> OperationCall? {
        let arguments = reader.arguments("with")
        return reader.text("run").map { OperationCall($0, arguments) }
    }

    private func wait(_ reader: ObjectReader, step: ObjectReader) -> RunbookStep.Kind? {
        let until = reader.value("until").flatMap { ConditionReader.condition($0, findings) }
        let timeout = reader.duration("timeout")
        let interval = reader.duration("interval", atLeast: .milliseconds(200))
        let stableFor = reader.duration("stable_for")
        if reader.value("timeout") == nil, step.value("timeout") == nil, findings.isComplete {
            findings.note(.waitWithoutTimeout, at: step.keyRange("wait"), "a wait needs a `timeout`")
        }
        guard let until else { return nil }
        var wait = Wait(until: until, timeout: timeout)
        if let interval { wait.interval = interval }
        if let stableFor { wait.stableFor = stableFor }
        return .wait(wait)
    }

    private func manual(_ reader: ObjectReader) -> RunbookStep.Kind? {
        var manual = Manual(instructions: reader.template("instructions") ?? Template(text: "", at: reader.at))
        manual.exec = reader.list("exec").compactMap { node in
            node.text == nil ? reader.wrong(node, "exec", "a list of texts") : TemplateParser.template(node, findings)
        }
        manual.doneWhen = reader.value("done_when").flatMap { ConditionReader.condition($0, findings) }
        manual.timeout = reader.duration("timeout")
        manual.simulate = StepReader.patches("simulate", reader)
        manual.sandbox = reader.list("sandbox").compactMap { node in
            ObjectReader(node, RunbookShapes.sandboxCall, findings).flatMap { operation($0) }
        }
        return .manual(manual)
    }

    /// A list of patches; test files have them too.
    static func patches(_ key: String, _ reader: ObjectReader) -> [StatePatch] {
        reader.list(key).compactMap { patch($0, reader.findings) }
    }

    static func patch(_ node: YAMLNode, _ findings: FindingCollector) -> StatePatch? {
        guard let reader = ObjectReader(node, RunbookShapes.patch, findings) else { return nil }
        let path = reader.value("path").flatMap { StatePathParser.path($0, findings) }
        // `set: null` is a value as well.
        let changes = ["set", "append", "remove"].filter { reader.node[$0] != nil }
        guard changes.count == 1, let key = changes.first, let value = reader.node[key] else {
            findings.note(
                changes.isEmpty ? .missingKey : .valueNotAllowed, at: changes.last.map { reader.keyRange($0) } ?? reader.at,
                "a patch has one of `set`, `append` and `remove`")
            return nil
        }
        if key == "remove", !reader.boolean("remove", default: false) {
            findings.note(.valueNotAllowed, at: reader.keyRange("remove"), "`remove` can only be true")
        }
        let change: StatePatch.Change =
            switch key {
            case "set": .set(TemplateParser.value(value, findings))
            case "append": .append(TemplateParser.value(value, findings))
            default: .remove
            }
        return path.map { StatePatch(path: $0, change: change) }
    }

    private func forEach(_ step: ObjectReader) -> RunbookStep.Kind? {
        guard !isInner else {
            findings.note(.stepKind, at: step.keyRange("for_each"), "a for_each cannot stand in another one")
            return nil
        }
        let inner = StepReader(findings: findings, isInner: true)
        let steps = step.list("steps").compactMap { inner.step($0) }
        if step.list("steps").isEmpty, findings.isComplete {
            findings.note(.missingKey, at: step.keyRange("for_each"), "a for_each needs `steps` beside it")
        }
        guard let reader = step.object("for_each", RunbookShapes.forEach), let items = items(reader) else { return nil }
        let variable = reader.id("as", separator: "_") ?? Located("node", at: reader.at)
        if ["params", "vars", "steps", "state", "run"].contains(variable.value) {
            findings.note(.badID, at: variable.at, "'\(variable.value)' is the name of a root of references")
        }
        var loop = ForEach(items: items, variable: variable)
        loop.order = reader.list("order").compactMap { order($0) }
        loop.serial = serial(reader)
        loop.maximumFailures = reader.integer("max_failures", in: 0...1000, default: 0)
        loop.between = reader.object("between", RunbookShapes.between).flatMap { between($0) }
        loop.steps = steps
        return .forEach(loop)
    }

    private func items(_ reader: ObjectReader) -> ForEach.Items? {
        guard let inner = reader.object("in", RunbookShapes.items) else { return nil }
        switch (inner.value("nodes"), inner.value("list")) {
        case (let filter?, nil): return ConditionReader.filter(filter, findings).map { .nodes($0) }
        case (nil, .some):
            guard let list = inner.template("list") else { return nil }
            guard list.soleReference != nil else {
                findings.note(.wrongType, at: list.at, "`list` must be exactly one reference")
                return nil
            }
            return .list(list)
        default:
            findings.note(.valueNotAllowed, at: reader.keyRange("in"), "`in` has one of `nodes` and `list`")
            return nil
        }
    }

    private func order(_ node: YAMLNode) -> ForEach.Order? {
        guard let reader = ObjectReader(node, RunbookShapes.order, findings) else { return nil }
        let last = reader.boolean("last", default: false)
        return reader.choice("by", ForEach.Order.Key.self).map { ForEach.Order(by: $0, last: last) }
    }

    private func serial(_ reader: ObjectReader) -> [Int] {
        guard let value = reader.value("serial") else { return [1] }
        let nodes = value.elements ?? [value]
        let sizes = nodes.compactMap { reader.integer($0, "serial", in: 1...1000) }
        return sizes.isEmpty ? [1] : sizes
    }

    private func between(_ reader: ObjectReader) -> ForEach.Between? {
        let stableFor = reader.duration("stable_for")
        let timeout = reader.duration("timeout")
        return RunbookReader.checkOrThat(reader).map { condition in
            var between = ForEach.Between(condition: condition)
            if let stableFor { between.stableFor = stableFor }
            if let timeout { between.timeout = timeout }
            return between
        }
    }

    // MARK: Common keys

    private func retry(_ step: ObjectReader) -> RetryPolicy {
        var retry = RetryPolicy()
        guard let reader = step.object("retry", RunbookShapes.retry) else { return retry }
        retry.attempts = reader.integer("attempts", in: 1...10, default: 1)
        if let delay = reader.duration("delay") { retry.delay = delay }
        retry.reasons = Set(reader.choices("on", RetryPolicy.Reason.self))
        return retry
    }

    private func undo(_ step: ObjectReader) -> Located<RunbookStep.Undo>? {
        guard let value = step.value("undo") else { return nil }
        let at = step.keyRange("undo")
        if value.entries != nil {
            return step.object("undo", RunbookShapes.undo).flatMap { operation($0) }.map { Located(.run($0), at: at) }
        }
        switch value.text {
        case "auto": return Located(.auto, at: at)
        case "none": return Located(.nothing, at: at)
        case let text:
            findings.note(
                .valueNotAllowed, at: text == nil ? at : TextRange(value), "`undo` is auto, none or { run, with }",
                help: text.flatMap { Excerpt.closest(to: $0, among: ["auto", "none"]) }.map { "did you mean '\($0)'?" })
            return nil
        }
    }
}

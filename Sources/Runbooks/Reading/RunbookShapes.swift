/// Every section of a runbook and its keys: the one table behind reading, `runbook schema` and the documentation.
package enum RunbookShapes {
    package static let all: [ObjectShape] = [
        runbook, metadata, parameter, conditionEntry, step, retry, undo, wait, assert, confirm, manual, patch, sandboxCall,
        forEach, items, order, between, call,
    ]

    package static func shape(named name: String) -> ObjectShape? { all.first { $0.name == name } }

    static let runbook = ObjectShape(
        "runbook", "An operator procedure.",
        [
            FieldDefinition("apiVersion", .constant(Runbook.apiVersion), required: true, "version of the format"),
            FieldDefinition("kind", .constant("Runbook"), required: true, "kind of the document"),
            FieldDefinition("metadata", .object("metadata"), required: true, "name, title, risk"),
            FieldDefinition("parameters", .list(.object("parameter")), default: "[]", "what the operator gives"),
            FieldDefinition(
                "vars", .map(.value), default: "{}", "values evaluated once before the preconditions, then frozen in the journal"),
            FieldDefinition("lock", .template, default: "cluster", "cluster, none or node:NAME; a runbook of risk read: none"),
            FieldDefinition("timeout", .duration(.any), default: "1h", "of the whole run without always"),
            FieldDefinition(
                "on_failure", .choice(FailurePolicy.allCases.map(\.rawValue)), default: "abort", "what a failed step leads to"),
            FieldDefinition("preconditions", .list(.object("condition_entry")), default: "[]", "must hold before the first step"),
            FieldDefinition("postconditions", .list(.object("condition_entry")), default: "[]", "must hold after the last step"),
            FieldDefinition("steps", .list(.object("step")), required: true, "what is done, in order"),
            FieldDefinition("always", .list(.object("step")), default: "[]", "run steps that are run at the end in every case"),
        ])

    static let metadata = ObjectShape(
        "metadata", "Name and nature of the runbook.",
        [
            FieldDefinition("name", .id, required: true, "the name of the file without .yaml"),
            FieldDefinition("title", .text, required: true, "one line"),
            FieldDefinition("guide", .oneOrList(.text), default: "[]", "anchors of the operations guide"),
            FieldDefinition("description", .text, "more than one line"),
            FieldDefinition("tags", .list(.text), default: "[]", "for lists"),
            FieldDefinition("estimated", .duration(.any), "how long it takes"),
            FieldDefinition(
                "risk", .choice(["read", "reversible", "disruptive", "destructive"]), required: true,
                "at least the highest risk of its steps"),
            FieldDefinition(
                "scope", .choice(Runbook.Scope.allCases.map(\.rawValue)), default: "cluster", "offline: starts without a working cluster"),
            FieldDefinition("requires", .versionRange, "versions of pgbastion that can run it"),
            FieldDefinition("capabilities", .list(.choice(["exec"])), default: "[]", "what steps may use"),
        ])

    static let parameter = ObjectShape(
        "parameter", "Something the operator gives; never a secret.",
        [
            FieldDefinition("name", .name, required: true, "used as ${params.NAME} and -p NAME=VALUE"),
            FieldDefinition("type", .choice(RunbookParameter.Kind.allCases.map(\.rawValue)), required: true, "what it may be"),
            FieldDefinition("required", .boolean, default: "false", "asked for on a terminal when missing"),
            FieldDefinition("default", .value, "taken when it is not given"),
            FieldDefinition("prompt", .text, "the question on a terminal"),
            FieldDefinition("where", .filter, "which nodes fit, for node and nodes"),
            FieldDefinition("values", .list(.text), "the choices of an enum"),
            FieldDefinition("min", .quantity, "smallest integer, duration or size"),
            FieldDefinition("max", .quantity, "largest integer, duration or size"),
            FieldDefinition("glob", .text, "pattern with * and ? that a text must match"),
        ])

    static let conditionEntry = ObjectShape(
        "condition_entry", "A precondition or a postcondition: check, or that.",
        [
            FieldDefinition("id", .id, default: "the check's name, or pre-N or post-N", "used by --override and tests"),
            FieldDefinition("check", .text, "a named check"),
            FieldDefinition("with", .map(.value), "arguments of the check"),
            FieldDefinition("that", .condition, "a condition"),
            FieldDefinition("level", .choice(ConditionEntry.Level.allCases.map(\.rawValue)), default: "block", "warn never stops a run"),
            FieldDefinition("message", .template, default: "generated", "shown when it does not hold"),
            FieldDefinition("hint", .template, "what to do then"),
            FieldDefinition("overridable", .boolean, default: "false", "may be passed with --override, preconditions only"),
            FieldDefinition("recheck", .boolean, default: "true", "evaluated again on resume"),
        ])

    static let kinds = ["run", "wait", "assert", "confirm", "manual", "for_each", "call"]

    static let step = ObjectShape(
        "step", "One step: exactly one of run, wait, assert, confirm, manual, for_each, call.",
        [
            FieldDefinition("id", .id, required: true, "unique in the file"),
            FieldDefinition("title", .text, "one line"),
            FieldDefinition("run", .operation, "an operation of the catalogue"),
            FieldDefinition("with", .map(.value), "its arguments"),
            FieldDefinition("wait", .object("wait"), "until something holds"),
            FieldDefinition("assert", .object("assert"), "something that must hold now"),
            FieldDefinition("confirm", .object("confirm"), "a question"),
            FieldDefinition("manual", .object("manual"), "work of a person"),
            FieldDefinition("for_each", .object("for_each"), "the steps in `steps` for several items"),
            FieldDefinition("steps", .list(.object("step")), "the steps of a for_each"),
            FieldDefinition("call", .object("call"), "another runbook"),
            FieldDefinition("when", .condition, "false: the step is skipped"),
            FieldDefinition("skip_if", .condition, "true: the step is skipped as already done"),
            FieldDefinition("timeout", .duration(.any), default: "run 5m, manual 30m", "limit of the step"),
            FieldDefinition("retry", .object("retry"), "try again after some failures"),
            FieldDefinition("expect", .condition, "checked on fresh state after the step"),
            FieldDefinition(
                "undo", .either([.choice(["auto", "none"]), .object("undo")]), default: "auto, if the operation has a compensation",
                "the way back"),
            FieldDefinition("on_failure", .choice(FailurePolicy.allCases.map(\.rawValue)), "instead of the runbook's"),
            FieldDefinition("point_of_no_return", .boolean, default: "false", "rollback stops here"),
            FieldDefinition("context", .template, "a context of the command line: the step addresses that cluster"),
        ])

    static let retry = ObjectShape(
        "retry", "Try again after some failures.",
        [
            FieldDefinition("attempts", .integer(1...10), default: "1", "at most so many tries"),
            FieldDefinition("delay", .duration(.any), default: "5s", "between two tries"),
            FieldDefinition("on", .list(.choice(RetryPolicy.Reason.allCases.map(\.rawValue))), "after these failures"),
        ])

    static let undo = ObjectShape(
        "undo", "An operation that undoes the step.",
        [
            FieldDefinition("run", .operation, required: true, "an operation of the catalogue"),
            FieldDefinition("with", .map(.value), "its arguments"),
        ])

    static let wait = ObjectShape(
        "wait", "Waits until a condition holds; unknown counts as not true.",
        [
            FieldDefinition("until", .condition, required: true, "what is waited for"),
            // Required: a missing one is RB032, not RB011.
            FieldDefinition("timeout", .duration(.any), "required; ends the wait as a failure with exit status 6"),
            FieldDefinition("interval", .duration(.atLeast200ms), default: "2s", "between two looks"),
            FieldDefinition("stable_for", .duration(.any), default: "0s", "true without interruption for so long"),
        ])

    static let assert = ObjectShape(
        "assert", "Evaluated once.",
        [
            FieldDefinition("that", .condition, required: true, "what must hold"),
            FieldDefinition("message", .template, default: "generated", "shown when it does not hold"),
        ])

    static let confirm = ObjectShape(
        "confirm", "A question before what follows.",
        [
            FieldDefinition("message", .template, "the question"),
            FieldDefinition("type", .template, "text the operator must type; absent: y/N"),
        ])

    static let manual = ObjectShape(
        "manual", "Work of a person.",
        [
            FieldDefinition("instructions", .template, required: true, "what to do"),
            FieldDefinition("exec", .list(.template), "a command with its arguments, run with --allow-exec, never through a shell"),
            FieldDefinition("done_when", .condition, "what is waited for; absent: an acknowledgement"),
            FieldDefinition("timeout", .duration(.any), default: "30m", "for the work"),
            FieldDefinition("simulate", .list(.object("patch")), "what the work changes in the state document"),
            FieldDefinition("sandbox", .list(.object("sandbox_call")), "what stands for the person in a sandbox"),
        ])

    static let patch = ObjectShape(
        "patch", "A change of the state document: set, append or remove.",
        [
            FieldDefinition("path", .path, required: true, "where"),
            FieldDefinition("set", .value, "the new value"),
            FieldDefinition("append", .value, "a new element of a list"),
            FieldDefinition("remove", .boolean, "true: the element or value goes"),
        ])

    static let sandboxCall = ObjectShape(
        "sandbox_call", "An operation of the sandbox.",
        [
            FieldDefinition("run", .operation, required: true, "sandbox.stop, sandbox.start, ..."),
            FieldDefinition("with", .map(.value), "its arguments"),
        ])

    static let forEach = ObjectShape(
        "for_each", "The same steps for several items, resolved once.",
        [
            FieldDefinition("in", .object("items"), required: true, "nodes that pass a filter, or a list"),
            FieldDefinition("as", .name, default: "node", "name of the variable"),
            FieldDefinition("order", .list(.object("order")), default: "[]", "sorting, the first key decides"),
            FieldDefinition("serial", .either([.integer(1...1000), .list(.integer(1...1000))]), default: "1", "sizes of the batches"),
            FieldDefinition("max_failures", .integer(0...1000), default: "0", "items that may fail"),
            FieldDefinition("between", .object("between"), "must hold before the next batch starts"),
        ])

    static let items = ObjectShape(
        "items", "What a for_each goes through: nodes, or list.",
        [
            FieldDefinition("nodes", .filter, "nodes of the state document that pass the filter"),
            FieldDefinition("list", .template, "a reference that gives a list"),
        ])

    static let order = ObjectShape(
        "order", "One key of the order.",
        [
            FieldDefinition("by", .choice(ForEach.Order.Key.allCases.map(\.rawValue)), required: true, "what is compared"),
            FieldDefinition("last", .boolean, default: "false", "the other way round: the largest, or the leader, last"),
        ])

    static let between = ObjectShape(
        "between", "What must hold before the next batch: check, or that.",
        [
            FieldDefinition("check", .text, "a named check"),
            FieldDefinition("with", .map(.value), "its arguments"),
            FieldDefinition("that", .condition, "a condition"),
            FieldDefinition("stable_for", .duration(.any), default: "0s", "without interruption for so long"),
            FieldDefinition("timeout", .duration(.any), default: "5m", "as a wait"),
        ])

    static let call = ObjectShape(
        "call", "Another runbook under the same lock.",
        [
            FieldDefinition("runbook", .id, required: true, "its name"),
            FieldDefinition("params", .map(.value), default: "{}", "its parameters"),
        ])
}

import Runbooks

/// `pgbastion-runbook(5)`: the format of a runbook. Lists come from the reader of the format, so that none can be left out.
extension ManualPages {
    static let runbook: String = {
        var parts = [
            RoffText.title("pgbastion-runbook", 5), RoffText.section("NAME"),
            RoffText.body("pgbastion-runbook - a procedure for a PostgreSQL cluster, as data"), RoffText.section("DESCRIPTION"),
            RoffText.paragraph(
                "A runbook says what must hold before, which steps to take, what must hold after, and the way back. pgbastion runbook "
                    + "checks it without a cluster, shows what it would do, runs it with a journal that survives a crash, and tests it. "
                    + "Steps are the operations of the command line, with the same checks: a runbook can add checks, never remove one. "
                    + "They run in order; there is no shell."),
            RoffText.paragraph(
                "One runbook per file, NAME.yaml: UTF-8, one document of at most 256 KiB, without anchors, aliases, tags, merge keys or "
                    + "unknown keys. Durations are 500ms, 30s, 5m, 2h, 7d; sizes 10MiB or bytes; times RFC 3339 with zone. Ids are 1 to 63 "
                    + "of a-z, 0-9 and \"-\"; names of parameters and variables have \"_\" instead."),
        ]
        parts += items("TOP LEVEL", topLevel) + items("PARAMETERS", parameters) + items("CONDITION ENTRIES", entries)
        parts += items("STEPS", commonKeys) + items("KINDS OF STEPS", kinds)
        parts += [RoffText.section("REFERENCES")] + references.map(RoffText.paragraph)
        parts += [RoffText.section("CONDITIONS")] + conditions.map(RoffText.paragraph) + operators.map { RoffText.item($0.0, $0.1) }
        parts.append(RoffText.section("NAMED CHECKS"))
        parts.append(RoffText.paragraph(NamedCheck.all.map(\.id).joined(separator: ", ")))
        parts.append(RoffText.section("BUILT-IN STATES"))
        parts.append(RoffText.paragraph(BuiltinState.allCases.map { BuiltinState.prefix + $0.rawValue }.joined(separator: ", ")))
        parts += [RoffText.section("FINDINGS OF LINT")]
        parts += LintRule.allCases.map { RoffText.item($0.rawValue, $0.summary + ($0.severity == .warning ? " (warning)" : "")) }
        parts += [RoffText.section("EXAMPLES"), RoffText.verbatim(example)]
        parts += items("FILES", files)
        let others = ["", "-runbook-lint", "-runbook-plan", "-runbook-run", "-runbook-test"].map { "pgbastion\($0)(8)" }
        parts += [RoffText.section("SEE ALSO"), RoffText.body(others.joined(separator: ", "))]
        return parts.joined(separator: "\n") + "\n"
    }()

    private static func items(_ title: String, _ list: [(String, String)]) -> [String] {
        [RoffText.section(title)] + list.map { RoffText.item($0.0, $0.1) }
    }

    private static func choices<Choice: RawRepresentable>(_ list: [Choice]) -> String where Choice.RawValue == String {
        list.map(\.rawValue).joined(separator: ", ")
    }

    private static let topLevel = [
        ("apiVersion, kind", "pgbastion.io/v1 and Runbook"),
        ("metadata.name, metadata.title", "the name of the file without .yaml, and one line for people; both required"),
        ("metadata.risk", "read, reversible, disruptive or destructive: at least that of the steps; required"),
        ("metadata.guide", "anchors of the operations guide"),
        ("metadata.description, metadata.tags, metadata.estimated", "for pgbastion runbook show and docs"),
        ("metadata.scope", choices(Runbook.Scope.allCases) + "; offline starts without a working cluster. Default: cluster"),
        ("metadata.requires", "a range of versions of pgbastion, such as >=1.2 <2"),
        ("metadata.capabilities", "exec, when a manual step may run programs"),
        ("parameters", "what the operator gives, see PARAMETERS"),
        ("vars", "names and values; worked out once before the preconditions, then frozen"),
        ("lock", "cluster, node:NAME or none. Default: cluster; none when the risk is read"),
        ("timeout", "of the whole run without always. Default: 1h"),
        ("on_failure", choices(FailurePolicy.allCases) + ". Default: abort; a step can have its own"),
        ("preconditions, postconditions", "what must hold before the first step and after the last, see CONDITION ENTRIES"),
        ("steps", "at least one, see STEPS"), ("always", "run steps that are carried out at the end in every case"),
    ]
    private static let parameters = [
        ("name, type", "required; the type is one of " + choices(RunbookParameter.Kind.allCases)),
        ("required, default", "required: true, or what is taken when none is given"),
        ("prompt", "how the operator is asked"), ("where", "which nodes fit, for node and nodes: { role: { equals: replica } }"),
        ("values", "the values of an enum"), ("min, max", "of integer, duration and bytes"), ("glob", "what a string must look like"),
    ]
    private static let entries = [
        ("check, with", "a named check and its arguments; or instead of both:"), ("that", "a condition"),
        ("id", "for --override and tests. Default: the check's name"), ("level", "block or warn. Default: block"),
        ("message, hint", "what is said when it does not hold"),
        ("overridable", "true: --override ID passes it, after a typed confirmation; preconditions only. Default: false"),
        ("recheck", "looked at again by pgbastion runbook resume. Default: true"),
    ]
    private static let commonKeys = [
        ("id", "unique in the file; required"), ("title", "for people"), ("when", "a condition; the step is skipped when it is false"),
        ("skip_if", "a condition; the step counts as done when it is true"), ("timeout", "of the step. Default: of the kind"),
        ("retry", "{ attempts: 1, delay: 5s, on: [...] }; on takes " + choices(RetryPolicy.Reason.allCases)),
        ("expect", "a condition on fresh state after the step"),
        ("undo", "auto: the operation's own way back; none; or { run: OPERATION, with: {...} }. Default: auto where there is one"),
        ("on_failure", "as at the top"), ("point_of_no_return", "true: a rollback stops here. Default: false"),
        ("context", "a context of the client: the step and its conditions are about that cluster"),
    ]
    private static let kinds = [
        (
            "run: OPERATION, with: {...}",
            "calls an operation and waits for its outcome; its fields are ${steps.ID.FIELD} afterwards. Timeout: 5m"
        ),
        (
            "wait: { until, timeout, interval, stable_for }",
            "until the condition holds, for stable_for without interruption; timeout is required"
        ),
        ("assert: { that, message }", "looks once"),
        ("confirm: { message, type }", "asks y/N, or for the text of type"),
        (
            "manual: { instructions, exec, done_when, timeout, simulate, sandbox }",
            "work of a person: waits for done_when, or for pgbastion runbook resume RUN --ack ID"
        ),
        (
            "for_each: { in, as, order, serial, max_failures, between }, steps: [...]",
            "the same steps for several nodes or items; order by " + choices(ForEach.Order.Key.allCases)
        ),
        ("call: { runbook, params }", "another runbook under the same lock, at most three deep"),
    ]
    private static let references = [
        "${params.NAME}, ${vars.NAME}, ${steps.ID.FIELD}, ${state.PATH}, ${run.id}, and the variable of a for_each. They are filled in "
            + "after the file was understood: a value never becomes syntax. $${ is a literal ${.",
        "state is the document at the moment of use; in vars it is the one at the start.",
    ]
    private static let conditions = [
        "{ path: PATH, OPERATOR: VALUE }, { value: REFERENCE, OPERATOR: VALUE }, { check: NAME, with: {...} }, { all: [...] }, "
            + "{ any: [...] }, { not: CONDITION }. Paths lead into the state document (pgbastion state schema): nodes[name=node2].lag_bytes, "
            + "nodes[*].version.",
        "What is not known is neither true nor false, and never passes: preconditions fail, waits go on. every over an empty list is false.",
    ]
    /// One explanation per operator: a new one does not compile without.
    private static let operators: [(String, String)] = Operator.allCases.map { op in
        let meaning =
            switch op {
            case .equals, .notEquals: "a value of the same type"
            case .in, .notIn: "a list of values"
            case .gt, .gte, .lt, .lte: "a number, size, duration, time, position or version; sizes as 10MiB, durations as 30s"
            case .between: "[LOWEST, HIGHEST], both included"
            case .exists: "true or false: there, and not null"
            case .matches: "a pattern with * and ?, for the whole text"
            case .contains: "a part of a text, or an element of a list"
            case .version: "a range such as >=1.2 <2"
            case .newerThan, .olderThan: "a duration, counted from the moment of the state document"
            case .every, .some, .none: "of a list: { OPERATOR: VALUE }, or a filter { FIELD: { OPERATOR: VALUE } }"
            case .count: "of a list: { OPERATOR: NUMBER }, with an optional where: FILTER"
            }
        return (op.rawValue, meaning)
    }
    private static let files = [
        ("/etc/pgbastion/runbooks.d/NAME.yaml", "runbooks of your own; they hide shipped ones of the same name"),
        ("/usr/share/pgbastion/runbooks/NAME.yaml, /usr/local/share/pgbastion/runbooks/NAME.yaml", "shipped runbooks"),
    ]
    private static let example = """
        apiVersion: pgbastion.io/v1
        kind: Runbook
        metadata:
          name: drain-replica
          title: Take a replica out of routing for a while
          risk: reversible
        parameters:
          - { name: node, type: node, required: true, where: { role: { equals: replica } } }
        preconditions:
          - { id: healthy, check: cluster.healthy, hint: "Run `pgbastion doctor`." }
        steps:
          - { id: drain, run: node.drain, with: { node: "${params.node}" } }
          - id: quiet
            wait:
              until: { path: "nodes[name=${params.node}].drained", equals: true }
              timeout: 1m
        postconditions:
          - { id: out, that: { path: "nodes[name=${params.node}].drained", equals: true } }
        """
}

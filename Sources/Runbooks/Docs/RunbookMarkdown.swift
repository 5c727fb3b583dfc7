import Operations

/// A runbook as a page for people.
package enum RunbookMarkdown {
    package static func page(_ runbook: Runbook) -> String {
        var lines = ["# \(runbook.name)", "", runbook.metadata.title + ".", ""]
        if !runbook.metadata.description.isEmpty { lines += [runbook.metadata.description, ""] }
        lines += facts(runbook) + [""]
        lines += parameters(runbook.parameters)
        lines += conditions("Before", runbook.preconditions)
        lines += ["## Steps", ""] + runbook.steps.enumerated().flatMap { step($1, number: "\($0 + 1)", indent: "") } + [""]
        lines += conditions("Afterwards", runbook.postconditions)
        if !runbook.always.isEmpty {
            lines += ["## In every case", ""] + runbook.always.enumerated().flatMap { step($1, number: "\($0 + 1)", indent: "") } + [""]
        }
        lines += [
            "## Run it", "", "```", "pgbastion runbook plan \(runbook.name)\(example(runbook))",
            "pgbastion runbook run \(runbook.name)\(example(runbook))", "```",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func facts(_ runbook: Runbook) -> [String] {
        let metadata = runbook.metadata
        var rows = [
            ("Risk", metadata.risk.value.runbookName), ("Lock", "`\(runbook.effectiveLock.source)`"), ("Time limit", "\(runbook.timeout)"),
        ]
        if metadata.scope == .offline { rows.append(("Scope", "starts without a working cluster, on the machine itself")) }
        if let estimated = metadata.estimated { rows.append(("Takes about", "\(estimated)")) }
        if !metadata.guide.isEmpty { rows.append(("Operations guide", metadata.guide.map { "`\($0.value)`" }.joined(separator: ", "))) }
        if let requires = metadata.requires { rows.append(("Versions", "`\(requires.value)`")) }
        return ["| | |", "|---|---|"] + rows.map { "| \($0.0) | \($0.1) |" }
    }

    private static func parameters(_ parameters: [RunbookParameter]) -> [String] {
        guard !parameters.isEmpty else { return [] }
        let rows = parameters.map { parameter in
            let fallback = parameter.isRequired ? "required" : parameter.defaultValue.map { "`\(Self.text($0, parameter))`" } ?? "-"
            return "| `\(parameter.name.value)` | \(parameter.kind.rawValue) | \(fallback) | \(cell(parameter.prompt ?? "")) |"
        }
        return ["## Parameters", "", "| Name | Type | Default | Meaning |", "|---|---|---|---|"] + rows + [""]
    }

    private static func text(_ value: RunbookValue, _ parameter: RunbookParameter) -> String {
        guard parameter.kind == .bytes, let bytes = value.integer.flatMap({ UInt64(exactly: $0) }) else { return ValueText.plain(value) }
        return Quantity.text(bytes: bytes).replacing(" ", with: "")
    }

    private static func conditions(_ title: String, _ entries: [ConditionEntry]) -> [String] {
        guard !entries.isEmpty else { return [] }
        let rows = entries.map { entry in
            let kind = (entry.level == .warn ? " (warns only)" : "") + (entry.isOverridable ? " (can be overridden)" : "")
            return "| `\(entry.id.value)` | \(cell(ConditionText.text(entry.condition)))\(kind) | \(cell(entry.hint?.source ?? "")) |"
        }
        return ["## \(title)", "", "| Check | What must hold | Otherwise |", "|---|---|---|"] + rows + [""]
    }

    private static func step(_ step: RunbookStep, number: String, indent: String) -> [String] {
        var text = "\(indent)\(number). **\(step.id.value)**: \(RunbookMarkdown.text(step.kind))"
        if let title = step.title { text += " \(title.source)." }
        if let when = step.when { text += " Only when \(ConditionText.text(when))." }
        if let skip = step.skipIf { text += " Skipped when \(ConditionText.text(skip))." }
        if step.isPointOfNoReturn { text += " Point of no return." }
        if case .run(let call)? = step.undo?.value { text += " Undone by \(RunbookMarkdown.text(call))." }
        guard case .forEach(let loop) = step.kind else { return [text] }
        return [text] + loop.steps.enumerated().flatMap { self.step($1, number: "\($0 + 1)", indent: indent + "   ") }
    }

    private static func text(_ kind: RunbookStep.Kind) -> String {
        switch kind {
        case .run(let call): text(call) + "."
        case .wait(let wait):
            "waits until \(ConditionText.text(wait.until)), at most \(wait.timeout.map { "\($0)" } ?? "-")."
        case .assert(let condition, _): "\(ConditionText.text(condition)) must hold."
        case .confirm(let message, let type):
            "asks: \(message?.source ?? "Go on?")" + (type.map { " `\($0.source)` must be typed." } ?? "")
        case .manual(let manual):
            "by hand: \(manual.instructions.source)" + (manual.doneWhen.map { " Done when \(ConditionText.text($0))." } ?? "")
        case .forEach(let loop):
            switch loop.items {
            case .nodes(let filter): "for each node with \(ConditionText.text(filter)):"
            case .list(let list): "for each of \(list.source):"
            }
        case .call(let call): "runs the runbook [\(call.runbook.value)](\(call.runbook.value).md)."
        }
    }

    private static func text(_ call: OperationCall) -> String {
        let arguments = call.arguments.map { " \($0.name.value)=\(ConditionText.text($0.value))" }.joined()
        return "`\(call.operation.value)\(arguments)`"
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("\n", with: " ") }

    private static func example(_ runbook: Runbook) -> String {
        runbook.parameters.filter(\.isRequired).map { " -p \($0.name.value)=\($0.name.value.uppercased())" }.joined()
    }
}

/// Conditions as they were written, on one line.
package enum ConditionText {
    package static func text(_ condition: Condition) -> String {
        switch condition.kind {
        case .path(let path, let comparison): "`\(path.source) \(text(comparison))`"
        case .value(let template, let comparison): "`\(template.source) \(text(comparison))`"
        case .check(let call):
            "`\(call.name.value)\(call.arguments.isEmpty ? "" : "(\(call.arguments.map { "\($0.name.value): \(text($0.value))" }.joined(separator: ", ")))")`"
        case .all(let conditions): conditions.map(text).joined(separator: " and ")
        case .any(let conditions): conditions.map(text).joined(separator: " or ")
        case .not(let inner): "not \(text(inner))"
        }
    }

    static func text(_ filter: StateFilter) -> String {
        "`\(filter.entries.map { "\($0.field.source) \(text($0.comparison))" }.joined(separator: " and "))`"
    }

    static func text(_ value: ValueTemplate) -> String {
        switch value.content {
        case .literal(let literal): ValueText.plain(literal)
        case .text(let template): template.source
        case .list(let elements): "[\(elements.map(text).joined(separator: ", "))]"
        case .map(let entries): "{\(entries.map { "\($0.name.value): \(text($0.value))" }.joined(separator: ", "))}"
        }
    }

    private static func text(_ comparison: Comparison) -> String {
        let words = comparison.op.rawValue.replacing("_", with: " ")
        switch comparison.operand {
        case .value(let value): return "\(words) \(text(value))"
        case .elements(.comparison(let inner), _): return "\(words) \(text(inner))"
        case .elements(.filter(let filter), _): return "\(words) with \(plain(filter))"
        case .count(let number, let filter): return "count\(filter.map { " of \(plain($0))" } ?? "") \(text(number))"
        }
    }

    private static func plain(_ filter: StateFilter) -> String { String(text(filter).dropFirst().dropLast()) }
}

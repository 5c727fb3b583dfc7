import ClusterModel
import Operations

/// What a run was, for machines and for people (runbooks.md, section 11).
package struct RunReport: Sendable {
    package enum Format: String, Sendable, Hashable, CaseIterable { case json, junit, markdown, github }

    package var runbook: LoadedRunbook
    package var result: RunResult
    package var params: [String: JSONValue]
    package var overrides: [String]

    package init(runbook: LoadedRunbook, result: RunResult, params: [String: JSONValue], overrides: [String]) {
        self.runbook = runbook
        self.result = result
        self.params = params
        self.overrides = overrides
    }

    package func text(_ format: Format) -> String {
        switch format {
        case .json: String(decoding: json.bytes, as: UTF8.self) + "\n"
        case .junit: junit
        case .markdown: markdown
        case .github: github
        }
    }

    package var json: JSONValue {
        .record([
            ("run_id", .string(result.runID)), ("runbook", .string(runbook.name)), ("sha256", .string(runbook.sha256)),
            ("params", .record(params.map { ($0.key, $0.value) })), ("status", .string(result.status.rawValue)),
            ("exit", .integer(result.exitStatus)), ("started_at", RunReport.time(result.startedAt)),
            ("ended_at", RunReport.time(result.endedAt)),
            ("overrides", .array(overrides.map { .string($0) })), ("preconditions", .array(result.preconditions.map(\.json))),
            ("steps", .array(result.steps.map(\.json))), ("postconditions", .array(result.postconditions.map(\.json))),
            ("failed_step", .optional(result.failure?.step)), ("message", .optional(result.failure?.message)),
            ("hint", .optional(result.failure?.hint)), ("undone", .array(result.undone.map { .string($0) })),
            ("remaining", .array(result.remaining.map(\.json))), ("warnings", .array(result.warnings.map { .string($0) })),
        ])
    }

    package static func time(_ milliseconds: Int64) -> JSONValue {
        milliseconds == 0 ? .null : .optional(Timestamp.adding(Double(milliseconds) / 1000, to: "1970-01-01T00:00:00Z"))
    }

    // MARK: JUnit

    private var junit: String {
        var cases: [JUnitCase] = []
        for entry in result.preconditions { cases.append(JUnitCase(entry, "precondition")) }
        for step in result.steps { cases.append(JUnitCase(step)) }
        for entry in result.postconditions { cases.append(JUnitCase(entry, "postcondition")) }
        return JUnitSuite(name: runbook.name, cases: cases).text
    }

    // MARK: Markdown

    private var markdown: String {
        var lines = ["# \(runbook.name): \(result.status.rawValue) (exit \(result.exitStatus))", ""]
        lines.append(
            "Run `\(result.runID)`, runbook `\(runbook.sha256.prefix(12))`, started \(RunReport.time(result.startedAt).plainText).")
        if !params.isEmpty {
            lines += ["", "| Parameter | Value |", "|---|---|"]
            lines += params.sorted { $0.key < $1.key }.map { "| `\($0.key)` | `\(RunReport.cell($0.value.plainText))` |" }
        }
        lines += ["", "| Step | What | Outcome | Attempts | Duration |", "|---|---|---|---|---|"]
        for step in result.steps {
            let name = step.path + (step.item.map { "[\($0)]" } ?? "")
            let message = step.message.isEmpty ? "" : ": \(RunReport.cell(step.message))"
            lines.append(
                "| \(step.phase == .step ? "" : "\(step.phase.rawValue): ")`\(name)` | \(step.operation ?? step.kind) | "
                    + "\(step.outcome)\(message) | \(step.attempts) | \(step.durationText) |")
        }
        let failed = (result.preconditions + result.postconditions).filter { !$0.isPass }
        if !failed.isEmpty {
            lines += ["", "Conditions that do not hold:", ""] + failed.map { "- `\($0.id)` (\($0.level)): \($0.message)" }
        }
        if let failure = result.failure { lines += ["", "Decided by `\(failure.step)`: \(failure.message)"] }
        if !result.remaining.isEmpty {
            lines += ["", "What remains:", ""]
            lines += result.remaining.map { "- `\($0.step)`: \($0.what)" + ($0.command.map { "; take it back with `\($0)`" } ?? "") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }

    // MARK: GitHub

    private var github: String {
        var lines: [String] = []
        if result.status != .succeeded {
            let what = result.failure.map { "\($0.step): \($0.message)" } ?? result.status.rawValue
            lines.append(GitHubLine.error(title: runbook.name, message: what))
        }
        lines += result.warnings.map { GitHubLine.warning(title: runbook.name, message: $0) }
        lines.append("\(runbook.name): \(result.status.rawValue), exit \(result.exitStatus), \(result.steps.count) steps")
        return lines.joined(separator: "\n") + "\n"
    }
}

extension StepReport {
    package var json: JSONValue {
        .record([
            ("id", .string(path)), ("item", .optional(item)), ("phase", .string(phase.rawValue)), ("kind", .string(kind)),
            ("operation", .optional(operation)), ("attempts", .integer(attempts)), ("outcome", .string(outcome)),
            ("message", .string(message)), ("output", output), ("started_at", RunReport.time(startedAt)),
            ("duration_seconds", .seconds(Double(max(0, endedAt - startedAt)) / 1000)), ("recalled", .bool(isRecalled)),
        ])
    }

    var durationText: String { "\(DecimalTextOfSeconds.text(Double(max(0, endedAt - startedAt)) / 1000)) s" }
}

enum DecimalTextOfSeconds {
    /// With one digit behind the point.
    static func text(_ seconds: Double) -> String {
        let tenths = Int64((seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension RemainingEffect {
    package var json: JSONValue {
        .record([("step", .string(step)), ("item", .optional(item)), ("what", .string(what)), ("command", .optional(command))])
    }
}

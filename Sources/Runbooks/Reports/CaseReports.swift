import ClusterModel
import Operations

/// The outcome of test files in the formats of `--report`.
package enum CaseReports {
    package static func text(_ reports: [CaseReport], findings: [RunbookDiagnostic] = [], _ format: RunReport.Format) -> String {
        switch format {
        case .json: String(decoding: json(reports).bytes, as: UTF8.self) + "\n"
        case .junit: junit(reports)
        case .markdown: markdown(reports)
        case .github: github(reports, findings)
        }
    }

    package static func json(_ reports: [CaseReport]) -> JSONValue {
        .record([
            (
                "cases",
                .array(
                    reports.map { report in
                        .record([
                            ("file", .string(report.file)), ("runbook", .string(report.runbook)), ("name", .string(report.name)),
                            ("on", .string(report.place.rawValue)), ("outcome", .string(report.outcome.rawValue)),
                            ("problems", .array(report.problems.map { .string($0) })), ("trace", .array(report.trace.map { .string($0) })),
                            ("status", .optional(report.result?.status.rawValue)), ("duration_seconds", .seconds(report.seconds)),
                        ])
                    })
            ),
            ("passed", .integer(reports.count { $0.outcome == .passed })), ("failed", .integer(reports.count { $0.outcome == .failed })),
            ("skipped", .integer(reports.count { $0.outcome == .skipped })),
        ])
    }

    private static func junit(_ reports: [CaseReport]) -> String {
        let names = reports.map(\.runbook).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let suites = names.map { name in
            JUnitSuite(
                name: name,
                cases: reports.filter { $0.runbook == name }.map { report in
                    JUnitCase(
                        className: name, name: report.name, seconds: report.seconds,
                        failure: report.outcome == .failed ? (report.problems + report.trace).joined(separator: "\n") : nil,
                        isSkipped: report.outcome == .skipped)
                }
            ).element
        }
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n\(suites.joined())</testsuites>\n"
    }

    private static func markdown(_ reports: [CaseReport]) -> String {
        var lines = ["| Runbook | Case | On | Outcome |", "|---|---|---|---|"]
        lines += reports.map {
            "| \($0.runbook) | \($0.name.replacing("|", with: "\\|")) | \($0.place.rawValue) | \($0.outcome.rawValue) |"
        }
        for report in reports where report.outcome == .failed {
            lines += ["", "**\(report.runbook): \(report.name)**", "", "```"] + report.problems + report.trace + ["```"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func github(_ reports: [CaseReport], _ findings: [RunbookDiagnostic]) -> String {
        var lines = findings.map { finding -> String in
            let message = finding.help.map { "\(finding.message); \($0)" } ?? finding.message
            return finding.severity == .error
                ? GitHubLine.error(title: finding.rule.rawValue, message: message, file: finding.file, line: finding.at.start.line)
                : GitHubLine.warning(title: finding.rule.rawValue, message: message, file: finding.file, line: finding.at.start.line)
        }
        lines += reports.filter { $0.outcome == .failed }.map {
            GitHubLine.error(
                title: "\($0.runbook): \($0.name)", message: $0.problems.joined(separator: "\n"), file: $0.file, line: $0.at.start.line)
        }
        lines.append(summary(reports))
        return lines.joined(separator: "\n") + "\n"
    }

    /// `212 cases: 190 passed, 2 failed, 20 skipped`
    package static func summary(_ reports: [CaseReport]) -> String {
        let failed = reports.count { $0.outcome == .failed }
        let skipped = reports.count { $0.outcome == .skipped }
        return "\(reports.count) cases: \(reports.count - failed - skipped) passed, \(failed) failed, \(skipped) skipped"
    }
}

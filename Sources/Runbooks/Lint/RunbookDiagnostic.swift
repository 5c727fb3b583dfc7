import ClusterModel

/// One finding in a runbook or test file, with its place.
package struct RunbookDiagnostic: Sendable, Hashable, Error {
    package enum Severity: String, Sendable, Hashable { case error, warning }
    package var severity: Severity
    package var rule: LintRule
    package var file: String
    package var at: TextRange
    package var message: String
    package var help: String?

    package init(_ rule: LintRule, file: String, at: TextRange, _ message: String, help: String? = nil) {
        severity = rule.severity
        self.rule = rule
        self.file = file
        self.at = at
        self.message = message
        self.help = help
    }

    /// The order of reports: file, line, column.
    package static func inOrder(_ a: RunbookDiagnostic, _ b: RunbookDiagnostic) -> Bool {
        if a.file != b.file { return a.file < b.file }
        if a.at.start != b.at.start { return a.at.start < b.at.start }
        return (a.rule.rawValue, a.message) < (b.rule.rawValue, b.message)
    }
}

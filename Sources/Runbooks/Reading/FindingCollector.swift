import ClusterModel
import Operations

/// Gathers what is found while one file is read.
package final class FindingCollector {
    package let file: String
    /// False for a text that breaks off: nothing is said about what is missing in it.
    package let isComplete: Bool
    package private(set) var findings: [RunbookDiagnostic] = []

    package init(file: String, isComplete: Bool = true) {
        self.file = file
        self.isComplete = isComplete
    }

    package func note(_ rule: LintRule, at: TextRange, _ message: String, help: String? = nil) {
        guard findings.count < FindingCollector.most else { return }
        findings.append(RunbookDiagnostic(rule, file: file, at: at, message, help: help))
    }

    /// Limit: findings of one file; what is no runbook at all should not fill a screen.
    static let most = 200

    package func take(_ problems: [YAMLProblem]) {
        for problem in problems {
            let rule: LintRule =
                switch problem.kind {
                case .syntax: .notYAML
                case .duplicateKey: .duplicateKey
                case .refusedFeature: .refusedFeature
                case .severalDocuments: .severalDocuments
                case .limit: .limit
                case .notUTF8: .notUTF8
                }
            note(rule, at: TextRange(problem.position, problem.end), problem.message, help: problem.hint)
        }
    }
}

/// Texts as diagnostics show them.
package enum Excerpt {
    /// At most 60 characters of `text` on one line, whatever the file holds.
    package static func of(_ text: String) -> String {
        let flat = String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
        return flat.count > 60 ? flat.prefix(59) + "…" : flat
    }

    /// The candidate that was probably meant: a slip of the keyboard, or two letters in the wrong order.
    package static func closest(to text: String, among candidates: [String]) -> String? {
        if let name = NameSuggestion.closest(to: text, among: candidates) { return name }
        return candidates.first { $0.utf8.count == text.utf8.count && $0.utf8.sorted() == text.utf8.sorted() }
    }

    package static func help(for text: String, among candidates: [String]) -> String? {
        if let name = closest(to: text, among: candidates) { return "did you mean '\(name)'?" }
        return candidates.isEmpty || candidates.count > 24 ? nil : "known: \(candidates.joined(separator: ", "))"
    }
}

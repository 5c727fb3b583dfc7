import ClusterModel
import ConfigFiles
import Operations

@testable import Runbooks

/// Runbooks of tests: from YAML text to findings, as the command does it.
enum LintSupport {
    static let limits = YAMLLimits(bytes: 256 << 10, scalarBytes: 8 << 10)

    static func reading(_ text: String) -> YAMLReading { reading(Array(text.utf8)) }
    static func reading(_ bytes: [UInt8]) -> YAMLReading { YAMLDocument.read(bytes, limits: limits) }

    static func lint(
        _ text: String, file: String = "x.yaml", runbooks: [String: Runbook] = [:], anchors: Set<String>? = nil
    ) -> [RunbookDiagnostic] {
        RunbookLint.check(reading(text), file: file, in: LintEnvironment(runbooks: runbooks, anchors: anchors)).diagnostics
    }

    static func runbook(_ text: String) -> Runbook? { RunbookReader.read(reading(text), file: "x.yaml").runbook }

    /// A runbook without findings, with other parts where a test wants them.
    static func text(
        metadata: String = "", parameters: String = "", vars: String = "", preconditions: String = "", steps: String = "", end: String = ""
    ) -> String {
        """
        apiVersion: pgbastion.io/v1
        kind: Runbook
        metadata:
          name: x
          title: A title
          guide: "#x"
          risk: destructive
        \(metadata)parameters:
          - { name: target, type: node, required: true }
        \(parameters)vars:
          old: "${state.primary.name}"
        \(vars)preconditions:
          - { id: quorum, check: cluster.has_quorum, hint: "Wait." }
        \(preconditions)steps:
          - { id: ask, confirm: { type: "${vars.old}", message: "${params.target}" } }
        \(steps)postconditions:
          - { id: after, check: one_primary }
        \(end)
        """
    }

    /// A step that compares something.
    static func condition(_ text: String) -> String { LintSupport.text(steps: "  - { id: look, assert: { that: \(text) } }\n") }
}

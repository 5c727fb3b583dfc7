import ClusterModel
import Operations

/// An operator procedure: typed steps with preconditions, waits and a way back (runbooks.md, section 2).
package struct Runbook: Sendable, Hashable {
    package static let apiVersion = "pgbastion.io/v1"

    package var metadata: Metadata
    package var parameters: [RunbookParameter] = []
    package var vars: [Argument] = []
    /// `cluster`, `none` or `node:NAME`; nil: `cluster`, for a runbook that only reads `none`.
    package var lock: Template?
    package var timeout = DurationValue(.seconds(3600))
    package var onFailure = FailurePolicy.abort
    package var preconditions: [ConditionEntry] = []
    package var postconditions: [ConditionEntry] = []
    package var steps: [RunbookStep] = []
    /// Only `run` steps.
    package var always: [RunbookStep] = []

    package struct Metadata: Sendable, Hashable {
        package var name: Located<String>
        package var title = ""
        /// Anchors of the operations guide: `#rolling-upgrade-recommended`.
        package var guide: [Located<String>] = []
        package var description = ""
        package var tags: [String] = []
        package var estimated: DurationValue?
        package var risk: Located<OperationDefinition.Risk>
        package var scope = Scope.cluster
        package var requires: Located<String>?
        package var capabilities: Set<String> = []
    }
    /// `offline` starts without a working cluster.
    package enum Scope: String, Sendable, Hashable, CaseIterable { case cluster, offline }

    package init(metadata: Metadata) { self.metadata = metadata }

    package var name: String { metadata.name.value }
    /// The lock as text, with the default of the risk.
    package var effectiveLock: Template { lock ?? Template(text: metadata.risk.value == .reads ? "none" : "cluster") }
}

/// What a failed step leads to (runbooks.md, section 7.1).
package enum FailurePolicy: String, Sendable, Hashable, CaseIterable { case abort, rollback, `continue`, hold }

/// Something the operator gives.
package struct RunbookParameter: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case node, nodes, string, integer, boolean, duration, bytes, `enum`, path, backup, version, time, address
    }
    package var name: Located<String>
    package var kind: Kind
    package var isRequired = false
    /// Already checked and normalised: sizes in bytes and durations as written.
    package var defaultValue: RunbookValue?
    package var prompt: String?
    /// Of `node` and `nodes`.
    package var filter: StateFilter?
    /// Of `enum`.
    package var choices: [String] = []
    /// `integer`: the number; `duration`: milliseconds; `bytes`: bytes.
    package var minimum: Int64?
    package var maximum: Int64?
    package var glob: String?
}

/// A precondition or a postcondition.
package struct ConditionEntry: Sendable, Hashable {
    package enum Level: String, Sendable, Hashable, CaseIterable { case block, warn }
    package var id: Located<String>
    /// `check` and `with`, or `that`.
    package var condition: Condition
    package var level = Level.block
    package var message: Template?
    package var hint: Template?
    package var isOverridable = false
    package var isRechecked = true
    package var at: TextRange
}

import ClusterModel
import Operations

/// Where a run stands (runbooks.md, 7.1).
///
/// `planned -> preflight -> running <-> waiting | held -> succeeded | failed | rolling_back -> rolled_back |
/// rollback_failed | aborted | interrupted`. A held or interrupted run can be resumed; the other ends are final.
package enum RunStatus: String, Sendable, Hashable, CaseIterable {
    case planned, preflight, running, waiting, held, succeeded, failed
    case rollingBack = "rolling_back"
    case rolledBack = "rolled_back"
    case rollbackFailed = "rollback_failed"
    case aborted, interrupted

    /// Nothing more can happen to the run.
    package var isFinal: Bool {
        switch self {
        case .succeeded, .failed, .rolledBack, .rollbackFailed, .aborted: true
        default: false
        }
    }

    package static let transitions: [RunStatus: Set<RunStatus>] = [
        .planned: [.preflight],
        .preflight: [.running, .failed, .interrupted, .succeeded],
        .running: [.waiting, .held, .succeeded, .failed, .rollingBack, .aborted, .interrupted],
        .waiting: [.running, .held, .failed, .rollingBack, .aborted, .interrupted],
        .held: [.running, .rollingBack, .aborted],
        .interrupted: [.preflight, .rollingBack, .aborted],
        .rollingBack: [.rolledBack, .rollbackFailed, .failed, .interrupted],
    ]
}

/// Why a step, and with it perhaps the run, did not succeed.
package struct StepFailure: Sendable, Hashable {
    /// The deciding step: its id, with the calls that lead to it.
    package var step: String
    package var item: String?
    package var code: ErrorCode
    package var message: String
    package var hint: String?
    /// What became of an operation is not known even after asking.
    package var isUnknown = false
    /// The condition that decided, as it was judged.
    package var condition: String?

    package init(step: String, item: String? = nil, _ code: ErrorCode, _ message: String, hint: String? = nil) {
        self.step = step
        self.item = item
        self.code = code
        self.message = message
        self.hint = hint
    }

    package init(step: String, item: String? = nil, _ error: BastionError) {
        self.init(step: step, item: item, error.code, error.detail.map { "\(error.message) (\($0))" } ?? error.message, hint: error.hint)
    }
}

/// How a run ended, or stopped for now.
package struct RunResult: Sendable, Hashable {
    package var runID: String
    package var status: RunStatus
    package var exitStatus: Int32
    package var failure: StepFailure?
    /// Every precondition that refused.
    package var failedChecks: [JudgedEntry] = []
    package var steps: [StepReport] = []
    package var preconditions: [JudgedEntry] = []
    package var postconditions: [JudgedEntry] = []
    /// What the run changed and nothing took back, with the command that would.
    package var remaining: [RemainingEffect] = []
    /// Paths of the steps that were undone, in the order of the undoing.
    package var undone: [String] = []
    package var warnings: [String] = []
    package var startedAt: Int64 = 0
    package var endedAt: Int64 = 0
}

package struct RemainingEffect: Sendable, Hashable {
    package var step: String
    package var item: String?
    package var what: String
    /// A command by hand; nil when nothing takes it back.
    package var command: String?
}

/// One step as a report shows it.
package struct StepReport: Sendable, Hashable {
    package enum Phase: String, Sendable, Hashable { case step, undo, always }
    package var phase: Phase
    /// `checklist/backup`: the calls that lead to it, and its id.
    package var path: String
    package var item: String?
    package var kind: String
    package var operation: String?
    package var attempts = 0
    /// `succeeded skipped failed reconciled adopted warning unknown`
    package var outcome = ""
    package var message = ""
    package var output: JSONValue = .null
    package var startedAt: Int64 = 0
    package var endedAt: Int64 = 0
    /// From the journal of an earlier part of the run.
    package var isRecalled = false

    package init(phase: Phase, path: String, item: String?, kind: String, operation: String? = nil) {
        self.phase = phase
        self.path = path
        self.item = item
        self.kind = kind
        self.operation = operation
    }

    package var isSuccess: Bool { ["succeeded", "reconciled", "adopted"].contains(outcome) }
}

/// A precondition or postcondition and how it was judged.
package struct JudgedEntry: Sendable, Hashable {
    package var id: String
    /// `block warn`
    package var level: String
    /// `pass fail unknown`
    package var status: String
    package var path: String?
    package var actual: String?
    package var expected: String?
    package var message: String
    package var hint: String?
    package var isOverridden = false

    package var isPass: Bool { status == "pass" }
}

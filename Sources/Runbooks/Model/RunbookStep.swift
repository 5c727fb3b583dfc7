import ClusterModel
import Operations

/// One step of a runbook.
package struct RunbookStep: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case run(OperationCall)
        case wait(Wait)
        case assert(Condition, message: Template?)
        /// `type`: the text the operator must type; nil: y/N.
        case confirm(message: Template?, type: Template?)
        case manual(Manual)
        case forEach(ForEach)
        case call(RunbookCall)

        /// The key it is written with.
        package var name: String {
            switch self {
            case .run: "run"
            case .wait: "wait"
            case .assert: "assert"
            case .confirm: "confirm"
            case .manual: "manual"
            case .forEach: "for_each"
            case .call: "call"
            }
        }
    }
    package var id: Located<String>
    package var title: Template?
    package var kind: Kind
    package var when: Condition?
    package var skipIf: Condition?
    /// As given; `effectiveTimeout` has the default of the kind.
    package var timeout: DurationValue?
    package var retry = RetryPolicy()
    package var expect: Condition?
    package var undo: Located<Undo>?
    package var onFailure: FailurePolicy?
    package var isPointOfNoReturn = false
    /// Name of a context of the command line: the step addresses that cluster.
    package var context: Template?
    package var at: TextRange

    package init(id: Located<String>, kind: Kind, at: TextRange) {
        self.id = id
        self.kind = kind
        self.at = at
    }

    package enum Undo: Sendable, Hashable {
        /// The operation's own compensation.
        case auto
        /// Nothing to undo.
        case nothing
        case run(OperationCall)
    }

    /// A `wait` always has its own; nil: no limit of its own (`confirm`, `for_each`, `call`).
    package var effectiveTimeout: DurationValue? {
        switch kind {
        case .run: timeout ?? DurationValue(.seconds(300))
        case .wait(let wait): wait.timeout ?? timeout
        case .manual(let manual): manual.timeout ?? timeout ?? DurationValue(.seconds(1800))
        case .assert, .confirm, .forEach, .call: timeout
        }
    }
}

/// An operation of the catalogue and its arguments.
package struct OperationCall: Sendable, Hashable {
    package var operation: Located<String>
    package var arguments: [Argument]
    package init(_ operation: Located<String>, _ arguments: [Argument] = []) {
        self.operation = operation
        self.arguments = arguments
    }
}

package struct RetryPolicy: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable { case unreachable, timeout, unavailable, conflict }
    package var attempts = 1
    package var delay = DurationValue(.seconds(5))
    package var reasons: Set<Reason> = []
    package init() {}
}

/// True without interruption for `stableFor`, within `timeout`.
package struct Wait: Sendable, Hashable {
    package var until: Condition
    /// nil only in a file with errors (RB032).
    package var timeout: DurationValue?
    package var interval = DurationValue(.seconds(2))
    package var stableFor = DurationValue(.zero)
}

/// Work of a person.
package struct Manual: Sendable, Hashable {
    package var instructions: Template
    /// Run directly, never through a shell; needs capability `exec`.
    package var exec: [Template] = []
    package var doneWhen: Condition?
    package var timeout: DurationValue?
    /// What the work changes in the state document, for plans and simulated runs.
    package var simulate: [StatePatch] = []
    /// What stands for the person in a sandbox.
    package var sandbox: [OperationCall] = []
}

/// A change of the state document.
package struct StatePatch: Sendable, Hashable {
    package enum Change: Sendable, Hashable {
        case set(ValueTemplate)
        case append(ValueTemplate)
        case remove
    }
    package var path: StatePath
    package var change: Change
}

/// The same steps for several items; items and order are resolved once.
package struct ForEach: Sendable, Hashable {
    package enum Items: Sendable, Hashable {
        case nodes(StateFilter)
        /// A reference that gives a list.
        case list(Template)
    }
    package struct Order: Sendable, Hashable {
        package enum Key: String, Sendable, Hashable, CaseIterable {
            case name, role, lagBytes = "lag_bytes", version, raftLeader = "raft_leader"
        }
        package var by: Key
        package var last = false
    }
    /// What must hold before the next batch starts.
    package struct Between: Sendable, Hashable {
        package var condition: Condition
        package var stableFor = DurationValue(.zero)
        package var timeout = DurationValue(.seconds(300))
    }
    package var items: Items
    /// Name of the loop variable.
    package var variable: Located<String>
    package var order: [Order] = []
    /// Sizes of the batches; the last one repeats.
    package var serial: [Int] = [1]
    package var maximumFailures = 0
    package var between: Between?
    package var steps: [RunbookStep] = []
}

package struct RunbookCall: Sendable, Hashable {
    package var runbook: Located<String>
    package var params: [Argument] = []
    package init(_ runbook: Located<String>, params: [Argument] = []) {
        self.runbook = runbook
        self.params = params
    }
}

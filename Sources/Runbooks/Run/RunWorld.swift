import ClusterModel
import Operations

/// The outside of a run: the engine decides, this acts. The live cluster, the sandbox and the simulator are three of them.
package protocol RunWorld: AnyObject {
    /// Milliseconds of the wall clock, or of virtual time.
    var now: Int64 { get }
    /// Signals to stop that have come so far.
    var signals: [RunSignal] { get }
    /// Somebody can be asked.
    var isInteractive: Bool { get }

    /// A state document that is at most 2 s old.
    func state(context: String?) async throws(RunHalt) -> Result<JSONValue, BastionError>
    /// Durable when it returns: the journal's next line.
    func write(_ line: String) async throws(RunHalt)
    /// Just before a step's work, once for every attempt. An error: the step fails with it, nothing was called.
    func prepare(_ step: String, item: String?) async throws(RunHalt) -> BastionError?
    /// Just after a step's work, before the journal says so.
    func completed(_ step: String, item: String?) async throws(RunHalt)
    func call(_ request: StepRequest) async throws(RunHalt) -> Result<JSONValue, BastionError>
    /// What became of the call with this key.
    func outcome(of request: StepRequest) async throws(RunHalt) -> KeyOutcome
    func sleep(milliseconds: Int64) async throws(RunHalt)
    func canAnswer(_ question: RunQuestion) -> Bool
    func ask(_ question: RunQuestion) async throws(RunHalt) -> RunReply
    /// Begins a person's work: shows what is to be done, or does it in the person's place.
    func begin(_ work: ManualWork) async throws(RunHalt) -> Result<Void, BastionError>
    /// nil: the lock is held (again).
    func acquireLock(_ lock: LockRequest) async throws(RunHalt) -> BastionError?
    func releaseLock() async throws(RunHalt)
    /// Something a person, a report or the replicated list of runs may see.
    func report(_ event: RunEvent) async
}

extension RunWorld {
    package func prepare(_ step: String, item: String?) async throws(RunHalt) -> BastionError? { nil }
    package func completed(_ step: String, item: String?) async throws(RunHalt) {}
}

/// The run stops where it stands, as if the process had died.
package enum RunHalt: Error, Sendable, Hashable {
    case crash
    /// The second signal.
    case stopped(RunSignal)
    /// The journal cannot be written.
    case journal(BastionError)
}

package enum RunSignal: Int32, Sendable, Hashable {
    case hangup = 1, interrupt = 2, terminate = 15
    package var exitStatus: Int32 { self == .interrupt ? 130 : 143 }
}

/// One call of an operation for a step.
package struct StepRequest: Sendable, Hashable {
    package var step: String
    package var item: String?
    package var invocation: OperationInvocation
    /// `run-id/step/item`
    package var key: String
    package var timeout: Duration
    package var context: String?
    package var isMutating: Bool
    package var overrides: [String]
}

package enum KeyOutcome: Sendable {
    /// The cluster never heard of it: it was not executed.
    case neverHeard
    case running
    case finished(Result<JSONValue, BastionError>)
    /// Nobody could be asked, or nobody keeps such keys (an operation on this machine).
    case unknown
}

package enum RunQuestion: Sendable, Hashable {
    /// Before the first step: the risk of the whole runbook, and the name to type when it is destructive.
    case risk(String, name: String?)
    case override([String], name: String)
    case confirm(step: String, message: String, type: String?)
    /// `--step`
    case next(step: String, title: String)
    case acknowledge(step: String, item: String?)
}

package enum RunReply: Sendable, Hashable {
    case yes, no
    /// What was typed.
    case text(String)
    /// Nobody is there; the run waits for a later command.
    case later
}

package struct ManualWork: Sendable {
    package var step: String
    package var item: String?
    package var instructions: String
    /// Program and arguments; empty: none, or not allowed.
    package var exec: [String]
    package var patches: [StatePatch]
    /// What the patches' references mean.
    package var scope: EvaluationScope
    package var sandbox: [OperationInvocation]
    package var hasSandbox: Bool
}

package struct LockRequest: Sendable, Hashable {
    package var runID: String
    package var runbook: String
    /// nil: the whole cluster.
    package var node: String?
    package var isOffline: Bool
}

package enum RunEvent: Sendable {
    case status(RunStatus)
    case judged(JudgedEntry, phase: String)
    case started(StepReport, title: String)
    case ended(StepReport)
    case waiting(step: String, reason: String)
    case note(String)
    case finished(RunResult)
}

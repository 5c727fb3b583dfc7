/// The lock of a runbook's run, in the replicated state (runbooks.md, 7.2).
package struct RunLock: Sendable, Codable, Hashable {
    package var runID: String
    package var runbook: String
    /// nil: the whole cluster; else only runs and commands on this node are excluded.
    package var node: NodeName?
    /// `user@host`
    package var holder: String
    /// Raft index of the acquisition; every mutating call of the run carries it, smaller numbers are rejected. Filled in by `apply`.
    package var fencing: UInt64
    /// Milliseconds of the wall clock.
    package var startedAt: Int64
    package var heartbeatAt: Int64
    package init(runID: String, runbook: String, node: NodeName?, holder: String, at: Int64) {
        self.runID = runID
        self.runbook = runbook
        self.node = node
        self.holder = holder
        fencing = 0
        startedAt = at
        heartbeatAt = at
    }

    /// Limit: without a heartbeat for so long the lock is orphaned; it still excludes.
    package static let liveMilliseconds: Int64 = 30_000
}

/// The compact copy of a run that every node can show and resume (runbooks.md, 7.3).
package struct RunSummary: Sendable, Codable, Hashable {
    package var id: String
    package var runbook: String
    /// SHA-256 of the runbook's text, hex.
    package var sha256: String
    /// Run state of runbooks.md, 7.1.
    package var status: String
    package var exitStatus: Int32?
    package var user: String
    package var startedAt: Int64
    package var endedAt: Int64?
    package var params: [String: String]
    /// The step that runs, waits, holds or failed.
    package var step: String?
    package var message: String
    /// Completed steps with their outcome, in order: `pause succeeded`.
    package var steps: [String]
    package init(id: String, runbook: String, sha256: String, status: String, user: String, startedAt: Int64) {
        self.id = id
        self.runbook = runbook
        self.sha256 = sha256
        self.status = status
        self.user = user
        self.startedAt = startedAt
        params = [:]
        message = ""
        steps = []
    }
}

import ClusterModel

/// One entry of the Raft log above consensus (CS2).
package struct ClusterEntry: Sendable, Codable, Hashable {
    /// Known to `idempotency`: a repetition returns the first result (CS5).
    package var requestID: RequestID?
    /// The request that caused it, for logs and records (L05).
    package var trace: RequestID?
    package var actor: String
    /// The term in which the leader proposed it; applied as rejected in any other (CS2).
    package var proposedTerm: UInt64
    /// Milliseconds of the proposer's wall clock; display only (D9).
    package var wallTime: Int64
    package var rules: [String]
    /// What the decision was made from (PR8).
    package var evidence: DecisionEvidence?
    /// The words of whoever asked (`--reason`).
    package var reason: String?
    /// The run of a runbook on whose behalf this is, and the fencing number of its lock (runbooks.md, 7.2).
    package var run: RunClaim?
    package var command: ClusterCommand
    package init(
        requestID: RequestID? = nil, trace: RequestID? = nil, actor: String, proposedTerm: UInt64, wallTime: Int64,
        rules: [String] = [], evidence: DecisionEvidence? = nil, reason: String? = nil, run: RunClaim? = nil,
        command: ClusterCommand
    ) {
        self.run = run
        self.requestID = requestID
        self.trace = trace
        self.actor = actor
        self.proposedTerm = proposedTerm
        self.wallTime = wallTime
        self.rules = rules
        self.evidence = evidence
        self.reason = reason
        self.command = command
    }
}

/// What a decision of the policy was made from.
package struct DecisionEvidence: Sendable, Codable, Hashable {
    /// Digest of the facts (`PolicyContext.fingerprint`).
    package var inputs: String
    package var candidates: [DecisionRecord.Candidate]
    package init(inputs: String, candidates: [DecisionRecord.Candidate]) {
        self.inputs = inputs
        self.candidates = candidates
    }
}

/// Section 3.2 of failover.md: every way the cluster state changes.
package enum ClusterCommand: Sendable, Codable, Hashable {
    case initCluster(id: ClusterID, epoch: UInt32, name: String, leaseMilliseconds: Int64)
    case registerNode(NodeRecord)
    case removeNode(name: NodeName, memberID: MemberID)
    /// `timeline` is the one the data was found on; the first assignment takes the next.
    case setSystemIdentifier(UInt64, timeline: TimelineID)
    case setStanding(node: NodeName, memberID: MemberID, from: Standing, to: Standing, dataID: DataID?, reason: String)
    /// `milliseconds`: how long the sessions of a drained node may go on.
    case setDrained(node: NodeName, drained: Bool, milliseconds: Int64? = nil)
    /// An operator forbids the node to be writable: its token ends, its standing is `fenced` (D15).
    case fenceNode(node: NodeName, memberID: MemberID, reason: String)
    /// The leader saw that nothing on the fenced node can be writable any more.
    case proveFence(node: NodeName, method: FenceRecord.Method)
    case unfenceNode(node: NodeName, memberID: MemberID, dataID: DataID?)
    case startOperation(OperationRecord)
    case advanceOperation(id: String, from: OperationRecord.Phase, to: OperationRecord.Phase, detail: String)
    /// An operator ends an operation before its point of no return; `phase` is the one it was in when that was decided.
    case cancelOperation(id: String, phase: OperationRecord.Phase, message: String)
    case finishOperation(id: String, result: OperationRecord.Result, message: String)
    case recordRelease(token: FencingToken, guardIncarnation: GuardIncarnation, evidence: ReleaseEvidence)
    case assignPrimary(Assignment)
    case recordPromotion(token: FencingToken, timeline: TimelineID, forkLSN: LSN)
    case abandonAssignment(token: FencingToken, reason: String)
    case setLeaseTerms(milliseconds: Int64)
    case settleLeaseWait(milliseconds: Int64)
    /// To `timed`: the guard of `token` confirmed it (LE12). To `sole`: exactly one data node.
    case setLeaseMode(LeaseMode, token: FencingToken, confirmed: Bool)
    case setHold(HoldRecord)
    case clearHold(id: UInt64)
    /// An operator's hold ends before its time: the guard is lowered next (LE12).
    case releaseHold(id: UInt64)
    case beginSyncChange(token: FencingToken, generation: UInt64, mode: SynchronousMode, rule: AckRule)
    case settleSync(token: FencingToken, generation: UInt64)
    case setSyncPolicy(mode: SynchronousMode?, wanted: Int)
    case pause(PauseRecord)
    case resume(id: String?)
    case publishDirective(DirectiveRecord)
    /// Only one that nobody has begun.
    case cancelDirective(id: String, message: String)
    /// `seconds`: for how long the server of a RESTART did not answer.
    case completeDirective(id: String, status: DirectiveRecord.Status, error: String?, seconds: Double? = nil)
    case appendDecision(DecisionRecord)
    /// `expectedVersion` nil: whatever it is.
    case patchPostgresParameters(expectedVersion: UInt64?, set: [String: String], unset: [String])
    case createToken(TokenRecord)
    case rotateToken(name: String, digest: String)
    case revokeToken(name: String)
    /// Follow another cluster (`standby_cluster`), or the same at another address.
    case followCluster(StandbyUpstream)
    /// Who streams from there.
    case setStandbySource(NodeName)
    case recordBackup(BackupRecord)
    /// Rejected when the window of the series is claimed already.
    case claimBackup(BackupClaim)
    /// Rejected while another run has the lock of the cluster or of the same node; its fencing number is the index.
    case acquireLock(RunLock)
    case beatLock(runID: String)
    case releaseLock(runID: String)
    /// Replaces the record of the same run.
    case recordRun(RunSummary)
    /// Changes nothing: every node digests its state at its index.
    case digestMark(id: String)
    /// A former data node is known to be harmless (4.12).
    case clearBarrier(node: NodeName, mark: BarrierView.Mark)
    /// The operator names the primary of a restored cluster; the other nodes of the barrier are attested, the pause ends.
    case acceptPrimary(node: NodeName, memberID: MemberID)
}

/// The content of `AssignPrimary`.
package struct Assignment: Sendable, Codable, Hashable {
    package var token: FencingToken
    package var node: NodeName
    package var memberID: MemberID
    package var guardIncarnation: GuardIncarnation
    package var timeline: TimelineID
    package var parent: TimelineID
    package var basis: AssignmentBasis
    package var rule: AckRule
    package var mode: SynchronousMode
    /// The older rules are dropped: their loss is accepted and certified (SE8).
    package var dropsOlderRules: Bool
    package var certificate: LossCertificate?
    package var operationID: String
    package init(
        token: FencingToken, node: NodeName, memberID: MemberID, guardIncarnation: GuardIncarnation,
        timeline: TimelineID, parent: TimelineID, basis: AssignmentBasis, rule: AckRule, mode: SynchronousMode,
        dropsOlderRules: Bool, certificate: LossCertificate?, operationID: String
    ) {
        self.token = token
        self.node = node
        self.memberID = memberID
        self.guardIncarnation = guardIncarnation
        self.timeline = timeline
        self.parent = parent
        self.basis = basis
        self.rule = rule
        self.mode = mode
        self.dropsOlderRules = dropsOlderRules
        self.certificate = certificate
        self.operationID = operationID
    }
}

/// CS4: a failed precondition is a result, not an error, and changes nothing but `idempotency`.
package enum ApplyResult: Sendable, Codable, Hashable {
    case applied
    /// `rule` names the precondition.
    case rejected(rule: String, reason: String)
}

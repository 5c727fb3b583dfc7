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
    package var command: ClusterCommand
    package init(
        requestID: RequestID? = nil, trace: RequestID? = nil, actor: String, proposedTerm: UInt64, wallTime: Int64,
        rules: [String] = [], command: ClusterCommand
    ) {
        self.requestID = requestID
        self.trace = trace
        self.actor = actor
        self.proposedTerm = proposedTerm
        self.wallTime = wallTime
        self.rules = rules
        self.command = command
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
    case setDrained(node: NodeName, drained: Bool)
    case startOperation(OperationRecord)
    case advanceOperation(id: String, from: OperationRecord.Phase, to: OperationRecord.Phase, detail: String)
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
    case beginSyncChange(token: FencingToken, generation: UInt64, mode: SynchronousMode, rule: AckRule)
    case settleSync(token: FencingToken, generation: UInt64)
    case setSyncPolicy(mode: SynchronousMode?, wanted: Int)
    case pause(PauseRecord)
    case resume(id: String?)
    case publishDirective(DirectiveRecord)
    case completeDirective(id: String, status: DirectiveRecord.Status, error: String?)
    case appendDecision(DecisionRecord)
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

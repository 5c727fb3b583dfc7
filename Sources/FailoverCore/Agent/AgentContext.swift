import ClusterModel

/// Everything the agent's next step may depend on.
package struct AgentContext: Sendable {
    package var state: ClusterState
    package var now: ClockStamp
    package var me: NodeName
    package var memberID: MemberID
    /// The configuration says that this node may initialise a new cluster's data.
    package var mayInitialise: Bool
    package var guardStatus: GuardStatus?
    package var facts: PostgresFacts?
    /// The leader's last report, if it is of the present term and recent: only then is what the state asks for also
    /// ordered now (CS8).
    package var leaderReport: ClusterReport?
    package var pledgedBallot: FencingToken
    package init(
        state: ClusterState, now: ClockStamp, me: NodeName, memberID: MemberID, mayInitialise: Bool,
        guardStatus: GuardStatus?, facts: PostgresFacts?, leaderReport: ClusterReport?, pledgedBallot: FencingToken
    ) {
        self.state = state
        self.now = now
        self.me = me
        self.memberID = memberID
        self.mayInitialise = mayInitialise
        self.guardStatus = guardStatus
        self.facts = facts
        self.leaderReport = leaderReport
        self.pledgedBallot = pledgedBallot
    }

    package var record: NodeRecord? { state.nodes[me].flatMap { $0.memberID == memberID ? $0 : nil } }
    package var order: NodeOrder? { leaderReport?.orders[me] }
    package var server: ServerFacts? { guardStatus?.postmasterPID == nil ? nil : facts?.server }
    package var isStopped: Bool { guardStatus.map { $0.postmasterPID == nil && $0.allProcessesGone } ?? false }

    /// `primary` names this node with its present guard: it may ask for the lease.
    package var isAppointed: Bool {
        guard let primary = state.primary, let status = guardStatus else { return false }
        return primary.node == me && primary.memberID == memberID && primary.guardIncarnation == status.incarnation
            && primary.phase != .ended
    }
    /// The guard holds the lease for the current token.
    package var holdsLease: Bool {
        guard isAppointed, let status = guardStatus, status.token == state.primary?.token else { return false }
        return status.state == .armed || status.state == .primary || status.state == .stopping
    }
    /// LE10: the guard's fence for the current token is complete, so nothing can run under it any more.
    package var isFencedForPrimary: Bool {
        guard let status = guardStatus, status.state == .fenced else { return false }
        return status.token == state.primary?.token
    }
    /// The lineage that local data is compared with.
    package var lineage: Lineage? { state.servedLineage }
}

/// What the agent wants done.
package enum AgentStep: Sendable, Hashable {
    case act(PostgresAction)
    case startStandby
    case startInPlace(FencingToken)
    /// The server that runs in the data directory was started by somebody else; the guard takes it over.
    case adopt(AdoptionRequest.Role)
    case order(GuardOrder)
    /// Tell the leader that the lease is given up (LE10); repeated until the state shows it.
    case release(FencingToken, GuardIncarnation, ReleaseEvidence)
    /// Make a pledge durable before it is answered (SE3).
    case persistPledge(FencingToken)
    case answerPledge(Pledge)
    /// Read facts again soon: something is about to change.
    case watchClosely
}

import ClusterModel

/// 4.12: in a restored cluster nothing is done to PostgreSQL before an operator accepts a primary; what runs is observed, and
/// taken over without a restart.
extension NodeAgent {
    /// nil: the ordinary rows apply.
    mutating func awaitAcceptance(_ c: AgentContext) -> [AgentStep]? {
        guard let barrier = c.state.barrier else { return nil }
        if barrier.accepted == c.me, let steps = takeOverRunning(c) { return steps }
        // Accepted and not yet appointed, or accepted elsewhere and not yet serving: still nothing is started or stopped.
        guard c.state.primary == nil, c.state.operation == nil else { return nil }
        memory.state = "stopped"
        guard c.isStopped, memory.stopped == nil, memory.job == nil, memory.retryAt == nil, c.facts?.dataDirectory == .present else {
            return []
        }
        return [.act(.inspectStopped)]  // It only reads, and says how recent the data are.
    }

    /// The guard still counts a lease of the former cluster.
    private mutating func takeOverRunning(_ c: AgentContext) -> [AgentStep]? {
        guard let status = c.guardStatus, status.postmasterPID != nil, status.mayBeWritable, status.clusterID != nil,
            status.clusterID != c.state.cluster?.id
        else { return nil }
        return memory.mayAskForStart(c.now) ? [.adopt(.accepted), .watchClosely] : [.watchClosely]
    }

    /// A server that nobody here started: a standby as a standby, a writable one as the unleased primary it is. Recovery without
    /// `standby.signal` is waited for.
    mutating func adoptRestored(_ stranger: StrangerServer, _ c: AgentContext) -> [AgentStep] {
        guard let server = c.facts?.server else { return [.watchClosely] }
        guard server.isInRecovery else { return memory.mayAskForStart(c.now) ? [.adopt(.firstPrimary), .watchClosely] : [.watchClosely] }
        return adoptStandby(stranger, c)
    }
}

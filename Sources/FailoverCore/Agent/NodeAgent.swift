import ClusterModel

/// How one node converges (section 8.1): from what is, and what the cluster state asks for, to the next step.
///
/// One job runs at a time (AG15); orders to the guard are idempotent and may be repeated. What the agent remembers is
/// about its own jobs only and is not needed for safety.
package struct NodeAgent: Sendable {
    var memory = AgentMemory()

    package init() {}

    /// The next steps; evaluated on every change and every 250 ms. The first matching row wins.
    package mutating func evaluate(_ c: AgentContext) -> [AgentStep] {
        guard c.guardStatus != nil, c.facts != nil, c.record?.kind == .data || c.state.cluster == nil else { return [] }
        memory.observe(c)
        var steps = obeyOrders(c)
        if memory.mustLookAgain(c) { steps.append(.order(.status)) }
        if let fence = fenceStranger(c) { return steps + [fence] }
        if let strange = handleStranger(c) { return steps + strange }
        if let waiting = awaitAcceptance(c) { return steps + waiting }
        steps += pledgeSteps(c)
        if memory.job != nil || memory.pledgeJob != nil { return steps + (isUrgent(c) ? [.watchClosely] : []) }
        if steps.contains(where: { if case .act = $0 { true } else { false } }) { return steps }
        // D48: a start that was asked for may still be on its way to the guard; no job may change the files meanwhile.
        if memory.isStarting(c) { return steps + [.watchClosely] }
        steps += convergence(c)
        return steps
    }

    /// AG2, D60: data of another cluster are neither started nor replaced.
    mutating func isForeign(_ found: UInt64, _ c: AgentContext) -> Bool {
        guard let expected = c.state.systemIdentifier, found != expected else { return false }
        memory.state = "failed"
        memory.failure = "D60: the data directory has system identifier \(found), the cluster has \(expected)"
        return true
    }

    private func isUrgent(_ c: AgentContext) -> Bool { c.state.operation != nil }

    /// The rows of 8.1 that start or stop the server or change its data.
    private mutating func convergence(_ c: AgentContext) -> [AgentStep] {
        if let found = c.facts?.systemIdentifier, isForeign(found, c) {
            return c.guardStatus?.postmasterPID != nil ? [.order(.stop(budgetMilliseconds: 3000))] : []  // AG2
        }
        if let steps = reinitialize(c) { return steps }
        if let steps = restart(c) { return steps }
        if c.state.primary?.node == c.me, c.state.primary?.memberID == c.memberID,
            c.state.primary?.phase == .ended || c.isFencedForPrimary, let steps = giveUp(c)
        {
            return steps
        }
        if c.isAppointed { return c.state.primary?.phase == .assigned ? promote(c) : serve(c) }
        if let primary = c.state.primary, primary.phase == .serving, primary.node != c.me { return follow(primary, c) }
        if let standby = c.state.standby, standby.endedBy == nil { return followUpstream(standby, c) }
        return withoutPrimary(c)
    }

    // MARK: Orders that need no job

    private mutating func obeyOrders(_ c: AgentContext) -> [AgentStep] {
        switch c.order {
        case .lower(let token, let lowering):
            guard c.guardStatus?.token == token, c.guardStatus?.lowered.contains(lowering) == false else { return [] }
            return [.order(.lower(lowering))]
        case .fence(let token, let reason):
            guard c.guardStatus?.token == token, c.guardStatus?.state != .fenced else { return [] }
            return [.order(.fence(token: token, reason: reason))]
        case .restartInPlace, nil: return []
        }
    }

    /// AG1: writable, but not under the current token.
    private func fenceStranger(_ c: AgentContext) -> AgentStep? {
        guard let status = c.guardStatus, status.mayBeWritable, status.postmasterPID != nil, status.state == .primary
        else { return nil }
        // Adopted while no token had been given; meanwhile another node was appointed.
        guard let token = status.token else {
            guard c.state.lastToken > .never, !c.isAppointed, !c.state.mayRunUnleased(c.me) else { return nil }
            return .order(.fence(token: c.state.lastToken, reason: "AG1: token \(c.state.lastToken) belongs to another node"))
        }
        // A guard of the former cluster keeps the lease it has until that ends, or its node is accepted (4.12).
        guard c.state.primary?.token != token, c.state.lastToken > token, !c.state.mayRunUnleased(c.me) else { return nil }
        return .order(.fence(token: token, reason: "AG1: token \(token) is not current"))
    }

    /// LE10: the token of this node has ended; stop what runs under it, then say so.
    private mutating func giveUp(_ c: AgentContext) -> [AgentStep]? {
        guard let primary = c.state.primary, let status = c.guardStatus,
            status.incarnation == primary.guardIncarnation, primary.released == nil
        else { return nil }
        memory.state = "stopped"
        if status.state == .fenced, status.token == primary.token {
            let clean = memory.stopped?.isCleanShutdown == true
            let evidence = ReleaseEvidence(manner: clean ? .cleanStop : .fenced, endOfWAL: memory.stopped?.end)
            return [.release(primary.token, status.incarnation, evidence), .watchClosely]
        }
        if status.postmasterPID != nil, status.token == primary.token, status.state == .primary || status.state == .armed {
            return [.order(.stop(budgetMilliseconds: 1000)), .watchClosely]  // SE6: a live primary gets up to 1 s
        }
        if c.isStopped {
            return [.order(.fence(token: primary.token, reason: "LE10: token \(primary.token) has ended")), .watchClosely]
        }
        return [.watchClosely]
    }

    // MARK: Jobs

    /// A job ended; its outcome decides what the next evaluation does.
    package mutating func finished(_ action: PostgresAction, _ outcome: PostgresOutcome, now: ClockStamp) {
        memory.finish(action, outcome, now: now)
    }

    /// The shell began this job.
    package mutating func started(_ action: PostgresAction, now: ClockStamp) { memory.start(action, now: now) }

    package mutating func received(pledgeRequest ballot: FencingToken) {
        memory.wantedBallot = max(memory.wantedBallot, ballot)
        memory.pledgeAnswered = false
    }

    /// What the leader is told (3.1, "Not in the log").
    package func report(_ c: AgentContext, version: String) -> NodeReport {
        var r = NodeReport(node: c.me, memberID: c.memberID, version: version)
        r.guardStatus = c.guardStatus
        r.facts = c.facts
        if c.guardStatus?.postmasterPID == nil { r.facts?.server = nil }
        r.stopped = c.isStopped ? memory.stopped : nil
        r.agentState = displayState(c)
        r.pledgedBallot = c.pledgedBallot
        r.promoted = memory.promoted
        r.failedToken = memory.failedToken
        r.failure = memory.failure
        r.settledGeneration = memory.settledGeneration
        r.parametersVersion = parametersVersion(c)
        r.directiveResults = memory.directiveResults
        r.outages = memory.outages.isEmpty ? nil : memory.outages
        r.runningDirective = memory.runningDirective
        r.job = memory.progress
        r.upstreamEnd = c.state.isStandby ? memory.upstreamEnd : nil
        return r
    }

    package mutating func progressed(_ progress: JobProgress) { memory.progress = progress }

    private func displayState(_ c: AgentContext) -> String {
        if let job = memory.job {
            if case .clone = job { return "cloning" }
            if case .rewind = job { return "rewinding" }
        }
        guard let status = c.guardStatus else { return "failed" }
        if status.state == .fencing || (status.state == .fenced && status.postmasterPID == nil) { return "fenced" }
        guard status.postmasterPID != nil else { return memory.state == "failed" ? "failed" : "stopped" }
        guard let server = c.server else { return "starting" }
        if !server.isInRecovery { return "running" }
        return server.receiver?.status == "streaming" ? "streaming" : "catching_up"
    }
}

import ClusterModel

/// AG6 and AG7: the node that is appointed, before and after its promotion.
extension NodeAgent {
    /// AG6: start as standby if stopped, then promote under the lease (6.4).
    mutating func promote(_ c: AgentContext) -> [AgentStep] {
        guard let primary = c.state.primary else { return [] }
        if c.facts?.dataDirectory != .present { return fail(primary.token, "D52: the data directory is empty") }
        if let job = c.facts?.unfinishedJob, !job.hasSuffix("-complete") {
            return fail(primary.token, "D48: a \(job) of the data directory was interrupted")
        }
        guard c.guardStatus?.postmasterPID != nil else {
            // It was promoted and ended before that was recorded: it is restarted in place once it is (5.2).
            if memory.promoted?.token == primary.token { return [.watchClosely] }
            memory.state = "starting"
            return startAsStandby(settings(upstream: nil, c), c)
        }
        guard let server = c.server else { return [.watchClosely] }
        guard server.isInRecovery else { return [reportPromotion(primary, server, c), .watchClosely].compactMap { $0 } }
        if server.timeline.next != primary.timeline, memory.reservedFor != primary.token {
            guard memory.retryAt == nil else { return [.watchClosely] }
            memory.reservedFor = primary.token
            return [.act(.reserveTimeline(primary.timeline)), .watchClosely]  // AG9
        }
        let wanted = settings(upstream: nil, c)
        if memory.applied != wanted || memory.preparedFor != primary.token {
            guard memory.retryAt == nil else { return [.watchClosely] }
            memory.preparedFor = primary.token
            return [.act(.applySettings(wanted)), .watchClosely]
        }
        guard c.holdsLease, c.guardStatus?.state == .armed else { return [.watchClosely] }
        return [.order(.promote(token: primary.token)), .watchClosely]
    }

    /// D32: the new timeline and its fork point, seen in the running server.
    private mutating func reportPromotion(_ primary: PrimaryRecord, _ server: ServerFacts, _ c: AgentContext) -> AgentStep? {
        guard c.guardStatus?.state == .primary, c.holdsLease, server.timeline == primary.timeline,
            let fork = server.history.last?.switchPoint ?? (isFirstTimeline(server) ? .zero : nil)
        else { return nil }
        memory.promoted = PromotionReport(token: primary.token, timeline: server.timeline, forkLSN: fork)
        return nil
    }

    /// Adopted on timeline 1, which has no history (AG5).
    private func isFirstTimeline(_ server: ServerFacts) -> Bool { server.timeline.rawValue == 1 }

    private mutating func fail(_ token: FencingToken, _ reason: String) -> [AgentStep] {
        memory.failedToken = token
        memory.failure = reason
        return [.order(.fence(token: token, reason: reason))]
    }

    /// AG7: serving; keep settings, roles, slots and synchronous names as the state wants them.
    mutating func serve(_ c: AgentContext) -> [AgentStep] {
        guard let primary = c.state.primary else { return [] }
        if let operation = c.state.operation, operation.from == c.me, operation.fromToken == primary.token,
            operation.kind == .switchover, c.leaderReport != nil, let steps = switchover(operation, c)
        {
            return steps
        }
        guard c.guardStatus?.postmasterPID != nil else { return afterStop(primary, c) }
        guard c.holdsLease, let server = c.server, !server.isInRecovery else { return [] }
        memory.state = "running"
        if memory.rolesFor != primary.token {
            guard memory.retryAt == nil else { return [] }
            memory.rolesFor = primary.token
            return [.act(.ensureRoles)]
        }
        if let step = keepSynchronous(server, c) { return [step] }
        return background(primary, server, c)
    }

    /// The server ended under the lease: look at its files, then wait for the leader's decision (5.2).
    private mutating func afterStop(_ primary: PrimaryRecord, _ c: AgentContext) -> [AgentStep] {
        guard c.isStopped, memory.retryAt == nil else { return [.watchClosely] }
        if case .restartInPlace(primary.token) = c.order, c.holdsLease, memory.wantedBallot <= c.state.lastToken {
            return startInPlace(primary, c)
        }
        return memory.stopped == nil ? [.act(.inspectStopped), .watchClosely] : [.watchClosely]
    }

    private mutating func startInPlace(_ primary: PrimaryRecord, _ c: AgentContext) -> [AgentStep] {
        let wanted = settings(upstream: nil, c)
        guard memory.applied == wanted, memory.preparedStart == .inPlace else { return [.act(.prepareInPlaceStart(wanted))] }
        return memory.mayAskForStart(c.now) ? [.startInPlace(primary.token), .watchClosely] : [.watchClosely]
    }

    /// Section 7, steps 2 to 5 on the old primary; nil: nothing special in this phase.
    private mutating func switchover(_ operation: OperationRecord, _ c: AgentContext) -> [AgentStep]? {
        switch operation.phase {
        case .checkpoint:
            let id = "\(operation.id)-checkpoint-\(operation.fromToken)"
            guard memory.directiveResults[id] == nil, memory.backgroundJob == nil else { return nil }
            memory.runningDirective = id
            return [.act(.checkpoint)]
        case .stop:
            if c.guardStatus?.postmasterPID != nil {
                guard c.guardStatus?.state == .primary else { return [.watchClosely] }
                return [.order(.stop(budgetMilliseconds: 3000)), .watchClosely]
            }
            guard c.isStopped, memory.stopped == nil, memory.retryAt == nil else { return [.watchClosely] }
            return [.act(.inspectStopped), .watchClosely]
        default: return nil
        }
    }

    // MARK: Upkeep

    /// The synchronous names, and SE9: when the rule in force is settled.
    private mutating func keepSynchronous(_ server: ServerFacts, _ c: AgentContext) -> AgentStep? {
        let wanted = settings(upstream: nil, c)
        let synchronous = c.state.synchronous
        if memory.applied?.upstream != nil || memory.applied != wanted
            || server.synchronousStandbyNames != wanted.synchronousStandbyNames
        {
            guard memory.retryAt == nil else { return nil }
            let turnsWaitingOn = server.synchronousStandbyNames.isEmpty && !wanted.synchronousStandbyNames.isEmpty
            memory.settlingSince = nil
            return .act(turnsWaitingOn ? .proveSynchronousWait(wanted) : .applySettings(wanted))
        }
        settle(server, synchronous, c)
        return nil
    }

    private mutating func settle(_ server: ServerFacts, _ synchronous: SynchronousRecord, _ c: AgentContext) {
        guard let rule = synchronous.current, let cluster = c.state.cluster else { return }
        if memory.settlingGeneration != synchronous.generation || memory.settlingSince == nil {
            memory.settlingGeneration = synchronous.generation
            memory.settlingSince = c.now
            memory.settlingTarget = nil
        }
        // AS5: facts whose reading began 1 s after the names were first seen.
        guard memory.settledGeneration != synchronous.generation, let since = memory.settlingSince,
            (c.facts?.begunAt ?? c.now).since(since) >= .seconds(1)
        else { return }
        guard rule.required > 0 else {
            memory.settledGeneration = synchronous.generation
            return
        }
        guard let target = memory.settlingTarget else {
            memory.settlingTarget = server.flushLSN
            return
        }
        let names = Set(rule.members.map { applicationName(cluster: cluster.id, node: $0.node) })
        let reached = server.replicas.filter { names.contains($0.applicationName) && ($0.flushLSN ?? .zero) >= target }
        if reached.count >= rule.required { memory.settledGeneration = synchronous.generation }
    }

    private mutating func background(_ primary: PrimaryRecord, _ server: ServerFacts, _ c: AgentContext) -> [AgentStep] {
        guard memory.backgroundJob == nil, memory.retryAt == nil else { return [] }
        if let step = slots(c) { return [step] }
        if memory.checkpointedFor != primary.token {
            // A rewind needs a checkpoint on the new timeline (AG19); nobody waits for it (D34).
            memory.checkpointedFor = primary.token
            return [.act(.checkpoint)]
        }
        return c.facts?.unfinishedJob != nil ? [.act(.finishRejoin)] : []
    }

    /// AG20: a physical slot for every other data node.
    mutating func slots(_ c: AgentContext) -> AgentStep? {
        let keep = c.state.dataNodes.filter { $0.name != c.me }.map(\.name.slotName)
        let isDue = memory.slotsAt.map { c.now.since($0) >= .seconds(10) } ?? true
        guard isDue || keep != memory.slotsKept else { return nil }
        let listed = Set(c.server?.slots.map(\.name) ?? [])
        memory.slotsToDrop.formUnion(memory.slotsKept)
        memory.slotsToDrop = memory.slotsToDrop.subtracting(keep).intersection(listed.union(memory.slotsKept))
        memory.slotsKept = keep
        memory.slotsAt = c.now
        return .act(.ensureSlots(keep: keep, drop: memory.slotsToDrop.sorted()))
    }
}

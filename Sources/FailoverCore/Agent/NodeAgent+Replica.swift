import ClusterModel

/// AG3, AG4, AG8, AG10, AG11: nodes that follow somebody, or nobody yet.
extension NodeAgent {
    /// AG8: another node is the primary and serves.
    mutating func follow(_ primary: PrimaryRecord, _ c: AgentContext) -> [AgentStep] {
        // SE3: also a pledge that is asked for but not durable yet.
        guard primary.token >= max(c.pledgedBallot, memory.wantedBallot), let upstream = c.state.nodes[primary.node]?.endpoint else {
            return []
        }
        let wanted = settings(upstream: upstream, c)
        if c.guardStatus?.postmasterPID != nil { return followRunning(wanted, primary, c) }
        guard c.isStopped, memory.retryAt == nil else { return [] }
        guard mayStart(c) else { return [] }
        guard c.facts?.dataDirectory == .present else { return clone(upstream, c) }
        if let job = c.facts?.unfinishedJob {
            // D48: what ended well only waits for its first start; whatever was interrupted is never started.
            // One whose source was replaced meanwhile, and that did not fit any more when it ran, begins again.
            return job.hasSuffix("-complete") && !memory.completedJobDiverged ? startAsStandby(wanted, c) : clone(upstream, c)
        }
        guard let stopped = memory.stopped else { return [.act(.inspectStopped)] }
        if isForeign(stopped.control.systemIdentifier, c) { return [] }  // The facts may be older than the files.
        if ranWithoutToken(stopped, c) {
            // Same timeline, other records: positions prove nothing, and `pg_rewind` sees no fork.
            memory.failure = "AG1: it ran writable on timeline \(stopped.end.timeline) without the token"
            return clone(upstream, c)
        }
        let newestEnd = c.leaderReport?.items.first { $0.report.node == primary.node }?.report.facts?.server?.flushLSN
        switch c.lineage?.verdict(on: stopped.end, newestEnd: newestEnd) ?? .fits {
        case .fits:
            memory.state = "starting"
            return startAsStandby(wanted, c)
        case .diverged(let why):
            if primaryMayHaveMovedOn(stopped, primary, c) { return [.watchClosely] }
            memory.state = "rewinding"
            memory.failure = why
            return rejoin(upstream, stopped, primary, c)
        }
    }

    /// D42 on equal timelines: the primary's end is known from its reports, which lag behind what it already sent.
    /// Only an end that it has not reached some reports later is a divergence.
    private func primaryMayHaveMovedOn(_ stopped: StoppedServer, _ primary: PrimaryRecord, _ c: AgentContext) -> Bool {
        guard stopped.end.timeline == primary.timeline, let at = memory.stoppedAt else { return false }
        return c.now.since(at) < .seconds(5)
    }

    /// AG12: while paused nothing is started by itself; what an operation or directive asks for is.
    private func mayStart(_ c: AgentContext) -> Bool {
        guard c.state.paused != nil else { return true }
        return c.state.operation?.from == c.me || memory.runningDirective != nil
    }

    private mutating func followRunning(_ wanted: ManagedSettings, _ primary: PrimaryRecord, _ c: AgentContext) -> [AgentStep] {
        guard let server = c.server else { return [] }
        guard server.isInRecovery else { return [] }
        memory.forgetReceived()
        if memory.applied != wanted {
            return memory.retryAt == nil ? [.act(.applySettings(wanted)), .watchClosely] : []
        }
        let streams = server.receiver?.status == "streaming"
        if streams, c.facts?.unfinishedJob != nil, memory.backgroundJob == nil { return [.act(.finishRejoin)] }
        if !streams, hasDiverged(server, primary, c) {
            memory.completedJobDiverged = c.facts?.unfinishedJob != nil
            return [.order(.stop(budgetMilliseconds: 3000))]
        }
        if streams, memory.backgroundJob == nil, let step = slots(c) { return [step] }
        return streams ? [] : [.watchClosely]
    }

    /// D42: a running replica whose data cannot follow is stopped and rewound.
    private func hasDiverged(_ server: ServerFacts, _ primary: PrimaryRecord, _ c: AgentContext) -> Bool {
        guard let since = memory.notStreamingSince, c.now.since(since) >= .seconds(2), c.state.paused == nil else {
            return false
        }
        let end = WALPosition(
            timeline: server.timeline, lsn: max(server.receivedLSN ?? .zero, server.replayedLSN ?? .zero))
        guard end.timeline != primary.timeline else { return false }
        if case .diverged = c.lineage?.verdict(on: end, newestEnd: nil) { return true }
        return false
    }

    /// 8.3: rewind if its preconditions hold, else a fresh clone.
    ///
    /// `pg_rewind` does nothing on equal timelines, but the recovery of an unclean target before it writes a record that the
    /// primary does not have.
    private mutating func rejoin(
        _ upstream: PostgresEndpoint, _ stopped: StoppedServer, _ primary: PrimaryRecord, _ c: AgentContext
    ) -> [AgentStep] {
        let canRewind = (stopped.control.hasChecksums || stopped.control.logHints) && !memory.rewindFailed
        guard canRewind, stopped.end.timeline != primary.timeline else { return clone(upstream, c) }
        return [.act(.rewind(source: upstream))]
    }

    private mutating func clone(_ upstream: PostgresEndpoint, _ c: AgentContext) -> [AgentStep] {
        memory.state = "cloning"
        return [.act(.clone(source: upstream, slot: c.me.slotName))]
    }

    /// AG14: a start is always as standby.
    mutating func startAsStandby(_ wanted: ManagedSettings, _ c: AgentContext) -> [AgentStep] {
        guard c.isStopped, memory.retryAt == nil else { return [] }
        guard memory.applied == wanted, memory.preparedStart == .standby else {
            return [.act(.prepareStandby(wanted)), .watchClosely]
        }
        return memory.mayAskForStart(c.now) ? [.startStandby, .watchClosely] : [.watchClosely]
    }

    /// AG4, AG5, AG10: no primary serves.
    mutating func withoutPrimary(_ c: AgentContext) -> [AgentStep] {
        guard c.isStopped, memory.retryAt == nil else { return [] }
        if c.state.lastToken == .never {
            guard c.mayInitialise, c.state.cluster != nil else { return [] }
            guard c.facts?.dataDirectory == .present else { return [.act(.initialize)] }
            return startAsStandby(settings(upstream: nil, c), c)
        }
        guard c.facts?.dataDirectory == .present, c.facts?.unfinishedJob == nil, c.state.paused == nil else { return [] }
        guard let stopped = memory.stopped else { return [.act(.inspectStopped)] }
        // D43: a former primary stays stopped and answers pledges from its files.
        guard stopped.wasStandby else {
            memory.state = "stopped"
            return []
        }
        return startAsStandby(settings(upstream: nil, c), c)
    }

    /// A REWIND or BASEBACKUP directive for this node (E16).
    mutating func reinitialize(_ c: AgentContext) -> [AgentStep]? {
        let mine = c.state.directives.first {
            $0.targetNode == c.me && $0.isOpen && ($0.type == .rewind || $0.type == .basebackup)
        }
        guard let directive = mine, c.leaderReport != nil, let origin = reinitializationOrigin(directive, c) else { return nil }
        guard memory.directiveResults[directive.id] == nil else { return nil }
        if memory.runningDirective != directive.id {
            guard memory.backgroundJob == nil else { return [] }
            memory.runningDirective = directive.id
            memory.reinitialized = false
        }
        if memory.reinitialized {
            if c.server?.receiver?.status == "streaming" { memory.directiveResults[directive.id] = .some(nil) }
            return nil
        }
        if c.guardStatus?.postmasterPID != nil { return [.order(.stop(budgetMilliseconds: 3000)), .watchClosely] }
        guard c.isStopped, memory.retryAt == nil else { return [] }
        var byRewind = false
        if directive.type == .rewind, c.facts?.dataDirectory == .present {
            guard let stopped = memory.stopped else { return [.act(.inspectStopped)] }
            byRewind = origin.timeline.map { stopped.end.timeline != $0 } ?? false
        }
        memory.reinitialized = true
        guard !byRewind else { return [.act(.rewind(source: origin.endpoint))] }
        let keepOld = directive.params["keep_old_seconds"].flatMap { UInt64($0) }
        return [.act(.clone(source: origin.endpoint, slot: origin.slot, keepOldSeconds: keepOld))]
    }

    /// Where a directive's data come from; `timeline` is the primary's, nil in a cluster without one, where nothing is rewound.
    private func reinitializationOrigin(
        _ directive: DirectiveRecord, _ c: AgentContext
    ) -> (endpoint: PostgresEndpoint, slot: String?, timeline: TimelineID?)? {
        if let standby = c.state.standby, standby.endedBy == nil {
            return origin(standby, c).map { ($0.endpoint, $0.slot, nil) }
        }
        guard let primary = c.state.primary, primary.phase == .serving, primary.node != c.me else { return nil }
        let source = directive.params["from"].flatMap { NodeName($0) } ?? primary.node
        return c.state.nodes[source].map { ($0.endpoint, c.me.slotName, primary.timeline) }
    }
}

import ClusterModel

/// What the leader keeps in order while nothing urgent happens: standings, synchronous set, pauses, directives, lease mode.
extension FailoverPolicy {
    func keepOrder(_ c: PolicyContext, _ d: inout PolicyDecision) {
        clearBarrier(c, &d)
        settleSynchronous(c, &d)
        updateStandings(c, &d)
        proposeSynchronousMode(c, &d)
        changeSynchronous(c, &d)
        endPause(c, &d)
        closeDirectives(c, &d)
        if c.state.barrier == nil { proveFences(c, &d) }
        endHold(c, &d)
        endlessLease(c, &d)
        keepLeaseTerms(c, &d)
    }

    private func updateStandings(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let primary = c.state.primary, primary.phase == .serving else { return }
        for node in c.state.dataNodes {
            guard let report = c.fresh(node.name) else { continue }
            if let found = foreignSystem(report, c), node.standing == .joining || node.standing == .ready {
                d.propose(
                    .setStanding(
                        node: node.name, memberID: node.memberID, from: node.standing, to: .refused,
                        dataID: report.facts?.dataID,
                        reason: "D60: its data directory has system identifier \(found), the cluster has \(c.state.systemIdentifier ?? 0)"),
                    ["D60", "AG2"])
                continue
            }
            guard report.facts?.unfinishedJob == nil else { continue }
            let isPrimary = node.name == primary.node
            let follows = report.isStreaming && report.facts?.server?.timeline == primary.timeline
            guard isPrimary || follows else { continue }
            let dataID = report.facts?.dataID
            // D15: a fence ends by an order, not by itself.
            guard node.standing != .fenced else { continue }
            guard node.standing != .ready || node.dataID != dataID else { continue }
            if let expected = c.state.systemIdentifier, report.facts?.server?.systemIdentifier != expected { continue }
            d.propose(
                .setStanding(
                    node: node.name, memberID: node.memberID, from: node.standing, to: .ready, dataID: dataID,
                    reason: isPrimary ? "primary" : "streams from \(primary.node)"), ["SE5"])
        }
    }

    /// The system identifier of other data than this cluster's.
    private func foreignSystem(_ report: NodeReport, _ c: PolicyContext) -> UInt64? {
        guard let expected = c.state.systemIdentifier,
            let found = report.facts?.systemIdentifier ?? report.guardStatus?.stranger?.systemIdentifier, found != expected
        else { return nil }
        return found
    }

    private func settleSynchronous(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard !c.state.synchronous.isSettled, let primary = c.state.primary, primary.phase == .serving,
            c.fresh(primary.node)?.settledGeneration == c.state.synchronous.generation
        else { return }
        d.propose(.settleSync(token: primary.token, generation: c.state.synchronous.generation), ["SE9", "D18"])
    }

    private func changeSynchronous(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard c.state.operation == nil || c.state.operation?.phase == .settle, c.fresh(c.state.primary?.node) != nil,
            let change = SynchronousPolicy.change(
                state: c.state, reports: c.reports, lostSince: memory.lostSince, settings: settings, now: c.now)
        else { return }
        d.propose(change, ["SE7", "D17"])
    }

    /// 4.9: what a configuration file says is a proposal; only the replicated value counts.
    private func proposeSynchronousMode(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let mode = settings.synchronousMode, mode != c.state.synchronous.configured else { return }
        d.propose(.setSyncPolicy(mode: mode, wanted: c.state.synchronous.wanted), ["SE1"])
    }

    /// CS7: a pause with a duration ends by itself, counted by the leader.
    private func endPause(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let paused = c.state.paused, let limit = paused.durationMilliseconds, let since = memory.pausedSince,
            since.id == paused.id, c.now.since(since.at) >= .milliseconds(limit)
        else { return }
        d.propose(.resume(id: paused.id), ["CS7"])
    }

    private func closeDirectives(_ c: PolicyContext, _ d: inout PolicyDecision) {
        for directive in c.state.directives where directive.isOpen {
            let report = c.fresh(directive.targetNode)
            if let result = report?.directiveResults[directive.id] {
                d.propose(
                    .completeDirective(
                        id: directive.id, status: result == nil ? .completed : .failed, error: result,
                        seconds: report?.outages?[directive.id]), ["CS8"])
            } else if directive.status == .pending, report?.runningDirective == directive.id {
                d.propose(.completeDirective(id: directive.id, status: .running, error: nil), ["CS8"])
            } else if let since = memory.directivesSince[directive.id],
                c.now.since(since) >= .milliseconds(directive.ttlMilliseconds)
            {
                d.propose(.completeDirective(id: directive.id, status: .cancelled, error: "expired"), ["CS7"])
            }
        }
    }

    /// LE12: a hold ends only after the guard confirmed that it does not count it any more.
    private func endHold(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let hold = c.state.hold, let primary = c.state.primary, let report = c.fresh(primary.node),
            !report.isStopping, !isOrderedHoldRunning(hold, c)
        else { return }
        let lowering = GuardLowering.endHold(id: hold.id)
        if report.guardStatus?.lowered.contains(lowering) == true {
            d.propose(.clearHold(id: hold.id), ["LE12"])
        } else {
            d.orders[primary.node] = d.orders[primary.node] ?? .lower(primary.token, lowering)
        }
    }

    /// 4.10: with exactly one data node fencing would only hurt.
    private func endlessLease(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard c.state.leases.mode == .timed, !memory.wantsTimedLease, let since = memory.oneDataNodeSince,
            c.now.since(since) >= settings.soleAfter, let primary = c.state.primary, primary.phase == .serving,
            c.state.operation == nil
        else { return }
        d.propose(.setLeaseMode(.sole, token: primary.token, confirmed: false), ["LE12"])
    }
}

import ClusterModel

/// Sections 6.4 and 7: how a running operation goes on. Every phase has a deadline and a way out.
extension FailoverPolicy {
    mutating func drive(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        switch operation.phase {
        case .pledge:
            switch operation.kind {
            case .bootstrap: appointBootstrap(operation, c, &d)
            case .standbyPromote where c.state.isStandby: promoteStandby(operation, c, &d)
            case .standbyPromote, .failover, .switchover: pledge(operation, c, &d)
            }
        case .checkpoint: checkpoint(operation, c, &d)
        case .hold: holdSessions(operation, c, &d)
        case .stop: stopAndReceive(operation, c, &d)
        case .undo: undo(operation, c, &d)
        case .promote: watchPromotion(operation, c, &d)
        case .settle: settle(operation, c, &d)
        }
    }

    // MARK: failover

    private mutating func appointBootstrap(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let name = operation.to, let node = c.state.nodes[name], let report = c.fresh(name),
            let guardStatus = report.guardStatus, let timeline = report.position?.timeline,
            let basis = basis(for: node, c)
        else { return }
        guard c.state.barrier == nil || node.mayBeAccepted else {
            memory.explanation = "D15: \"\(name)\" was accepted and is \(node.standing.rawValue): \(node.standingReason)"
            return
        }
        // An adopted primary keeps the timeline it is on (AG5, 4.12). Of a restored cluster only the data knows the last timeline.
        let isAdopted = guardStatus.state == .primary && report.facts?.server?.isInRecovery == false
        let keeps = isAdopted && (c.state.barrier != nil || (basis == .never && timeline == c.state.lastTimeline))
        let known = max(c.state.lastTimeline, timeline)
        let last = c.state.barrier == nil ? c.state.lastTimeline : TimelineID(known.rawValue + ClusterState.restoredTimelineGap)
        let parent = keeps ? report.facts?.server?.history.last?.timeline ?? TimelineID(0) : timeline
        let primary = AckRule.Member(node: name, dataID: report.facts?.dataID)
        let assignment = Assignment(
            token: operation.ballot, node: name, memberID: node.memberID, guardIncarnation: guardStatus.incarnation,
            timeline: keeps ? timeline : last.next, parent: parent, basis: basis,
            rule: AckRule(token: operation.ballot, primary: primary, members: [], required: 0), mode: .off,
            dropsOlderRules: true, certificate: nil, operationID: operation.id)
        d.propose(.assignPrimary(assignment), ["LE8", "AG5"])
    }

    private mutating func pledge(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        if isStoppingLivePrimary(operation, c) {
            memory.explanation = "SE6: the old primary \"\(operation.from?.rawValue ?? "")\" is being stopped"
            return
        }
        askForPledges(operation, c, &d)
        let selection = CandidateSelection(question(operation, c))
        let candidate = selection.candidates.first
        memory.provenSince = candidate?.isLossless == true ? memory.provenSince ?? c.now : nil
        guard let candidate, isTimeToDecide(candidate, c) else {
            explain(selection, operation, c, &d)
            return
        }
        guard let basis = basis(for: candidate.node, c) else {
            memory.explanation = "LE8: \"\(candidate.node.name)\" waits until the lease of token \(operation.fromToken) has provably ended"
            return
        }
        d.notChosen = selection.notChosen(besides: candidate)
        assign(candidate, basis, operation, c, &d)
    }

    /// SE6: a live primary that an operator replaces is stopped first, so that every replica gets its last record and the
    /// node that was asked for is not behind another one.
    private func isStoppingLivePrimary(_ operation: OperationRecord, _ c: PolicyContext) -> Bool {
        guard !operation.isAutomatic, memory.pledgesAskedAt == nil, memory.timeInPhase(c.now) < .milliseconds(1500),
            let status = c.fresh(operation.from)?.guardStatus
        else { return false }
        return status.token == operation.fromToken && status.postmasterPID != nil
    }

    private mutating func askForPledges(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        let isDue = memory.pledgesAskedAt.map { c.now.since($0) >= .milliseconds(300) } ?? true
        let missing = c.state.dataNodes.contains { memory.pledges[$0.name] == nil }
        // Without proof everybody is asked again every second: positions and reachability change.
        let retry = memory.pledgesAskedAt.map { c.now.since($0) >= settings.pledgeRetry } ?? true
        guard (isDue && missing) || retry else { return }
        memory.pledgesAskedAt = c.now
        d.pledgeBallot = operation.ballot
    }

    private func question(_ operation: OperationRecord, _ c: PolicyContext) -> CandidateSelection.Question {
        let old = operation.from.flatMap { c.reports[$0] }
        let oldServer = old?.report.facts?.server
        let startedBefore = memory.phaseSince ?? c.now
        let recent = old.map { startedBefore.since($0.at) < .seconds(10) } ?? false
        var reports: [NodeName: NodeReport] = [:]
        for node in c.state.dataNodes { reports[node.name] = c.fresh(node.name) }
        return CandidateSelection.Question(
            state: c.state, pledges: memory.pledges, excluded: memory.excluded, reports: reports, leader: c.leader,
            settings: settings, lastPrimaryLSN: oldServer?.isInRecovery == false ? oldServer?.flushLSN : nil,
            lastPrimaryReportIsRecent: recent)
    }

    /// SE6: decide when the best possible outcome is known.
    private func isTimeToDecide(_ candidate: CandidateSelection.Candidate, _ c: PolicyContext) -> Bool {
        let silentButAlive = c.state.dataNodes.filter { memory.pledges[$0.name] == nil && c.fresh($0.name) != nil }
        if silentButAlive.isEmpty { return true }
        if candidate.isLossless { return memory.provenSince.map { c.now.since($0) >= settings.pledgeGrace } ?? false }
        let first = memory.pledgeArrivals.values.map(\.raw).min()
        return first.map { c.now.raw - $0 >= settings.pledgeWaitWithoutProof.inNanoseconds } ?? false
    }

    /// LE8: why nobody else can be writable any more; nil: not yet proven.
    func basis(for node: NodeRecord, _ c: PolicyContext) -> AssignmentBasis? {
        guard let last = c.state.primary else {
            if c.state.barrier?.accepted == node.name { return .attested }
            return c.state.lastToken == .never ? .never : nil
        }
        if last.released != nil { return .released }
        if last.node == node.name, last.memberID == node.memberID, let status = c.fresh(node.name)?.guardStatus,
            status.allProcessesGone, status.postmasterPID == nil, status.incarnation != last.guardIncarnation
        {
            return .sameNode
        }
        return c.ledger.hasExpired(last.token, state: c.state, now: c.now) ? .expired : nil
    }

    private func assign(
        _ candidate: CandidateSelection.Candidate, _ basis: AssignmentBasis, _ operation: OperationRecord,
        _ c: PolicyContext, _ d: inout PolicyDecision
    ) {
        let node = candidate.node
        guard let incarnation = c.fresh(node.name)?.guardStatus?.incarnation else { return }
        let mode = c.state.synchronous.mode
        let members = mode == .off ? [] : followers(of: candidate, c)
        let rule = AckRule(
            token: operation.ballot, primary: .init(node: node.name, dataID: candidate.pledge.dataID), members: members,
            required: min(c.state.synchronous.wanted, members.count))
        let proof = LosslessProof(state: c.state, pledges: memory.pledges)
        let certificate = LossCertificate(
            operationID: operation.id, oldToken: operation.fromToken, newToken: operation.ballot, mode: c.state.synchronous.promisedMode,
            rules: c.state.synchronous.rules,
            answers: memory.pledges.values.sorted { $0.node < $1.node }.map { .init(node: $0.node, position: $0.position) },
            silent: c.state.dataNodes.map(\.name).filter { memory.pledges[$0] == nil },
            lastKnownPrimaryLSN: operation.from.flatMap { c.reports[$0]?.report.facts?.server?.flushLSN },
            chosen: candidate.pledge.position, provenZero: candidate.isLossless,
            bytesMax: candidate.isLossless ? 0 : candidate.lossBytes)
        let assignment = Assignment(
            token: operation.ballot, node: node.name, memberID: node.memberID, guardIncarnation: incarnation,
            timeline: c.state.lastTimeline.next, parent: candidate.pledge.position.timeline, basis: basis, rule: rule,
            mode: mode, dropsOlderRules: !proof.isLossless(candidate.pledge), certificate: certificate,
            operationID: operation.id)
        d.propose(.assignPrimary(assignment), ["LE8", "SE4", "SE6", "SE8"])
    }

    /// SE8: pledged nodes not ahead of the candidate that can stream from it at once (D22).
    private func followers(of candidate: CandidateSelection.Candidate, _ c: PolicyContext) -> [AckRule.Member] {
        c.state.dataNodes.compactMap { node in
            guard node.name != candidate.node.name, node.standing == .ready, !node.tags.nosync,
                let pledge = memory.pledges[node.name], !pledge.isStopped, pledge.dataID == node.dataID,
                pledge.position <= candidate.pledge.position,
                pledge.position.timeline == candidate.pledge.position.timeline
            else { return nil }
            return AckRule.Member(node: node.name, dataID: node.dataID)
        }
    }

    private mutating func explain(
        _ selection: CandidateSelection, _ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision
    ) {
        let lost = selection.rejected.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        memory.explanation = (selection.proof.missing + lost).joined(separator: "; ")
        d.notChosen = selection.rejected.sorted { $0.key < $1.key }.map { (node: $0.key, reason: $0.value) }
        let waited = memory.timeInPhase(c.now)
        // SE10 prefers other nodes; when none can be promoted, those that failed once are tried again.
        if waited >= settings.retryExcluded { memory.excluded = [] }
        if operation.toIsFixed, waited >= .seconds(30), selection.candidates.isEmpty {
            d.propose(
                .finishOperation(id: operation.id, result: .failed, message: memory.explanation), ["SE5", "SE6"])
        }
    }

    // MARK: promotion

    private mutating func watchPromotion(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let primary = c.state.primary else { return }
        func giveUp(_ reason: String) {
            memory.excluded.insert(primary.node)
            d.propose(.abandonAssignment(token: primary.token, reason: reason), ["SE10", "D33"])
        }
        if primary.phase == .ended { return giveUp("\"\(primary.node)\" gave its lease up") }
        let waited = memory.timeInPhase(c.now)
        guard let report = c.fresh(primary.node) else {
            if waited >= settings.leaseTimeout { giveUp("\"\(primary.node)\" does not report") }
            return
        }
        if let promoted = report.promoted, promoted.token == primary.token {
            guard promoted.timeline == primary.timeline else {
                return giveUp("D32: it runs on timeline \(promoted.timeline), assigned was \(primary.timeline)")
            }
            d.propose(
                .recordPromotion(token: primary.token, timeline: promoted.timeline, forkLSN: promoted.forkLSN),
                ["D32", "D12"])
            return
        }
        if report.failedToken == primary.token { return giveUp(report.failure ?? "its agent gave up") }
        if let incarnation = report.guardStatus?.incarnation, incarnation != primary.guardIncarnation {
            return giveUp("LE5: its guard was restarted")
        }
        let replayed = report.facts?.server?.replayedLSN
        if memory.progressAt == nil || replayed != memory.progressLSN {
            memory.progressAt = c.now
            memory.progressLSN = replayed
        }
        let starting = report.facts?.server == nil
        let limit = starting ? settings.primaryStartTimeout : settings.promoteTimeout
        if let at = memory.progressAt, c.now.since(at) >= limit {
            giveUp("no progress for \(limit.inMilliseconds / 1000) s")
        }
    }

    private func settle(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let primary = c.state.primary, primary.phase == .serving else { return }
        let waited = memory.timeInPhase(c.now)
        let others = c.state.dataNodes.filter { $0.name != primary.node && c.fresh($0.name) != nil && $0.standing == .ready }
        let allFollow = others.allSatisfy { memory.lostSince[$0.name] == nil }
        let known = c.fresh(primary.node)?.facts?.server != nil
        guard (allFollow && known && waited >= .milliseconds(300)) || waited >= settings.settleTimeout else { return }
        let missing = others.filter { memory.lostSince[$0.name] != nil }.map(\.name.rawValue)
        let note = missing.isEmpty ? "" : "; not yet streaming: \(missing.joined(separator: ", "))"
        d.propose(
            .finishOperation(
                id: operation.id, result: .succeeded,
                message: "\(primary.node) is the primary (timeline \(primary.timeline))\(note)"), ["SE10"])
    }

    // MARK: switchover (section 7)

    private func checkpoint(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        let directive = "\(operation.id)-checkpoint-\(operation.fromToken)"
        guard let result = c.fresh(operation.from)?.directiveResults[directive] else {
            if memory.timeInPhase(c.now) >= settings.checkpointTimeout {
                finish(operation, .failed, "the checkpoint took longer than 60 s; nothing was changed", c, &d)
            }
            return
        }
        if let error = result {
            return finish(operation, .failed, "the checkpoint failed: \(error); nothing was changed", c, &d)
        }
        guard let lag = lag(of: operation.to, c), lag <= settings.replicaMaxLagBytes else {
            if memory.timeInPhase(c.now) >= settings.checkpointTimeout {
                finish(operation, .failed, "the target is too far behind; nothing was changed", c, &d)
            }
            return
        }
        advance(operation, .hold, "new sessions wait", &d)
    }

    private func holdSessions(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        guard memory.timeInPhase(c.now) >= settings.holdTime else { return }
        advance(operation, .stop, "\(operation.from?.rawValue ?? "") shuts down", &d)
    }

    private mutating func stopAndReceive(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        let waited = memory.timeInPhase(c.now)
        guard let report = c.fresh(operation.from), let status = report.guardStatus, status.postmasterPID == nil,
            status.allProcessesGone, let stopped = report.stopped
        else {
            if waited >= settings.stopTimeout { advance(operation, .undo, "the primary did not stop in time", &d) }
            return
        }
        guard stopped.isCleanShutdown else {
            return advance(operation, .undo, "D37: the primary did not shut down cleanly", &d)
        }
        guard let target = c.fresh(operation.to), let position = target.position,
            position.timeline == stopped.end.timeline, position.lsn >= stopped.end.lsn
        else {
            if waited >= settings.stopTimeout + settings.receiveTimeout {
                advance(operation, .undo, "the target did not receive \(stopped.end.lsn) in time", &d)
            }
            return
        }
        guard c.state.primary?.released != nil else {
            if let from = operation.from { d.orders[from] = .fence(operation.fromToken, reason: "SW: released") }
            return
        }
        assignSwitchover(operation, stopped, target, position, c, &d)
    }

    private func assignSwitchover(
        _ operation: OperationRecord, _ stopped: StoppedServer, _ target: NodeReport, _ position: WALPosition,
        _ c: PolicyContext, _ d: inout PolicyDecision
    ) {
        guard let to = operation.to, let node = c.state.nodes[to], let status = target.guardStatus else { return }
        let mode = c.state.synchronous.mode
        // SW5: the old primary's own answer gives the bound; other replicas that have it as well form the set.
        let members =
            mode == .off
            ? []
            : c.state.dataNodes.compactMap { other -> AckRule.Member? in
                guard other.name != to, other.name != operation.from, other.standing == .ready, !other.tags.nosync,
                    let report = c.fresh(other.name), report.facts?.server?.isInRecovery == true,
                    report.facts?.dataID == other.dataID, let theirs = report.position, theirs <= position
                else { return nil }
                return AckRule.Member(node: other.name, dataID: other.dataID)
            }
        let rule = AckRule(
            token: operation.ballot, primary: .init(node: to, dataID: target.facts?.dataID), members: members,
            required: min(c.state.synchronous.wanted, members.count))
        let certificate = LossCertificate(
            operationID: operation.id, oldToken: operation.fromToken, newToken: operation.ballot, mode: mode,
            rules: c.state.synchronous.rules, answers: [.init(node: to, position: position)], silent: [],
            lastKnownPrimaryLSN: stopped.end.lsn, chosen: position, provenZero: true, bytesMax: 0)
        let assignment = Assignment(
            token: operation.ballot, node: to, memberID: node.memberID, guardIncarnation: status.incarnation,
            timeline: c.state.lastTimeline.next, parent: position.timeline, basis: .released, rule: rule, mode: mode,
            dropsOlderRules: false, certificate: certificate, operationID: operation.id)
        d.propose(.assignPrimary(assignment), ["SW5", "D37", "LE8"])
    }

    /// SW2: the old primary is started again in place, under its lease.
    private func undo(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let from = operation.from else { return }
        if let report = c.fresh(from), report.guardStatus?.state == .primary,
            report.facts?.server?.isInRecovery == false
        {
            return finish(operation, .undone, operation.detail, c, &d)
        }
        let released = c.state.primary?.phase == .ended
        if released || memory.timeInPhase(c.now) >= settings.primaryStartTimeout {
            return advance(operation, .pledge, "the old primary could not be started again", &d)
        }
        d.orders[from] = .restartInPlace(operation.fromToken)
    }

    private func lag(of node: NodeName?, _ c: PolicyContext) -> UInt64? {
        guard let primary = c.state.primary, let end = c.fresh(primary.node)?.facts?.server?.flushLSN,
            let position = c.fresh(node)?.position
        else { return nil }
        return end - position.lsn
    }

    private func advance(
        _ operation: OperationRecord, _ to: OperationRecord.Phase, _ detail: String, _ d: inout PolicyDecision
    ) {
        d.propose(.advanceOperation(id: operation.id, from: operation.phase, to: to, detail: detail), ["D37"])
    }

    private func finish(
        _ operation: OperationRecord, _ result: OperationRecord.Result, _ message: String, _ c: PolicyContext,
        _ d: inout PolicyDecision
    ) {
        d.propose(.finishOperation(id: operation.id, result: result, message: message), ["D40"])
    }
}

import ClusterModel

/// Section 5: when the primary is to be replaced or restarted.
extension FailoverPolicy {
    /// A failure of the primary replaces a switchover that has not promoted anybody yet, instead of waiting for its limits.
    mutating func watchPrimary(during operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        switch (operation.kind, operation.phase) {
        case (_, .settle), (.switchover, .checkpoint), (.switchover, .hold): watchPrimary(c, &d)
        case (.switchover, .stop), (.switchover, .undo):
            guard let primary = c.state.primary, primary.phase == .serving else { return }
            watchLease(primary, c, &d)
        default: break
        }
    }

    mutating func watchPrimary(_ c: PolicyContext, _ d: inout PolicyDecision) {
        if let barrier = c.state.barrier, c.state.operation == nil, c.state.primary?.phase != .assigned {
            return appointAccepted(barrier, c, &d)
        }
        guard let primary = c.state.primary else {
            appointFirst(c, &d)
            return
        }
        switch primary.phase {
        case .ended:
            startFailover(c, &d, ["DE2", "LE8"], "the last primary \"\(primary.node)\" has given up its lease")
        case .assigned:
            if c.state.operation == nil {
                d.propose(.abandonAssignment(token: primary.token, reason: "no operation drives it"), ["SE10"])
            }
        case .serving: watchServing(primary, c, &d)
        }
    }

    private mutating func watchServing(_ primary: PrimaryRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        let report = c.fresh(primary.node)
        if let report, report.hasStoppedUnderLease {
            afterCrash(primary, report, c, &d)
        } else if watchLease(primary, c, &d) {
            return
        } else if let status = report?.guardStatus, status.state == .armed, status.postmasterPID != nil {
            startFailover(c, &d, ["D32"], "the server of \"\(primary.node)\" runs as a standby under its lease")
        } else if let since = memory.unresponsiveSince, c.now.since(since) >= settings.unresponsiveAfter {
            guard hasAlternative(to: primary.node, c) else { return }
            startFailover(c, &d, ["DE3"], "PostgreSQL on \"\(primary.node)\" has not answered for 30 s")
        } else if memory.storageBadSince != nil {
            let healthyElsewhere = c.state.dataNodes.contains {
                $0.name != primary.node && c.fresh($0.name)?.facts?.storage == .healthy
            }
            guard healthyElsewhere, hasAlternative(to: primary.node, c) else { return }
            startFailover(c, &d, ["DE4", "DE6", "D64"], "the disk of \"\(primary.node)\" stalls")
        } else {
            memory.expiredSince = nil
        }
    }

    /// - Returns: whether the lease cannot be renewed any more.
    @discardableResult
    private mutating func watchLease(_ primary: PrimaryRecord, _ c: PolicyContext, _ d: inout PolicyDecision) -> Bool {
        if let status = c.fresh(primary.node)?.guardStatus, status.incarnation != primary.guardIncarnation {
            startFailover(c, &d, ["LE5", "LE8"], "the guard of \"\(primary.node)\" was restarted")
            return true
        }
        guard c.ledger.hasExpired(primary.token, state: c.state, now: c.now) else { return false }
        let since = memory.expiredSince ?? c.now
        memory.expiredSince = since
        guard c.now.since(since) >= settings.confirmationPeriod else { return true }
        startFailover(c, &d, ["DE2", "LE8"], "the lease of \"\(primary.node)\" has ended")
        return true
    }

    /// 5.2: promote when somebody else can be proven lossless, else restart in place.
    private mutating func afterCrash(
        _ primary: PrimaryRecord, _ report: NodeReport, _ c: PolicyContext, _ d: inout PolicyDecision
    ) {
        let crashedFor = memory.crashSince.map { c.now.since($0) } ?? .zero
        if c.state.openRestart(of: primary) != nil, crashedFor < settings.primaryStartTimeout {
            d.orders[primary.node] = .restartInPlace(primary.token)
            return
        }
        guard c.state.paused == nil else { return }
        let restartFailed = crashedFor >= settings.primaryStartTimeout || memory.crashes.count >= 3
        let mayPromote =
            switch settings.onPostmasterCrash {
            case .promote: true
            case .restart: restartFailed
            case .auto: restartFailed || hasProvableAlternative(to: primary, c)
            }
        if mayPromote, hasAlternative(to: primary.node, c) {
            startFailover(c, &d, ["DE1"], "the postmaster on \"\(primary.node)\" ended unexpectedly")
        } else {
            d.orders[primary.node] = .restartInPlace(primary.token)
        }
    }

    /// Another node that could be promoted if it pledges.
    private func hasAlternative(to primary: NodeName, _ c: PolicyContext) -> Bool {
        c.state.dataNodes.contains { node in
            node.name != primary && node.standing == .ready && !node.tags.nofailover && !node.drained
                && c.fresh(node.name)?.facts?.server?.isInRecovery == true
        }
    }

    /// Whether enough members of the synchronous set answer at all, so that their pledges will cover every rule; without
    /// synchronous replication the crashed server's own end of WAL has to be reached.
    private func hasProvableAlternative(to primary: PrimaryRecord, _ c: PolicyContext) -> Bool {
        guard c.state.synchronous.mode != .off, !c.state.synchronous.degraded else {
            guard let end = c.fresh(primary.node)?.stopped?.end else { return false }
            return c.state.dataNodes.contains { node in
                guard node.name != primary.node, let position = c.fresh(node.name)?.position else { return false }
                return position >= end
            }
        }
        return c.state.synchronous.rules.allSatisfy { rule in
            let silent = rule.members.filter { c.fresh($0.node)?.facts?.server == nil }.count
            return silent < rule.required
        }
    }

    mutating func startFailover(_ c: PolicyContext, _ d: inout PolicyDecision, _ rules: [String], _ why: String) {
        guard c.state.paused == nil else {
            memory.explanation = "D65: automatic failover is paused; \(why)"
            return
        }
        var record = OperationRecord(
            id: "op-\(c.nextIndex)", kind: .failover, phase: .pledge, from: c.state.primary?.node, to: nil,
            fromToken: c.state.primary?.token ?? .never, ballot: c.state.lastToken.next, isAutomatic: true)
        record.detail = why
        d.propose(.startOperation(record), rules)
    }

    /// Started as standby for this, or adopted as it ran.
    private func isFirstServer(_ server: ServerFacts, _ guardStatus: GuardStatus) -> Bool {
        server.isInRecovery ? guardStatus.state == .standby : guardStatus.state == .primary && guardStatus.token == nil
    }

    /// AG5: the bootstrapping node's data becomes the cluster's, with token 1.
    private func appointFirst(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard c.state.lastToken == .never, c.state.operation == nil else { return }
        for node in c.state.dataNodes {
            guard let report = c.fresh(node.name), let server = report.facts?.server, let guardStatus = report.guardStatus,
                isFirstServer(server, guardStatus)
            else { continue }
            guard c.state.systemIdentifier != nil else {
                d.propose(.setSystemIdentifier(server.systemIdentifier, timeline: server.timeline), ["AG5"])
                return
            }
            guard c.state.systemIdentifier == server.systemIdentifier else { continue }
            var record = OperationRecord(
                id: "op-\(c.nextIndex)", kind: .bootstrap, phase: .pledge, from: nil, to: node.name,
                fromToken: .never, ballot: c.state.lastToken.next, isAutomatic: true)
            // P01: a running standby was put there by somebody: it is not promoted before `failover` asks for it, also when
            // it was restarted meanwhile.
            let waits = guardStatus.isAdopted == true || server.foundInRecovery == true
            guard guardStatus.state == .primary || !waits else { continue }
            record.detail = server.isInRecovery ? "first primary" : "the running server becomes the first primary"
            d.propose(.startOperation(record), ["AG5", "LE8"])
            return
        }
    }
}

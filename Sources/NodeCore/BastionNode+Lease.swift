import ClusterModel
import FailoverCore
import RaftCore

/// Section 4: the glue between consensus, lease and guard.
extension BastionNode {
    /// This node asks for, or renews, its lease when it is due.
    mutating func renewLease() {
        guard let primary = state.primary, primary.memberID == identity.memberID, primary.phase != .ended,
            let status = guardStatus, status.incarnation == primary.guardIncarnation, let cluster = state.cluster,
            mayArm(status, primary.token), !isStoppingForGood
        else { return }
        let asksFirst = status.token != primary.token
        let interval: Duration = asksFirst ? .milliseconds(50) : .zero
        guard holder.isDue(terms: state.leases, now: now, leaderIsNew: false) || (asksFirst && holderAsked(interval)) else {
            return
        }
        let request = holder.request(
            cluster: cluster, member: identity.memberID, token: primary.token, guardIncarnation: status.incarnation,
            terms: state.leases, now: now)
        sendLease(request)
    }

    private func holderAsked(_ interval: Duration) -> Bool { holder.isOlder(than: interval, now: now) }

    private func mayArm(_ status: GuardStatus, _ token: FencingToken) -> Bool {
        guard token > status.highestFenced, status.state != .fencing else { return false }
        return status.token == nil || status.token == token || status.state == .fenced || status.state == .standby
            || status.state == .empty
    }

    private mutating func sendLease(_ request: LeaseRequest) {
        if raft.role == .leader {
            accept(request, from: identity.memberID)
        } else if let leader = raft.leader {
            send(.leaseRequest(request, relayed: false), to: MemberID(rawValue: leader.rawValue))
        }
        guard holder.unanswered > 2 else { return }
        // 4.2: after two unanswered renewals also through every other member, one hop.
        for member in otherMembers where member.rawValue != raft.leader?.rawValue {
            send(.leaseRequest(request, relayed: true), to: member)
        }
    }

    /// LE6, on the leader; others pass a relayed request on once.
    mutating func accept(_ request: LeaseRequest, from: MemberID) {
        guard raft.role == .leader else {
            deny(request, .notLeader)
            return
        }
        guard isReadyLeader, ledger != nil else {
            deny(request, .notReady)
            return
        }
        nextReadContext += 1
        let context = nextReadContext
        let refusal = ledger?.accept(request, from: request.memberID, context: context, state: state, now: now)
        if let reason = refusal {
            deny(request, reason)
            return
        }
        raft.read(context: context)  // LE7: a round begun after acceptance
    }

    private mutating func deny(_ request: LeaseRequest, _ reason: LeaseDenialReason) {
        let denial = LeaseDenial(daemon: request.daemon, sequence: request.sequence, reason: reason)
        answer(.leaseDenial(denial), to: request.memberID)
    }

    mutating func finishLease(context: UInt64, confirmed: Bool) {
        let mayGrant = confirmed && isReadyLeader
        guard let (to, result) = ledger?.finish(context: context, confirmed: mayGrant, state: state) else { return }
        switch result {
        case .success(let grant): answer(.leaseGrant(grant), to: to)
        case .failure(let refused): answer(.leaseDenial(refused.denial), to: to)
        }
    }

    private mutating func answer(_ message: NodeMessage, to member: MemberID) {
        if member == identity.memberID { receive(.node(message), from: member) } else { send(message, to: member) }
    }

    mutating func granted(_ grant: LeaseGrant) {
        guard
            let order = holder.accept(
                grant, cluster: state.cluster, guardIncarnation: guardStatus?.incarnation, now: now)
        else { return }
        effects.append(.orderGuard(order))
    }

    // MARK: Stopping the daemon (4.8)

    struct Stopping: Sendable {
        var since: ClockStamp
        var holdID: UInt64
        /// LE3: the first request with this id; the hold counts from it.
        var firstAskedAt: ClockStamp?
        var askedAt: ClockStamp?
        /// As asked first: a reload in between changes nothing.
        var milliseconds: Int64
        var isGranted = false
        var isDone = false
    }

    var isStoppingForGood: Bool { stopping?.isDone == true }

    /// SIGTERM: hand leadership over and take a restart hold, so that the running server outlives this daemon.
    ///
    /// - Parameter holding: How long the hold lasts; nil: as configured. One that is in force is never made shorter.
    mutating func beginStop(holding: Int64? = nil) {
        guard stopping == nil else { return }
        let asked = holding ?? policy.settings.restartHoldMilliseconds
        stopping = Stopping(since: now, holdID: newHoldID, milliseconds: max(asked, state.hold?.durationMilliseconds ?? 0))
        sentReportAt = nil
        if raft.role == .leader { handOver(to: nil) }
    }

    mutating func goOnStopping() {
        guard var s = stopping, !s.isDone else { return }
        defer { stopping = s }
        let holds = guardStatus?.state == .primary && guardStatus?.token == state.primary?.token && state.leases.mode == .timed
        if !holds && now.since(s.since) >= .milliseconds(raft.role == .leader ? 1500 : 0) {
            s.isDone = true
            effects.append(.mayStop("this node holds no lease"))
        } else if s.isGranted, guardStatus?.holdID == s.holdID {
            s.isDone = true
            effects.append(.mayStop("a restart hold is in force"))
        } else if now.since(s.since) >= .seconds(5) {
            s.isDone = true
            effects.append(.mayStop("no restart hold within 5 s"))
        } else if holds, s.askedAt.map({ now.since($0) >= .milliseconds(300) }) ?? true {
            s.askedAt = now
            s.firstAskedAt = s.firstAskedAt ?? now
            askForHold(id: s.holdID, milliseconds: s.milliseconds, isOrdered: false)
        }
    }

    mutating func holdRequested(
        id: UInt64, _ token: FencingToken, _ incarnation: GuardIncarnation, _ milliseconds: Int64, isOrdered: Bool,
        from: MemberID
    ) {
        guard isReadyLeader, let primary = state.primary, primary.memberID == from, primary.token == token else { return }
        if state.hold?.id == id {
            answer(.holdGranted(id: id, token), to: from)
            return
        }
        let record = HoldRecord(
            id: id, token: token, guardIncarnation: incarnation, durationMilliseconds: milliseconds,
            reason: isOrdered ? "an operator's hold on \(primary.node)" : "restart of the daemon on \(primary.node)",
            isOrdered: isOrdered ? true : nil, since: wallTime)
        ledger?.noteHold(token, now: now)
        if !isOrdered { reports[primary.node]?.report.isStopping = true }  // it is; its next report says so as well
        propose(.setHold(record), rules: ["LE12"])
    }

    mutating func holdGranted(id: UInt64, _ token: FencingToken) {
        if let hold = orderedHold, hold.holdID == id, let askedAt = hold.firstAskedAt {
            return effects.append(
                .orderGuard(.hold(id: id, token: token, requestedAt: askedAt, durationMilliseconds: hold.milliseconds)))
        }
        guard var s = stopping, s.holdID == id, let askedAt = s.firstAskedAt else { return }
        s.isGranted = true
        stopping = s
        effects.append(
            .orderGuard(
                .hold(
                    id: id, token: token, requestedAt: askedAt,
                    durationMilliseconds: s.milliseconds)))
    }
}

extension LeaseHolder {
    /// The last request is older than `interval`.
    func isOlder(than interval: Duration, now: ClockStamp) -> Bool { elapsedSinceRequest(now: now).map { $0 >= interval } ?? true }
}

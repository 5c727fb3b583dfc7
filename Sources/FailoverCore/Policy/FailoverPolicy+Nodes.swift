import ClusterModel

/// What operators ordered of nodes and of the lease, carried through by the leader: fences, ordered holds, the lease's terms.
extension FailoverPolicy {
    /// D15: a fence is proven by the guard, or by the end of the last lease the node can have had.
    func proveFences(_ c: PolicyContext, _ d: inout PolicyDecision) {
        for node in c.state.dataNodes where node.standing == .fenced && node.fence?.method == nil {
            guard let method = proof(of: node, c) else { continue }
            d.propose(.proveFence(node: node.name, method: method), ["LE8", "LE11", "D15"])
            return
        }
    }

    private func proof(of node: NodeRecord, _ c: PolicyContext) -> FenceRecord.Method? {
        let status = c.fresh(node.name)?.guardStatus
        guard let last = c.state.primary, last.memberID == node.memberID else {
            // Somebody else was appointed since, or nobody ever: its own leases have ended before (4.5).
            guard let status else { return .leaseEnd }
            return status.mayBeWritable ? nil : .guardConfirmation
        }
        if last.released != nil { return .guardConfirmation }
        return c.ledger.hasExpired(last.token, state: c.state, now: c.now) ? .leaseEnd : nil
    }

    /// CS7: an operator's hold lasts for its time, counted by this leader, or until it is released.
    func isOrderedHoldRunning(_ hold: HoldRecord, _ c: PolicyContext) -> Bool {
        guard hold.isOrdered == true else { return false }
        guard let since = memory.holdSince, since.id == hold.id else { return true }
        return c.now.since(since.at) < .milliseconds(hold.durationMilliseconds)
    }

    /// 4.9, 4.11: a pause makes the lease longer, so that a short loss of quorum fences nobody; a resume undoes that under LE12.
    func keepLeaseTerms(_ c: PolicyContext, _ d: inout PolicyDecision) {
        let terms = c.state.leases
        let usual = terms.usualMilliseconds ?? terms.durationMilliseconds
        let wanted = c.state.paused == nil ? usual : max(usual, settings.pauseLeaseMilliseconds)
        if terms.durationMilliseconds != wanted {
            // A holder that does not answer gains nothing from a longer lease, and replacing it would only take longer.
            guard wanted < terms.durationMilliseconds || c.fresh(c.state.primary?.node) != nil else { return }
            d.propose(.setLeaseTerms(milliseconds: wanted), ["LE12"])
        } else if terms.waitMilliseconds > terms.durationMilliseconds {
            settleLeaseWait(terms, c, &d)
        }
    }

    /// LE12: lower first, commit second; or wait until the last longer lease has passed.
    private func settleLeaseWait(_ terms: LeaseTerms, _ c: PolicyContext, _ d: inout PolicyDecision) {
        let settled = ClusterCommand.settleLeaseWait(milliseconds: terms.durationMilliseconds)
        guard let primary = c.state.primary, primary.released == nil else { return d.propose(settled, ["LE12"]) }
        let lowering = GuardLowering.duration(milliseconds: terms.durationMilliseconds, change: terms.generation)
        let status = c.fresh(primary.node)?.guardStatus
        let isConfirmed =
            status?.incarnation == primary.guardIncarnation && status?.token == primary.token
            && status?.lowered.contains(lowering) == true
        let longest = Duration.nanoseconds(terms.waitMilliseconds * 1_030_000)
        let hasPassed = memory.shorterSince.map { c.now.since($0) >= longest } ?? false
        if isConfirmed || hasPassed { return d.propose(settled, ["LE12"]) }
        d.orders[primary.node] = d.orders[primary.node] ?? .lower(primary.token, lowering)
    }
}

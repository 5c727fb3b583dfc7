import ClusterModel
import FailoverCore
import RaftCore

/// What a leader does beyond consensus: policy, membership, placement.
extension BastionNode {
    mutating func lead() {
        guard isReadyLeader, let ledger else { return }
        guard foundCluster() else { return }
        progressMembership()
        handOverOnStall()
        guard mayDecide else { return }
        var context = PolicyContext(
            state: state, reports: reports, ledger: ledger, now: now, leader: identity.name,
            nextIndex: raft.lastIndex.next.rawValue, reportMaxAge: policy.settings.reportMaxAge)
        context.startedAt = startedAt
        decision = policy.evaluate(context)
        noteSplitBrain()
        if decision.orders != ordersInForce {
            ordersInForce = decision.orders
            broadcastDue = true
        }
        if let ballot = decision.pledgeBallot { askForPledges(ballot) }
        if let command = decision.command {
            policyIndex = propose(command, rules: decision.rules, evidence: context.evidence(decision.candidates))
            policyProposedAt = now
            logDecision(command, decision.rules)
        } else {
            considerPlacement()
        }
        recordRefusal(context)
        noteDisagreement()
    }

    /// One command of the policy at a time: the next decision sees its result.
    private var mayDecide: Bool {
        if let policyNotBefore, now.raw < policyNotBefore.raw { return false }
        return policyIndex == nil
    }

    /// RA18, ST9: a leader whose own disk needs more than 1 s for a write hands over.
    private mutating func handOverOnStall() {
        guard let waiting = waitingWrite, now.since(waiting.since) > .seconds(1), !raft.isTransferring,
            transferredAt.map({ now.since($0) >= .seconds(2) }) ?? true
        else { return }
        transferredAt = now
        if handOver(to: nil) {
            log(.warning, "raft.disk_stall", "hands leadership over: a write has waited for more than 1 s", ["rule": "RA18"])
        }
    }

    /// The first leader of a new log founds the cluster and registers itself.
    private mutating func foundCluster() -> Bool {
        guard state.cluster == nil else { return proposeStandby() && registeredSelf() }
        guard policyIndex == nil, let id = identity.clusterID else { return false }
        policyIndex = propose(
            .initCluster(
                id: id, epoch: 1, name: identity.clusterName,
                leaseMilliseconds: policy.settings.leaseMilliseconds))
        return false
    }

    private mutating func registeredSelf() -> Bool {
        let own = state.nodes[identity.name]
        let isCurrent =
            own?.memberID == identity.memberID && own?.host == identity.host
            && own?.raftPort == identity.raftPort && own?.postgresPort == identity.postgresPort
        guard !isCurrent, policyIndex == nil else { return isCurrent || own != nil }
        policyIndex = propose(
            .registerNode(
                NodeRecord(
                    name: identity.name, memberID: identity.memberID, host: identity.host, raftPort: identity.raftPort,
                    postgresPort: identity.postgresPort, kind: identity.kind, tags: identity.tags)))
        return false
    }

    private mutating func askForPledges(_ ballot: FencingToken) {
        for node in state.dataNodes where node.memberID != identity.memberID {
            send(.pledgeRequest(term: raft.term.rawValue, ballot: ballot), to: node.memberID)
        }
        if identity.kind == .data { agent.received(pledgeRequest: ballot) }
    }

    private mutating func noteSplitBrain() {
        if decision.splitBrain != wasSplitBrain {
            wasSplitBrain = decision.splitBrain
            broadcastDue = true
            if decision.splitBrain {
                log(
                    .error, "cluster.split_brain", "a writable server without the current token was seen; it is being fenced",
                    ["rule": "DE8"])
            }
        }
    }

    /// PR8: every decision with its rules.
    private mutating func logDecision(_ command: ClusterCommand, _ rules: [String]) {
        var fields = ["rules": rules.joined(separator: ","), "term": "\(raft.term)"]
        if let operation = state.operation { fields["op_id"] = operation.id }
        if let request = state.operation?.requestID { fields["request_id"] = request.rawValue }
        switch command {
        case .startOperation(let record):
            log(.warning, "failover.started", "failover: \(record.detail)", fields.merging(["op_id": record.id]) { a, _ in a })
        case .assignPrimary(let a):
            log(
                .info, "failover.target_selected", "promote \(a.node): it is appointed primary",
                fields.merging([
                    "not_chosen": decision.notChosen.map { "\($0.node): \($0.reason)" }.joined(separator: "; "),
                    "node": a.node.rawValue, "token": "\(a.token)", "timeline": "\(a.timeline)", "basis": a.basis.rawValue,
                    "lossless": "\(a.certificate?.provenZero ?? true)",
                ]) { a, _ in a })
        case .abandonAssignment(let token, let reason):
            log(.warning, "failover.abandoned", "promote failed: \(reason)", fields.merging(["token": "\(token)"]) { a, _ in a })
        default: log(.debug, "policy.command", "policy decided", fields)
        }
    }

    // MARK: Membership

    /// RA9: learners become voters when caught up; registrations and removals go on step by step.
    private mutating func progressMembership() {
        progressAdds()
        progressRemovals()
        reconcileMembership()
        guard raft.membership.voters.count < ClusterState.Caps.voters else { return }
        for (server, progress) in raft.progress.sorted(by: { $0.key < $1.key }) where progress.isLearner && progress.isCaughtUp {
            guard let node = state.node(MemberID(rawValue: server.rawValue)), !node.learnerOnly else { continue }
            if case .success = raft.changeMembership(.addVoter(server)) {
                log(.info, "membership.promoted", "\(node.name) caught up and becomes a voter", ["node": node.name.rawValue])
                return
            }
        }
    }

    /// RA17: a leader on the primary's node hands over to a caught-up voter elsewhere.
    private mutating func considerPlacement() {
        guard state.primary?.memberID == identity.memberID, state.operation == nil, state.hold == nil,
            let since = ledSince, now.since(since) >= .seconds(10), !raft.isTransferring, pendingAdds.isEmpty,
            transferredAt.map({ now.since($0) >= .seconds(60) }) ?? true
        else { return }
        let fit = raft.progress.sorted { $0.key < $1.key }.first { server, progress in
            !progress.isLearner && progress.ticksSinceContact < 50 && progress.matchIndex == raft.lastIndex
                && state.node(MemberID(rawValue: server.rawValue)).flatMap { reports[$0.name] }
                    .map { now.since($0.at) < .seconds(1) } ?? false
        }
        guard let target = fit?.key else { return }
        transferredAt = now
        if handOver(to: target) {
            log(.info, "raft.placement", "hands leadership over: the primary runs on this node", ["rule": "RA17"])
        }
    }

    /// What a committed entry means for this node beyond the state.
    mutating func noteApplied(_ entry: ClusterEntry, _ result: ApplyResult, before: ClusterState) {
        guard result == .applied else {
            if case .rejected(let rule, let reason) = result {
                log(.debug, "state.rejected", "a command was rejected: \(reason)", ["rule": rule])
            }
            return
        }
        var fields: [String: String] = [:]
        // L05: what an operation does on any node carries the request that began it.
        let operation = entry.command.isPartOfOperation ? before.operation ?? state.operation : nil
        if let operation { fields["op_id"] = operation.id }
        if let trace = entry.trace ?? operation?.requestID { fields["request_id"] = trace.rawValue }
        switch entry.command {
        case .assignPrimary(let a):
            // LE8: only what this leader assigned in this term; entries of earlier terms are applied after a start as well.
            if raft.role == .leader, entry.proposedTerm == raft.term.rawValue { ledger?.assigned(a.token) }
            if a.memberID == identity.memberID {
                log(
                    .info, "agent.promote", "promote: this node is appointed primary", fields.merging(["token": "\(a.token)"]) { a, _ in a }
                )
            }
        case .settleLeaseWait(let milliseconds):
            if raft.role == .leader { ledger?.settled(milliseconds: milliseconds) }
        case .setDrained(let node, let drained, _):
            log(.info, "node.drained", drained ? "\(node) is drained" : "\(node) is back in routing", fields)
        case .fenceNode(let node, _, let reason):
            log(.warning, "node.fenced", "\(node) may not be writable: \(reason)", fields.merging(["node": node.rawValue]) { a, _ in a })
        case .proveFence(let node, let method):
            log(
                .info, "node.fence_proven", "\(node) is not writable: \(method.rawValue)",
                fields.merging(["node": node.rawValue]) { a, _ in a })
        case .unfenceNode(let node, _, _): log(.info, "node.unfenced", "the fence of \(node) is lifted", fields)
        case .recordPromotion(let token, let timeline, _):
            let node = state.primary?.node.rawValue ?? ""
            log(
                .info, "failover.promoted", "\(node) is promoted",
                fields.merging(["token": "\(token)", "timeline": "\(timeline)", "node": node]) { a, _ in a })
        case .startOperation(let record):
            log(
                .info, "operation.started", "\(record.kind.rawValue) started",
                fields.merging(["op_id": record.id, "from": record.from?.rawValue ?? "", "to": record.to?.rawValue ?? ""]) { a, _ in a })
        case .advanceOperation(let id, _, .stop, _) where before.operation?.from == identity.name:
            log(
                .info, "agent.demote", "demote: this node's server is shut down for the switchover",
                fields.merging(["op_id": id]) { a, _ in a })
        case .finishOperation(let id, let result, let message):
            log(
                .info, "operation.finished", "\(before.operation?.kind.rawValue ?? "operation") \(result.rawValue): \(message)",
                fields.merging(["op_id": id]) { a, _ in a })
        case .pause: log(.info, "cluster.paused", "automatic failover paused", fields)
        case .resume: log(.info, "cluster.resumed", "automatic failover resumed", fields)
        case .registerNode(let record): log(.info, "membership.registered", "node \(record.name) is registered", fields)
        case .removeNode(let name, _): log(.info, "membership.removed", "node \(name) is removed", fields)
        case .beginSyncChange(_, _, let mode, let rule):
            let names = rule.members.map(\.node.rawValue).joined(separator: ",")
            log(
                .info, "synchronous.changed", "synchronous replication: \(mode.rawValue), \(rule.required) of \(rule.members.count)",
                ["members": names])
        default: break
        }
        policyIndex = policyIndex.flatMap { $0 <= raft.appliedIndex ? nil : $0 }
    }
}

import ClusterModel
import FailoverCore
import RaftCore

/// Failover, switchover and reinitialization as operators ask for them: the checks before anything changes.
extension BastionNode {
    mutating func failover(_ to: NodeName?, _ loss: UInt64?, _ id: UInt64, _ m: RequestMetadata) {
        if let refusal = standbyRefusal { return refuse(id, refusal) }
        guard let primary = state.primary else { return firstFailover(to, id, m) }
        guard mayStartOperation(.failover) else { return refuse(id, operationInProgress) }
        if let to, let objection = objection(to: to, primary) ?? lossObjection(to, primary, allowed: loss) {
            return refuse(id, objection)
        }
        var record = OperationRecord(
            id: "op-\(raft.lastIndex.next)", kind: .failover, phase: .pledge, from: primary.node, to: to,
            fromToken: primary.token, ballot: state.lastToken.next, isAutomatic: false, allowDataLossBytes: loss)
        record.detail = "asked for by \(m.actor)" + (m.reason.map { ": \($0)" } ?? "")
        start(record, "failover initiated", id, m)
    }

    /// Why `node` cannot be the target; nil when nothing is known against it.
    private func objection(to node: NodeName, _ primary: PrimaryRecord) -> BastionError? {
        guard let record = state.nodes[node] else { return notFound(node) }
        guard record.kind == .data, node != primary.node || primary.phase == .ended else {
            return precondition("node.is_replica", "node \"\(node)\" is not a replica", nil)
        }
        guard record.standing == .ready, !record.drained, !record.tags.nofailover else {
            return precondition(
                "node.healthy", "node \"\(node)\" is not a candidate (\(record.standing.rawValue))", "see `pgbastion status`")
        }
        guard let timed = reports[node], now.since(timed.at) <= policy.settings.reportMaxAge, timed.report.guardStatus != nil else {
            return precondition("node.healthy", "node \"\(node)\" does not report", "see `pgbastion status`")
        }
        return nil
    }

    mutating func switchover(
        _ to: NodeName?, _ maxLag: UInt64?, _ maxTransaction: Double?, _ id: UInt64, _ m: RequestMetadata
    ) {
        if let refusal = standbyRefusal { return refuse(id, refusal) }
        guard let primary = state.primary, primary.phase == .serving else {
            return refuse(
                id, precondition("one_primary", "no primary serves now", "see `pgbastion status`; a failover may be what is needed"))
        }
        guard mayStartOperation(.switchover) else { return refuse(id, operationInProgress) }
        guard let target = to ?? bestTarget(primary) else {
            return refuse(id, precondition("node.is_replica", "no replica can take over", "see `pgbastion status`"))
        }
        if let objection = objection(to: target, primary) { return refuse(id, objection) }
        if let objection = switchoverObjection(target, primary, maxLag, maxTransaction, m) { return refuse(id, objection) }
        var record = OperationRecord(
            id: "op-\(raft.lastIndex.next)", kind: .switchover, phase: .checkpoint, from: primary.node, to: target,
            fromToken: primary.token, ballot: state.lastToken.next, isAutomatic: false)
        record.detail = primary.node.rawValue
        start(record, "switchover initiated", id, m)
    }

    private func bestTarget(_ primary: PrimaryRecord) -> NodeName? {
        let ready = state.dataNodes.filter { node in
            node.name != primary.node && node.standing == .ready && !node.tags.nofailover && !node.drained
                && reports[node.name].map { now.since($0.at) <= policy.settings.reportMaxAge && $0.report.isStreaming } ?? false
        }
        return ready.max { a, b in
            let (x, y) = (reports[a.name]?.report.position?.lsn ?? .zero, reports[b.name]?.report.position?.lsn ?? .zero)
            return x == y ? (a.tags.priority, b.name) < (b.tags.priority, a.name) : x < y
        }?.name
    }

    /// Section 7, step 1.
    private func switchoverObjection(
        _ target: NodeName, _ primary: PrimaryRecord, _ maxLag: UInt64?, _ maxTransaction: Double?, _ m: RequestMetadata
    ) -> BastionError? {
        guard let holder = reports[primary.node], now.since(holder.at) <= policy.settings.reportMaxAge,
            let server = holder.report.facts?.server
        else { return precondition("node.healthy", "the primary \"\(primary.node)\" does not report", "see `pgbastion status`") }
        guard let report = reports[target]?.report, report.isStreaming else {
            return precondition(
                "replica.caught_up", "replica \"\(target)\" is not streaming", "wait with `pgbastion wait streaming,node=\(target)`")
        }
        guard report.facts?.server?.isReplayPaused == false else {
            return precondition("replay_running", "replay is paused on \"\(target)\"", nil)
        }
        let limit = maxLag ?? policy.settings.switchoverMaxLagBytes
        let lag = (server.flushLSN ?? .zero) - (report.facts?.server?.replayedLSN ?? .zero)
        guard lag <= limit || m.overrides.contains("replica.caught_up") else {
            return overridable(
                "replica.caught_up", "replica \"\(target)\" is \(lag) bytes behind, the limit is \(limit)",
                "wait with `pgbastion wait 'lag<=\(limit),node=\(target)'`, or allow it with --max-lag")
        }
        let transaction = maxTransaction ?? 15
        if let longest = server.longestTransactionSeconds, longest > transaction, !m.overrides.contains("no_long_transaction") {
            return overridable(
                "no_long_transaction", "a transaction has run for \(Int(longest)) s, the limit is \(Int(transaction)) s",
                "wait for it, or allow it with --max-transaction")
        }
        guard !server.isBaseBackupRunning || m.overrides.contains("no_base_backup") else {
            return overridable("no_base_backup", "a base backup is running on the primary", "wait for it; the change would end it")
        }
        if let job = state.openJob(on: target) ?? state.openJob(on: primary.node) {
            return BastionError(
                .locked, "node \"\(job.targetNode)\" is busy with \(job.type.rawValue)", hint: "wait with `pgbastion op wait \(job.id)`",
                operationID: job.id)
        }
        guard state.hold == nil else {
            return precondition("no_operation_in_progress", "a restart hold is active", "wait for the daemon to come back")
        }
        return nil
    }

    func mayStartOperation(_ kind: OperationRecord.Kind) -> Bool {
        guard let running = state.operation else { return true }
        return running.phase == .settle || (kind == .failover && running.kind == .switchover && running.phase != .promote)
    }

    mutating func start(_ record: OperationRecord, _ summary: String, _ id: UInt64, _ m: RequestMetadata) {
        propose(
            .startOperation(record), rules: ["D36"], actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(operationID: record.id, summary: summary, leader: identity.name)))
    }

    mutating func reinitialize(
        _ node: NodeName, _ from: NodeName?, _ method: ReinitializeMethod, _ keepOld: UInt64?, _ id: UInt64, _ m: RequestMetadata
    ) {
        guard let record = state.nodes[node] else { return refuse(id, notFound(node)) }
        guard record.kind == .data, node != state.primary?.node || state.primary?.phase == .ended else {
            return refuse(id, precondition("node.not_primary", "node \"\(node)\" is the primary", "run `pgbastion switchover` first"))
        }
        guard state.primary?.phase == .serving || state.isStandby else {
            return refuse(id, precondition("node.healthy", "no primary serves as a source", nil))
        }
        if let from, state.nodes[from] == nil { return refuse(id, notFound(from)) }
        if let running = state.openJob(on: node) {
            return refuse(
                id,
                BastionError(
                    .locked, "node \"\(node)\" is busy with \(running.type.rawValue)", hint: "wait with `pgbastion op wait \(running.id)`",
                    operationID: running.id))
        }
        var params: [String: String] = [:]
        params["from"] = from?.rawValue
        params["keep_old_seconds"] = keepOld.map { "\($0)" }
        let directive = DirectiveRecord(
            id: "op-\(raft.lastIndex.next)", type: method == .rewind ? .rewind : .basebackup, targetNode: node,
            params: params, token: state.primary?.token ?? .never,
            createdAt: wallTime, ttlMilliseconds: 12 * 3600 * 1000, term: raft.term.rawValue, requestID: m.requestID)
        propose(
            .publishDirective(directive), actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(operationID: directive.id, summary: "reinitialization started")))
    }
}

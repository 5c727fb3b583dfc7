import ClusterModel
import FailoverCore
import RaftCore

/// A cluster that follows another one (`standby_cluster`): how it begins, how it is seen, and how an operator ends it.
extension BastionNode {
    /// 4.9: the configuration file only proposes. A cluster that has a primary of its own, or had one, follows nobody any more.
    ///
    /// - Returns: whether the state says already what the file wants.
    mutating func proposeStandby() -> Bool {
        guard let wanted = policy.settings.standbyUpstream, state.isStandby ? state.operation == nil : mayBeginStandby,
            state.standby?.upstream != wanted
        else { return true }
        guard policyIndex == nil else { return false }
        policyIndex = propose(.followCluster(wanted), rules: ["D1"])
        return false
    }

    private var mayBeginStandby: Bool {
        state.standby == nil && state.primary == nil && state.lastToken == .never && state.operation == nil
    }

    var standbyView: StandbyView? {
        guard let standby = state.standby, standby.endedBy == nil else { return nil }
        var view = StandbyView(upstream: standby.upstream, source: standby.source)
        view.isStreaming = standby.source.flatMap { freshReport(of: $0) }?.isStreaming ?? false
        view.systemIdentifier = state.systemIdentifier
        view.upstreamLSN = reports.values.compactMap(\.report.upstreamEnd).max()
        let best = mostAdvanced
        view.best = best?.node
        if let end = view.upstreamLSN, let best { view.lagBytes = end - best.lsn }
        return view
    }

    private var mostAdvanced: (node: NodeName, lsn: LSN)? {
        let positions = state.dataNodes.compactMap { node -> (node: NodeName, lsn: LSN)? in
            guard node.standing == .ready, let report = freshReport(of: node.name), report.facts?.server?.isInRecovery == true
            else { return nil }
            return report.position.map { (node.name, $0.lsn) }
        }
        return positions.max { a, b in a.lsn == b.lsn ? a.node > b.node : a.lsn < b.lsn }
    }

    private func freshReport(of node: NodeName) -> NodeReport? {
        reports[node].flatMap { now.since($0.at) <= policy.settings.reportMaxAge ? $0.report : nil }
    }

    // MARK: The end of it

    mutating func promoteStandby(_ maxLag: UInt64?, _ id: UInt64, _ m: RequestMetadata) {
        guard let view = standbyView else {
            guard state.standby != nil else {
                return refuse(id, precondition("standby.ready", "this cluster follows no other one", "see `pgbastion status`"))
            }
            let summary = "the cluster has a primary of its own already"
            return effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: summary))))
        }
        guard state.operation == nil else { return refuse(id, operationInProgress) }
        if let job = state.dataNodes.compactMap({ state.openJob(on: $0.name) }).first {
            return refuse(
                id,
                BastionError(
                    .locked, "node \"\(job.targetNode)\" is busy with \(job.type.rawValue)",
                    hint: "wait with `pgbastion op wait \(job.id)`", operationID: job.id))
        }
        if let objection = standbyObjection(view, maxLag ?? 0, m) { return refuse(id, objection) }
        var record = OperationRecord(
            id: "op-\(raft.lastIndex.next)", kind: .standbyPromote, phase: .pledge, from: nil, to: nil, fromToken: .never,
            ballot: state.lastToken.next, isAutomatic: false, allowDataLossBytes: maxLag)
        record.fromToken = state.primary?.token ?? .never
        record.detail = "the cluster stops following \(view.upstream.address), asked for by \(m.actor)" + (m.reason.map { ": \($0)" } ?? "")
        start(record, "promotion of the standby cluster initiated", id, m)
    }

    private func standbyObjection(_ view: StandbyView, _ limit: UInt64, _ m: RequestMetadata) -> BastionError? {
        guard view.best != nil else {
            return precondition("standby.ready", "no node has the data of \(view.upstream.address)", "see `pgbastion status`")
        }
        let passes = m.overrides.contains("standby.ready")
        guard let lag = view.lagBytes else {
            let message = "the position of \(view.upstream.address) is not known: no node has streamed from it since its start"
            return passes ? nil : overridable("standby.ready", message, "wait until it streams")
        }
        guard lag > limit, !passes else { return nil }
        let message = "the most advanced node \"\(view.best.map { $0.rawValue } ?? "")\" is \(lag) bytes behind, the limit is \(limit)"
        return overridable("standby.ready", message, "fence the old primary and wait, or allow it with --max-lag")
    }

    /// `failover` and `switchover` have nothing to replace here.
    var standbyRefusal: BastionError? {
        guard let view = standbyView else { return nil }
        return precondition(
            "one_primary", "this cluster follows \(view.upstream.address) and has no primary of its own",
            "`pgbastion standby promote` ends that")
    }
}

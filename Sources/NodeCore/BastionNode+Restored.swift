import ClusterModel
import FailoverCore
import RaftCore

/// 4.12: a restored or recovered cluster does nothing to PostgreSQL until somebody says which node is its primary.
extension BastionNode {
    /// D68: members whose server is observed to be writable, with this cluster's data.
    var verifiedPrimaries: [NodeName] {
        state.dataNodes.map(\.name).filter { name in
            guard let server = recentReport(of: name)?.facts?.server else { return false }
            return !server.isInRecovery && server.systemIdentifier == state.systemIdentifier
        }
    }

    var barrierView: BarrierView? {
        state.barrier.map { barrier in
            BarrierView(
                nodes: barrier.nodes.sorted { $0.key < $1.key }.map { .init(node: $0.key, mark: $0.value) },
                waitSeconds: Double(barrier.waitMilliseconds) / 1000, claimedPrimary: barrier.claimed, verified: verifiedPrimaries)
        }
    }

    private func recentReport(of node: NodeName) -> NodeReport? {
        reports[node].flatMap { now.since($0.at) <= policy.settings.reportMaxAge ? $0.report : nil }
    }

    /// What would change roles or PostgreSQL waits for a primary.
    func restoredRefusal(of request: ClusterRequest) -> BastionError? {
        guard state.barrier != nil else { return nil }
        switch request {
        case .failover, .switchover, .restart, .reinitialize, .promoteStandby:
            return precondition(
                "one_primary", "the cluster was restored, and no primary serves yet",
                "name the node with the data that counts: `pgbastion resume --accept-primary NODE`")
        default: return nil
        }
    }

    mutating func resume(_ id: UInt64, _ m: RequestMetadata) {
        let isFollowing = state.isStandby && state.barrier?.open.isEmpty == true
        guard state.barrier == nil || state.barrier?.accepted != nil || isFollowing else { return resumeRestored(id, m) }
        guard state.paused != nil else {
            return effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: "automatic failover is not paused"))))
        }
        propose(
            .resume(id: nil), actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(summary: "automatic failover resumed"), rejectionMeansAlreadySo: true))
    }

    /// Without a word about the nodes that are still listed, only what was observed counts.
    private mutating func resumeRestored(_ id: UInt64, _ m: RequestMetadata) {
        let verified = verifiedPrimaries
        guard let primary = verified.first, verified.count == 1 else {
            let found = verified.isEmpty ? "no node" : verified.map { "\"\($0)\"" }.joined(separator: " and ")
            return refuse(
                id,
                precondition(
                    "one_primary", "\(found) runs a writable PostgreSQL of this cluster, and exactly one has to after a restore",
                    verified.isEmpty
                        ? "name the node with the data that counts: `pgbastion resume --accept-primary NODE`"
                        : "stop PostgreSQL on all but one"))
        }
        let open = state.barrier?.open.filter { $0 != primary } ?? []
        guard open.isEmpty else {
            let names = open.map { "\"\($0)\"" }.joined(separator: ", ")
            return refuse(
                id,
                precondition(
                    "one_primary", "it is not known whether \(names) still runs a writable PostgreSQL",
                    "run `pgbastion node reset` there and add it again, or say that it is off: "
                        + "`pgbastion resume --accept-primary \(primary)`"))
        }
        accept(primary, id, m)
    }

    mutating func acceptPrimary(_ node: NodeName, assumeDead: [NodeName], _ id: UInt64, _ m: RequestMetadata) {
        guard let barrier = state.barrier, barrier.accepted != node else { return acceptInForce(node, id, m) }
        if let objection = acceptanceObjection(node, assumeDead, barrier, m) { return refuse(id, objection) }
        accept(node, id, m)
    }

    private mutating func accept(_ node: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard let record = state.nodes[node] else { return refuse(id, notFound(node)) }
        propose(
            .acceptPrimary(node: node, memberID: record.memberID), rules: ["D68"], actor: m.actor, requestID: m.idempotencyKey,
            trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(summary: "\"\(node)\" is accepted as the primary", leader: identity.name)))
    }

    /// Nothing is waited for, or it was said before.
    private mutating func acceptInForce(_ node: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard state.barrier?.accepted == node || (state.primary?.node == node && state.primary?.phase == .serving) else {
            return refuse(
                id,
                precondition(
                    "one_primary", "this cluster does not wait for a primary to be accepted",
                    "`pgbastion failover --to \(node)` makes it the primary"))
        }
        guard state.paused == nil || state.barrier != nil else { return resume(id, m) }
        effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: "\"\(node)\" was accepted as the primary"))))
    }

    private func acceptanceObjection(
        _ node: NodeName, _ assumeDead: [NodeName], _ barrier: BarrierRecord, _ m: RequestMetadata
    ) -> BastionError? {
        guard let record = state.nodes[node] else { return notFound(node) }
        guard record.kind == .data, !record.isFormerMember else {
            let what = record.isFormerMember ? "a former member that has to be reset and added again" : "a witness"
            return precondition("node.exists", "node \"\(node)\" is \(what)", "see `pgbastion status`")
        }
        for dead in assumeDead where state.nodes[dead] == nil && barrier.nodes[dead] == nil { return notFound(dead) }
        if assumeDead.contains(node) {
            return precondition("one_primary", "node \"\(node)\" cannot be accepted and assumed to be off", nil)
        }
        if record.standing == .fenced {
            return precondition(
                "node.healthy", "node \"\(node)\" is fenced: \(record.standingReason)", "run `pgbastion node unfence \(node)` first")
        }
        guard let report = recentReport(of: node), report.guardStatus != nil, let facts = report.facts else {
            return precondition("node.healthy", "node \"\(node)\" does not report", "see `pgbastion status`")
        }
        if let job = facts.unfinishedJob, !job.hasSuffix("-complete") {
            return precondition("node.healthy", "a \(job) of the data directory of \"\(node)\" was interrupted", "accept another node")
        }
        let found = facts.server?.systemIdentifier ?? facts.systemIdentifier ?? report.stopped?.control.systemIdentifier
        guard let found, found == state.systemIdentifier || state.systemIdentifier == nil else {
            let what = found.map { "has system identifier \($0)" } ?? "has no data that can be read"
            return precondition(
                "system_id_mismatch", "PostgreSQL on \"\(node)\" \(what), the cluster has \(state.systemIdentifier ?? 0)", nil)
        }
        if let other = verifiedPrimaries.first(where: { $0 != node }) {
            return precondition(
                "one_primary", "node \"\(other)\" runs a writable PostgreSQL of this cluster",
                "stop PostgreSQL on \"\(other)\", or accept it")
        }
        return m.overrides.contains("not_most_recent") ? nil : moreRecent(than: node, report)
    }

    private func moreRecent(than node: NodeName, _ report: NodeReport) -> BastionError? {
        let mine = report.position
        for other in state.dataNodes.map(\.name) where other != node {
            guard let theirs = recentReport(of: other)?.position, mine.map({ theirs > $0 }) ?? true else { continue }
            // Reports arrive at different times: what streams from a writable server has nothing that this server has not.
            guard !streams(other, from: report) else { continue }
            let position = mine.map { "\($0.timeline)/\($0.lsn)" } ?? "an unknown position"
            return overridable(
                "not_most_recent",
                "node \"\(other)\" has more recent data (\(theirs.timeline)/\(theirs.lsn)) than \"\(node)\" (\(position))",
                "accept \"\(other)\"")
        }
        return nil
    }

    /// Also under the name that it had in the cluster before.
    private func streams(_ node: NodeName, from report: NodeReport) -> Bool {
        guard let server = report.facts?.server, !server.isInRecovery, let cluster = state.cluster else { return false }
        let names = [cluster.id, cluster.parentID].compactMap { $0 }.map { applicationName(cluster: $0, node: node) }
        return server.replicas.contains { $0.state == "streaming" && names.contains($0.applicationName) }
    }
}

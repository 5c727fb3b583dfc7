import ClusterModel
import FailoverCore
import RaftCore

/// P01: a cluster founded over a running standby has no primary until an operator asks for one.
extension BastionNode {
    mutating func firstFailover(_ to: NodeName?, _ id: UInt64, _ m: RequestMetadata) {
        guard mayStartOperation(.failover) else { return refuse(id, operationInProgress) }
        if let to, state.nodes[to] == nil { return refuse(id, notFound(to)) }
        let candidates = state.dataNodes.map(\.name).filter { isFirstCandidate($0) && (to == nil || to == $0) }
        guard let chosen = candidates.first, candidates.count == 1 else {
            let message =
                candidates.isEmpty ? "no running standby can become the first primary" : "several nodes could become the first primary"
            return refuse(
                id, precondition("one_primary", message, candidates.isEmpty ? "see `pgbastion status`" : "name one with `--to`"))
        }
        var record = OperationRecord(
            id: "op-\(raft.lastIndex.next)", kind: .bootstrap, phase: .pledge, from: nil, to: chosen, fromToken: .never,
            ballot: state.lastToken.next, isAutomatic: false)
        record.detail = "first primary, asked for by \(m.actor)" + (m.reason.map { ": \($0)" } ?? "")
        start(record, "failover initiated", id, m)
    }

    private func isFirstCandidate(_ node: NodeName) -> Bool {
        guard let timed = reports[node], now.since(timed.at) <= policy.settings.reportMaxAge,
            let server = timed.report.facts?.server
        else { return false }
        return server.isInRecovery && timed.report.guardStatus?.state == .standby
            && state.systemIdentifier == server.systemIdentifier
    }
}

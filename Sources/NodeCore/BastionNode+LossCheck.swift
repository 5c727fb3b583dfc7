import ClusterModel
import FailoverCore

/// `loss_within_limit`: a failover whose target is known not to be provable is refused before the old primary is fenced.
extension BastionNode {
    /// Only with a primary that no longer answers: a live one is stopped first, and everybody gets its last record.
    func lossObjection(_ node: NodeName, _ primary: PrimaryRecord, allowed: UInt64?) -> BastionError? {
        guard primary.phase != .assigned, node != primary.node, !isFresh(primary.node) else { return nil }
        let answers = expectedAnswers
        guard let position = answers[node]?.position else { return nil }
        if state.synchronous.promisedMode == .off || state.synchronous.rules.allSatisfy({ $0.required == 0 }) {
            return unprovenObjection(node, primary, position, allowed)
        }
        let proof = LosslessProof(state: state, pledges: answers)
        guard let answer = answers[node], !proof.isLossless(answer) else { return nil }
        guard let bound = proof.bound else {
            return allowed == .max ? nil : refusal(node, nil, proof.missing.joined(separator: "; "))
        }
        let loss = bound.timeline == position.timeline ? bound.lsn - position.lsn : nil
        guard loss.map({ $0 > allowed ?? 0 }) ?? (allowed != .max) else { return nil }
        return refusal(node, loss, "\"\(node)\" has \(position.lsn), and up to \(bound.lsn) may have been acknowledged")
    }

    /// SE6, mode `off`, also while waiting is being turned on: what is known of the loss already says that it would be refused.
    private func unprovenObjection(
        _ node: NodeName, _ primary: PrimaryRecord, _ position: WALPosition, _ allowed: UInt64?
    ) -> BastionError? {
        guard let end = reports[primary.node]?.report.facts?.server?.flushLSN else { return nil }
        let limit = allowed ?? policy.settings.maxLagBytes
        let isUnlimited = allowed == nil && limit == 0
        let loss = end - position.lsn
        guard !isUnlimited, loss > limit else { return nil }
        return refusal(node, loss, "\"\(node)\" has \(position.lsn), the primary last reported \(end)")
    }

    private func refusal(_ node: NodeName, _ loss: UInt64?, _ facts: String) -> BastionError {
        let bound = loss.map { "up to \($0) bytes of acknowledged WAL could be lost" } ?? "it is not known how much could be lost"
        let others = state.dataNodes.map(\.name).filter { $0 != node && $0 != state.primary?.node }
        let allowance = loss.map { ", or accept the loss with `pgbastion failover --to \(node) --allow-data-loss \($0)`" } ?? ""
        var error = precondition(
            "loss_within_limit", bound,
            others.isEmpty
                ? "start the old primary's node again\(allowance)"
                : "leave the choice to the cluster with `pgbastion failover`\(allowance)")
        error.detail = "check loss_within_limit: \(facts). Nothing was changed"
        return error
    }

    /// What the nodes that answer now would pledge; the receivers of a dead primary's replicas stand still.
    private var expectedAnswers: [NodeName: Pledge] {
        var answers: [NodeName: Pledge] = [:]
        for node in state.dataNodes where isFresh(node.name) {
            guard let report = reports[node.name]?.report, let position = report.position else { continue }
            answers[node.name] = Pledge(
                ballot: state.lastToken.next, node: node.name, memberID: node.memberID, dataID: report.facts?.dataID,
                position: position, replayed: report.facts?.server?.replayedLSN ?? position.lsn, history: [],
                isStopped: report.facts?.server == nil, storage: report.facts?.storage ?? .healthy, isReplayPaused: false)
        }
        return answers
    }

    private func isFresh(_ node: NodeName) -> Bool {
        reports[node].map { now.since($0.at) <= policy.settings.reportMaxAge } ?? false
    }
}

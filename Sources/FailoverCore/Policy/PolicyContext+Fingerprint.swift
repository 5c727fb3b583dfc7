import ClusterModel

extension PolicyContext {
    /// A digest of the facts a decision was made from: the state's roles and what every node reported. Made only when
    /// something is decided.
    package var fingerprint: String {
        var lines = ["token \(state.primary?.token.rawValue ?? 0) \(state.primary?.phase.rawValue ?? "none")"]
        lines.append("operation \(state.operation?.id ?? "-") \(state.operation?.phase.rawValue ?? "-") \(state.lastToken)")
        lines.append("synchronous \(state.synchronous.mode.rawValue) \(state.synchronous.generation)")
        for node in state.sortedNodes { lines.append(line(node)) }
        return String(SHA256.hex(lines.joined(separator: "\n").utf8).prefix(16))
    }

    private func line(_ node: NodeRecord) -> String {
        let head = "\(node.name) \(node.standing.rawValue) \(node.dataID?.description ?? "-")"
        guard let timed = reports[node.name] else { return head + " silent" }
        let report = timed.report
        let position = report.position.map { "\($0.timeline)/\($0.lsn)" } ?? "-"
        let status = report.guardStatus.map { "\($0.state.rawValue) \($0.token?.rawValue ?? 0)" } ?? "-"
        return "\(head) \(isFresh(timed) ? "fresh" : "stale") \(report.agentState) \(position) \(status)"
    }

    package func evidence(_ candidates: [DecisionRecord.Candidate]) -> DecisionEvidence {
        DecisionEvidence(inputs: fingerprint, candidates: candidates)
    }
}

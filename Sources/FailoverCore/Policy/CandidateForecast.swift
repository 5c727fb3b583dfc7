import ClusterModel

/// What would keep a node from being promoted now, as far as it is known without asking it to pledge: for `status` and
/// `explain`. The decision itself is `CandidateSelection`'s.
package enum CandidateForecast {
    /// Each objection begins with its rule; empty: the node is a candidate.
    package static func objections(
        to node: NodeRecord, _ state: ClusterState, report: NodeReport?, isFresh: Bool
    ) -> [String] {
        guard node.kind == .data else { return ["SE5: a witness has no data"] }
        var found: [String] = []
        if node.standing != .ready {
            found.append("SE5: standing \(node.standing.rawValue)\(node.standingReason.isEmpty ? "" : " (\(node.standingReason))")")
        }
        if node.tags.nofailover { found.append("SE5: tagged nofailover") }
        if node.drained { found.append("SE5: drained") }
        guard let report else { return found + ["DE7: nothing is known of it"] }
        guard isFresh else { return found + ["DE7: silent"] }
        return found + objections(to: node, state, report)
    }

    private static func objections(to node: NodeRecord, _ state: ClusterState, _ report: NodeReport) -> [String] {
        var found: [String] = []
        if report.guardStatus == nil { found.append("SE5: no guard is reported") }
        if let job = report.facts?.unfinishedJob { found.append("D48: a \(job) is not finished") }
        switch report.facts?.storage {
        case .stalled: found.append("DE4: its disk stalls")
        case .broken: found.append("DE6: its disk is broken")
        case .healthy, .full, nil: break
        }
        if let dataID = report.facts?.dataID, dataID != node.dataID, node.standing == .ready {
            found.append("SE5: its data were replaced and are not ready")
        }
        guard let server = report.facts?.server else { return found + ["SE5: its server does not answer"] }
        if let expected = state.systemIdentifier, server.systemIdentifier != expected {
            found.append("D60: another system identifier")
        }
        if server.isReplayPaused { found.append("SE5: replay is paused") }
        if let lineage = state.servedLineage, !lineage.contains(server.timeline) {
            found.append("AG18: timeline \(server.timeline) is not in the lineage")
        }
        if state.primary?.phase == .serving, !report.isStreaming { found.append("DE7: does not stream") }
        return found
    }
}

import ClusterModel

/// Whom to promote, and why the others lost (SE5, SE6). Pure: the same facts give the same choice.
package struct CandidateSelection: Sendable, Hashable {
    package struct Candidate: Sendable, Hashable {
        package var node: NodeRecord
        package var pledge: Pledge
        package var isLossless: Bool
        /// May be promoted although there is no proof (mode `off` within the limit, or an operator's allowance).
        package var isWithinAllowedLoss: Bool
        /// Bytes that may be lost at most; nil: unknown.
        package var lossBytes: UInt64?
    }

    /// Best first; only those that may be promoted.
    package var candidates: [Candidate] = []
    /// Node -> the rule and fact that forbid it.
    package var rejected: [NodeName: String] = [:]
    package var proof: LosslessProof

    package struct Question: Sendable {
        package var state: ClusterState
        package var pledges: [NodeName: Pledge]
        package var excluded: Set<NodeName>
        /// Nodes whose report is fresh and whose guard is there.
        package var reports: [NodeName: NodeReport]
        package var leader: NodeName?
        package var settings: PolicySettings
        /// The primary's last reported flush position, and whether that report is recent enough to count (SE6).
        package var lastPrimaryLSN: LSN?
        package var lastPrimaryReportIsRecent: Bool
        package init(
            state: ClusterState, pledges: [NodeName: Pledge], excluded: Set<NodeName>,
            reports: [NodeName: NodeReport], leader: NodeName?, settings: PolicySettings, lastPrimaryLSN: LSN?,
            lastPrimaryReportIsRecent: Bool
        ) {
            self.state = state
            self.pledges = pledges
            self.excluded = excluded
            self.reports = reports
            self.leader = leader
            self.settings = settings
            self.lastPrimaryLSN = lastPrimaryLSN
            self.lastPrimaryReportIsRecent = lastPrimaryReportIsRecent
        }
    }

    package init(_ q: Question) {
        let lineage = q.state.servedLineage
        proof = LosslessProof(state: q.state, pledges: q.pledges)
        for node in q.state.dataNodes {
            switch CandidateSelection.judge(node, q, proof, lineage) {
            case .success(let candidate): candidates.append(candidate)
            case .failure(let objection): rejected[node.name] = objection.text
            }
        }
        candidates.sort { CandidateSelection.isBetter($0, $1, leader: q.leader) }
        if let fixed = q.state.operation?.to, q.state.operation?.toIsFixed == true {
            for c in candidates where c.node.name != fixed { rejected[c.node.name] = "not the node that was asked for" }
            candidates.removeAll { $0.node.name != fixed }
        }
    }

    struct Objection: Error { var text: String }

    private static func judge(
        _ node: NodeRecord, _ q: Question, _ proof: LosslessProof, _ lineage: Lineage?
    ) -> Result<Candidate, Objection> {
        func no(_ text: String) -> Result<Candidate, Objection> { .failure(Objection(text: text)) }
        guard !q.excluded.contains(node.name) else { return no("SE10: its promotion failed in this operation") }
        guard node.standing == .ready else { return no("SE5: standing \(node.standing.rawValue)") }
        guard !node.tags.nofailover else { return no("SE5: tagged nofailover") }
        guard !node.drained else { return no("SE5: drained") }
        guard let pledge = q.pledges[node.name] else { return no("SE3: has not pledged") }
        guard pledge.storage == .healthy || pledge.storage == .full else { return no("DE4: storage \(pledge.storage.rawValue)") }
        guard !pledge.isReplayPaused else { return no("SE5: replay is paused") }
        guard let report = q.reports[node.name], report.guardStatus != nil else { return no("SE5: no guard is reported") }
        if let server = report.facts?.server, let expected = q.state.systemIdentifier, server.systemIdentifier != expected {
            return no("D60: another system identifier")
        }
        // SE1: the standing belongs to the data it was given for.
        guard pledge.dataID == node.dataID || q.state.lastToken == .never else {
            return no("SE5: its data were replaced and are not ready")
        }
        let lossless = proof.isLossless(pledge)
        if let lineage, !lineage.contains(pledge.position.timeline), !isLaterAssignment(pledge.position.timeline, lineage, q.state) {
            return no("AG18: timeline \(pledge.position.timeline) is not in the lineage")
        }
        if !lossless, let served = lineage?.links.last?.timeline, pledge.position.timeline < served {
            return no("SE5: timeline \(pledge.position.timeline), the last primary served on \(served)")
        }
        let loss =
            proof.bound.map { $0.timeline == pledge.position.timeline ? $0.lsn - pledge.position.lsn : nil }
            ?? q.lastPrimaryLSN.map { $0 - pledge.position.lsn }
        let allowed = isAllowed(q, loss: loss ?? nil)
        guard lossless || allowed else { return no("D19: not proven lossless") }
        return .success(
            Candidate(
                node: node, pledge: pledge, isLossless: lossless, isWithinAllowedLoss: allowed,
                lossBytes: lossless ? 0 : loss ?? nil))
    }

    /// SE5: a promotion that was given up after the last primary that served. Its node was appointed with everything that was
    /// acknowledged, and nothing was acknowledged elsewhere since.
    private static func isLaterAssignment(_ timeline: TimelineID, _ lineage: Lineage, _ state: ClusterState) -> Bool {
        guard let served = lineage.links.last?.timeline, timeline > served else { return false }
        return Lineage(of: timeline, records: state.timelines).contains(served)
    }

    /// SE6: mode `off` within `failover.max_lag_threshold`, or what an operator allowed. Another mode counts from the moment
    /// its first set is settled (decision 0021).
    private static func isAllowed(_ q: Question, loss: UInt64?) -> Bool {
        if let allowance = q.state.operation?.allowDataLossBytes {
            // An unlimited allowance covers an unknown loss as well.
            return loss.map { $0 <= allowance } ?? (allowance == .max)
        }
        guard q.state.synchronous.promisedMode == .off, q.lastPrimaryReportIsRecent, let loss else { return false }
        return q.settings.maxLagBytes == 0 || loss <= q.settings.maxLagBytes
    }

    private static func isBetter(_ a: Candidate, _ b: Candidate, leader: NodeName?) -> Bool {
        if a.isLossless != b.isLossless { return a.isLossless }
        if a.pledge.position != b.pledge.position { return a.pledge.position > b.pledge.position }
        let backlog: UInt64 = 64 << 20
        let slow = (a.pledge.position.lsn - a.pledge.replayed > backlog, b.pledge.position.lsn - b.pledge.replayed > backlog)
        if slow.0 != slow.1 { return slow.1 }
        if a.node.tags.priority != b.node.tags.priority { return a.node.tags.priority > b.node.tags.priority }
        // A running replica is promoted sooner than a stopped server.
        if a.pledge.isStopped != b.pledge.isStopped { return b.pledge.isStopped }
        if (a.node.name == leader) != (b.node.name == leader) { return b.node.name == leader }
        return a.node.name < b.node.name
    }
}

extension ClusterState {
    /// The lineage of the last primary that served; nil before the first.
    package var servedLineage: Lineage? {
        let served = timelines.last { $0.forkLSN != nil }
        return served.map { Lineage(of: $0.timeline, records: timelines) }
    }
}

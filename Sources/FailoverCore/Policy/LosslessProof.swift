import ClusterModel

/// SE4: the bound that a position must reach so that no acknowledged commit is lost, from pledges.
package struct LosslessProof: Sendable, Hashable {
    /// nil when some rule is not covered by the answers.
    package var bound: WALPosition?
    /// Why a rule is not covered, per rule, for `explain`.
    package var missing: [String]
    private var rules: [AckRule]
    /// Per rule: the position that must be reached; nil: not covered.
    private var covers: [WALPosition?]
    private var lineage: Lineage?

    /// - Parameters:
    ///   - rules: All rules in force or not yet settled; a proof must cover every one (SE2).
    ///   - pledges: The valid answers by node.
    ///   - lineage: Of the last primary that served; an answer on another timeline does not count.
    ///   - forks: Where the timeline of each token that served begins, within the lineage.
    package init(
        rules: [AckRule], pledges: [NodeName: Pledge], lineage: Lineage?, forks: [FencingToken: WALPosition] = [:]
    ) {
        self.rules = rules
        self.lineage = lineage
        missing = []
        covers = []
        for (i, rule) in rules.enumerated() {
            let byPrimary = coveredByPrimary(rules[i...], pledges)
            let bySet = coveredBySet(rule, pledges)
            let byFork = forks.filter { $0.key > rule.token }.values.min()
            let cover = [byPrimary, bySet, byFork].compactMap { $0 }.min()
            covers.append(cover)
            guard cover == nil else { continue }
            let silent = rule.members.map(\.node).filter { pledges[$0] == nil }
            missing.append(
                "rule of token \(rule.token): primary \"\(rule.primary.node)\" has not answered as stopped, and "
                    + "\(silent.count) of \(rule.members.count) synchronous members are silent (k = \(rule.required))")
        }
        bound = missing.isEmpty ? covers.compactMap { $0 }.max() : nil
    }

    /// Whether the node that gave this answer has everything that was acknowledged.
    ///
    /// The primary of a rule, or of a later one, with the data it had then, has it all by itself, also when it runs as a
    /// standby and its answer is behind the end of its own WAL: recovery replays that WAL before a promotion ends.
    package func isLossless(_ answer: Pledge) -> Bool {
        guard !rules.isEmpty else { return false }
        return rules.indices.allSatisfy { i in
            if let cover = covers[i], point(of: answer) >= cover { return true }
            return rules[i...].contains { $0.primary.node == answer.node && $0.primary.dataID == answer.dataID }
        }
    }

    /// The proof that a failover in this state needs.
    ///
    /// A later primary that served was appointed with everything that was acknowledged under the rules before its own, which
    /// are still in the list: whoever has the WAL up to the fork, on its timeline or its parent's, has all of that (decision 0022).
    package init(state: ClusterState, pledges: [NodeName: Pledge]) {
        let lineage = state.servedLineage
        var forks: [FencingToken: WALPosition] = [:]
        for record in state.timelines where lineage?.contains(record.timeline) == true {
            forks[record.token] = record.forkLSN.map { WALPosition(timeline: record.timeline, lsn: $0) }
        }
        self.init(rules: state.synchronous.rules, pledges: pledges, lineage: lineage, forks: forks)
    }

    /// (a) The primary of the rule or of a later one answered as fenced, with the data it had then.
    private func coveredByPrimary(_ rules: ArraySlice<AckRule>, _ pledges: [NodeName: Pledge]) -> WALPosition? {
        rules.compactMap { rule in
            guard let answer = pledges[rule.primary.node], answer.isStopped, answer.dataID == rule.primary.dataID else {
                return nil
            }
            return point(of: answer)
        }.min()
    }

    /// (b) With u < k silent members, the (k-u)-th highest answer: a position that was acknowledged reached k members, so
    /// at least k-u of the answers.
    private func coveredBySet(_ rule: AckRule, _ pledges: [NodeName: Pledge]) -> WALPosition? {
        guard rule.required > 0 else { return nil }
        let positions = rule.members.compactMap { member -> WALPosition? in
            guard let answer = pledges[member.node], answer.dataID == member.dataID,
                lineage?.contains(answer.position.timeline) ?? true
            else { return nil }
            return point(of: answer)
        }.sorted(by: >)
        let silent = rule.members.count - positions.count
        guard silent < rule.required else { return nil }
        let rank = rule.required - silent
        return rank <= positions.count ? positions[rank - 1] : nil
    }

    private func point(of answer: Pledge) -> WALPosition { lineage?.newestPoint(of: answer.position) ?? answer.position }
}

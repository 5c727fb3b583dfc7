import ClusterModel

/// Why the others were not chosen, for the log and `explain` (L01).
extension CandidateSelection {
    /// One reason per data node but `chosen`, in order of the names.
    package func notChosen(besides chosen: Candidate) -> [(node: NodeName, reason: String)] {
        let outranked = candidates.filter { $0.node.name != chosen.node.name }
            .map { (node: $0.node.name, reason: CandidateSelection.difference($0, from: chosen)) }
        let refused = rejected.filter { $0.key != chosen.node.name }.map { (node: $0.key, reason: $0.value) }
        return (outranked + refused).sorted { $0.node < $1.node }
    }

    /// The first rule of SE6 by which `loser` comes after `winner`.
    private static func difference(_ loser: Candidate, from winner: Candidate) -> String {
        if winner.isLossless, !loser.isLossless { return "SE6: not proven lossless" }
        let (mine, theirs) = (loser.pledge.position, winner.pledge.position)
        if mine.timeline != theirs.timeline { return "SE6: on timeline \(mine.timeline), not \(theirs.timeline)" }
        if mine.lsn < theirs.lsn { return "SE6: \(theirs.lsn - mine.lsn) bytes behind" }
        if loser.node.tags.priority != winner.node.tags.priority { return "D35: priority \(loser.node.tags.priority)" }
        if loser.pledge.isStopped, !winner.pledge.isStopped { return "SE6: its server is stopped" }
        return "D35: equal, another was preferred"
    }
}

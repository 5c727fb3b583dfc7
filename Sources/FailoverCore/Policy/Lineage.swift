import ClusterModel

/// The chain of timelines that led to one timeline (AG18): from it back through `parent`.
package struct Lineage: Sendable, Hashable {
    /// Oldest first; every link but the last carries the point where the chain left it.
    package private(set) var links: [Link]

    package struct Link: Sendable, Hashable {
        package var timeline: TimelineID
        /// nil for the newest timeline, or when the fork is not known.
        package var leftAt: LSN?
    }

    /// The lineage of `timeline` in `records`.
    package init(of timeline: TimelineID, records: [TimelineRecord]) {
        var chain = [Link(timeline: timeline, leftAt: nil)]
        var current = timeline
        // Invariant: parents have smaller numbers (D59), so this ends.
        while let record = records.last(where: { $0.timeline == current }), record.parent < current,
            record.parent.rawValue > 0
        {
            chain.append(Link(timeline: record.parent, leftAt: record.forkLSN))
            current = record.parent
        }
        links = chain.reversed()
    }

    package func contains(_ timeline: TimelineID) -> Bool { links.contains { $0.timeline == timeline } }

    /// The newest point of the lineage that data ending at `end` have: WAL of a timeline up to where the chain left it is the
    /// WAL of the next one up to its fork. A position that is outside the lineage, or before the fork, is its own.
    package func newestPoint(of end: WALPosition) -> WALPosition {
        zip(links, links.dropFirst()).reduce(end) { point, pair in
            guard pair.0.timeline == point.timeline, let fork = pair.0.leftAt, point.lsn >= fork else { return point }
            return WALPosition(timeline: pair.1.timeline, lsn: fork)
        }
    }

    package enum Verdict: Sendable, Hashable {
        case fits
        case diverged(String)
    }

    /// Whether data that ends at `end` can follow the newest timeline (D42).
    ///
    /// - Parameter newestEnd: The present end of the newest timeline; nil when unknown.
    package func verdict(on end: WALPosition, newestEnd: LSN?) -> Verdict {
        guard let link = links.first(where: { $0.timeline == end.timeline }) else {
            return .diverged("timeline \(end.timeline) is not an ancestor of timeline \(links.last?.timeline.rawValue ?? 0)")
        }
        if link.timeline == links.last?.timeline {
            guard let newestEnd, end.lsn > newestEnd else { return .fits }
            return .diverged("its WAL ends at \(end.lsn), behind the primary's end \(newestEnd)")
        }
        guard let fork = link.leftAt else { return .diverged("where timeline \(link.timeline) was left is not known") }
        return end.lsn <= fork
            ? .fits : .diverged("timeline \(link.timeline) was left at \(fork), its WAL ends at \(end.lsn)")
    }
}

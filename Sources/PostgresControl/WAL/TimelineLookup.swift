import ClusterModel

/// Finds out on which timeline a position lies, from the files of `pg_wal`.
struct TimelineLookup: Sendable {
    let directory: String
    let segments: [WALSegment]

    init(directory: String, segmentBytes: UInt64) throws(BastionError) {
        self.directory = directory
        segments = try (DurableFiles.list(directory) ?? []).compactMap {
            WALSegment(name: $0, segmentBytes: segmentBytes)
        }
    }

    /// The timeline of a replica that has everything up to `position`, given one it has certainly reached.
    ///
    /// A segment of a newer timeline that descends from `reached` proves that the replica follows it; but up to its first
    /// own byte the data is still that of its parent, and a replica must not claim more (SE4).
    func timeline(at position: LSN, reached: TimelineID) throws(BastionError) -> TimelineID {
        var best = reached
        for candidate in Set(segments.map(\.timeline)).sorted(by: >) where candidate > reached {
            let parents = try TimelineHistoryFile.read(candidate, in: directory)
            if parents.contains(where: { $0.timeline == reached }) {
                best = candidate
                break
            }
        }
        while let parent = try TimelineHistoryFile.read(best, in: directory).last, position <= parent.switchPoint {
            best = parent.timeline
        }
        return best
    }

    /// The end of the last existing segment of `timeline`; nil when it has none.
    func lastSegment(of timeline: TimelineID) -> UInt64? {
        segments.filter { $0.timeline == timeline }.map(\.number).max()
    }
}

import ClusterModel

/// One record of WAL. `id` is unique in the whole simulation: two servers with different records at one position diverged.
struct SimRecord: Hashable {
    var id: UInt64
    var timeline: UInt32
    var end: UInt64
    /// The client's row; nil for PostgreSQL's own records.
    var row: UInt64?
}

/// A data directory, and what the adapter keeps beside it.
struct SimFiles {
    var isPresent = false
    var systemIdentifier: UInt64 = 0
    var records: [SimRecord] = []
    /// So many records are durable.
    var flushed = 0
    var state = ControlFile.State.shutDown
    var checkpointTimeline: UInt32 = 1
    var history: [TimelineSwitch] = []
    /// The highest number with a history file (AG9).
    var newestKnownTimeline: UInt32 = 1
    var hasStandbySignal = false
    var settings: ManagedSettings?
    var wasStandby = false
    /// A rewind was interrupted: the contents are of no use.
    var isTorn = false
    // Beside the directory.
    var marker: String?
    var dataID: DataID?

    var timeline: UInt32 { records.last?.timeline ?? 1 }
    var end: UInt64 { records.last?.end ?? 0 }
    var flushedEnd: UInt64 { flushed > 0 ? records[flushed - 1].end : 0 }
    var flushedTimeline: UInt32 { flushed > 0 ? records[flushed - 1].timeline : 1 }

    /// The point where this data left timeline `number`; nil when it is the newest one or not in the history.
    func leftAt(_ number: UInt32) -> UInt64? { history.first { $0.timeline.rawValue == number }?.switchPoint.rawValue }

    /// Whether data that end at (`timeline`, `end`) can follow this data, as a walsender judges it.
    func canBeFollowed(fromTimeline other: UInt32, end otherEnd: UInt64) -> Bool {
        if other == timeline { return otherEnd <= flushedEnd }
        guard let left = leftAt(other) else { return false }
        return otherEnd <= left
    }

    var control: ControlFile {
        ControlFile(
            systemIdentifier: systemIdentifier, state: state, timeline: TimelineID(checkpointTimeline),
            checkpointLSN: LSN(flushedEnd), redoLSN: LSN(flushedEnd), minimumRecoveryLSN: LSN(wasStandby ? flushedEnd : 0),
            minimumRecoveryTimeline: TimelineID(wasStandby ? flushedTimeline : 0), hasChecksums: true, logHints: true)
    }

    /// The process that wrote ended; the kernel still has what it wrote through `kept`.
    mutating func cut(to kept: Int) {
        records.removeLast(records.count - kept)
        flushed = kept
        if let last = records.last { history.removeAll { $0.timeline.rawValue >= last.timeline } }
    }
}

/// `synchronous_standby_names` as PostgreSQL understands what pgbastion writes.
struct SimSyncNames: Hashable {
    var text: String
    var required: Int
    var names: [String]

    init(_ text: String) {
        self.text = text
        guard !text.isEmpty else {
            (required, names) = (0, [])
            return
        }
        guard text.hasPrefix("ANY ") else {
            (required, names) = (1, [text])
            return
        }
        let words = text.split { " (),\"".contains($0) }.map(String.init)
        required = words.count > 1 ? Int(words[1]) ?? 1 : 1
        names = Array(words.dropFirst(2))
    }
}

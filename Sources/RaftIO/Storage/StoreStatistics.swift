import RaftCore

/// What a `RaftLogStore` holds, and whether a snapshot is due.
package struct StoreStatistics: Sendable, Hashable {
    /// ST6: a snapshot is due after this many entries or bytes behind the last one.
    package static let snapshotEntries = 4096
    package static let snapshotBytes = 8 * 1024 * 1024
    /// ST6: entries kept behind a snapshot for slow followers.
    package static let keptEntries = 1024

    /// `lastIndex.next` when the log is empty.
    package var firstIndex = LogIndex(1)
    package var lastIndex = LogIndex.zero
    package var lastTerm = Term.zero
    /// The newest snapshot; `.zero` without one.
    package var snapshotIndex = LogIndex.zero
    /// Payload bytes behind that snapshot.
    package var bytesSinceSnapshot = 0
    /// false after a full disk took the reserve (ST7): an alarm.
    package var reserveHeld = true

    package var entriesSinceSnapshot: Int { max(0, lastIndex - snapshotIndex) }
    package var isSnapshotDue: Bool {
        entriesSinceSnapshot >= StoreStatistics.snapshotEntries || bytesSinceSnapshot >= StoreStatistics.snapshotBytes
    }
}

/// Several batches as one write: the last term and vote, the last snapshot and what follows it.
struct CombinedBatch {
    private(set) var hardState: HardState?
    private(set) var snapshot: Snapshot?
    private(set) var entries: [LogEntry] = []

    init(_ batches: [PersistBatch]) {
        for batch in batches {
            hardState = batch.hardState ?? hardState
            if let snapshot = batch.snapshot {
                self.snapshot = snapshot
                entries = []
            }
            guard let first = batch.entries.first else { continue }
            if let start = entries.first?.index {
                // A later batch replaces the entries of an earlier one from its first index on.
                let kept = max(0, first.index - start)
                precondition(
                    kept <= entries.count, "entry \(first.index) leaves a gap behind \(start)+\(entries.count)")
                entries.removeLast(entries.count - kept)
            }
            entries.append(contentsOf: batch.entries)
        }
    }

    var payloadBytes: Int { entries.reduce(0) { $0 + $1.payload.count } }
}

/// What a `RaftNode` wants done, in the order it must be done: persist, then send, then apply.
///
/// The node keeps back every message that promises something which is not durable yet; such a message
/// appears in the `Ready` after `persisted(through:)` was called with the number of the batch it waits for.
/// Everything in `messages` may therefore be sent at once.
package struct Ready: Sendable {
    /// At most one write, to be made durable in the order of `PersistBatch.number` (RA13, ST2).
    package var persist: PersistBatch?
    /// To be sent now, in order.
    package var messages: [RaftMessage]
    /// A snapshot received from the leader, already handed over in `persist`: the state machine is to be
    /// replaced by it before anything of `committed` is applied.
    package var installedSnapshot: Snapshot?
    /// Committed entries, in order, without gaps, durable on this server; of every kind.
    package var committed: [LogEntry]
    /// Finished reads, in the order they were asked for.
    package var reads: [ReadResult]

    package var isEmpty: Bool {
        persist == nil && messages.isEmpty && installedSnapshot == nil && committed.isEmpty && reads.isEmpty
    }

    package init(
        persist: PersistBatch? = nil, messages: [RaftMessage] = [], installedSnapshot: Snapshot? = nil,
        committed: [LogEntry] = [], reads: [ReadResult] = []
    ) {
        self.persist = persist
        self.messages = messages
        self.installedSnapshot = installedSnapshot
        self.committed = committed
        self.reads = reads
    }
}

/// One durable write. Batches are numbered 1, 2, 3 ... and must become durable in that order; several may
/// be combined in one transaction.
package struct PersistBatch: Sendable, Hashable {
    package var number: UInt64
    /// Written first when present.
    package var hardState: HardState?
    /// Replaces the whole log: afterwards the log starts behind this snapshot.
    package var snapshot: Snapshot?
    /// Consecutive entries. An entry whose index exists already replaces it and everything behind it.
    package var entries: [LogEntry]

    package init(number: UInt64, hardState: HardState? = nil, snapshot: Snapshot? = nil, entries: [LogEntry] = []) {
        self.number = number
        self.hardState = hardState
        self.snapshot = snapshot
        self.entries = entries
    }
}

/// The answer to `RaftNode.read(context:)` (RA6): served once `index` is applied, or failed.
package struct ReadResult: Sendable, Hashable {
    package var context: UInt64
    /// nil: leadership was not confirmed; the request must be asked again elsewhere.
    package var index: LogIndex?
    package init(context: UInt64, index: LogIndex?) {
        self.context = context
        self.index = index
    }
}

/// What a server remembers over a restart: everything a `RaftNode` is made from.
package struct DurableState: Sendable {
    package var hardState: HardState
    package var snapshot: Snapshot?
    /// Consecutive entries, the first directly behind the snapshot (or index 1).
    package var entries: [LogEntry]

    package init(hardState: HardState = HardState(), snapshot: Snapshot? = nil, entries: [LogEntry] = []) {
        self.hardState = hardState
        self.snapshot = snapshot
        self.entries = entries
    }
}

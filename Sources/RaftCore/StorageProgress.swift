/// What has been given out to be written, what is durable, and which promises wait for it (RA13).
///
/// - Invariant: Every index of the log is at most `durableIndex`, or in an open batch, or in the next batch.
struct StorageProgress: Sendable {
    private struct OpenBatch: Sendable {
        var number: UInt64
        /// The last index that is durable, as the log is now, once this batch is.
        var lastIndex: LogIndex
    }
    private struct HeldMessage: Sendable {
        var batch: UInt64
        var message: RaftMessage
    }
    struct Installing: Sendable {
        /// nil: not given out yet.
        var batch: UInt64?
        var snapshot: Snapshot
    }

    private(set) var durableIndex: LogIndex
    private(set) var persistedThrough: UInt64 = 0
    private(set) var installing: Installing?
    private var installed: Snapshot?
    private var issued: UInt64 = 0
    private var open: [OpenBatch] = []
    private var held: [HeldMessage] = []
    private var hardStateIsDirty = false
    private var hardStateBatch: UInt64 = 0
    private var dirtyFrom: LogIndex?

    init(durableIndex: LogIndex) { self.durableIndex = durableIndex }

    mutating func hardStateChanged() { hardStateIsDirty = true }

    /// The log changed at `index` and behind it; what was stored there no longer counts.
    mutating func logChanged(from index: LogIndex) {
        dirtyFrom = min(dirtyFrom ?? index, index)
        guard index <= durableIndex || !open.isEmpty else { return }
        durableIndex = min(durableIndex, index.previous)
        for i in open.indices { open[i].lastIndex = min(open[i].lastIndex, index.previous) }
    }

    /// The log was replaced by a snapshot; until it is durable only what was committed before still counts.
    mutating func install(_ snapshot: Snapshot, committed: LogIndex) {
        installing = Installing(batch: nil, snapshot: snapshot)
        dirtyFrom = nil
        durableIndex = min(durableIndex, committed)
        for i in open.indices { open[i].lastIndex = .zero }
    }

    /// The batch that must be durable before a message may promise the hard state and the log through `index`.
    func batch(coveringHardStateAnd index: LogIndex) -> UInt64 {
        let forHardState = hardStateIsDirty ? issued + 1 : hardStateBatch
        guard index > durableIndex else { return forHardState }
        return max(forHardState, open.first { $0.lastIndex >= index }?.number ?? issued + 1)
    }

    mutating func hold(_ message: RaftMessage, until batch: UInt64) {
        held.append(HeldMessage(batch: batch, message: message))
    }

    /// The next write, or nil when there is nothing to write.
    mutating func nextBatch(hardState: HardState, log: RaftLog) -> PersistBatch? {
        let newSnapshot = installing.flatMap { $0.batch == nil ? $0.snapshot : nil }
        guard hardStateIsDirty || dirtyFrom != nil || newSnapshot != nil else { return nil }
        issued += 1
        var batch = PersistBatch(number: issued, snapshot: newSnapshot)
        if hardStateIsDirty {
            batch.hardState = hardState
            hardStateBatch = issued
            hardStateIsDirty = false
        }
        if newSnapshot != nil { installing?.batch = issued }
        if let from = dirtyFrom {
            batch.entries = log.slice(from: from, through: log.lastIndex)
            dirtyFrom = nil
        }
        let coversLog = newSnapshot != nil || !batch.entries.isEmpty
        open.append(OpenBatch(number: issued, lastIndex: coversLog ? log.lastIndex : .zero))
        return batch
    }

    /// Takes note of durable batches and returns the messages that waited for them, in order.
    mutating func persisted(through batch: UInt64) -> [RaftMessage] {
        let batch = min(batch, issued)
        guard batch > persistedThrough else { return [] }
        persistedThrough = batch
        var done = 0
        while done < open.count, open[done].number <= batch {
            durableIndex = max(durableIndex, open[done].lastIndex)
            done += 1
        }
        open.removeFirst(done)
        if let number = installing?.batch, number <= batch {
            installed = installing?.snapshot
            installing = nil
        }
        guard !held.isEmpty else { return [] }
        let released = held.filter { $0.batch <= batch }.map(\.message)
        held.removeAll { $0.batch <= batch }
        return released
    }

    /// A received snapshot that became durable and was not handed out yet.
    mutating func takeInstalled() -> Snapshot? {
        defer { installed = nil }
        return installed
    }
}

import ClusterModel
import FailoverCore
import RaftCore

/// What a machine has on stable storage besides PostgreSQL's data: the Raft directory and the pledge file.
///
/// A write is durable some time after it was asked for, in order; a crash of the machine loses what is not.
final class SimDisk {
    private var hardState = HardState()
    private var snapshot: Snapshot?
    private var entries: [LogEntry] = []
    private var waiting: [PersistBatch] = []
    private(set) var pledge = FencingToken.never
    /// Everything written by then is durable, in order.
    private var busyUntil: Int64 = 0

    var isEmpty: Bool { entries.isEmpty && snapshot == nil && hardState == HardState() }

    var durable: DurableState {
        let first = snapshot.map(\.index) ?? .zero
        return DurableState(hardState: hardState, snapshot: snapshot, entries: entries.filter { $0.index > first })
    }

    /// When a write asked for at `now` that takes `duration` is durable.
    func finish(now: Int64, duration: Int64) -> Int64 {
        busyUntil = max(busyUntil, now) + duration
        return busyUntil
    }

    func stall(until time: Int64) { busyUntil = max(busyUntil, time) }

    func write(_ batch: PersistBatch) { waiting.append(batch) }

    /// Every batch through `number` is durable.
    func persisted(through number: UInt64) {
        while let first = waiting.first, first.number <= number { take(waiting.removeFirst()) }
    }

    func save(_ new: Snapshot) {
        guard new.index > snapshot?.index ?? .zero else { return }
        snapshot = new
    }

    func savePledge(_ ballot: FencingToken) { pledge = max(pledge, ballot) }

    /// The writer ended, or the machine lost power: only the first `kept` of the waiting writes reached the disk.
    func lose(keeping kept: Int) {
        for batch in waiting.prefix(kept) { take(batch) }
        waiting = []
        busyUntil = 0
    }

    var waitingCount: Int { waiting.count }

    func wipe() {
        busyUntil = 0
        hardState = HardState()
        snapshot = nil
        entries = []
        waiting = []
    }

    /// A directory as `restore` stages it: an empty log behind one snapshot, no vote. The pledge file is one per cluster.
    func restore(_ new: Snapshot) {
        wipe()
        pledge = .never
        hardState = HardState(term: new.term)
        snapshot = new
    }

    private func take(_ batch: PersistBatch) {
        if let new = batch.hardState { hardState = new }
        if let new = batch.snapshot {
            snapshot = new
            entries = []
        }
        if let first = batch.entries.first {
            entries.removeAll { $0.index >= first.index }
            entries += batch.entries
        }
    }
}

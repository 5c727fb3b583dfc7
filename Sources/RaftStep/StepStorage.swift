import ClusterModel
import RaftCore
import RaftIO

/// What one hosted node has made durable: in memory, and with `storage: sqlite` in the daemon's log store as well.
struct StepStorage {
    private(set) var durable: DurableState
    /// The Raft directory, or nil for memory only.
    private let directory: String?
    /// nil for memory only, and while the node is down.
    private var store: RaftLogStore?

    init(_ initial: DurableState, directory: String?) throws(StepRefusal) {
        durable = initial
        self.directory = directory
        guard let directory else { return }
        store = try Self.open(directory)
        try write { store throws(BastionError) in
            try store.persist([
                PersistBatch(
                    number: 1, hardState: initial.hardState, snapshot: initial.snapshot, entries: initial.entries)
            ])
        }
    }

    /// Makes a batch durable before it returns.
    mutating func persist(_ batch: PersistBatch) throws(StepRefusal) {
        if let hardState = batch.hardState { durable.hardState = hardState }
        if let snapshot = batch.snapshot {
            durable.snapshot = snapshot
            durable.entries = []
        }
        if let first = batch.entries.first {
            let kept = first.index - firstIndex
            durable.entries.removeLast(max(0, durable.entries.count - kept))
            durable.entries += batch.entries
        }
        try write { store throws(BastionError) in try store.persist([batch]) }
    }

    /// Keeps a snapshot of the own state machine and drops the log through it.
    mutating func compact(to snapshot: Snapshot) throws(StepRefusal) {
        durable.entries.removeFirst(min(durable.entries.count, max(0, snapshot.index.next - firstIndex)))
        durable.snapshot = snapshot
        try write { store throws(BastionError) in
            try store.saveSnapshot(snapshot)
            try store.compact(before: snapshot.index.next)
        }
    }

    /// Leaves the directory as a killed process would.
    mutating func crash() { store = nil }

    /// Reads back what is durable, from the disk where there is one.
    mutating func restart() throws(StepRefusal) {
        guard let directory else { return }
        let opened = try Self.open(directory)
        do throws(BastionError) {
            durable = try opened.load()
        } catch {
            throw .storage(error.description)
        }
        store = opened
    }

    private var firstIndex: LogIndex { (durable.snapshot?.index ?? .zero).next }

    private func write(_ body: (RaftLogStore) throws(BastionError) -> Void) throws(StepRefusal) {
        guard let store else { return }
        do throws(BastionError) {
            try body(store)
        } catch {
            throw .storage(error.description)
        }
    }

    /// One snapshot is kept, so that the log on disk begins where the log in memory does.
    private static func open(_ directory: String) throws(StepRefusal) -> RaftLogStore {
        do throws(BastionError) {
            return try RaftLogStore.open(directory: directory, snapshotRetain: 1)
        } catch {
            throw .storage(error.description)
        }
    }
}

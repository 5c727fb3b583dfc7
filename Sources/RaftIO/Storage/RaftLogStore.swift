import ClusterModel
import RaftCore

/// The durable memory of one Raft member: identity, term and vote, log, snapshots (ST1-ST11).
///
/// Every call does blocking file input and output and returns when the data is on the disk. Nothing is written unless
/// a caller asks for it.
///
/// Errors: `.unavailable` when the disk is full (nothing was acknowledged, the same call may be repeated later, ST7);
/// `.io` after which the process must end with exit 74 (ST8: the store refuses every further write); `.corrupt` (ST5).
///
/// Safety: not Sendable by itself; all calls come from one thread, or one after another under the caller's order.
package final class RaftLogStore: @unchecked Sendable {
    package static let defaultSnapshotRetain = 2

    package let directory: String
    /// Whether this directory was made by this `open`.
    package let isNew: Bool
    /// Generation and start id of the start before this one; nil for a new directory. Compared with what others
    /// remember of this member (ST11).
    package let previousStart: (generation: UInt64, startID: UInt64)?
    /// How often the log had been written when this directory was opened: a copy from earlier in the same life has less (ST11).
    package let previousWrites: UInt64
    /// The same now; 0 until `close`.
    package private(set) var writesAtClose: UInt64 = 0
    /// Damage that did no harm (a snapshot that was skipped), for the log.
    package let warnings: [String]
    package private(set) var statistics: StoreStatistics

    package var identity: StableIdentity { record.identity }

    /// nil after `close`: lock and databases are released.
    private var files: OpenFiles?
    private let mark: CommitMark
    private var snapshots: SnapshotStore
    private var reserve: SpaceReserve
    private var record: StableRecord
    private var loaded: DurableState?
    private var oldestSnapshot: LogIndex
    private var notedCommit = LogIndex.zero
    /// The last index of a restored directory that was never started; its first commit makes it this node's own.
    private var restoredIndex: LogIndex?
    /// The error after which nothing may be written any more.
    private var failure: BastionError?

    /// Opens or makes a Raft directory, verifies all of it, and begins a new generation.
    ///
    /// - Throws: `.nodeRunning` when another process uses it; `.corrupt` when anything is damaged or missing: then
    ///   nothing in it was changed.
    package static func open(
        directory: String, snapshotRetain: Int = defaultSnapshotRetain
    ) throws(BastionError) -> RaftLogStore {
        try DurableFile.createDirectory(directory)
        let lock = try DirectoryLock(directory: directory)
        let isNew = !DurableFile.exists("\(directory)/\(StableStore.fileName)")
        if isNew {
            try VerifiedDirectory.create(directory, memberID: MemberID(rawValue: .random(in: 1 ... .max)))
        }
        let verified = try VerifiedDirectory(directory, lock: lock, snapshotRetain: snapshotRetain)
        return try RaftLogStore(verified, isNew: isNew)
    }

    private init(_ verified: VerifiedDirectory, isNew: Bool) throws(BastionError) {
        directory = verified.path
        self.isNew = isNew
        let before = verified.record.identity
        previousStart = isNew ? nil : (before.generation, before.startID)
        previousWrites = verified.entries.meta.commits
        warnings = verified.content.warnings + DurableFile.exposure(of: verified.path)
        files = OpenFiles(lock: verified.lock, stable: verified.stable, entries: verified.entries)
        (mark, snapshots) = (verified.mark, verified.snapshots)
        record = verified.record
        loaded = verified.content.state
        oldestSnapshot = verified.content.state.snapshot?.index ?? .zero
        reserve = SpaceReserve(directory: verified.path)
        statistics = StoreStatistics()
        try writing { () throws(BastionError) in
            if let snapshot = verified.content.state.snapshot, verified.content.replacesLog {
                let base = EntryStore.Position(index: snapshot.index, term: snapshot.term)
                try entries.write([], replacingAllBehind: base)
            }
            try snapshots.removeUnfinished()
            try beginGeneration(after: before)
        }
        if let kept = try snapshots.finished().prefix(snapshots.retain).last { oldestSnapshot = kept.index }
        let snapshotIndex = verified.content.state.snapshot?.index ?? .zero
        try refreshStatistics(snapshotIndex: snapshotIndex, bytes: try entries.payloadBytes(behind: snapshotIndex))
        restoredIndex = try RestoredMarker.unconsumed(in: directory) == nil ? nil : snapshotIndex
    }

    /// ST11: raft.db first, so that a crash in between is told from files of different times.
    private func beginGeneration(after before: StableIdentity) throws(BastionError) {
        var new = record
        new.identity.generation = before.generation + 1
        new.identity.startID = .random(in: 1 ... .max)
        if entries.meta.generation != new.identity.generation {
            try entries.raiseGeneration(to: new.identity.generation)
        }
        try writeStable(new)
    }

    private var stable: StableStore { opened.stable }
    private var entries: EntryStore { opened.entries }
    private var opened: OpenFiles {
        guard let files else { preconditionFailure("the Raft directory \"\(directory)\" was closed") }
        return files
    }

    // MARK: Reading

    /// What a `RaftNode` is made from. Directly after `open` this costs nothing: everything was read then.
    package func load() throws(BastionError) -> DurableState {
        if let loaded {
            self.loaded = nil
            return loaded
        }
        return try StoredContent(record, entries, snapshots).state
    }

    // MARK: Writing

    /// Makes every batch durable, in order, in one transaction of each database at most (ST2).
    ///
    /// - Precondition: Entries follow the stored log without a gap.
    package func persist(_ batches: [PersistBatch]) throws(BastionError) {
        guard !batches.isEmpty else { return }
        loaded = nil
        let combined = CombinedBatch(batches)
        try writing { () throws(BastionError) in try write(combined) }
    }

    private func write(_ batch: CombinedBatch) throws(BastionError) {
        // Term and vote first: a snapshot or entry of a later term than the stored one would be `corrupt` (ST4).
        if let hardState = batch.hardState, hardState != record.hardState {
            var new = record
            new.hardState = hardState
            try writeStable(new)
        }
        if let snapshot = batch.snapshot {
            try snapshots.save(snapshot)
            let base = EntryStore.Position(index: snapshot.index, term: snapshot.term)
            try entries.write(batch.entries, replacingAllBehind: base)
            try snapshots.removeAll(before: snapshot.index)
            oldestSnapshot = snapshot.index
            try refreshStatistics(snapshotIndex: snapshot.index, bytes: batch.payloadBytes)
        } else if let first = batch.entries.first {
            let replaces = first.index <= entries.meta.last.index
            try entries.write(batch.entries)
            let since = statistics.snapshotIndex
            let bytes =
                replaces ? try entries.payloadBytes(behind: since) : statistics.bytesSinceSnapshot + batch.payloadBytes
            try refreshStatistics(snapshotIndex: since, bytes: bytes)
        }
        try mark.write(CommitMark.Value(stable: record.commits, raft: entries.meta.commits))
    }

    /// Takes the identity of a cluster into a directory without one, durably (RA19). The same cluster may be given
    /// again, with a later epoch.
    ///
    /// - Throws: `.foreignState` when the directory belongs to another cluster or already has a log.
    package func adopt(clusterID: ClusterID, epoch: UInt32) throws(BastionError) {
        if identity.clusterID == clusterID && identity.epoch == epoch { return }
        // The checksum of every row covers the cluster id: only a directory without rows can change it.
        guard identity.clusterID == clusterID || (identity.clusterID == nil && entries.meta.last.index == .zero) else {
            throw BastionError(
                .foreignState, "Raft directory \"\(directory)\" holds the state of another cluster",
                detail:
                    "stored \(identity.clusterID?.description ?? "entries without a cluster"), offered \(clusterID)",
                hint: "run `pgbastion node reset` on this node")
        }
        var new = record
        (new.identity.clusterID, new.identity.epoch) = (clusterID, epoch)
        try writing { () throws(BastionError) in
            try writeStable(new)
            try mark.write(CommitMark.Value(stable: record.commits, raft: entries.meta.commits))
        }
        entries.clusterID = clusterID
        snapshots.clusterID = clusterID
    }

    /// Stores a snapshot of the own state machine and removes old ones beyond the retained number (ST6).
    ///
    /// - Precondition: The log holds `snapshot.index` with the same term.
    package func saveSnapshot(_ snapshot: Snapshot) throws(BastionError) {
        try writing { () throws(BastionError) in
            let meta = entries.meta
            precondition(
                snapshot.index >= meta.base.index && snapshot.index <= meta.last.index,
                "snapshot at \(snapshot.index) outside the log \(meta.base.index)...\(meta.last.index)")
            let term = try entries.term(at: snapshot.index)
            precondition(term == snapshot.term, "snapshot of term \(snapshot.term) at an entry of term \(term)")
            try snapshots.save(snapshot)
            oldestSnapshot = try snapshots.prune()
            try refreshStatistics(
                snapshotIndex: snapshot.index, bytes: try entries.payloadBytes(behind: snapshot.index))
        }
    }

    /// Drops the entries before `index`, but none behind the oldest retained snapshot: each of them can be started from.
    package func compact(before index: LogIndex) throws(BastionError) {
        try writing { () throws(BastionError) in
            try entries.compact(before: min(index, oldestSnapshot.next))
            try mark.write(CommitMark.Value(stable: record.commits, raft: entries.meta.commits))
            statistics.firstIndex = entries.meta.base.index.next
        }
    }

    /// Remembers what is known to be committed, for whoever reads the stopped directory. Entries up to `index` were handed
    /// to `persist` before; nothing waits for it.
    package func noteCommit(_ index: LogIndex) {
        guard failure == nil, files != nil, index > notedCommit else { return }
        if CommittedFile(directory: directory, member: identity.memberID).write(index) { notedCommit = index }
        consumeMarker(index)
    }

    /// A marker that cannot be renamed stays: then it is tried again with the next commit.
    private func consumeMarker(_ commit: LogIndex) {
        guard let restoredIndex, commit > restoredIndex else { return }
        do throws(BastionError) {
            try RestoredMarker.consume(in: directory)
            self.restoredIndex = nil
        } catch {
            return
        }
    }

    /// ST10: leaves a directory whose copy is complete, and releases it. Every later write is refused.
    package func close() throws(BastionError) {
        defer { files = nil }
        guard failure == nil else { return }
        try stable.checkpoint()
        try entries.checkpoint()
        try mark.sync()
        writesAtClose = entries.meta.commits
        failure = BastionError(.internal, "the Raft directory \"\(directory)\" was closed")
    }

    // MARK: Failures

    /// Runs a write. A full disk costs the reserve once (ST7); any other error is final (ST8).
    private func writing(_ body: () throws(BastionError) -> Void) throws(BastionError) {
        if let failure { throw failure }
        do throws(BastionError) {
            do throws(BastionError) {
                try body()
            } catch {
                guard error.code == .unavailable, reserve.giveUp() else { throw error }
                statistics.reserveHeld = false
                try body()
            }
        } catch {
            if error.code != .unavailable { failure = error }
            throw error
        }
    }

    private func writeStable(_ new: StableRecord) throws(BastionError) {
        var new = new
        new.commits = record.commits + 1
        try stable.write(new)
        record = new
    }

    private func refreshStatistics(snapshotIndex: LogIndex, bytes: Int) throws(BastionError) {
        statistics = StoreStatistics(
            firstIndex: entries.meta.base.index.next, lastIndex: entries.meta.last.index,
            lastTerm: entries.meta.last.term,
            snapshotIndex: snapshotIndex, bytesSinceSnapshot: bytes, reserveHeld: reserve.isHeld)
    }

    static func corrupt(_ message: String, detail: String? = nil) -> BastionError {
        BastionError(
            .corrupt, message, detail: detail,
            hint: "run `pgbastion node reset` here, then `pgbastion node rejoin` on a node with quorum")
    }
}

/// What a `RaftLogStore` holds on to until it is closed.
private struct OpenFiles {
    let lock: DirectoryLock
    let stable: StableStore
    let entries: EntryStore
}

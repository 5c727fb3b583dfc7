import ClusterModel
import RaftCore

/// What the log and the snapshots hold together; read and verified, nothing written.
struct StoredContent {
    let state: DurableState
    /// The crash came after an installed snapshot was stored and before the log was replaced by it: still to be done.
    let replacesLog: Bool
    /// Damage that does no harm, for the log of the daemon.
    let warnings: [String]

    init(_ record: StableRecord, _ entries: EntryStore, _ snapshots: SnapshotStore) throws(BastionError) {
        let rows = try entries.readAll()
        let meta = entries.meta
        let (snapshot, warnings) = try StoredContent.newestSnapshot(snapshots, base: meta.base)
        self.warnings = warnings
        guard let snapshot else {
            (state, replacesLog) = (DurableState(hardState: record.hardState, entries: rows), false)
            return
        }
        guard snapshot.term <= record.hardState.term else {
            throw RaftLogStore.corrupt(
                "snapshot \(snapshot.term)-\(snapshot.index) is of a later term than the stored one",
                detail: "stored term \(record.hardState.term)")
        }
        let termInLog = snapshot.index <= meta.last.index ? try entries.term(at: snapshot.index) : nil
        replacesLog = termInLog != snapshot.term
        let log = replacesLog ? [] : Array(rows.dropFirst(snapshot.index - meta.base.index))
        state = DurableState(hardState: record.hardState, snapshot: snapshot, entries: log)
    }

    /// The newest snapshot that can be verified and that the log continues.
    private static func newestSnapshot(
        _ store: SnapshotStore, base: EntryStore.Position
    ) throws(BastionError) -> (Snapshot?, [String]) {
        var warnings: [String] = []
        for name in try store.finished() where name.index >= base.index {
            do throws(BastionError) {
                return (try store.load(name), warnings)
            } catch {
                guard error.code == .corrupt else { throw error }
                warnings.append(error.description)
            }
        }
        guard base.index == .zero else {
            throw RaftLogStore.corrupt(
                "no valid snapshot covers the beginning of the Raft log",
                detail: (["the log begins behind index \(base.index)"] + warnings).joined(separator: "; "))
        }
        return (nil, warnings)
    }
}

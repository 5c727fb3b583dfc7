import ClusterModel
import Glibc
import RaftCore

/// A Raft directory that was locked, read and verified as a whole (ST3, ST4); until here nothing in it was changed.
struct VerifiedDirectory {
    let path: String
    let lock: DirectoryLock
    let stable: StableStore
    let entries: EntryStore
    let mark: CommitMark
    let snapshots: SnapshotStore
    let record: StableRecord
    let content: StoredContent

    init(_ path: String, lock: DirectoryLock, snapshotRetain: Int) throws(BastionError) {
        self.path = path
        self.lock = lock
        stable = try StableStore(directory: path, create: false)
        try stable.checkStructure()
        guard let record = try stable.read() else { throw RaftLogStore.corrupt("\"\(path)/stable.db\" has no row") }
        self.record = record
        entries = try EntryStore(directory: path, create: false)
        entries.clusterID = record.identity.clusterID
        entries.memberID = record.identity.memberID
        var snapshots = SnapshotStore(directory: path, retain: snapshotRetain)
        snapshots.clusterID = record.identity.clusterID
        self.snapshots = snapshots
        content = try StoredContent(record, entries, snapshots)
        mark = try CommitMark(directory: path, memberID: record.identity.memberID, isNew: false)
        try VerifiedDirectory.check(record, entries.meta, mark)
    }

    private static func check(
        _ record: StableRecord, _ meta: EntryStore.Meta, _ mark: CommitMark
    ) throws(BastionError) {
        guard meta.last.term <= record.hardState.term else {
            throw RaftLogStore.corrupt(
                "the Raft log is of a later term than the stored one",
                detail: "term \(meta.last.term) at index \(meta.last.index); stored term \(record.hardState.term)")
        }
        if let marked = mark.value, record.commits < marked.stable || meta.commits < marked.raft {
            throw RaftLogStore.corrupt(
                "acknowledged writes are missing from the Raft directory",
                detail:
                    "stable.db \(record.commits) of \(marked.stable) commits, raft.db \(meta.commits) of \(marked.raft)"
            )
        }
        // A start raises raft.db first; other differences mean files of different times were put together (ST11).
        let generation = record.identity.generation
        guard meta.generation == generation || meta.generation == generation + 1 else {
            throw RaftLogStore.corrupt(
                "raft.db and stable.db are of different times",
                detail: "generation \(meta.generation) in raft.db, \(generation) in stable.db")
        }
    }

    // MARK: First creation

    /// Makes the files of a new directory. `stable.db` appears last and complete: it tells a finished creation.
    static func create(_ path: String, memberID: MemberID) throws(BastionError) {
        try refuseRemains(path)
        for name in ["raft.db", "raft.db-wal", "raft.db-journal", "stable.db.new", "stable.db.new-wal", "commits"] {
            unlink("\(path)/\(name)")
        }
        let entries = try EntryStore(directory: path, create: true)
        entries.memberID = memberID
        try entries.initialise()
        try entries.checkpoint()
        let mark = try CommitMark(directory: path, memberID: memberID, isNew: true)
        try mark.write(CommitMark.Value(stable: 1, raft: entries.meta.commits))
        try mark.sync()
        try DurableFile.createDirectory("\(path)/snapshots")
        try writeStable(
            path,
            StableRecord(
                identity: StableIdentity(clusterID: nil, epoch: 0, memberID: memberID, generation: 0, startID: 0),
                commits: 1))
    }

    private static func writeStable(_ path: String, _ record: StableRecord) throws(BastionError) {
        try writeClosed(path, fileName: "stable.db.new", record)
        unlink("\(path)/stable.db.new-wal")
        try DurableFile.rename("\(path)/stable.db.new", to: "\(path)/stable.db")
        try DurableFile.syncDirectory(path)
    }

    /// The database is closed when this returns.
    private static func writeClosed(_ path: String, fileName: String, _ record: StableRecord) throws(BastionError) {
        let stable = try StableStore(directory: path, fileName: fileName, create: true)
        try stable.write(record)
        try stable.checkpoint()
    }

    /// A directory without `stable.db` that holds entries or snapshots is not new: its vote is lost.
    private static func refuseRemains(_ path: String) throws(BastionError) {
        let snapshots = SnapshotStore(directory: path, retain: 1)
        let hasSnapshots = try !snapshots.finished().isEmpty
        var hasEntries = false
        if try DurableFile.size("\(path)/raft.db") > 0 {
            hasEntries = try EntryStore(directory: path, create: true).holdsEntries()
        }
        if hasSnapshots || hasEntries {
            throw RaftLogStore.corrupt("\"\(path)/stable.db\" is missing beside entries or snapshots")
        }
    }
}

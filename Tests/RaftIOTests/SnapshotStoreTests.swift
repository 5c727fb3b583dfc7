import ClusterModel
import Glibc
import RaftCore
import Testing

@testable import RaftIO

@Suite struct SnapshotStoreTests {
    let temporary: TemporaryDirectory
    var path: String { "\(temporary.path)/raft" }

    init() throws { temporary = try TemporaryDirectory() }

    @Test func `a snapshot is loaded at start, with the entries behind it`() throws {
        let store = try filled(10)
        try store.saveSnapshot(snapshot(6))
        #expect(store.statistics.entriesSinceSnapshot == 4)
        let state = try reopened().state
        #expect(state.snapshot == snapshot(6))
        #expect(state.entries == entries(7...10))
    }

    @Test func `only the retained number of snapshots stays, and the log behind the oldest`() throws {
        let store = try filled(30)
        for index in [5, 10, 15] as [UInt64] { try store.saveSnapshot(snapshot(index)) }
        #expect(try DurableFile.names(in: "\(path)/snapshots") == ["1-10", "1-15"])
        try store.compact(before: LogIndex(15))
        #expect(store.statistics.firstIndex == LogIndex(11))
        #expect(try reopened().state.entries == entries(16...30))
    }

    @Test func `compaction drops rows and the directory still opens`() throws {
        let store = try filled(30)
        try store.saveSnapshot(snapshot(20))
        try store.compact(before: LogIndex(18))
        #expect(store.statistics.firstIndex == LogIndex(18))
        try store.persist([PersistBatch(number: 9, entries: entries(31...31))])
        let state = try reopened().state
        #expect(state.snapshot == snapshot(20))
        #expect(state.entries == entries(21...31))
    }

    @Test func `without a snapshot nothing is compacted`() throws {
        let store = try filled(30)
        try store.compact(before: LogIndex(18))
        #expect(store.statistics.firstIndex == LogIndex(1))
    }

    @Test func `an installed snapshot replaces the whole log`() throws {
        let store = try filled(10)
        try store.saveSnapshot(snapshot(4))
        try store.persist([
            PersistBatch(
                number: 5, hardState: HardState(term: Term(7)), snapshot: snapshot(50, term: 6),
                entries: entries(51...52, term: 7))
        ])
        #expect(store.statistics.firstIndex == LogIndex(51))
        #expect(try DurableFile.names(in: "\(path)/snapshots") == ["6-50"])
        let state = try reopened().state
        #expect(state.snapshot == snapshot(50, term: 6))
        #expect(state.entries == entries(51...52, term: 7))
    }

    @Test func `a crash between installed snapshot and log is finished at the next start`() throws {
        do {
            let store = try filled(10)
            try store.persist([PersistBatch(number: 2, hardState: HardState(term: Term(3)))])
            withExtendedLifetime(store) {}
        }
        // The snapshot is of another branch than the entries: index 8 of term 2 instead of term 1.
        try SnapshotStore(directory: path, retain: 2).save(snapshot(8, term: 2))
        do {
            let store = try RaftLogStore.open(directory: path)
            #expect(
                try store.load() == DurableState(hardState: HardState(term: Term(3)), snapshot: snapshot(8, term: 2)))
            try store.persist([PersistBatch(number: 1, entries: entries(9...9, term: 3))])
        }
        let state = try reopened().state
        #expect(state.entries == entries(9...9, term: 3))
    }

    @Test func `an unfinished snapshot is never taken (F03)`() throws {
        let store = try filled(10)
        try store.saveSnapshot(snapshot(4))
        withExtendedLifetime(store) {}
        try DurableFile.createDirectory("\(path)/snapshots/.tmp-1-9")
        try plainWrite([1, 2, 3], to: "\(path)/snapshots/.tmp-1-9/state")
        #expect(try reopened().state.snapshot == snapshot(4))
    }

    @Test(arguments: ["state", "membership", "manifest.json"])
    func `a damaged snapshot is skipped while the log reaches back to an older one`(file: String) throws {
        let store = try filled(30)
        try store.saveSnapshot(snapshot(10))
        try store.saveSnapshot(snapshot(20))
        try store.compact(before: LogIndex(20))
        try flip("\(path)/snapshots/1-20/\(file)", bit: 77)
        let found = try reopened()
        #expect(found.state.snapshot == snapshot(10))
        #expect(found.state.entries == entries(11...30))
        #expect(found.warnings.count == 1)
    }

    @Test func `a damaged snapshot that nothing replaces is corrupt`() throws {
        let store = try filled(30)
        try store.saveSnapshot(snapshot(20))
        try store.compact(before: LogIndex(20))
        try flip("\(path)/snapshots/1-20/state", bit: 5)
        let error = #expect(throws: BastionError.self) { try reopened() }
        #expect(error?.code == .corrupt)
    }

    @Test func `an empty state is a snapshot as well`() throws {
        let store = try filled(3)
        try store.saveSnapshot(snapshot(2, bytes: 0))
        #expect(try reopened().state.snapshot == snapshot(2, bytes: 0))
    }

    private func filled(_ count: UInt64) throws -> RaftLogStore {
        let store = try RaftLogStore.open(directory: path)
        try store.persist([PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: entries(1...count))])
        return store
    }

    private func reopened() throws -> StoreInspection {
        temporary.remove("\(temporary.path)/copy")
        try temporary.copy("raft", to: "copy")
        return try RaftLogStore.inspect(directory: "\(temporary.path)/copy")
    }
}

func flip(_ path: String, bit: Int) throws {
    var bytes = try DurableFile.read(path, limit: .max) ?? []
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    try plainWrite(bytes, to: path)
}

import ClusterModel
import Glibc
import RaftCore
import Testing

@testable import RaftIO

@Suite struct RaftLogStoreTests {
    let temporary: TemporaryDirectory
    var path: String { "\(temporary.path)/raft" }

    init() throws { temporary = try TemporaryDirectory() }

    @Test func `what was persisted is there after a clean stop`() throws {
        let hard = HardState(term: Term(3), vote: ServerID(77))
        do {
            let store = try RaftLogStore.open(directory: path)
            #expect(store.isNew)
            #expect(try store.load() == DurableState())
            try store.persist([PersistBatch(number: 1, hardState: hard, entries: entries(1...5))])
            try store.persist([PersistBatch(number: 2, entries: entries(6...7, term: 3))])
            try store.close()
            #expect(throws: BastionError.self) { try store.persist([PersistBatch(number: 3, hardState: HardState())]) }
        }
        let store = try RaftLogStore.open(directory: path)
        #expect(!store.isNew)
        #expect(try store.load() == DurableState(hardState: hard, entries: entries(1...5) + entries(6...7, term: 3)))
        #expect(store.statistics.lastIndex == LogIndex(7))
        #expect(store.statistics.lastTerm == Term(3))
        #expect(store.statistics.bytesSinceSnapshot == 140)
    }

    @Test func `what was persisted is there after a kill`() throws {
        let store = try RaftLogStore.open(directory: path)
        try store.persist([PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: entries(1...5))])
        try temporary.copy("raft", to: "copy")
        let other = try RaftLogStore.open(directory: "\(temporary.path)/copy")
        #expect(try other.load().entries == entries(1...5))
    }

    @Test func `entries replace the suffix that begins at their index`() throws {
        let store = try RaftLogStore.open(directory: path)
        let hard = HardState(term: Term(9))
        try store.persist([PersistBatch(number: 1, hardState: hard, entries: entries(1...8))])
        try store.persist([PersistBatch(number: 2, entries: entries(4...5, term: 2))])
        #expect(store.statistics.bytesSinceSnapshot == 100)
        let state = try reopened()
        #expect(state.entries == entries(1...3) + entries(4...5, term: 2))
    }

    @Test func `several batches become one write with the same result`() throws {
        let store = try RaftLogStore.open(directory: path)
        try store.persist([
            PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: entries(1...6)),
            PersistBatch(
                number: 2, hardState: HardState(term: Term(2), vote: ServerID(4)), entries: entries(3...4, term: 2)),
            PersistBatch(number: 3, entries: entries(5...5, term: 2)),
        ])
        let state = try reopened()
        #expect(state.hardState == HardState(term: Term(2), vote: ServerID(4)))
        #expect(state.entries == entries(1...2) + entries(3...5, term: 2))
    }

    @Test func `a second open is refused while the first lives`() throws {
        let store = try RaftLogStore.open(directory: path)
        let error = #expect(throws: BastionError.self) { try RaftLogStore.open(directory: path) }
        #expect(error?.code == .nodeRunning)
        #expect(error?.code.exitStatus == 3)
        #expect(throws: BastionError.self) { try RaftLogStore.inspect(directory: path) }
        withExtendedLifetime(store) {}
    }

    @Test func `every open raises the generation and draws a start id`() throws {
        var seen: [StableIdentity] = []
        for _ in 0..<3 {
            let store = try RaftLogStore.open(directory: path)
            if let before = seen.last {
                #expect(store.previousStart?.generation == before.generation)
                #expect(store.previousStart?.startID == before.startID)
            } else {
                #expect(store.previousStart == nil)
            }
            seen.append(store.identity)
        }
        #expect(seen.map(\.generation) == [1, 2, 3])
        #expect(Set(seen.map(\.startID)).count == 3)
        #expect(Set(seen.map(\.memberID)).count == 1)
        let inspected = try RaftLogStore.inspect(directory: path)
        #expect(inspected.identity == seen[2])
        #expect(try RaftLogStore.inspect(directory: path).identity.generation == 3)
    }

    @Test func `a cluster is adopted once, and only by a directory without entries`() throws {
        let (a, b) = (ClusterID(rawValue: 0xA), ClusterID(rawValue: 0xB))
        let store = try RaftLogStore.open(directory: path)
        try store.adopt(clusterID: a, epoch: 1)
        try store.persist([PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: entries(1...2))])
        try store.adopt(clusterID: a, epoch: 2)
        let error = #expect(throws: BastionError.self) { try store.adopt(clusterID: b, epoch: 2) }
        #expect(error?.code == .foreignState)
        try temporary.copy("raft", to: "copy")
        let other = try RaftLogStore.open(directory: "\(temporary.path)/copy")
        #expect(other.identity.clusterID == a)
        #expect(other.identity.epoch == 2)
        #expect(try other.load().entries == entries(1...2))
    }

    @Test func `a cluster begins with a snapshot in a new directory, and can be loaded at once`() throws {
        let store = try RaftLogStore.open(directory: path)
        #expect(try store.load() == DurableState())
        try store.adopt(clusterID: ClusterID(rawValue: 4), epoch: 1)
        let hard = HardState(term: Term(1))
        try store.persist([PersistBatch(number: 1, hardState: hard, snapshot: snapshot(1_000_000))])
        #expect(try store.load() == DurableState(hardState: hard, snapshot: snapshot(1_000_000)))
        #expect(store.statistics.firstIndex == LogIndex(1_000_001))
        #expect(try reopened() == DurableState(hardState: hard, snapshot: snapshot(1_000_000)))
    }

    @Test func `files are private and the reserve is made`() throws {
        let store = try RaftLogStore.open(directory: path)
        #expect(store.statistics.reserveHeld)
        try store.persist([PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: entries(1...2))])
        for name in try DurableFile.names(in: path) {
            var status = stat()
            #expect(stat("\(path)/\(name)", &status) == 0)
            #expect(status.st_mode & 0o077 == 0, "\(name) is open to others")
        }
        #expect(try DurableFile.size("\(path)/reserve") == SpaceReserve.bytes)
    }

    @Test func `an idle store writes nothing`() throws {
        let store = try RaftLogStore.open(directory: path)
        _ = try store.load()
        try store.persist([])
        let before = try modificationTimes()
        try store.persist([PersistBatch(number: 1, hardState: HardState())])
        #expect(try modificationTimes().filter { $0.key != "commits" } == before.filter { $0.key != "commits" })
        #expect(store.statistics.isSnapshotDue == false)
    }

    @Test func `a clean stop leaves nothing in the write-ahead logs`() throws {
        let store = try RaftLogStore.open(directory: path)
        try store.persist([PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: entries(1...2))])
        #expect(try DurableFile.size("\(path)/raft.db-wal") > 0)
        try store.close()
        #expect(try RaftLogStore.inspect(directory: path).lastIndex == LogIndex(2))
        #expect(throws: BastionError.self) { try store.compact(before: LogIndex(2)) }
        #expect(try DurableFile.size("\(path)/raft.db-wal") == 0)
        #expect(try DurableFile.size("\(path)/stable.db-wal") == 0)
    }

    @Test func `a gap in the entries stops the process`() async {
        await #expect(processExitsWith: .failure) {
            let temporary = try TemporaryDirectory()
            let store = try RaftLogStore.open(directory: "\(temporary.path)/raft")
            try store.persist([PersistBatch(number: 1, entries: entries(2...3))])
        }
    }

    @Test func `an unopened directory has nothing to inspect`() throws {
        let error = #expect(throws: BastionError.self) { try RaftLogStore.inspect(directory: "\(temporary.path)/none") }
        #expect(error?.code == .notFound)
        #expect(!DurableFile.exists("\(temporary.path)/none"))
    }

    private func reopened() throws -> DurableState {
        try temporary.copy("raft", to: "copy")
        return try RaftLogStore.inspect(directory: "\(temporary.path)/copy").state
    }

    private func modificationTimes() throws -> [String: Int] {
        var times: [String: Int] = [:]
        for name in try DurableFile.names(in: path) {
            var status = stat()
            guard stat("\(path)/\(name)", &status) == 0 else { continue }
            times[name] = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
        }
        return times
    }
}

extension DurableState: Equatable {
    package static func == (a: DurableState, b: DurableState) -> Bool {
        a.hardState == b.hardState && a.snapshot == b.snapshot && a.entries == b.entries
    }
}

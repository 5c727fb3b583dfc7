import CSQLite
import ClusterModel
import Glibc
import RaftCore
import Testing

@testable import RaftIO

/// Damage of every kind is found at start, and then the directory is left as it is (ST3-ST5).
@Suite struct StoreDamageTests {
    let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    static let columns = [
        "raft.db: UPDATE log SET term = term + 1 WHERE idx = 7", "raft.db: UPDATE log SET kind = 1 WHERE idx = 7",
        "raft.db: UPDATE log SET payload = x'00' WHERE idx = 7", "raft.db: UPDATE log SET crc = crc + 1 WHERE idx = 7",
        "raft.db: UPDATE log SET idx = 99 WHERE idx = 40", "raft.db: DELETE FROM log WHERE idx = 7",
        "raft.db: DELETE FROM log WHERE idx = 40", "raft.db: DELETE FROM log WHERE idx = 1", "raft.db: DELETE FROM log",
        "raft.db: DELETE FROM meta", "raft.db: UPDATE meta SET last_index = 39",
        "raft.db: UPDATE meta SET base_index = 1",
        "raft.db: UPDATE meta SET generation = 9", "raft.db: UPDATE meta SET commits = 900",
        "stable.db: UPDATE stable SET term = 9", "stable.db: UPDATE stable SET vote = NULL",
        "stable.db: UPDATE stable SET member_id = x'00000000000000000000000000000001'",
        "stable.db: UPDATE stable SET generation = 9", "stable.db: UPDATE stable SET epoch = 9",
        "stable.db: UPDATE stable SET start_id = 9", "stable.db: UPDATE stable SET cluster_id = NULL",
        "stable.db: DELETE FROM stable",
    ]

    @Test(arguments: columns) func `a changed row is found`(change: String) throws {
        try make("raft", closed: true)
        let parts = change.split(separator: ":", maxSplits: 1).map(String.init)
        var database: OpaquePointer?
        #expect(sqlite3_open("\(temporary.path)/raft/\(parts[0])", &database) == SQLITE_OK)
        #expect(sqlite3_exec(database, parts[1], nil, nil, nil) == SQLITE_OK)
        sqlite3_close(database)
        try expectCorrupt("raft")
    }

    @Test(arguments: ["raft.db", "stable.db", "raft.db-wal", "stable.db-wal", "commits", "snapshots/1-20"])
    func `a missing file is found`(name: String) throws {
        try make("raft", closed: false)
        temporary.remove("\(temporary.path)/raft/\(name)")
        try expectCorrupt("raft")
    }

    @Test(arguments: ["raft.db", "stable.db", "raft.db-wal", "stable.db-wal"])
    func `a file cut anywhere is found`(name: String) throws {
        try make("original", closed: false)
        let bytes = try #require(try DurableFile.read("\(temporary.path)/original/\(name)", limit: .max))
        for part in 0..<12 {
            try fresh()
            try plainWrite(Array(bytes[..<(bytes.count * part / 12)]), to: "\(temporary.path)/raft/\(name)")
            try expectIntactOrCorrupt("cut to \(part)/12")
        }
        try plainWrite([], to: "\(temporary.path)/raft/\(name)")
        try expectCorrupt("raft")
    }

    @Test(arguments: ["raft.db", "stable.db", "raft.db-wal", "stable.db-wal", "commits"], [true, false])
    func `no flipped bit and no zeroed sector changes what is read`(name: String, closed: Bool) throws {
        try make("original", closed: closed)
        let bytes = try #require(try DurableFile.read("\(temporary.path)/original/\(name)", limit: .max))
        guard !bytes.isEmpty else { return }
        var generator = SeededGenerator(11)
        for round in 0..<60 {
            var damaged = bytes
            if round % 6 == 5 {
                let sector = Int.random(in: 0...(bytes.count - 1) / 512, using: &generator) * 512
                for at in sector..<min(sector + 512, bytes.count) { damaged[at] = 0 }
            } else {
                let bit = Int.random(in: 0..<bytes.count * 8, using: &generator)
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            try fresh()
            try plainWrite(damaged, to: "\(temporary.path)/raft/\(name)")
            try expectIntactOrCorrupt("round \(round)")
        }
    }

    @Test func `files of different times are found`() throws {
        try make("old", closed: true)
        try temporary.copy("old", to: "raft")
        for _ in 0..<2 { try RaftLogStore.open(directory: "\(temporary.path)/raft").close() }
        let old = try #require(try DurableFile.read("\(temporary.path)/old/raft.db", limit: .max))
        try plainWrite(old, to: "\(temporary.path)/raft/raft.db")
        try expectCorrupt("raft")
    }

    @Test func `a crash between the two transactions is harmless`() throws {
        try make("raft", closed: true)
        let hardState = HardState(term: Term(8), vote: ServerID(3))
        try writeOnlyStable(hardState)
        let store = try inspected("raft")
        #expect(store.hardState == hardState)
        #expect(store.entries == entries(21...40))
    }

    // MARK: Helpers

    /// Term and vote are stored, the entries of the same batch are not.
    private func writeOnlyStable(_ hardState: HardState) throws {
        let stable = try StableStore(directory: "\(temporary.path)/raft", create: false)
        var record = try #require(try stable.read())
        record.hardState = hardState
        record.commits += 1
        try stable.write(record)
    }

    /// Forty entries, a snapshot at 20, the log compacted to 15; written after the last checkpoint when not `closed`.
    private func make(_ name: String, closed: Bool) throws {
        let store = try RaftLogStore.open(directory: "\(temporary.path)/\(name)")
        try store.adopt(clusterID: ClusterID(rawValue: 5), epoch: 1)
        try store.persist([
            PersistBatch(
                number: 1, hardState: HardState(term: Term(2), vote: ServerID(9)), entries: entries(1...40, bytes: 300))
        ])
        try store.persist([PersistBatch(number: 2, entries: entries(1...40))])
        if closed && name == "raft" {
            try store.close()
            return
        }
        try store.saveSnapshot(snapshot(20))
        try store.compact(before: LogIndex(15))
        if closed { try store.close() }
    }

    private func fresh() throws {
        temporary.remove("\(temporary.path)/raft")
        try temporary.copy("original", to: "raft")
    }

    private func inspected(_ name: String) throws -> DurableState {
        let state = try RaftLogStore.inspect(directory: "\(temporary.path)/\(name)").state
        if state.snapshot == nil {
            return DurableState(hardState: state.hardState, entries: Array(state.entries.dropFirst(20)))
        }
        return state
    }

    private func expectCorrupt(_ name: String) throws {
        let before = try contents(name)
        let error = #expect(throws: BastionError.self) { try RaftLogStore.open(directory: "\(temporary.path)/\(name)") }
        #expect(error?.code == .corrupt, "\(error?.description ?? "opened")")
        #expect(error?.code.exitStatus == 9)
        #expect(try contents(name) == before, "a damaged directory was changed")
    }

    /// Damage in unused bytes may go unnoticed; damage that changes what is read may not.
    private func expectIntactOrCorrupt(_ comment: String) throws {
        do throws(BastionError) {
            let state = try RaftLogStore.inspect(directory: "\(temporary.path)/raft").state
            #expect(state.hardState == HardState(term: Term(2), vote: ServerID(9)), "\(comment)")
            #expect(state.snapshot == snapshot(20), "\(comment)")
            #expect(state.entries == entries(21...40), "\(comment)")
        } catch {
            #expect(error.code == .corrupt || error.code == .notFound || error.code == .io, "\(comment): \(error)")
        }
    }

    private func contents(_ name: String) throws -> [String: [UInt8]] {
        var all: [String: [UInt8]] = [:]
        for file in ["raft.db", "stable.db", "raft.db-wal", "stable.db-wal", "commits"] {
            let bytes = try DurableFile.read("\(temporary.path)/\(name)/\(file)", limit: .max)
            if let bytes, !bytes.isEmpty { all[file] = bytes }
        }
        return all
    }
}

@Suite struct CRC32CTests {
    @Test func `known values`() {
        // Source: RFC 3720, appendix B.4.
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.of([UInt8](0...31)) == 0x46DD_794E)
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func `pieces give the same value as the whole`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
            var crc = CRC32C()
            crc.add(bytes[..<cut])
            crc.add(bytes[cut...])
            #expect(crc.value == CRC32C.of(bytes))
        }
    }
}

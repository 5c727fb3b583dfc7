import ClusterModel
import RaftCore

/// The one row of `stable.db`: what must be durable before any answer that depends on it (ST1, RA13).
struct StableRecord: Sendable, Hashable {
    var identity: StableIdentity
    var hardState = HardState()
    /// Transactions of this database so far; compared with `CommitMark`.
    var commits: UInt64 = 0

    var checksum: UInt32 {
        var crc = CRC32C()
        crc.add(UInt64(identity.clusterID == nil ? 0 : 1))
        crc.add(identity.clusterID?.rawValue ?? 0)
        crc.add(UInt64(identity.epoch))
        crc.add(identity.memberID.rawValue)
        crc.add(identity.generation)
        crc.add(identity.startID)
        crc.add(hardState.term.rawValue)
        crc.add(UInt64(hardState.vote == nil ? 0 : 1))
        crc.add(hardState.vote?.rawValue ?? 0)
        crc.add(commits)
        return crc.value
    }
}

/// `stable.db`: term, vote and identity, one row, verified by its checksum (ST3).
final class StableStore {
    static let fileName = "stable.db"

    private let database: SQLiteDatabase
    private let select: SQLiteStatement
    private let replace: SQLiteStatement

    init(directory: String, fileName: String = StableStore.fileName, create: Bool) throws(BastionError) {
        database = try SQLiteDatabase(path: "\(directory)/\(fileName)", create: create)
        if create {
            try database.execute(
                """
                CREATE TABLE IF NOT EXISTS stable (
                    id INTEGER PRIMARY KEY CHECK (id = 1), cluster_id BLOB, epoch INTEGER NOT NULL, member_id BLOB NOT NULL,
                    generation INTEGER NOT NULL, start_id INTEGER NOT NULL, term INTEGER NOT NULL, vote BLOB,
                    commits INTEGER NOT NULL, crc INTEGER NOT NULL)
                """)
        }
        select = try database.prepare(
            """
            SELECT cluster_id, epoch, member_id, generation, start_id, term, vote, commits, crc FROM stable WHERE id = 1
            """)
        replace = try database.prepare("INSERT OR REPLACE INTO stable VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    }

    func checkStructure() throws(BastionError) { try database.checkStructure(limit: EntryStore.structureCheckLimit) }

    /// nil when the row was never written.
    func read() throws(BastionError) -> StableRecord? {
        defer { select.reset() }
        guard try select.step() else { return nil }
        guard let member = number128(select.bytes(2)), let epoch = UInt32(exactly: select.integer(1)) else {
            throw damaged()
        }
        let cluster = select.isNull(0) ? nil : number128(select.bytes(0))
        let vote = select.isNull(6) ? nil : number128(select.bytes(6))
        let record = StableRecord(
            identity: StableIdentity(
                clusterID: cluster.map { ClusterID(rawValue: $0) }, epoch: epoch, memberID: MemberID(rawValue: member),
                generation: select.number(3), startID: select.number(4)),
            hardState: HardState(term: Term(select.number(5)), vote: vote.map { ServerID($0) }),
            commits: select.number(7))
        guard select.integer(8) == Int64(record.checksum) else { throw damaged() }
        return record
    }

    /// Durable when it returns.
    func write(_ record: StableRecord) throws(BastionError) {
        try database.transaction { () throws(BastionError) in
            let identity = record.identity
            replace.bind(1, identity.clusterID.map { bytes128($0.rawValue) })
            replace.bind(2, UInt64(identity.epoch))
            replace.bind(3, bytes128(identity.memberID.rawValue))
            replace.bind(4, identity.generation)
            replace.bind(5, identity.startID)
            replace.bind(6, record.hardState.term.rawValue)
            replace.bind(7, record.hardState.vote.map { bytes128($0.rawValue) })
            replace.bind(8, record.commits)
            replace.bind(9, UInt64(record.checksum))
            try replace.run()
        }
    }

    func checkpoint() throws(BastionError) { try database.checkpoint() }

    private func damaged() -> BastionError {
        RaftLogStore.corrupt("the row of \"\(database.path)\" is damaged", detail: "its checksum does not match")
    }
}

func bytes128(_ number: UInt128) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }

func number128(_ bytes: [UInt8]) -> UInt128? {
    guard bytes.count == 16 else { return nil }
    return bytes.withUnsafeBytes { UInt128(littleEndian: $0.loadUnaligned(as: UInt128.self)) }
}

import ClusterModel
import RaftCore

/// `raft.db`: the entries of the log behind a base, one row each, and one row that says where the log begins and ends.
///
/// - Invariant: The rows are exactly `base.index + 1 ... last.index`, their terms never fall (ST4).
final class EntryStore {
    static let fileName = "raft.db"
    /// Limit: larger databases are verified row by row only; their page structure is not walked a second time.
    static let structureCheckLimit = 64 * 1024 * 1024

    /// A place in the log.
    struct Position: Sendable, Hashable {
        var index = LogIndex.zero
        var term = Term.zero
    }

    /// The row of table `meta`.
    struct Meta: Sendable, Hashable {
        /// The entry before the first row: compacted away, or part of an installed snapshot.
        var base = Position()
        var last = Position()
        var generation: UInt64 = 0
        /// Transactions of this database so far; compared with `CommitMark`.
        var commits: UInt64 = 0

        func checksum(_ member: MemberID) -> UInt32 {
            var crc = CRC32C()
            crc.add(member.rawValue)
            for number in [
                base.index.rawValue, base.term.rawValue, last.index.rawValue, last.term.rawValue, generation, commits,
            ] { crc.add(number) }
            return crc.value
        }
    }

    private let database: SQLiteDatabase
    private let insert: SQLiteStatement
    private let deleteFrom: SQLiteStatement
    private let deleteBefore: SQLiteStatement
    private let writeMeta: SQLiteStatement
    private let bytesBehind: SQLiteStatement
    private let termAt: SQLiteStatement
    private(set) var meta = Meta()
    /// Set before anything is written or verified.
    var clusterID: ClusterID?
    var memberID = MemberID(rawValue: 0)

    init(directory: String, create: Bool) throws(BastionError) {
        database = try SQLiteDatabase(path: "\(directory)/\(EntryStore.fileName)", create: create)
        if create {
            try database.execute(
                """
                CREATE TABLE IF NOT EXISTS log (
                    idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL, payload BLOB NOT NULL,
                    crc INTEGER NOT NULL);
                CREATE TABLE IF NOT EXISTS meta (
                    id INTEGER PRIMARY KEY CHECK (id = 1), base_index INTEGER NOT NULL, base_term INTEGER NOT NULL,
                    last_index INTEGER NOT NULL, last_term INTEGER NOT NULL, generation INTEGER NOT NULL,
                    commits INTEGER NOT NULL, crc INTEGER NOT NULL);
                """)
        }
        insert = try database.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?)")
        deleteFrom = try database.prepare("DELETE FROM log WHERE idx >= ?")
        deleteBefore = try database.prepare("DELETE FROM log WHERE idx < ?")
        writeMeta = try database.prepare("INSERT OR REPLACE INTO meta VALUES (1, ?, ?, ?, ?, ?, ?, ?)")
        bytesBehind = try database.prepare("SELECT coalesce(sum(length(payload)), 0) FROM log WHERE idx > ?")
        termAt = try database.prepare("SELECT term FROM log WHERE idx = ?")
    }

    /// Whether anything but an untouched first creation is stored here.
    func holdsEntries() throws(BastionError) -> Bool {
        let any = try database.prepare(
            "SELECT EXISTS (SELECT 1 FROM log) OR EXISTS (SELECT 1 FROM meta WHERE base_index > 0)")
        return try any.step() && any.integer(0) != 0
    }

    /// Writes the first row of table `meta`.
    func initialise() throws(BastionError) { try commit(Meta()) { () throws(BastionError) in } }

    /// Reads and verifies every row (ST3, ST4); writes nothing.
    func readAll() throws(BastionError) -> [LogEntry] {
        try database.checkStructure(limit: EntryStore.structureCheckLimit)
        try readMeta()
        let rows = try database.prepare("SELECT idx, term, kind, payload, crc FROM log ORDER BY idx")
        var entries: [LogEntry] = []
        var before = meta.base
        while try rows.step() {
            let index = LogIndex(rows.number(0))
            let term = Term(rows.number(1))
            guard index == before.index.next else {
                throw damaged("entry \(before.index.next) is missing; the next is \(index)")
            }
            guard term >= before.term else {
                throw damaged("entry \(index) has term \(term) behind term \(before.term)")
            }
            guard let rawKind = UInt8(exactly: rows.integer(2)), let kind = EntryKind(rawValue: rawKind) else {
                throw damaged("entry \(index) is of unknown kind \(rows.integer(2))")
            }
            let entry = LogEntry(index: index, term: term, kind: kind, payload: rows.bytes(3))
            guard rows.integer(4) == Int64(checksum(entry)) else {
                throw damaged("entry \(index): its checksum does not match")
            }
            entries.append(entry)
            before = Position(index: index, term: term)
        }
        guard before == meta.last else { throw damaged("the log ends at \(before.index), not at \(meta.last.index)") }
        return entries
    }

    /// Replaces the log from `entries[0].index` on. With `base`, the whole log: it then begins behind `base`.
    func write(_ entries: [LogEntry], replacingAllBehind base: Position? = nil) throws(BastionError) {
        var new = meta
        if let base { (new.base, new.last) = (base, base) }
        if let last = entries.last { new.last = Position(index: last.index, term: last.term) }
        try commit(new) { () throws(BastionError) in
            if let base {
                precondition(
                    entries.first.map { $0.index == base.index.next } ?? true, "entries do not follow \(base.index)")
                try delete(from: .zero)
            } else if let first = entries.first {
                precondition(
                    first.index > meta.base.index && first.index <= meta.last.index.next,
                    "entry \(first.index) does not follow the log \(meta.base.index)...\(meta.last.index)")
                if first.index <= meta.last.index { try delete(from: first.index) }
            }
            var expected = entries.first?.index ?? .zero
            for entry in entries {
                precondition(entry.index == expected, "entry \(entry.index) where \(expected) belongs")
                try add(entry)
                expected = expected.next
            }
        }
    }

    /// Drops the entries before `index`, which must be in the log.
    func compact(before index: LogIndex) throws(BastionError) {
        guard index > meta.base.index.next, index <= meta.last.index.next else { return }
        var new = meta
        new.base = Position(index: index.previous, term: try term(at: index.previous))
        try commit(new) { () throws(BastionError) in
            deleteBefore.bind(1, index.rawValue)
            try deleteBefore.run()
        }
    }

    func raiseGeneration(to generation: UInt64) throws(BastionError) {
        var new = meta
        new.generation = generation
        try commit(new) { () throws(BastionError) in }
    }

    /// Payload bytes of the entries behind `index`.
    func payloadBytes(behind index: LogIndex) throws(BastionError) -> Int {
        defer { bytesBehind.reset() }
        bytesBehind.bind(1, index.rawValue)
        return try bytesBehind.step() ? Int(bytesBehind.integer(0)) : 0
    }

    func term(at index: LogIndex) throws(BastionError) -> Term {
        if index == meta.base.index { return meta.base.term }
        if index == meta.last.index { return meta.last.term }
        defer { termAt.reset() }
        termAt.bind(1, index.rawValue)
        guard try termAt.step() else { throw damaged("entry \(index) is missing") }
        return Term(termAt.number(0))
    }

    func checkpoint() throws(BastionError) { try database.checkpoint() }

    // MARK: Rows

    /// One transaction that ends with the new `meta` row.
    private func commit(_ new: Meta, _ body: () throws(BastionError) -> Void) throws(BastionError) {
        var new = new
        new.commits = meta.commits + 1
        try database.transaction { () throws(BastionError) in
            try body()
            for (column, number) in [
                new.base.index.rawValue, new.base.term.rawValue, new.last.index.rawValue, new.last.term.rawValue,
                new.generation, new.commits, UInt64(new.checksum(memberID)),
            ].enumerated() { writeMeta.bind(Int32(column + 1), number) }
            try writeMeta.run()
        }
        meta = new
    }

    /// The row of table `meta`, verified; the rows of the log are not looked at.
    func readMeta() throws(BastionError) {
        let row = try database.prepare(
            "SELECT base_index, base_term, last_index, last_term, generation, commits, crc FROM meta WHERE id = 1")
        guard try row.step() else { throw damaged("the row of table meta is missing") }
        let found = Meta(
            base: Position(index: LogIndex(row.number(0)), term: Term(row.number(1))),
            last: Position(index: LogIndex(row.number(2)), term: Term(row.number(3))), generation: row.number(4),
            commits: row.number(5))
        guard row.integer(6) == Int64(found.checksum(memberID)) else {
            throw damaged("table meta: its checksum does not match")
        }
        meta = found
    }

    private func add(_ entry: LogEntry) throws(BastionError) {
        insert.bind(1, entry.index.rawValue)
        insert.bind(2, entry.term.rawValue)
        insert.bind(3, UInt64(entry.kind.rawValue))
        insert.bind(4, entry.payload)
        insert.bind(5, UInt64(checksum(entry)))
        try insert.run()
    }

    private func delete(from index: LogIndex) throws(BastionError) {
        deleteFrom.bind(1, index.rawValue)
        try deleteFrom.run()
    }

    /// ST3: over cluster id, member id, index, term, kind, payload.
    private func checksum(_ entry: LogEntry) -> UInt32 {
        var crc = CRC32C()
        crc.add(clusterID?.rawValue ?? 0)
        crc.add(memberID.rawValue)
        crc.add(entry.index.rawValue)
        crc.add(entry.term.rawValue)
        crc.add(UInt64(entry.kind.rawValue))
        crc.add(entry.payload)
        return crc.value
    }

    private func damaged(_ detail: String) -> BastionError {
        RaftLogStore.corrupt("the Raft log \"\(database.path)\" is damaged", detail: detail)
    }
}

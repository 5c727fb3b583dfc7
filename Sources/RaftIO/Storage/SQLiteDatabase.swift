import CSQLite
import ClusterModel
import Glibc

/// One SQLite database of the Raft directory: write-ahead journal, every commit fsynced, one exclusive user.
///
/// Errors: `.corrupt` when SQLite finds damage, `.unavailable` when the disk is full (ST7), `.io` otherwise (ST8).
final class SQLiteDatabase {
    /// One page: a database is checkpointed when it is made, so it never has less.
    private static let smallestFile = 4096

    /// Pages in the write-ahead log from which on it is emptied into the database file.
    private static let checkpointPages: Int32 = 1000

    let path: String
    private let handle: OpaquePointer
    private let logPages = LogPages()

    /// Opens `path`, which is created with mode 0600 when `create` is set; otherwise a missing file is `.corrupt`.
    init(path: String, create: Bool) throws(BastionError) {
        self.path = path
        if create {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw DurableFile.failure("create", path) }
            close(descriptor)
        } else if try DurableFile.size(path) < SQLiteDatabase.smallestFile {
            // SQLite would take an empty file for a new database and write to it (ST5).
            throw RaftLogStore.corrupt("file \"\(path)\" is missing or cut short")
        }
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nil)
        guard result == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw BastionError(.io, "could not open \"\(path)\"", detail: String(cString: sqlite3_errstr(result)))
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        _ = pgb_sqlite_no_checkpoint_on_close(handle)
        try execute("PRAGMA locking_mode = EXCLUSIVE")
        try require("PRAGMA journal_mode = WAL", is: "wal")
        try execute("PRAGMA synchronous = FULL")
        // Without FULL a commit is not fsynced, and an acknowledged entry could be lost.
        try require("PRAGMA synchronous", is: "2")
        // SQLite's automatic checkpoint ignores a failed fsync and tries it again; ST8 forbids both.
        try execute("PRAGMA wal_autocheckpoint = 0")
        let context = Unmanaged.passUnretained(logPages).toOpaque()
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                if let context { Unmanaged<LogPages>.fromOpaque(context).takeUnretainedValue().count = pages }
                return SQLITE_OK
            }, context)
    }

    deinit { sqlite3_close_v2(handle) }

    func execute(_ sql: String) throws(BastionError) {
        let result = sqlite3_exec(handle, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw failure(result) }
    }

    func prepare(_ sql: String) throws(BastionError) -> SQLiteStatement {
        var statement: OpaquePointer?
        let result = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard result == SQLITE_OK, let statement else { throw failure(result) }
        return SQLiteStatement(statement, database: self)
    }

    /// Runs `body` in one transaction; it is durable when this returns.
    func transaction(_ body: () throws(BastionError) -> Void) throws(BastionError) {
        try execute("BEGIN IMMEDIATE")
        do throws(BastionError) {
            try body()
            try execute("COMMIT")
        } catch {
            // The first error counts; after some errors SQLite has rolled back already.
            if sqlite3_get_autocommit(handle) == 0 { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
            throw error
        }
        try checkpointWhenDue()
    }

    private func checkpointWhenDue() throws(BastionError) {
        guard logPages.count >= SQLiteDatabase.checkpointPages else { return }
        do throws(BastionError) {
            let result = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
            guard result == SQLITE_OK else { throw failure(result) }
        } catch {
            // The transaction is durable in the log; without space the log just stays longer.
            guard error.code == .unavailable else { throw error }
        }
    }

    /// ST10: moves everything from the write-ahead log into the database file.
    func checkpoint() throws(BastionError) {
        let result = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard result == SQLITE_OK else { throw failure(result) }
    }

    /// SQLite's own check of its page structure; `limit` bounds the size of a file that is checked.
    func checkStructure(limit: Int) throws(BastionError) {
        let pages = try prepare("PRAGMA page_count")
        guard try pages.step(), pages.integer(0) * 4096 <= limit else { return }
        pages.reset()
        let check = try prepare("PRAGMA quick_check(1)")
        guard try check.step(), check.text(0) == "ok" else {
            throw RaftLogStore.corrupt("database \"\(path)\" is damaged", detail: check.text(0))
        }
        check.reset()
    }

    private func require(_ sql: String, is expected: String) throws(BastionError) {
        let statement = try prepare(sql)
        let found = try statement.step() ? statement.text(0) : ""
        statement.reset()
        guard found == expected else {
            throw BastionError(
                .io, "cannot make commits of \"\(path)\" durable",
                detail: "\(sql) gives \"\(found)\", not \"\(expected)\"")
        }
    }

    func failure(_ result: Int32) -> BastionError {
        let text = String(cString: sqlite3_errmsg(handle))
        let detail = "\(text) (SQLite code \(result))"
        switch result & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_SCHEMA, SQLITE_MISMATCH, SQLITE_CONSTRAINT, SQLITE_ERROR,
            SQLITE_FORMAT:
            return RaftLogStore.corrupt("database \"\(path)\" is damaged", detail: detail)
        case SQLITE_FULL:
            return DurableFile.noSpace(path)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return BastionError(.nodeRunning, "database \"\(path)\" is in use by another process", detail: detail)
        default:
            return BastionError(.io, "could not use database \"\(path)\"", detail: detail)
        }
    }
}

/// How long the write-ahead log was after the last commit.
private final class LogPages {
    var count: Int32 = 0
}

/// A prepared statement; used again and again after `reset`.
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let database: SQLiteDatabase

    init(_ handle: OpaquePointer, database: SQLiteDatabase) {
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    /// Numbers are stored by their bits: SQLite knows only signed ones.
    func bind(_ at: Int32, _ number: UInt64) { sqlite3_bind_int64(handle, at, Int64(bitPattern: number)) }

    func bind(_ at: Int32, _ bytes: [UInt8]?) {
        guard let bytes else {
            sqlite3_bind_null(handle, at)
            return
        }
        guard !bytes.isEmpty else {
            sqlite3_bind_zeroblob(handle, at, 0)
            return
        }
        _ = bytes.withUnsafeBytes {
            sqlite3_bind_blob(handle, at, $0.baseAddress, Int32($0.count), pgb_sqlite_transient())
        }
    }

    /// true when a row is there to be read.
    func step() throws(BastionError) -> Bool {
        let result = sqlite3_step(handle)
        switch result {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            sqlite3_reset(handle)
            throw database.failure(result)
        }
    }

    /// Runs a statement without rows and makes it ready for the next use.
    func run() throws(BastionError) {
        _ = try step()
        reset()
    }

    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func number(_ column: Int32) -> UInt64 { UInt64(bitPattern: sqlite3_column_int64(handle, column)) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func bytes(_ column: Int32) -> [UInt8] {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard count > 0, let start = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    func text(_ column: Int32) -> String { sqlite3_column_text(handle, column).map { String(cString: $0) } ?? "" }
}

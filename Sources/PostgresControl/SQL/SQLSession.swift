import CLibPQ
import ClusterModel
import Glibc

/// One libpq connection that opens itself when needed. Every call has a deadline; after a timeout the connection is
/// closed, because its state is unknown.
///
/// Safety: host is a socket directory or an address, so libpq never looks up a name, which would block.
actor SQLSession {
    private let parameters: @Sendable () -> [String: String]
    private let executor: QueueExecutor
    private var connection: OpaquePointer?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter parameters: Asked anew for each connection.
    init(label: String, parameters: @escaping @Sendable () -> [String: String]) {
        self.parameters = parameters
        executor = QueueExecutor(label: "pgbastion.sql.\(label)")
    }

    isolated deinit {
        if let connection { PQfinish(connection) }
    }

    /// Runs one batch of statements in one round trip; one table per statement.
    func run(_ batch: String, within timeout: Duration) throws(SQLFailure) -> [SQLTable] {
        let deadline = Deadline.after(timeout)
        let wasOpen = connection != nil
        do {
            return try attempt(batch, deadline)
        } catch {
            // An old connection may have died with a former server; a fresh one decides.
            guard wasOpen, error.kind == .notConnected else { throw error }
            return try attempt(batch, deadline)
        }
    }

    /// Sends a statement without waiting for its result. Returns the server process of this session.
    func begin(_ statement: String, within timeout: Duration) throws(SQLFailure) -> Int32 {
        let open = try opened(.after(timeout))
        guard PQsendQuery(open, statement) == 1 else { throw lost(open) }
        try flush(open, .after(timeout))
        return PQbackendPID(open)
    }

    /// Whether the statement sent by `begin` has ended; its result is discarded.
    func hasEnded() throws(SQLFailure) -> Bool {
        guard let open = connection else { return true }
        guard PQconsumeInput(open) == 1 else { throw lost(open) }
        guard PQisBusy(open) == 0 else { return false }
        while let result = PQgetResult(open) { PQclear(result) }
        return true
    }

    /// The SCRAM verifier of a password, so that the password itself never reaches the server.
    func verifier(of password: String, user: String, within timeout: Duration) throws(SQLFailure) -> String {
        let open = try opened(.after(timeout))
        guard let text = PQencryptPasswordConn(open, password, user, "scram-sha-256") else {
            throw SQLFailure(kind: .refused, message: "the password could not be encrypted")
        }
        defer { PQfreemem(text) }
        return String(cString: text)
    }

    func close() {
        guard let open = connection else { return }
        PQfinish(open)
        connection = nil
    }

    // MARK: - Connection

    private func attempt(_ batch: String, _ deadline: Deadline) throws(SQLFailure) -> [SQLTable] {
        let open = try opened(deadline)
        guard PQsendQuery(open, batch) == 1 else { throw lost(open) }
        try flush(open, deadline)
        var tables: [SQLTable] = []
        var failure: SQLFailure?
        while let result = try nextResult(open, deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY:
                tables.append(table(of: result))
            default:
                failure = failure ?? refusal(result)
            }
        }
        guard PQstatus(open) == CONNECTION_OK else { throw lost(open, failure) }
        if let failure { throw failure }
        return tables
    }

    private func opened(_ deadline: Deadline) throws(SQLFailure) -> OpaquePointer {
        if let connection {
            if PQstatus(connection) == CONNECTION_OK, PQtransactionStatus(connection) == PQTRANS_IDLE {
                return connection
            }
            close()
        }
        guard let started = start() else {
            throw SQLFailure(kind: .notConnected, message: "libpq has no memory for a connection")
        }
        connection = started
        pgb_ignore_notices(started)
        var wanted = PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            guard wanted != PGRES_POLLING_FAILED, PQstatus(started) != CONNECTION_BAD else { throw lost(started) }
            // The socket may change while libpq tries its next address.
            try wait(started, for: wanted == PGRES_POLLING_READING ? Int16(POLLIN) : Int16(POLLOUT), deadline)
            wanted = PQconnectPoll(started)
        }
        PQsetnonblocking(started, 1)
        return started
    }

    private func start() -> OpaquePointer? {
        let pairs = parameters().sorted { $0.key < $1.key }
        var keys: [UnsafePointer<CChar>?] = pairs.map { UnsafePointer(strdup($0.key)) } + [nil]
        var values: [UnsafePointer<CChar>?] = pairs.map { UnsafePointer(strdup($0.value)) } + [nil]
        defer {
            for text in keys + values { free(UnsafeMutablePointer(mutating: text)) }
        }
        return PQconnectStartParams(&keys, &values, 0)
    }

    private func flush(_ open: OpaquePointer, _ deadline: Deadline) throws(SQLFailure) {
        while true {
            let state = PQflush(open)
            if state == 0 { return }
            guard state == 1 else { throw lost(open) }
            try wait(open, for: Int16(POLLIN | POLLOUT), deadline)
            guard PQconsumeInput(open) == 1 else { throw lost(open) }
        }
    }

    private func nextResult(_ open: OpaquePointer, _ deadline: Deadline) throws(SQLFailure) -> OpaquePointer? {
        while PQisBusy(open) == 1 {
            try wait(open, for: Int16(POLLIN), deadline)
            guard PQconsumeInput(open) == 1 else { throw lost(open) }
        }
        return PQgetResult(open)
    }

    private func wait(_ open: OpaquePointer, for events: Int16, _ deadline: Deadline) throws(SQLFailure) {
        var descriptor = pollfd(fd: PQsocket(open), events: events, revents: 0)
        while true {
            let ready = poll(&descriptor, 1, deadline.remainingMilliseconds)
            if ready > 0 { return }
            if ready < 0 && errno == EINTR { continue }
            close()
            throw SQLFailure(kind: .timedOut, message: "PostgreSQL did not answer in time")
        }
    }

    // MARK: - Results

    private func table(of result: OpaquePointer) -> SQLTable {
        let columns = PQnfields(result)
        return SQLTable(
            rows: (0..<PQntuples(result)).map { row in
                (0..<columns).map { column in
                    PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
                }
            })
    }

    private func refusal(_ result: OpaquePointer) -> SQLFailure {
        let state = PQresultErrorField(result, PGB_DIAG_SQLSTATE).map { String(cString: $0) }
        let text = PQresultErrorField(result, PGB_DIAG_MESSAGE_PRIMARY).map { String(cString: $0) }
        return SQLFailure(kind: .refused, state: state, message: text ?? "PostgreSQL refused a statement")
    }

    private func lost(_ open: OpaquePointer, _ known: SQLFailure? = nil) -> SQLFailure {
        let lines = String(cString: PQerrorMessage(open)).split(separator: "\n")
        close()
        let text = known?.message ?? lines.last.map { $0.trimmingPrefix { $0 == " " || $0 == "\t" } }.map(String.init)
        return SQLFailure(kind: .notConnected, state: known?.state, message: text ?? "the connection was lost")
    }
}

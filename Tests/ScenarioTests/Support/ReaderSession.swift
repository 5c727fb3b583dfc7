import CLibPQ

/// One client session that stays open.
final class ReaderSession {
    private let session: OpaquePointer

    init(_ connection: String) throws {
        guard let session = PQconnectdb(connection) else { throw ScenarioFailure("no memory for a session") }
        self.session = session
        guard PQstatus(session) == CONNECTION_OK else { throw ScenarioFailure(String(cString: PQerrorMessage(session))) }
    }

    deinit { PQfinish(session) }

    /// The port of the server behind the proxy.
    var serverPort: Int {
        get throws {
            guard let text = ask("SELECT inet_server_port()") else { throw ScenarioFailure(String(cString: PQerrorMessage(session))) }
            return Int(text) ?? 0
        }
    }

    /// The proxy or the server ended it.
    var isEnded: Bool { ask("SELECT 1") == nil }

    private func ask(_ sql: String) -> String? {
        guard let result = PQexec(session, sql) else { return nil }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, let value = PQgetvalue(result, 0, 0) else { return nil }
        return String(cString: value)
    }
}

import CLibPQ
import ClusterModel
import Dispatch
import Glibc

/// Connects once, exactly as it is told to, and says what came of it (P21).
package enum ConnectionTest {
    /// - Parameter parameters: libpq's, with the password; nothing of them is repeated in the answer.
    package static func run(
        _ parameters: [(key: String, value: String)], within limit: Duration = .seconds(3)
    ) async -> PostgresDiagnosis.Connection {
        // A host name is looked up inside libpq, which can take longer than the limit.
        let result = await FirstResult.of(within: limit + .milliseconds(500)) {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: connect(parameters, .after(limit))) }
            }
        }
        return result ?? .unreachable("no answer within \(limit)")
    }

    private static func connect(_ parameters: [(key: String, value: String)], _ deadline: Deadline) -> PostgresDiagnosis.Connection {
        var keys: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.key)) } + [nil]
        var values: [UnsafePointer<CChar>?] = parameters.map { UnsafePointer(strdup($0.value)) } + [nil]
        defer {
            for text in keys + values { free(UnsafeMutablePointer(mutating: text)) }
        }
        guard let connection = PQconnectStartParams(&keys, &values, 0) else { return .unreachable("libpq has no memory") }
        defer { PQfinish(connection) }
        pgb_ignore_notices(connection)
        // The SQLSTATE stands in the text then, whatever language the server speaks.
        _ = PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        var wanted = PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            guard wanted != PGRES_POLLING_FAILED, PQstatus(connection) != CONNECTION_BAD else {
                return failure(String(cString: PQerrorMessage(connection)))
            }
            var descriptor = pollfd(
                fd: PQsocket(connection), events: wanted == PGRES_POLLING_READING ? Int16(POLLIN) : Int16(POLLOUT), revents: 0)
            let ready = poll(&descriptor, 1, deadline.remainingMilliseconds)
            guard ready > 0 || (ready < 0 && errno == EINTR) else { return .unreachable("no answer in time") }
            if ready > 0 { wanted = PQconnectPoll(connection) }
        }
        return .connected
    }

    /// `connection to server ... failed: FATAL:  28000: no pg_hba.conf entry for host ...`
    static func failure(_ message: String) -> PostgresDiagnosis.Connection {
        // Refusals of encryption that libpq tries first come earlier: the last line with a state decides.
        let lines = message.split(separator: "\n").map(String.init)
        for line in lines.reversed() {
            guard let match = line.firstMatch(of: /(?:[A-Z]+|[^ :]+): +((?=[A-Z]*[0-9])[0-9A-Z]{5}): +(.*)$/) else { continue }
            return .refused(state: String(match.1), message: String(match.2))
        }
        let first = lines.first { !$0.hasPrefix("\t") } ?? "the connection failed"
        return .unreachable(first.split(separator: "failed: ", maxSplits: 1).last.map(String.init) ?? first)
    }
}

extension PostgresServer {
    /// Settings and roles that `doctor` looks at; nil when the server could not be asked.
    package func inspect(settings: [String], roles: [String]) async -> (settings: [String: String], missingRoles: [String])? {
        let list = { (names: [String]) in names.map { "'" + $0.replacing("'", with: "''") + "'" }.joined(separator: ",") }
        let batch =
            "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN (\(list(settings)));"
            + "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname IN (\(list(roles)))"
        guard let tables = await read(batch), tables.count == 2 else { return nil }
        let pairs = tables[0].compactMap { row -> (String, String)? in
            guard row.count == 2, let name = row[0], let value = row[1] else { return nil }
            return (name, value)
        }
        let found = Set(tables[1].compactMap { $0.first ?? nil })
        return (Dictionary(pairs) { first, _ in first }, roles.filter { !found.contains($0) })
    }
}

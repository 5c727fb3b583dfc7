/// How to reach one PostgreSQL server: `connect_dsn` taken apart.
///
/// Both forms of libpq are read: `host=/run/postgresql dbname=postgres` and `postgresql://user@host:port/dbname?k=v`.
/// - Source: PostgreSQL manual, section 34.1.1.
package struct ConnectionSettings: Sendable, Hashable, CustomStringConvertible {
    /// A host name, an address, or a directory that holds the server's socket.
    package var host = "/var/run/postgresql"
    package var port: TCPPort?
    package var database = "postgres"
    package var user: String?
    package var password: Secret?
    /// Other libpq parameters (`sslmode`, `connect_timeout`, ...).
    package var options: [String: String] = [:]

    package init() {}

    package var isSocketDirectory: Bool { host.hasPrefix("/") || host.hasPrefix("@") }

    /// The parameters for libpq in alphabetical order, **with the password**: for a connection, never for a log.
    ///
    /// - Parameter port: Used when the settings have no port of their own.
    package func parameters(defaultPort port: TCPPort) -> [(key: String, value: String)] {
        var all = options
        all["host"] = host
        all["port"] = (self.port ?? port).description
        all["dbname"] = database
        all["user"] = user
        all["password"] = password?.revealed
        return all.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
    }

    /// The parameters as one keyword string for `PQconnectdb`, **with the password**.
    package func connectionString(defaultPort port: TCPPort) -> String {
        parameters(defaultPort: port).map { "\($0.key)=\(ConnectionSettings.quoted($0.value))" }.joined(separator: " ")
    }

    /// The keyword form without the password.
    package var description: String {
        var parts = ["host=\(ConnectionSettings.quoted(host))"]
        if let port { parts.append("port=\(port)") }
        parts.append("dbname=\(ConnectionSettings.quoted(database))")
        if let user { parts.append("user=\(ConnectionSettings.quoted(user))") }
        if password != nil { parts.append("password=(hidden)") }
        for (key, value) in options.sorted(by: { $0.key < $1.key }) {
            let isSecret = ConnectionSettings.secretOptions.contains(key)
            parts.append("\(key)=\(isSecret ? "(hidden)" : ConnectionSettings.quoted(value))")
        }
        return parts.joined(separator: " ")
    }

    private static let secretOptions: Set<String> = ["sslpassword", "oauth_client_secret"]

    private static func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && !value.contains { $0 == " " || $0 == "'" || $0 == "\\" || $0.isWhitespace }
        if isPlain { return value }
        return "'" + value.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
    }
}

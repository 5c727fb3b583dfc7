extension ConnectionSettings {
    /// Why a connection string cannot be used. The reason never quotes a value: it could be the password.
    struct Problem: Error, Sendable, Hashable { let reason: String }

    /// - Throws: the first thing wrong with `text`.
    init(parsing text: String) throws(Problem) {
        self.init()
        let isURI = text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
        let pairs = isURI ? try ConnectionSettings.uriPairs(text) : try ConnectionSettings.keywordPairs(text)
        for (key, value) in pairs { try set(key, value) }
    }

    private mutating func set(_ key: String, _ value: String) throws(Problem) {
        guard ConnectionSettings.knownParameters.contains(key) else {
            let near = Suggestion.closest(to: key, among: ConnectionSettings.knownParameters)
            let hint = near.map { "; did you mean \"\($0)\"?" } ?? ""
            throw Problem(reason: "unknown connection parameter \"\(Diagnostic.excerpt(key))\"\(hint)")
        }
        switch key {
        case "host" where value.contains(","): throw Problem(reason: "names several hosts; it must name one server")
        case "host": if !value.isEmpty { host = value }
        case "port":
            guard !value.isEmpty else { return }
            guard let port = TCPPort(value) else { throw Problem(reason: "its port is not a number from 1 to 65535") }
            self.port = port
        case "dbname": if !value.isEmpty { database = value }
        case "user": if !value.isEmpty { user = value }
        case "password": if !value.isEmpty { password = Secret(value) }
        default: options[key] = value
        }
    }

    // MARK: keyword form

    private static func keywordPairs(_ text: String) throws(Problem) -> [(String, String)] {
        var rest = Substring(text)
        var pairs: [(String, String)] = []
        while true {
            rest = rest.drop { $0.isWhitespace }
            if rest.isEmpty { return pairs }
            let key = rest.prefix { $0 != "=" && !$0.isWhitespace }
            rest = rest.dropFirst(key.count).drop { $0.isWhitespace }
            guard rest.first == "=", !key.isEmpty else {
                throw Problem(reason: "a parameter has no \"=\"; write keyword=value pairs or a postgresql:// address")
            }
            rest = rest.dropFirst().drop { $0.isWhitespace }
            pairs.append((String(key), try keywordValue(&rest)))
        }
    }

    private static func keywordValue(_ rest: inout Substring) throws(Problem) -> String {
        let isQuoted = rest.first == "'"
        if isQuoted { rest = rest.dropFirst() }
        var value = ""
        while let character = rest.first {
            rest = rest.dropFirst()
            if character == "\\" {
                if let escaped = rest.first { value.append(escaped) }
                rest = rest.dropFirst()
            } else if isQuoted ? character == "'" : character.isWhitespace {
                return value
            } else {
                value.append(character)
            }
        }
        guard !isQuoted else { throw Problem(reason: "a quoted value does not end") }
        return value
    }

    // MARK: URI form

    private static func uriPairs(_ text: String) throws(Problem) -> [(String, String)] {
        var pairs: [(String, String)] = []
        guard let scheme = text.firstIndex(of: "/") else { return pairs }
        var rest = text[scheme...].dropFirst(2)
        var query: Substring = ""
        if let mark = rest.firstIndex(of: "?") {
            query = rest[mark...].dropFirst()
            rest = rest[..<mark]
        }
        if let slash = rest.firstIndex(of: "/") {
            pairs.append(("dbname", try decoded(rest[slash...].dropFirst())))
            rest = rest[..<slash]
        }
        if let at = rest.lastIndex(of: "@") {
            let login = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            pairs.append(("user", try decoded(login[0])))
            if login.count == 2 { pairs.append(("password", try decoded(login[1]))) }
            rest = rest[at...].dropFirst()
        }
        pairs += try hostPairs(rest)
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw Problem(reason: "a parameter after \"?\" has no value") }
            pairs.append((try decoded(pair[0]), try decoded(pair[1])))
        }
        return pairs
    }

    private static func hostPairs(_ text: Substring) throws(Problem) -> [(String, String)] {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw Problem(reason: "an IPv6 address lacks \"]\"") }
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[end...].dropFirst()
            guard rest.isEmpty || rest.hasPrefix(":") else { throw Problem(reason: "its host cannot be read") }
            return [("host", host), ("port", String(rest.dropFirst()))]
        }
        guard let colon = text.lastIndex(of: ":") else { return [("host", try decoded(text))] }
        let port = text[colon...].dropFirst()
        return [("host", try decoded(text[..<colon])), ("port", String(port))]
    }

    private static func decoded(_ text: Substring) throws(Problem) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16), value != 0 else {
                throw Problem(reason: "a \"%\" is not followed by two hexadecimal digits")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Problem(reason: "it is not UTF-8") }
        return text
    }

    /// The parameters of libpq 15 to 18 that make sense for one server.
    private static let knownParameters = [
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
        "fallback_application_name",
        "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives", "keepalives_count",
        "keepalives_idle",
        "keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version",
        "options", "passfile", "password", "port", "replication", "require_auth", "requirepeer", "service",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey",
        "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout",
        "user",
    ]
}

import ClusterModel

/// Where a daemon is reached: `unix:///PATH`, `http://HOST:PORT`, `https://HOST:PORT`.
package enum Endpoint: Sendable, Hashable, CustomStringConvertible {
    case unixSocket(path: String)
    case http(host: String, port: Int)
    case https(host: String, port: Int)

    /// - Throws: `usage` naming what was given.
    package init(_ text: String) throws(BastionError) {
        if text.hasPrefix("unix://") {
            let path = String(text.dropFirst(7))
            // Limit: sun_path of sockaddr_un.
            guard path.hasPrefix("/"), path.utf8.count < 108 else { throw Endpoint.invalid(text) }
            self = .unixSocket(path: path)
        } else if text.hasPrefix("http://") {
            let (host, port) = try Endpoint.split(text, scheme: "http://")
            self = .http(host: host, port: port)
        } else if text.hasPrefix("https://") {
            let (host, port) = try Endpoint.split(text, scheme: "https://")
            self = .https(host: host, port: port)
        } else {
            throw Endpoint.invalid(text)
        }
    }

    package var description: String {
        switch self {
        case .unixSocket(let path): "unix://\(path)"
        case .http(let host, let port): "http://\(Endpoint.bracketed(host)):\(port)"
        case .https(let host, let port): "https://\(Endpoint.bracketed(host)):\(port)"
        }
    }

    /// The value of the `Host` header.
    var hostHeader: String {
        switch self {
        case .unixSocket: "localhost"
        case .http(let host, let port), .https(let host, let port): "\(Endpoint.bracketed(host)):\(port)"
        }
    }

    private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    private static func split(_ text: String, scheme: String) throws(BastionError) -> (host: String, port: Int) {
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var host = rest
        var port = 8080
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]"),
            rest.hasPrefix("[") || rest.firstIndex(of: ":") == colon
        {
            host = rest[..<colon]
            guard let number = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(number) else {
                throw invalid(text)
            }
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/@?#[]\\\"".utf8.contains($0) }
        guard !host.isEmpty, isPlain else { throw invalid(text) }
        return (String(host), port)
    }

    private static func invalid(_ text: String) -> BastionError {
        BastionError(
            .usage, "\"\(text.prefix(200))\" is not an address of a daemon",
            hint: "write unix:///PATH, http://HOST:PORT or https://HOST:PORT")
    }
}

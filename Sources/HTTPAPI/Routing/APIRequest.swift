import ClusterModel

/// One HTTP request, read completely; nothing here knows the server library.
package struct APIRequest: Sendable {
    /// Who is at the other end.
    package enum Peer: Sendable, Hashable {
        /// Whoever may open the unix socket is an administrator (`cli.md`, section 1); nil when the kernel does not say who.
        case unixSocket(PeerCredentials?)
        /// An IP address without a port.
        case address(String)

        package var text: String {
            switch self {
            case .unixSocket: actor(nil)
            case .address(let address): address
            }
        }
    }

    package var method: String
    /// Path and query as sent.
    package var target: String
    /// Names in lower case, in the order sent.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var peer: Peer

    package init(
        method: String, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        peer: Peer = .unixSocket(nil)
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
    }

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Path and query of a request, decoded.
struct RequestTarget: Sendable, Hashable {
    /// Without empty ones: a trailing slash means nothing (Q07).
    var segments: [String]
    var query: [QueryItem]

    struct QueryItem: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// Limit: longer targets are refused.
    private static let longest = 65_536

    init(_ text: String) throws(BastionError) {
        guard text.utf8.count <= RequestTarget.longest else {
            throw BastionError(.invalidRequest, "the path is longer than \(RequestTarget.longest) bytes")
        }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        segments = []
        for segment in parts[0].split(separator: "/") {
            segments.append(try RequestTarget.decode(segment, plusIsSpace: false))
        }
        query = []
        guard parts.count == 2 else { return }
        for item in parts[1].split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try RequestTarget.decode(pair[0], plusIsSpace: true)
            let value = pair.count == 2 ? try RequestTarget.decode(pair[1], plusIsSpace: true) : ""
            query.append(QueryItem(name: name, value: value))
        }
    }

    func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

    private static func decode(_ text: Substring, plusIsSpace: Bool) throws(BastionError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(0x20)
            } else if byte == UInt8(ascii: "%") {
                guard let high = rest.next().flatMap(hexadecimal), let low = rest.next().flatMap(hexadecimal) else {
                    throw BastionError(.invalidRequest, "the path has an incomplete % escape")
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw BastionError(.invalidRequest, "the path is not UTF-8 text")
        }
        return decoded
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}

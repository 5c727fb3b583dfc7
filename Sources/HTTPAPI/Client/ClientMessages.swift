import ClusterModel

/// A request the client sends.
package struct ClientRequest: Sendable {
    package var method: String
    package var path: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Takes the body of a chunked answer 200 as it comes; false: it cannot take more.
    package var sink: (@Sendable ([UInt8]) -> Bool)?

    package init(
        method: String, path: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }

    /// HTTP/1.1; one request per connection.
    func bytes(host: String) -> [UInt8] {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        if method != "GET" { head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + body
    }
}

/// A complete answer.
package struct ClientAnswer: Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [(name: String, value: String)]
    /// Empty when it went to the request's `sink`.
    package var body: [UInt8]
    /// Behind a chunked body; names in lower case.
    package var trailers: [(name: String, value: String)] = []

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    package func trailer(_ name: String) -> String? { trailers.first { $0.name == name }?.value }
}

/// Why an exchange failed, and whether the request may have been acted upon.
struct ExchangeFailure: Error {
    /// `connection refused`
    var reason: String
    /// True when the daemon may have got the request.
    var wasSent: Bool
    var isDeadline = false
    /// The daemon answered, and said no.
    var refusal: BastionError?
}

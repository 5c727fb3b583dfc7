import NIOCore

/// The last thing the proxy says to a client: a PostgreSQL `ErrorResponse` (PX6).
package struct ProxyRefusal: Sendable, Hashable {
    package var state: SQLState
    package var message: String
    package var hint: String

    package enum SQLState: String, Sendable, Hashable {
        case cannotConnectNow = "57P03"
        case adminShutdown = "57P01"
        case connectionFailure = "08006"
        case cannotReachServer = "08001"
        case tooManyConnections = "53300"
        case protocolViolation = "08P01"
    }

    static func noPrimary(_ reason: String) -> ProxyRefusal {
        ProxyRefusal(
            state: .cannotConnectNow, message: "no primary is available: \(reason)",
            hint: "Try again in a moment; `pgbastion status` shows what the cluster waits for.")
    }
    static func holdOver(after seconds: Int64) -> ProxyRefusal {
        ProxyRefusal(
            state: .cannotConnectNow, message: "the switchover did not end within \(seconds) s",
            hint: "Try again in a moment; `pgbastion status` shows the operation.")
    }
    static func roleChange(_ why: String) -> ProxyRefusal {
        ProxyRefusal(
            state: .adminShutdown, message: "terminating connection: \(why)",
            hint: "Connect again; the proxy leads new sessions to the right server.")
    }
    static func draining(_ why: String) -> ProxyRefusal {
        ProxyRefusal(
            state: .adminShutdown, message: "terminating connection: \(why)",
            hint: "Connect again, through another node if this one stays away.")
    }
    static func serverLost(_ node: String) -> ProxyRefusal {
        ProxyRefusal(
            state: .connectionFailure, message: "the connection to server \"\(node)\" was lost",
            hint: "Connect again; a statement without an answer may or may not have been carried out.")
    }
    static func unreachable(_ node: String) -> ProxyRefusal {
        ProxyRefusal(
            state: .cannotReachServer, message: "could not connect to server \"\(node)\"",
            hint: "Try again in a moment; `pgbastion status` shows the state of the server.")
    }
    static func ownAddress(_ node: String) -> ProxyRefusal {
        ProxyRefusal(
            state: .cannotReachServer,
            message: "cannot route to server \"\(node)\": its address is a port of this proxy",
            hint: "Give PostgreSQL and the proxy different ports (`postgresql.port`, `proxy.primary_port`).")
    }
    static func tooMany(_ limit: Int) -> ProxyRefusal {
        ProxyRefusal(
            state: .tooManyConnections, message: "the proxy has reached its limit of \(limit) sessions",
            hint: "Close sessions, or connect through another node.")
    }
    static func malformed(_ why: String) -> ProxyRefusal {
        ProxyRefusal(
            state: .protocolViolation, message: "invalid startup packet: \(why)",
            hint: "This port speaks the PostgreSQL protocol, version 3.")
    }

    /// - Source: PostgreSQL manual, "Message Formats" (ErrorResponse) and "Error and Notice Message Fields".
    func encoded(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        let fields: [(Character, String)] = [
            ("S", "FATAL"), ("V", "FATAL"), ("C", state.rawValue), ("M", message), ("H", hint),
        ]
        var body = allocator.buffer(capacity: 128 + message.utf8.count + hint.utf8.count)
        for (code, text) in fields {
            body.writeString("\(code)\(text)\0")
        }
        body.writeInteger(UInt8(0))
        var out = allocator.buffer(capacity: body.readableBytes + 5)
        out.writeString("E")
        out.writeInteger(UInt32(body.readableBytes + 4))
        out.writeBuffer(&body)
        return out
    }
}

import Dispatch
import Glibc
import Testing

private struct SocketFailure: Error { var code = errno }

private func connected(port: Int) throws -> Int32 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port: port)
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0 else { throw SocketFailure() }
    return socket
}

private func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// Blocking calls get a thread of their own: the few threads of the tests' tasks are the server's as well.
private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    let result = await withCheckedContinuation { continuation in
        DispatchQueue(label: "test.socket").async { continuation.resume(returning: Result(catching: work)) }
    }
    return try result.get()
}

/// Sends `text` and reads until the server closes.
func rawExchange(port: Int, _ text: String) async throws -> String {
    try await onThread { try blockingExchange(port: port, text) }
}

/// Sends each text after the beginning of the answer to the one before, reads the beginning of the last answer, and goes away.
func rawDialogue(port: Int, _ texts: String...) async throws -> String {
    try await onThread {
        let socket = try connected(port: port)
        defer { close(socket) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        for text in texts {
            let bytes = Array(text.utf8)
            guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw SocketFailure() }
            let count = recv(socket, &buffer, buffer.count, 0)
            answer += buffer[..<max(0, count)]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}

/// Sends and goes away without reading.
func rawSend(port: Int, _ bytes: [UInt8]) async throws {
    try await onThread {
        let socket = try connected(port: port)
        _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        close(socket)
    }
}

private func blockingExchange(port: Int, _ text: String) throws -> String {
    let socket = try connected(port: port)
    defer { close(socket) }
    let bytes = Array(text.utf8)
    guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw SocketFailure() }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
        answer += buffer[..<count]
    }
}

/// Accepts, reads a request, and closes without an answer.
final class DeafListener: Sendable {
    let port: Int
    private let socket: Int32

    init() throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard status, listen(socket, 8) == 0 else { throw SocketFailure() }
        self.socket = socket
        port = Int(in_port_t(bigEndian: address.sin_port))
        DispatchQueue(label: "test.socket").async {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let client = accept(socket, nil, nil)
                guard client >= 0 else { return }
                _ = recv(client, &buffer, buffer.count, 0)
                close(client)
            }
        }
    }

    func stop() {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }
}

import ClusterModel
import Dispatch
import Glibc

/// One request and its answer over a unix socket or plain TCP, with blocking calls bounded by `poll`: a client command
/// starts no event loop for it.
struct PlainExchange {
    private let deadline: ContinuousClock.Instant
    private let connectTimeout: Duration
    private let maximumAnswer: Int
    private let clock = ContinuousClock()

    init(deadline: ContinuousClock.Instant, connectTimeout: Duration, maximumAnswer: Int) {
        self.deadline = deadline
        self.connectTimeout = connectTimeout
        self.maximumAnswer = maximumAnswer
    }

    /// Runs on a thread of its own, so that the caller's other tasks go on.
    func run(_ request: ClientRequest, to endpoint: Endpoint) async throws(ExchangeFailure) -> ClientAnswer {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue(label: "pgbastion.exchange").async {
                continuation.resume(returning: Result { () throws(ExchangeFailure) in try blocking(request, endpoint) })
            }
        }
        return try result.get()
    }

    private func blocking(_ request: ClientRequest, _ endpoint: Endpoint) throws(ExchangeFailure) -> ClientAnswer {
        let socket = try connect(endpoint)
        defer { close(socket) }
        try send(request.bytes(host: endpoint.hostHeader), socket)
        return try receive(socket, request.sink)
    }

    private func connect(_ endpoint: Endpoint) throws(ExchangeFailure) -> Int32 {
        switch endpoint {
        case .unixSocket(let path): return try connectUnix(path)
        case .http(let host, let port), .https(let host, let port): return try connectTCP(host, port)
        }
    }

    private func connectUnix(_ path: String) throws(ExchangeFailure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        return try withUnsafePointer(to: &address) { pointer throws(ExchangeFailure) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic throws(ExchangeFailure) in
                try open(AF_UNIX, generic, length)
            }
        }
    }

    private func connectTCP(_ host: String, _ port: Int) throws(ExchangeFailure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, "\(port)", &hints, &list)
        guard status == 0, let first = list else {
            throw ExchangeFailure(
                reason: "cannot resolve \"\(host)\": \(String(cString: gai_strerror(status)))", wasSent: false)
        }
        defer { freeaddrinfo(list) }
        var failure = ExchangeFailure(reason: "no address", wasSent: false)
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let entry = next {
            next = entry.pointee.ai_next
            guard let address = entry.pointee.ai_addr else { continue }
            do throws(ExchangeFailure) {
                return try open(entry.pointee.ai_family, address, entry.pointee.ai_addrlen)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func open(
        _ family: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t
    ) throws(ExchangeFailure) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = Glibc.socket(family, type, 0)
        guard socket >= 0 else { throw failure(errno, wasSent: false) }
        do throws(ExchangeFailure) {
            let limit = min(clock.now.advanced(by: connectTimeout), deadline)
            if Glibc.connect(socket, address, length) != 0 {
                guard errno == EINPROGRESS else { throw failure(errno, wasSent: false) }
                try wait(socket, Int16(POLLOUT), until: limit, wasSent: false)
                var code: Int32 = 0
                var size = socklen_t(MemoryLayout<Int32>.size)
                guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) == 0, code == 0 else {
                    throw failure(code, wasSent: false)
                }
            }
            return socket
        } catch {
            close(socket)
            throw error
        }
    }

    private func send(_ bytes: [UInt8], _ socket: Int32) throws(ExchangeFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                guard let base = buffer.baseAddress else { return 0 }
                return Glibc.send(socket, base + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                try wait(socket, Int16(POLLOUT), until: deadline, wasSent: sent > 0)
            } else if errno != EINTR {
                throw failure(errno, wasSent: sent > 0)
            }
        }
    }

    private func receive(
        _ socket: Int32, _ sink: (@Sendable ([UInt8]) -> Bool)?
    ) throws(ExchangeFailure) -> ClientAnswer {
        var parser = AnswerParser(maximum: maximumAnswer, sink: sink)
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
            let progress: AnswerParser.Progress
            if count > 0 {
                progress = parser.feed(buffer[..<count])
            } else if count == 0 {
                progress = parser.finish()
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                try wait(socket, Int16(POLLIN), until: deadline, wasSent: true)
                continue
            } else if errno == EINTR {
                continue
            } else {
                throw failure(errno, wasSent: true)
            }
            switch progress {
            case .needsMore: continue
            case .complete(let answer): return answer
            case .broken(let reason): throw ExchangeFailure(reason: reason, wasSent: true)
            }
        }
    }

    private func wait(
        _ socket: Int32, _ events: Int16, until limit: ContinuousClock.Instant, wasSent: Bool
    ) throws(ExchangeFailure) {
        while true {
            let left = clock.now.duration(to: limit)
            guard left > .zero else {
                throw ExchangeFailure(
                    reason: wasSent ? "no answer in time" : "no connection in time", wasSent: wasSent, isDeadline: true)
            }
            var entry = pollfd(fd: socket, events: events, revents: 0)
            let milliseconds = Int32(min(left.inMilliseconds + 1, 60_000))
            let ready = poll(&entry, 1, milliseconds)
            if ready > 0 { return }
            guard ready == 0 || errno == EINTR else { throw failure(errno, wasSent: wasSent) }
        }
    }

    private func failure(_ code: Int32, wasSent: Bool) -> ExchangeFailure {
        let reason =
            switch code {
            case ECONNREFUSED: "connection refused"
            case ENOENT: "the socket does not exist"
            case EACCES, EPERM: "permission denied"
            case EHOSTUNREACH, ENETUNREACH: "no route to the host"
            case ECONNRESET, EPIPE: "it closed the connection"
            default: String(cString: strerror(code))
            }
        return ExchangeFailure(reason: reason, wasSent: wasSent)
    }
}

import Glibc

/// Many clients of one port that connect and hardly say anything. Each is known by what became of it.
final class Crowd {
    /// What became of the clients by now; the sum is all of them.
    struct Census: CustomStringConvertible {
        /// The connection stands: the daemon holds it, or it waits in the kernel's queue to be accepted.
        var connected = 0
        /// The kernel has not answered yet: its queue is full.
        var waiting = 0
        /// It stood, and the daemon ended it.
        var ended = 0
        /// It never stood, by error number: refused, no address left, ...
        var failed: [Int32: Int] = [:]
        /// Places without a socket, because this process may open no more.
        var missing = 0

        var reached: Int { connected + ended }
        var all: Int { connected + waiting + ended + missing + failed.values.reduce(0, +) }
        var description: String {
            let errors = failed.sorted { $0.key < $1.key }.map { ", \($0.value) failed: \(String(cString: strerror($0.key)))" }
            return "\(connected) connected, \(waiting) waiting, \(ended) ended by the daemon" + errors.joined()
                + (missing > 0 ? ", \(missing) without a socket" : "")
        }
    }

    private enum Fate { case waiting, connected, ended, failed(Int32), missing }

    private struct Client {
        var handle: Int32
        var fate: Fate
        var sent = 0
    }

    private var clients: [Client] = []
    private let text: [UInt8]

    /// The most clients that the limits on open files allow, with room for the rest of a daemon or a test.
    static func largest(of wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, rlim_t(wanted + 2000)))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return min(wanted, Int(min(limit.rlim_cur, 1 << 30)) - 1000)
    }

    /// - Parameter text: What each of them says, byte by byte; the last byte is said again and again.
    init(count: Int, port: Int, saying text: [UInt8]) {
        self.text = text
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7f00_0001).bigEndian)
        clients.reserveCapacity(count)
        for _ in 0..<count {
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard handle >= 0 else {
                clients.append(Client(handle: -1, fate: .missing))
                continue
            }
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            let error = errno
            clients.append(Client(handle: handle, fate: result == 0 || error == EINPROGRESS ? .waiting : .failed(error)))
        }
    }

    deinit { leave() }

    /// Looks at every client once.
    func census() -> Census {
        var polls = clients.map { pollfd(fd: $0.handle, events: Int16(POLLIN | POLLOUT), revents: 0) }
        _ = poll(&polls, nfds_t(polls.count), 0)
        var census = Census()
        for index in clients.indices {
            note(index, polls[index].revents)
            switch clients[index].fate {
            case .waiting: census.waiting += 1
            case .connected: census.connected += 1
            case .ended: census.ended += 1
            case .failed(let error): census.failed[error, default: 0] += 1
            case .missing: census.missing += 1
            }
        }
        return census
    }

    /// Everybody who is connected says one byte more.
    func drip() {
        for index in clients.indices {
            guard case .connected = clients[index].fate else { continue }
            let byte = [text[min(clients[index].sent, text.count - 1)]]
            if send(clients[index].handle, byte, 1, Int32(MSG_NOSIGNAL)) == 1 { clients[index].sent += 1 }
        }
    }

    func leave() {
        for client in clients where client.handle >= 0 { close(client.handle) }
        clients = []
    }

    private func note(_ index: Int, _ events: Int16) {
        guard events != 0 else { return }
        let handle = clients[index].handle
        if case .waiting = clients[index].fate {
            var error: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size)
            // A reset comes after the connection stood: nothing of this client could be refused before.
            clients[index].fate = error == 0 || error == ECONNRESET ? .connected : .failed(error)
        }
        guard case .connected = clients[index].fate, events & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { return }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = recv(handle, &bytes, bytes.count, 0)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { clients[index].fate = .ended }
    }
}

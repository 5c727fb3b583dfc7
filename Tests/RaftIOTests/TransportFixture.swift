import ClusterModel
import Glibc
import Synchronization

@testable import RaftIO

/// A transport on the loopback interface, and what arrived at it.
final class TestNode: Sendable {
    let member: MemberID
    let transport: PeerTransport

    init(
        _ number: UInt128, cluster: UInt128? = 1, incarnation: UInt128? = nil, port: Int = 0, tls: TransportTLS? = nil,
        hosts: [String] = ["127.0.0.1"], keepsMessages: Bool = true, wire: ClosedRange<UInt32> = 1...1,
        adjust: (inout TransportSettings) -> Void = { _ in }, admission: PeerAdmission = .accept,
        answer: @escaping @Sendable ([UInt8]) async -> [UInt8] = { Array($0.reversed()) }
    ) throws {
        member = MemberID(rawValue: number)
        guard let name = NodeName("node\(number)") else { throw BastionError(.internal, "name") }
        let hello = PeerHello(
            wireMin: wire.lowerBound, wireMax: wire.upperBound, clusterID: cluster.map { ClusterID(rawValue: $0) },
            epoch: 1,
            memberID: member, nodeName: name,
            daemonIncarnation: DaemonIncarnation(rawValue: incarnation ?? number * 100),
            featureLevel: 1, generation: 1, startID: 7, version: "test")
        var settings = TransportSettings(bindHosts: hosts, port: port, tls: tls)
        settings.seed = UInt64(number)
        adjust(&settings)
        let (inbox, seen) = (Box(inbox: [[UInt8]]()), Box(inbox: [PeerEvent]()))
        (self.received, self.events) = (inbox, seen)
        transport = PeerTransport(
            settings: settings,
            handlers: TransportHandlers(
                hello: { hello }, admit: { _, _ in admission },
                onMessage: { _, payload in if keepsMessages { inbox.append(payload) } },
                onRequest: { _, payload in await answer(payload) }, onEvent: { seen.append($0) }))
        try transport.start()
    }

    let received: Box<[UInt8]>
    let events: Box<PeerEvent>

    var port: Int { transport.boundPort ?? 0 }
    var address: PeerAddress { PeerAddress(memberID: member, host: "127.0.0.1", port: port) }

    func failures() -> [BastionError] {
        events.values.compactMap { if case .dialFailed(_, let error) = $0 { error } else { nil } }
    }
}

final class Box<Element: Sendable>: Sendable {
    private let state: Mutex<[Element]>
    init(inbox: [Element]) { state = Mutex(inbox) }
    func append(_ element: Element) { state.withLock { $0.append(element) } }
    func removeAll() { state.withLock { $0.removeAll() } }
    var values: [Element] { state.withLock { $0 } }
    var count: Int { state.withLock { $0.count } }
}

/// Waits until `condition` holds; false when it does not within `limit`.
func eventually(within limit: Duration = .seconds(10), _ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        if ContinuousClock.now > deadline { return false }
        await Task.yield()
        usleep(500)
    }
    return true
}

func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

/// A plain TCP client, to send what no transport would send.
struct RawClient {
    let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BastionError(.io, "connect failed") }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// Everything until the other side closes, or nil when it does not close within ten seconds.
    func readToEnd() -> [UInt8]? {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &part, part.count, 0)
            if count < 0 { return errno == EAGAIN ? nil : all }
            if count == 0 { return all }
            all.append(contentsOf: part[..<count])
        }
    }

    func finish() { close(descriptor) }
}

import ClusterModel
import NIOCore
import NIOPosix
import Synchronization

/// What a transport asks of its owner. All are called on its event loop and must not block, except `onRequest`.
package struct TransportHandlers: Sendable {
    /// Who this node is, now.
    package var hello: @Sendable () -> PeerHello
    /// Whether another node may connect; asked for every connection in either direction, after the rules of RA19.
    package var admit: @Sendable (PeerHello, PeerPurpose) -> PeerAdmission
    package var onMessage: @Sendable (PeerHello, [UInt8]) -> Void
    package var onRequest: @Sendable (PeerHello, [UInt8]) async -> [UInt8]
    package var onEvent: @Sendable (PeerEvent) -> Void

    package init(
        hello: @escaping @Sendable () -> PeerHello,
        admit: @escaping @Sendable (PeerHello, PeerPurpose) -> PeerAdmission,
        onMessage: @escaping @Sendable (PeerHello, [UInt8]) -> Void,
        onRequest: @escaping @Sendable (PeerHello, [UInt8]) async -> [UInt8],
        onEvent: @escaping @Sendable (PeerEvent) -> Void = { _ in }
    ) {
        self.hello = hello
        self.admit = admit
        self.onMessage = onMessage
        self.onRequest = onRequest
        self.onEvent = onEvent
    }
}

/// Messages and requests between the nodes of a cluster, over TCP or TLS.
///
/// Each node dials every peer twice, one connection for each lane. Messages of one lane arrive in the order they were
/// sent as long as the connection lives; any may be lost. A member that is not configured here but connected itself is
/// answered over its own connection.
package final class PeerTransport: Sendable {
    private let settings: TransportSettings
    private let loop: any EventLoop
    private let core: TransportCore
    private let shared: SharedTransportState
    private let servers = Mutex<[any Channel]>([])

    /// - Parameter eventLoopGroup: nil: one thread of its own.
    package init(settings: TransportSettings, eventLoopGroup: (any EventLoopGroup)? = nil, handlers: TransportHandlers) {
        self.settings = settings
        let own = eventLoopGroup == nil ? MultiThreadedEventLoopGroup(numberOfThreads: 1) : nil
        loop = own?.next() ?? eventLoopGroup?.next() ?? MultiThreadedEventLoopGroup.singleton.next()
        shared = SharedTransportState(settings)
        core = TransportCore(loop: loop, ownGroup: own, settings: settings, shared: shared, handlers: handlers)
    }

    /// Reads the certificates and listens. Blocks until the sockets are bound; not to be called on the event loop.
    ///
    /// - Throws: `.invalidConfiguration` for unusable certificates; `.io` when a port is taken.
    package func start() throws(BastionError) {
        try reloadCertificates()
        let sockets = PeerSockets(loop: loop, settings: settings)
        let core = core
        for host in settings.bindHosts {
            // The second of several hosts takes the port the first one was given.
            let port = settings.port == 0 ? boundPort ?? 0 : settings.port
            let channel = try sockets.listen(host: host, port: port) { try core.accept($0) }
            servers.withLock { $0.append(channel) }
        }
    }

    /// Takes rotated certificate files for the connections made from now on.
    package func reloadCertificates() throws(BastionError) {
        guard let files = settings.tls else { return }
        shared.setTLS(try TLSContexts(files))
    }

    package var boundPort: Int? { servers.withLock { $0.first?.localAddress?.port } }

    /// Closes every connection; nothing is sent or reported afterwards.
    package func stop() async {
        let channels = servers.withLock { servers in
            defer { servers = [] }
            return servers
        }
        for channel in channels { await ended { try await channel.close() } }
        guard shared.begin() else { return }
        let core = core
        await ended { try await self.loop.submit { core.stop() }.get() }
        shared.stop()
        if shared.end() { await core.shutDown() }
    }

    /// Closing what is closed already is no failure.
    private func ended(_ body: () async throws -> Void) async {
        do { try await body() } catch {}
    }

    // MARK: Peers

    /// Replaces the set of members that are dialled; connections of unchanged ones stay.
    package func setPeers(_ peers: [PeerAddress]) {
        let own = core.handlers.hello().memberID
        shared.setPeers(Set(peers.map(\.memberID)).subtracting([own]))
        guard shared.begin() else { return }
        let core = core
        loop.execute {
            core.setPeers(peers)
            core.end()
        }
    }

    /// Whether an urgent message would leave now, over either side's connection.
    package func isConnected(_ member: MemberID) -> Bool { shared.isConnected(member) }

    /// When the last frame of a member arrived: CLOCK_MONOTONIC_RAW in nanoseconds.
    package func lastHeard(_ member: MemberID) -> Int64? { shared.lastHeard(member) }

    package var statistics: TransportStatistics { shared.statistics }

    // MARK: Sending

    /// Queues a message and returns at once; false when it was dropped (unknown member, longer than the limit).
    ///
    /// - Parameter replaceKey: A message with the same key that still waits in the lane is replaced (heartbeats, reports).
    @discardableResult
    package func send(to member: MemberID, lane: PeerLane, _ payload: [UInt8], replaceKey: UInt64? = nil) -> Bool {
        let result = shared.enqueue(payload, to: member, lane: lane, replaceKey: replaceKey)
        if result.wakes {
            let (core, shared) = (core, shared)
            loop.execute {
                shared.drainBegins(member)
                core.drain(member)
                core.end()
            }
        }
        return result.taken
    }

    /// Asks a configured member and waits for its answer.
    package func request(
        to member: MemberID, payload: [UInt8], timeout: Duration
    ) async throws(BastionError) -> [UInt8] {
        let core = core
        return try await waiting { completion in
            guard let address = core.address(of: member) else {
                completion(.failure(BastionError(.unavailable, "there is no address of member \(member.short)")))
                return
            }
            let destination = RequestClients.Destination(host: address.host, port: address.port, member: member)
            core.request(payload, to: destination, timeout: timeout, completion: completion)
        }
    }

    /// Asks whatever node answers at an address.
    package func request(
        host: String, port: Int, payload: [UInt8], timeout: Duration
    ) async throws(BastionError) -> [UInt8] {
        let core = core
        return try await waiting { completion in
            let destination = RequestClients.Destination(host: host, port: port, member: nil)
            core.request(payload, to: destination, timeout: timeout, completion: completion)
        }
    }

    /// Asks who is at an address. Neither cluster id nor version is compared: that is the caller's to judge.
    package func probe(host: String, port: Int, timeout: Duration) async throws(BastionError) -> PeerHello {
        let (core, loop) = (core, loop)
        return try await waiting { completion in
            let once = Once(completion)
            let timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(timeout.inNanoseconds)) {
                once.call(.failure(BastionError(.timeout, "no answer from \(host), port \(port), within \(timeout)")))
            }
            core.dial(host: host, port: port, purpose: .probe, expected: nil) { result in
                timer.cancel()
                once.call(
                    result.flatMap { connection in
                        connection.close()
                        return connection.remote.map { .success($0) }
                            ?? .failure(BastionError(.internal, "a connection without hello"))
                    })
            }
        }
    }

    /// Runs `body` on the loop and waits for the one result it gives.
    private func waiting<Value: Sendable>(
        _ body: @escaping @Sendable (@escaping (Result<Value, BastionError>) -> Void) -> Void
    ) async throws(BastionError) -> Value {
        guard shared.begin() else { throw BastionError(.unavailable, "the peer transport was stopped") }
        let (core, loop) = (core, loop)
        let result: Result<Value, BastionError> = await withCheckedContinuation { continuation in
            loop.execute {
                body {
                    continuation.resume(returning: $0)
                    core.end()
                }
            }
        }
        return try result.get()
    }
}

/// Passes on the first of several results. Used on one event loop.
private final class Once<Value> {
    private var completion: ((Result<Value, BastionError>) -> Void)?

    init(_ completion: @escaping (Result<Value, BastionError>) -> Void) { self.completion = completion }

    func call(_ result: Result<Value, BastionError>) {
        completion?(result)
        completion = nil
    }
}

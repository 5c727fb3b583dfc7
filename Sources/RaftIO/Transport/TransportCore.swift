import ClusterModel
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The part of a `PeerTransport` that lives on its event loop: connections, links, admission.
///
/// Safety: everything but `shared`, `settings` and the closures is used on `loop` only.
final class TransportCore: @unchecked Sendable, ConnectionGate {
    let loop: any EventLoop
    let settings: TransportSettings
    let shared: SharedTransportState
    let handlers: TransportHandlers
    var onEvent: @Sendable (PeerEvent) -> Void { handlers.onEvent }

    private(set) var links: [MemberID: [PeerLane: LaneLink]] = [:]
    let requests: RequestClients
    /// Connections that others opened, by lane: used when this node has none of its own (a new member knows nobody).
    private var accepted: [MemberID: [PeerLane: PeerConnection]] = [:]
    private var connections: [ObjectIdentifier: PeerConnection] = [:]
    private var inboundCount = 0
    private var unknownCount = 0
    private var registry: IncarnationRegistry
    private var random: UInt64
    private var isStopped = false
    private let ownGroup: MultiThreadedEventLoopGroup?

    init(
        loop: any EventLoop, ownGroup: MultiThreadedEventLoopGroup?, settings: TransportSettings,
        shared: SharedTransportState, handlers: TransportHandlers
    ) {
        self.loop = loop
        self.ownGroup = ownGroup
        self.settings = settings
        self.shared = shared
        self.handlers = handlers
        registry = IncarnationRegistry(silence: settings.contestedSilence)
        requests = RequestClients(loop: loop, idle: settings.requestIdle)
        random = settings.seed
    }

    // MARK: Connections

    func accept(_ channel: any Channel) throws {
        guard !isStopped, inboundCount < settings.maxInboundConnections, unknownCount < settings.maxUnknownConnections
        else {
            shared.count { $0.refusedConnections += 1 }
            channel.close(promise: nil)
            return
        }
        inboundCount += 1
        unknownCount += 1
        let connection = try add(to: channel, role: .acceptor, tls: shared.tls()?.serverHandler())
        connection.onFrame = { [unowned self] in received($0, $1) }
    }

    /// Connects and shakes hands; `completion` is called once, on the loop.
    func dial(
        host: String, port: Int, purpose: PeerPurpose, expected: MemberID?,
        completion: @escaping (Result<PeerConnection, BastionError>) -> Void
    ) {
        let completion = NIOLoopBound(completion, eventLoop: loop)
        let sockets = PeerSockets(loop: loop, settings: settings)
        sockets.dial(host: host, port: port) { [self] channel in
            let tls = try shared.tls()?.clientHandler(host: host)
            let connection = try add(to: channel, role: .dialler(purpose, expected: expected), tls: tls)
            connection.onFrame = { [unowned self] in received($0, $1) }
        }.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let channel): awaitOpen(channel, completion.value)
            case .failure(let error): completion.value(.failure(TransportCore.unreachable(host, port, error)))
            }
        }
    }

    private func awaitOpen(
        _ channel: any Channel, _ completion: @escaping (Result<PeerConnection, BastionError>) -> Void
    ) {
        guard let connection = connections[ObjectIdentifier(channel)] else {
            completion(.failure(BastionError(.unavailable, "the other node closed the connection")))
            return
        }
        if connection.isOpen {
            completion(.success(connection))
            return
        }
        connection.onClose = { closed in
            completion(.failure(closed.failure ?? BastionError(.unavailable, "the other node closed the connection")))
        }
        connection.onOpen = { opened in
            opened.onClose = nil
            completion(.success(opened))
        }
    }

    private func add(
        to channel: any Channel, role: PeerConnection.Role, tls: (any ChannelHandler)?
    ) throws -> PeerConnection {
        let decoder = PeerFrameDecoder()
        let connection = PeerConnection(role: role, gate: self, decoder: decoder, settings: settings)
        connection.identity = ObjectIdentifier(channel)
        connections[ObjectIdentifier(channel)] = connection
        do {
            if let tls { try channel.pipeline.syncOperations.addHandler(tls) }
            try channel.pipeline.syncOperations.addHandlers([ByteToMessageHandler(decoder), connection])
        } catch {
            // The channel was closed meanwhile: the connection will never be told.
            closed(connection, wasOpen: false)
            throw error
        }
        return connection
    }

    private func received(_ connection: PeerConnection, _ frame: PeerFrame) {
        guard let remote = connection.remote, let purpose = connection.purpose else { return }
        let now = rawNanoseconds()
        shared.heard(remote.memberID, at: now, bytes: frame.payload.count)
        if now - connection.lastNoted > TransportCore.noteInterval {
            connection.lastNoted = now
            registry.heard(remote.daemonIncarnation, for: remote.memberID, now: now)
        }
        switch (purpose, frame.kind) {
        case (.urgent, .message), (.bulk, .message): handlers.onMessage(remote, frame.payload)
        case (.request, .request): serve(frame, from: remote, over: connection)
        case (.request, .response), (.request, .failure): requests.answered(frame, over: connection)
        case (_, .reject):
            connection.close(HandshakeCoding.decode(Rejection.self, frame.payload)?.error)
        default:
            connection.close(
                BastionError(
                    .invalidData, "node \"\(remote.nodeName)\" sent \(frame.kind) on its \(purpose) connection"))
        }
    }

    // MARK: Admission (RA19)

    func ownHello() -> PeerHello { handlers.hello() }

    func refusal(of hello: PeerHello, purpose: PeerPurpose, over connection: PeerConnection) -> Rejection? {
        let found = ruling(hello, purpose)
        if let found {
            shared.count { $0.refusedConnections += 1 }
            onEvent(.refused(from: "\(hello.nodeName) at \(connection.remoteAddress)", found.error))
        }
        return found
    }

    private func ruling(_ hello: PeerHello, _ purpose: PeerPurpose) -> Rejection? {
        if let rejection = handlers.hello().refusal(of: hello, purpose: purpose) { return rejection }
        if case .reject(let code, let message) = handlers.admit(hello, purpose) {
            return Rejection(code: code, message: message)
        }
        guard purpose != .probe else { return nil }
        let rivals = registry.rivals(of: hello.daemonIncarnation, for: hello.memberID, now: rawNanoseconds())
        for other in connections.values where other.remote?.memberID == hello.memberID {
            guard let incarnation = other.remote?.daemonIncarnation, incarnation != hello.daemonIncarnation else {
                continue
            }
            other.close(refused: rivals.contains(incarnation))
        }
        guard !rivals.isEmpty else { return nil }
        return Rejection(
            code: .preconditionFailed,
            message: "two live daemons claim member \(hello.memberID.short) (node \"\(hello.nodeName)\"): "
                + "both are refused until one was silent for \(settings.contestedSilence)")
    }

    func opened(_ connection: PeerConnection, _ hello: PeerHello, _ purpose: PeerPurpose) {
        let now = rawNanoseconds()
        if case .acceptor = connection.role { unknownCount -= 1 }
        guard purpose != .probe else { return }
        registry.opened(hello.daemonIncarnation, for: hello.memberID, now: now)
        guard let lane = PeerLane(purpose) else { return }
        shared.setConnected(hello.memberID, lane, by: 1)
        shared.heard(hello.memberID, at: now, bytes: 0)
        if case .acceptor = connection.role {
            accepted[hello.memberID, default: [:]][lane] = connection
            connection.onWritable = { [unowned self] _ in drain(hello.memberID) }
            links[hello.memberID]?.values.forEach { $0.dialNow() }
            drain(hello.memberID)
        }
        onEvent(.connected(hello.memberID, lane))
    }

    func closed(_ connection: PeerConnection, wasOpen: Bool) {
        connections[connection.identity] = nil
        if case .acceptor = connection.role {
            inboundCount -= 1
            if !wasOpen { unknownCount -= 1 }
        }
        requests.closed(connection)
        guard wasOpen, let remote = connection.remote, let purpose = connection.purpose, purpose != .probe else {
            return
        }
        registry.closed(remote.daemonIncarnation, for: remote.memberID, byRefusal: connection.wasRefused)
        guard let lane = PeerLane(purpose) else { return }
        if accepted[remote.memberID]?[lane] === connection { accepted[remote.memberID]?[lane] = nil }
        shared.setConnected(remote.memberID, lane, by: -1)
        onEvent(.disconnected(remote.memberID, lane))
    }

    func sawDamagedFrame() { shared.count { $0.damagedFrames += 1 } }

    // MARK: Sending

    /// Writes what waits for a member, as far as its sockets take it.
    func drain(_ member: MemberID) {
        for lane in PeerLane.allCases {
            guard let connection = path(member, lane), connection.isWritable else { continue }
            var wrote = false
            while connection.isWritable, let payload = shared.take(member, lane) {
                connection.write(PeerFrame(kind: .message, payload: payload))
                wrote = true
            }
            if wrote { connection.flush() }
        }
    }

    private func path(_ member: MemberID, _ lane: PeerLane) -> PeerConnection? {
        if let own = links[member]?[lane]?.connection, own.isOpen { return own }
        return accepted[member]?[lane]
    }

    func discardQueue(_ member: MemberID, _ lane: PeerLane) {
        guard path(member, lane) == nil else { return }
        shared.discard(member, lane)
    }

    // MARK: Peers

    func setPeers(_ addresses: [PeerAddress]) {
        guard !isStopped else { return }
        let own = handlers.hello().memberID
        var wanted: [MemberID: PeerAddress] = [:]
        for address in addresses where address.memberID != own { wanted[address.memberID] = address }
        for (member, lanes) in links where wanted[member] != lanes[.urgent]?.address {
            lanes.values.forEach { $0.stop() }
            links[member] = nil
        }
        for (member, address) in wanted.sorted(by: { $0.key < $1.key }) where links[member] == nil {
            var lanes: [PeerLane: LaneLink] = [:]
            for lane in PeerLane.allCases { lanes[lane] = LaneLink(address, lane, core: self) }
            links[member] = lanes
            lanes.values.forEach { $0.start() }
        }
    }

    func address(of member: MemberID) -> PeerAddress? { links[member]?[.urgent]?.address }

    func jitter(upTo limit: Int64) -> Int64 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int64(random >> 33) % max(1, limit)
    }

    func stop() {
        isStopped = true
        for lanes in links.values { lanes.values.forEach { $0.stop() } }
        links = [:]
        for connection in connections.values { connection.close() }
    }

    /// Work announced by `shared.begin` is done; the last one after `stop` ends the thread.
    func end() {
        guard shared.end() else { return }
        Task { await shutDown() }
    }

    func shutDown() async {
        do { try await ownGroup?.shutdownGracefully() } catch {}
    }

    private static let noteInterval: Int64 = 100_000_000

    private static func unreachable(_ host: String, _ port: Int, _ error: any Error) -> BastionError {
        BastionError(.unavailable, "could not connect to \(host), port \(port)", detail: "\(error)")
    }
}

/// CLOCK_MONOTONIC_RAW in nanoseconds: the clock of `ClockStamp.raw`.
func rawNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_RAW, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

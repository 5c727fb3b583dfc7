import ClusterModel
import NIOCore
import NIOPosix

/// What all sessions of one proxy have in common.
struct SessionSurroundings: Sendable {
    let settings: ProxySettings
    let board: RouteBoard
    /// PX9: whether this node's primary may still be heard.
    let deadline: @Sendable () -> Bool
    let observer: @Sendable (ProxyEvent) -> Void
    /// Addresses the proxy listens on (PX8).
    let ownPorts: OwnPorts
}

/// One client of the proxy, from its first byte to its end. Lives on the client's event loop, with both sockets.
///
/// This file chooses a server; `Session+Relay.swift` passes the bytes, `Session+End.swift` ends it.
final class Session {
    /// Legal transitions: startup -> holding, connecting, ended; holding -> connecting, ended;
    /// connecting -> holding, connecting (another server), relaying, ended; relaying -> ended.
    enum Phase { case startup, holding, connecting, relaying, ended }

    let surroundings: SessionSurroundings
    let port: PortType
    let loop: any EventLoop
    var phase = Phase.startup

    /// Both are nil before the channel exists and after it is closed.
    var client: ChannelHandlerContext?
    var server: ChannelHandlerContext?
    /// The server this session is counted for.
    var target: RouteBoard.Target?
    /// Bytes of the client that wait for a server, the startup packet first.
    var pending: ByteBuffer?
    var relay = RelayState()
    var timer: Scheduled<Void>?

    /// PX7: servers that could not be reached for this session.
    private var failed: Set<NodeName> = []
    /// Grows with each attempt to connect, so that the outcome of an abandoned one is recognised.
    private var attempt = 0
    private var heldSince: NIODeadline?

    init(surroundings: SessionSurroundings, port: PortType, loop: any EventLoop) {
        self.surroundings = surroundings
        self.port = port
        self.loop = loop
    }

    var settings: ProxySettings { surroundings.settings }
    var board: RouteBoard { surroundings.board }

    // MARK: startup (PX5)

    func clientConnected() {
        surroundings.observer(.accepted(port))
        // Limit: cancel requests must pass when all sessions are taken, but not without end.
        if board.clients > settings.maxSessions + 256 { return refuse(.tooMany(settings.maxSessions)) }
        startTimer(settings.startupTimeout) { session in
            session.refuse(.malformed("it was not complete within \(session.settings.startupTimeout.inSeconds) s"))
        }
        client?.read()
    }

    /// Takes bytes that came before a server was chosen.
    func collect(_ bytes: ByteBuffer) {
        keep(bytes)
        if phase == .startup { readStartup() }
    }

    func keep(_ bytes: ByteBuffer) {
        var bytes = bytes
        if pending == nil { pending = bytes } else { pending?.writeBuffer(&bytes) }
    }

    private func readStartup() {
        guard let bytes = pending else { return }
        switch StartupPacket.parse(bytes) {
        case .incomplete: break  // `clientReadComplete` asks for more
        case .malformed(let why): refuse(.malformed(why))
        case .complete(.cancel, let length):
            CancelRelay.send(bytes.getSlice(at: bytes.readerIndex, length: length), port, surroundings, on: loop)
            finish(with: nil)
        case .complete(let kind, _):
            timer?.cancel()
            relay.awaitsEncryptionAnswer = kind == .encryptionRequest
            route()
        }
    }

    // MARK: route

    /// Chooses a server by the table in force; also after a hold and after a server failed.
    func route() {
        if phase == .startup && board.clients > settings.maxSessions { return refuse(.tooMany(settings.maxSessions)) }
        switch board.route(port, excluding: failed) {
        case .to(let target):
            endHold(resumed: true)
            connect(to: target)
        case .hold:
            hold()
        case .refuse(let refusal):
            surroundings.observer(.routingFailed(port, .noBackend, backend: nil))
            refuse(failed.first.map { .unreachable($0.rawValue) } ?? refusal)
        }
    }

    /// PX3: waits for the end of a switchover. The client is not read meanwhile.
    private func hold() {
        phase = .holding
        failed = []
        guard heldSince == nil else { return }
        heldSince = .now()
        surroundings.observer(.held(port))
        startTimer(settings.holdLimit) { session in
            session.surroundings.observer(.routingFailed(session.port, .noBackend, backend: nil))
            session.refuse(.holdOver(after: session.settings.holdLimit.components.seconds))
        }
    }

    func endHold(resumed: Bool) {
        guard let since = heldSince else { return }
        heldSince = nil
        timer?.cancel()
        let held = Duration.nanoseconds((NIODeadline.now() - since).nanoseconds)
        surroundings.observer(.holdEnded(held, resumed: resumed))
    }

    // MARK: connect

    private func connect(to target: RouteBoard.Target) {
        phase = .connecting
        self.target = target
        attempt += 1
        let mine = attempt
        if surroundings.ownPorts.names(target.backend, settings.ownAddresses) { return connectedToItself() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop).tuned(settings)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SessionHandler(.server, bound.value))
                }
            }
            .connect(to: target.backend)
            .assumeIsolated()
            .whenComplete { result in self.connected(result, attempt: mine) }
    }

    private func connected(_ result: Result<any Channel, any Error>, attempt mine: Int) {
        switch result {
        case .success(let channel):
            guard mine == attempt, phase == .connecting, target != nil else { return channel.close(promise: nil) }
            if surroundings.ownPorts.isReached(by: channel) {
                channel.close(promise: nil)
                return connectedToItself()
            }
            server = SessionHandler.context(of: channel)
            beginRelay()
        case .failure:
            guard mine == attempt, phase == .connecting else { return }
            connectFailed()
        }
    }

    /// PX7: one other server is tried on the replica port, none on the primary port.
    private func connectFailed() {
        guard let node = abandonTarget()?.backend.node else { return }
        surroundings.observer(.routingFailed(port, .backendConnectFailed, backend: node))
        failed.insert(node)
        if port == .replica && failed.count == 1 { return route() }
        refuse(.unreachable(node.rawValue))
    }

    private func connectedToItself() {
        let node = abandonTarget()?.backend.node
        surroundings.observer(.routingFailed(port, .backendConnectFailed, backend: node))
        refuse(.ownAddress(node?.rawValue ?? ""))
    }

    @discardableResult
    private func abandonTarget() -> RouteBoard.Target? {
        guard let target else { return nil }
        board.release(target, port: port)
        self.target = nil
        return target
    }

    // MARK: a new table (PX1)

    func tableChanged() {
        switch phase {
        case .startup, .ended: break
        case .holding: route()
        case .connecting: abandonStaleConnect()
        case .relaying: judgeRelay()
        }
    }

    private func abandonStaleConnect() {
        guard let target, board.verdict(target) != .stays || board.isDrained(target.backend.node) else { return }
        attempt += 1
        abandonTarget()
        route()
    }

    func startTimer(_ delay: Duration, _ action: @escaping (Session) -> Void) {
        timer?.cancel()
        timer = loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { action(self) }
    }
}

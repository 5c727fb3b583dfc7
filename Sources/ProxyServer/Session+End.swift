import ClusterModel
import NIOCore

/// How a session ends: refused, cut, lost, or closed by one of the two sides.
extension Session {
    /// A client that was told why it is refused gets this long to close; then the socket is closed anyway.
    private static let lingerLimit = Duration.seconds(1)
    /// PostgreSQL never closes one direction only, so a client that keeps its side open this long is idle, not sending.
    private static let halfOpenLimit = Duration.seconds(10)

    func refuse(_ refusal: ProxyRefusal) { finish(with: refusal) }

    /// PX3: 57P01 first where the protocol state allows, else the socket is reset.
    func cut(_ reason: CutReason, _ refusal: ProxyRefusal, mayExplain: Bool = true) {
        guard phase == .relaying, let target else { return }
        let explains = mayExplain && relay.mayExplain
        surroundings.observer(.cut(port, reason, backend: target.backend.node))
        if let server { SocketTuning.resetOnClose(server.channel) }
        if !explains, let client { SocketTuning.resetOnClose(client.channel) }
        if explains { finish(with: refusal) } else { close() }
    }

    /// Says `refusal`, if there is one, and closes the client when it has been sent and the client has closed too.
    ///
    /// Closing at once could reset the connection (unread bytes), and the client would never see the message.
    ///
    /// - Parameter patiently: Let a slow client read what the server had to say first, however long it takes.
    func finish(with refusal: ProxyRefusal?, patiently: Bool = false) {
        guard leave(), let client else { return }
        if let refusal { client.write(NIOAny(refusal.encoded(client.channel.allocator)), promise: nil) }
        let flushed = closeOutput(of: client)
        client.read()
        if !patiently { return lingerThenClose() }
        flushed.assumeIsolated().whenComplete { _ in self.lingerThenClose() }
    }

    private func lingerThenClose() {
        guard client != nil else { return }
        startTimer(Session.lingerLimit) { session in session.client?.close(promise: nil) }
    }

    /// Closes both sides now.
    func close() {
        leave()
        client?.close(promise: nil)
    }

    /// Leaves the counts and the server; false when that was done before.
    @discardableResult
    private func leave() -> Bool {
        guard phase != .ended else { return false }
        let wasRelaying = phase == .relaying
        phase = .ended
        timer?.cancel()
        timer = nil
        endHold(resumed: false)
        pending = nil
        if let target {
            board.release(target, port: port)
            if wasRelaying { surroundings.observer(.parted(port, backend: target.backend.node)) }
        }
        target = nil
        server?.close(promise: nil)
        server = nil
        return true
    }

    /// Closes the sending direction after everything written before has been sent.
    @discardableResult
    private func closeOutput(of context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        let flushed = loop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: flushed)
        flushed.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
        return flushed.futureResult
    }

    // MARK: what the sockets tell

    func clientClosedInput() {
        relay.clientInputClosed = true
        switch phase {
        case .startup, .holding, .connecting, .ended: close()
        case .relaying:
            sendPending()
            if let server { closeOutput(of: server) }
        }
    }

    func serverClosedInput() {
        guard phase == .relaying, let client else { return }
        relay.serverInputClosed = true
        if endedUnasked { return finish(with: lost, patiently: true) }
        closeOutput(of: client)
        startTimer(Session.halfOpenLimit) { session in session.finish(with: nil, patiently: true) }
    }

    /// The server closed without a word although the client did not end the session.
    private var endedUnasked: Bool { relay.mayExplain && !relay.clientSaidGoodbye && !relay.clientInputClosed }

    private var lost: ProxyRefusal { .serverLost(target?.backend.node.rawValue ?? "") }

    func clientGone() {
        client = nil
        leave()
        timer?.cancel()
        timer = nil
        surroundings.observer(.closed(port))
    }

    func serverGone() {
        server = nil
        guard phase == .relaying else { return }
        finish(with: endedUnasked ? lost : nil, patiently: true)
    }

    /// The server's socket failed: reset, unreachable, or silent for too long.
    func serverFailed() {
        guard phase == .relaying else { return }
        server?.close(promise: nil)
    }

    // MARK: ends from outside

    /// The proxy stops.
    func stop() {
        let refusal = ProxyRefusal.draining("the proxy of this node is stopping")
        if phase == .relaying { cut(.stop, refusal) } else { refuse(refusal) }
    }

    /// Looks whether the server of a client that waits for an answer still acknowledges.
    func checkServer() {
        guard phase == .relaying, relay.clientSpoke else { return }
        guard let channel = server?.channel else { return }
        PeerSigns.read(channel) { signs in
            if signs.showDeath(after: self.settings.deadServerAfter) { self.cut(.serverLost, self.lost) }
        }
    }
}

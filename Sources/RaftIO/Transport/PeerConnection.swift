import ClusterModel
import NIOCore

/// One connection between two nodes: handshake, then frames. Used on the transport's event loop only.
///
/// Phases: `starting` -> `handshaking` -> `open` -> `closed`; `closed` may follow every other one.
final class PeerConnection: ChannelInboundHandler {
    typealias InboundIn = PeerFrame
    typealias OutboundOut = ByteBuffer

    enum Role: Sendable {
        /// `expected` is nil when any member may answer (probe, request to an address).
        case dialler(PeerPurpose, expected: MemberID?)
        case acceptor
    }

    private enum Phase {
        case starting, handshaking, open, closed
    }

    let role: Role
    /// The key under which the transport keeps this connection.
    var identity = ObjectIdentifier(PeerConnection.self)
    /// Requests of the other side that are being carried out.
    var running = 0
    /// When `IncarnationRegistry` was last told that the other side lives, in raw nanoseconds.
    var lastNoted: Int64 = 0
    private(set) var remote: PeerHello?
    private(set) var purpose: PeerPurpose?
    /// What the log calls the other side before its name is known.
    private(set) var remoteAddress = "unknown address"
    /// Set when this side closes because the member id is contested (RA19).
    private(set) var wasRefused = false
    private(set) var failure: BastionError?

    var onOpen: ((PeerConnection) -> Void)?
    var onWritable: ((PeerConnection) -> Void)?
    /// Called once, also when the connection never opened.
    var onClose: ((PeerConnection) -> Void)?
    var onFrame: ((PeerConnection, PeerFrame) -> Void)?

    private let gate: any ConnectionGate
    private let decoder: PeerFrameDecoder
    private let settings: TransportSettings
    private var phase = Phase.starting
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?

    init(role: Role, gate: any ConnectionGate, decoder: PeerFrameDecoder, settings: TransportSettings) {
        self.role = role
        self.gate = gate
        self.decoder = decoder
        self.settings = settings
    }

    var isOpen: Bool { phase == .open }
    var isWritable: Bool { phase == .open && context?.channel.isWritable == true }

    // MARK: Sending

    /// Queues a frame for the socket; `flush` sends what is queued.
    func write(_ frame: PeerFrame) {
        guard let context, phase != .closed else { return }
        context.write(wrapOutboundOut(frame.encode(context.channel.allocator)), promise: nil)
    }

    func flush() { context?.flush() }

    func send(_ frame: PeerFrame) {
        write(frame)
        flush()
    }

    func close(_ error: BastionError? = nil, refused: Bool = false) {
        guard phase != .closed else { return }
        failure = failure ?? error
        wasRefused = wasRefused || refused
        context?.close(promise: nil)
    }

    /// Tells the other side why, then closes.
    func reject(_ rejection: Rejection) {
        failure = failure ?? rejection.error
        guard let context, phase != .closed else { return }
        let frame = PeerFrame(kind: .reject, payload: HandshakeCoding.encode(rejection))
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(frame.encode(channel.allocator))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) { begin() }

    func channelInactive(context: ChannelHandlerContext) { finish() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isWritable { onWritable?(self) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason: BastionError
        if let damage = error as? FrameError {
            gate.sawDamagedFrame()
            reason = BastionError(
                .invalidData, "peer \"\(remoteAddress)\" sent what is not a frame", detail: "\(damage)")
        } else {
            reason = BastionError(.unavailable, "connection with peer \"\(remoteAddress)\" failed", detail: "\(error)")
        }
        close(reason)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch phase {
        case .starting, .handshaking: handshake(frame)
        case .open: onFrame?(self, frame)
        case .closed: break
        }
    }

    // MARK: Handshake

    private func begin() {
        guard phase == .starting, let context else { return }
        phase = .handshaking
        remoteAddress = context.remoteAddress?.description ?? remoteAddress
        let limit = settings.handshakeTimeout
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(limit.inNanoseconds)) { [weak self] in
            self?.close(BastionError(.timeout, "handshake took longer than \(limit)"))
        }
        if case .dialler(let purpose, _) = role {
            self.purpose = purpose
            sendHello(purpose)
        }
    }

    private func handshake(_ frame: PeerFrame) {
        switch (role, frame.kind) {
        case (.acceptor, .hello):
            guard purpose == nil, let message = HandshakeCoding.decode(HandshakeMessage.self, frame.payload) else {
                close(BastionError(.invalidData, "peer \"\(remoteAddress)\" sent an unreadable hello"))
                return
            }
            answer(message)
        case (.dialler(let purpose, let expected), .hello):
            guard let message = HandshakeCoding.decode(HandshakeMessage.self, frame.payload) else {
                close(BastionError(.invalidData, "peer \"\(remoteAddress)\" sent an unreadable hello"))
                return
            }
            accept(message.hello, purpose, expected)
        case (.dialler, .reject):
            let rejection = HandshakeCoding.decode(Rejection.self, frame.payload)
            close(rejection?.error ?? BastionError(.unavailable, "peer \"\(remoteAddress)\" refused the connection"))
        default:
            close(BastionError(.invalidData, "peer \"\(remoteAddress)\" sent \(frame.kind) before the handshake"))
        }
    }

    private func answer(_ message: HandshakeMessage) {
        purpose = message.purpose
        if let rejection = gate.refusal(of: message.hello, purpose: message.purpose, over: self) {
            reject(rejection)
            return
        }
        sendHello(message.purpose)
        // A probe has its answer; the timer closes a prober that stays.
        if message.purpose != .probe { open(message.hello, message.purpose) }
    }

    private func accept(_ hello: PeerHello, _ purpose: PeerPurpose, _ expected: MemberID?) {
        if let expected, hello.memberID != expected {
            let error = BastionError(
                .foreignState, "node \"\(hello.nodeName)\" at \(remoteAddress) is another member than expected",
                detail: "member \(hello.memberID.short), expected \(expected.short)")
            close(error)
            return
        }
        if purpose != .probe, let rejection = gate.refusal(of: hello, purpose: purpose, over: self) {
            close(rejection.error)
            return
        }
        open(hello, purpose)
    }

    private func open(_ hello: PeerHello, _ purpose: PeerPurpose) {
        guard phase == .handshaking else { return }
        phase = .open
        remote = hello
        timer?.cancel()
        timer = nil
        decoder.limit = purpose == .request ? settings.maxRequestBytes : settings.maxMessageBytes
        gate.opened(self, hello, purpose)
        onOpen?(self)
    }

    private func sendHello(_ purpose: PeerPurpose) {
        let message = HandshakeMessage(purpose: purpose, hello: gate.ownHello())
        send(PeerFrame(kind: .hello, payload: HandshakeCoding.encode(message)))
    }

    private func finish() {
        guard phase != .closed else { return }
        let wasOpen = phase == .open
        phase = .closed
        timer?.cancel()
        timer = nil
        gate.closed(self, wasOpen: wasOpen)
        onClose?(self)
        (onOpen, onWritable, onClose, onFrame) = (nil, nil, nil, nil)
    }
}

/// What a connection asks the transport it belongs to.
protocol ConnectionGate: AnyObject {
    func ownHello() -> PeerHello
    /// nil: the other side may talk to this node.
    func refusal(of hello: PeerHello, purpose: PeerPurpose, over connection: PeerConnection) -> Rejection?
    func opened(_ connection: PeerConnection, _ hello: PeerHello, _ purpose: PeerPurpose)
    func closed(_ connection: PeerConnection, wasOpen: Bool)
    func sawDamagedFrame()
}

import NIOCore

/// The end of one socket's pipeline: tells the session what its client or its server did.
final class SessionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    enum Side { case client, server }

    private let side: Side
    private let session: Session

    init(_ side: Side, _ session: Session) {
        self.side = side
        self.session = session
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // The server's is taken when it is connected: a name with several addresses makes several channels.
        if side == .client { session.client = context }
    }

    static func context(of channel: any Channel) -> ChannelHandlerContext? {
        do {
            return try channel.pipeline.syncOperations.context(handlerType: SessionHandler.self)
        } catch {
            return nil  // closed in the meantime
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        if side == .client { session.clientConnected() }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch side {
        case .client: session.clientRead(data, unwrapInboundIn(data))
        case .server: if isCurrent(context) { session.serverRead(data, unwrapInboundIn(data)) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        switch side {
        case .client: session.clientReadComplete()
        case .server: if isCurrent(context) { session.serverReadComplete() }
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        switch side {
        case .client: session.readServerIfAllowed()
        case .server: if isCurrent(context) { session.readClientIfAllowed() }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        switch side {
        case .client: session.clientClosedInput()
        case .server: if isCurrent(context) { session.serverClosedInput() }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch side {
        case .client: session.clientGone()
        case .server: if isCurrent(context) { session.serverGone() }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch side {
        case .client: session.close()
        case .server: if isCurrent(context) { session.serverFailed() } else { context.close(promise: nil) }
        }
    }

    /// A server channel that the session has given up may still speak for a moment; nobody listens.
    private func isCurrent(_ context: ChannelHandlerContext) -> Bool { session.server === context }
}

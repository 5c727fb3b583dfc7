import ClusterModel
import NIOCore

/// Sees the bytes of a connection before the decoder does (H09): ends one whose request head arrives too slowly, also the head
/// of a later request, and answers what is no HTTP.
final class ConnectionWarden: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Bytes of a head arrived, or the connection is new: the deadline runs.
        case readingHead
        /// The head is complete and its answer was not begun.
        case answering
        /// An answer was written; the idle limit holds until the next byte.
        case quiet
    }

    private let limit: TimeAmount
    private var state = State.readingHead
    private var deadline: Scheduled<Void>?

    init(limit: Duration) { self.limit = .nanoseconds(limit.inNanoseconds) }

    func handlerAdded(context: ChannelHandlerContext) { arm(context) }
    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .quiet = state { arm(context) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        state = .quiet
        context.write(data, promise: promise)
    }

    /// The decoder gave a part of a request: its head is complete.
    func headArrived() {
        deadline?.cancel()
        deadline = nil
        state = .answering
    }

    /// Answers and closes: nothing after the first malformed byte can be read.
    func refuse(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        let id = RequestIDs.random().rawValue
        let body = APIResponse.failure(BastionError(.invalidRequest, "the request is not well-formed HTTP/1.1"), requestID: id).body
        let head = """
            HTTP/1.1 400 Bad Request\r
            Content-Type: application/json\r
            Content-Length: \(body.count)\r
            Cache-Control: no-store\r
            X-Request-ID: \(id)\r
            Connection: close\r
            \r

            """
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: Array(head.utf8) + body))).whenComplete { _ in
            // The client reads the answer first; a reset would take it away.
            channel.close(mode: .output, promise: nil)
            channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
        }
    }

    private func arm(_ context: ChannelHandlerContext) {
        state = .readingHead
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }
}

/// Behind the decoder: tells the warden what became of the bytes.
final class DecodedRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    /// Whatever the decoder gives: the first part it gives is the head.
    typealias InboundIn = Any

    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        withWarden(context) { warden, _ in warden.headArrived() }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard RequestErrors.isMalformed(error) else { return context.fireErrorCaught(error) }
        guard !hasRefused else { return }
        hasRefused = true
        withWarden(context) { warden, own in warden.refuse(own) }
    }

    private func withWarden(_ context: ChannelHandlerContext, _ body: (ConnectionWarden, ChannelHandlerContext) -> Void) {
        do {
            let own = try context.pipeline.syncOperations.context(handlerType: ConnectionWarden.self)
            guard let warden = own.handler as? ConnectionWarden else { return }
            body(warden, own)
        } catch {
            // Without a warden the connection has no head limit, which only a defect here could bring about.
            context.fireErrorCaught(error)
        }
    }
}

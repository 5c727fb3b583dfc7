import ClusterModel
import NIOCore

/// Closes a connection whose first request head does not arrive in time (H09): a slow client holds nothing open.
final class HeaderDeadlineHandler: ChannelInboundHandler, RemovableChannelHandler {
    /// Whatever the decoder gives: the first part it gives is the head.
    typealias InboundIn = Any

    private let limit: TimeAmount
    private var deadline: Scheduled<Void>?

    init(limit: Duration) { self.limit = .nanoseconds(limit.inNanoseconds) }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        deadline?.cancel()
        deadline = nil
        context.fireChannelRead(data)
    }
}

import ClusterModel
import NIOCore
import NIOPosix

/// Passes a CancelRequest to every server that may own the session it means (PX5).
enum CancelRelay {
    /// Sends `request` to each server with sessions of `port`, and waits for none of them.
    static func send(
        _ request: ByteBuffer?, _ port: PortType, _ surroundings: SessionSurroundings, on loop: any EventLoop
    ) {
        guard let request else { return }
        for backend in surroundings.board.serversWithSessions(port) {
            ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(surroundings.settings.connectTimeout))
                .connect(to: backend)
                .whenSuccess { channel in
                    channel.writeAndFlush(request).whenComplete { _ in channel.close(mode: .output, promise: nil) }
                    // The server closes when it has acted; one that does not is left after the same time.
                    channel.eventLoop.scheduleTask(in: TimeAmount(surroundings.settings.connectTimeout)) {
                        channel.close(promise: nil)
                    }
                }
        }
    }
}

import ClusterModel
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Opens sockets, both ways, with the handlers of a `PeerConnection` in them.
struct PeerSockets {
    let loop: any EventLoop
    let settings: TransportSettings

    /// Limit: what the socket layer keeps for a slow reader; everything else waits in `OutboundQueue`, where newer
    /// messages can take the place of older ones.
    private static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 64 * 1024, high: 256 * 1024)

    func listen(
        host: String, port: Int, accepting: @escaping @Sendable (any Channel) throws -> Void
    ) throws(BastionError) -> any Channel {
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 128)
            .childChannelOption(.writeBufferWaterMark, value: PeerSockets.writeBuffer)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try accepting(channel) }
            }
        do {
            return try keepAlive(bootstrap).bind(host: host, port: port).wait()
        } catch {
            throw BastionError(
                .io, "could not listen on \(host), port \(port), for other nodes", detail: "\(error)",
                hint: "see who uses the port: `ss -ltnp`")
        }
    }

    /// Connects; `configure` puts the handlers in. The name is resolved without blocking the loop.
    func dial(
        host: String, port: Int, configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(settings.connectTimeout.inNanoseconds))
            .channelOption(.writeBufferWaterMark, value: PeerSockets.writeBuffer)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try configure(channel) }
            }
        return keepAlive(bootstrap).connect(host: host, port: port)
    }

    // MARK: A dead peer is noticed within `silenceTimeout`, whether data is on its way or not

    private func keepAlive(_ bootstrap: ServerBootstrap) -> ServerBootstrap {
        options.reduce(bootstrap) { $0.childChannelOption($1.option, value: $1.value) }
    }

    private func keepAlive(_ bootstrap: ClientBootstrap) -> ClientBootstrap {
        options.reduce(bootstrap) { $0.channelOption($1.option, value: $1.value) }
    }

    private var options: [(option: ChannelOptions.Types.SocketOption, value: Int)] {
        let seconds = Int(max(1, settings.silenceTimeout.inMilliseconds / 1000))
        func tcp(_ name: CInt) -> ChannelOptions.Types.SocketOption { .init(level: .tcp, name: .init(rawValue: name)) }
        return [
            (.init(level: .socket, name: .so_keepalive), 1),
            (tcp(CInt(TCP_KEEPIDLE)), 1),
            (tcp(CInt(TCP_KEEPINTVL)), 1),
            (tcp(CInt(TCP_KEEPCNT)), seconds),
            (tcp(CInt(TCP_USER_TIMEOUT)), Int(clamping: settings.silenceTimeout.inMilliseconds)),
        ]
    }
}

import ClusterModel
import Glibc
import NIOCore
import NIOPosix

/// Socket options of both sides of a session (PX7).
enum SocketTuning {
    typealias Option = (option: ChannelOptions.Types.SocketOption, value: Int)

    /// Keepalive 10/5/3: a silent dead peer is noticed after 25 s. NIO sets TCP_NODELAY itself.
    static let options: [Option] = [
        (ChannelOptions.socketOption(.so_keepalive), 1),
        (tcp(TCP_KEEPIDLE), 10),
        (tcp(TCP_KEEPINTVL), 5),
        (tcp(TCP_KEEPCNT), 3),
    ]

    /// Two reads of at most 64 KiB may follow the last look at `isWritable`: with them a direction holds `limit` bytes.
    static func waterMark(limit: Int) -> ChannelOptions.Types.WriteBufferWaterMark {
        let high = max(limit - readsPerTurn * 65_536, 1_024)
        return .init(low: high / 2, high: high)
    }
    static let readsPerTurn = 2

    private static func tcp(_ name: CInt) -> ChannelOptions.Types.SocketOption {
        ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: name))
    }

    /// Makes the next close a reset (RST), so that the peer learns of it at once and nothing lingers.
    static func resetOnClose(_ channel: any Channel) {
        guard let provider = channel as? any SocketOptionProvider else { return }
        // A socket that refuses the option is closed already; there is nothing left to reset.
        provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
    }
}

extension ServerBootstrap {
    func tuned(_ settings: ProxySettings) -> ServerBootstrap {
        var bootstrap = self.childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: UInt(SocketTuning.readsPerTurn))
            .childChannelOption(.writeBufferWaterMark, value: SocketTuning.waterMark(limit: settings.bufferLimit))
        // On Linux an accepted socket inherits these from the listening one, which saves system calls for each client.
        for (option, value) in SocketTuning.options {
            bootstrap = bootstrap.serverChannelOption(option, value: value)
        }
        return bootstrap
    }
}

extension ClientBootstrap {
    func tuned(_ settings: ProxySettings) -> ClientBootstrap {
        var bootstrap = self.channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: UInt(SocketTuning.readsPerTurn))
            .channelOption(.writeBufferWaterMark, value: SocketTuning.waterMark(limit: settings.bufferLimit))
            .connectTimeout(TimeAmount(settings.connectTimeout))
        for (option, value) in SocketTuning.options {
            bootstrap = bootstrap.channelOption(option, value: value)
        }
        return bootstrap
    }

    /// Connects to a literal without the resolver's thread.
    func connect(to backend: RoutingTable.Backend) -> EventLoopFuture<any Channel> {
        do {
            return connect(to: try SocketAddress(ipAddress: backend.host, port: backend.port))
        } catch {
            return connect(host: backend.host, port: backend.port)
        }
    }
}

import NIOCore
import Synchronization

/// The open server sockets of the proxy.
final class Listeners: Sendable {
    private let open = Mutex<[(port: PortType, channel: any Channel)]>([])

    func add(_ channel: any Channel, _ port: PortType) { open.withLock { $0.append((port, channel)) } }

    var addresses: [SocketAddress] { open.withLock { $0.compactMap(\.channel.localAddress) } }

    /// The number each kind of port got.
    var ports: [PortType: Int] {
        open.withLock { list in
            Dictionary(
                list.compactMap { entry in entry.channel.localAddress?.port.map { (entry.port, $0) } },
                uniquingKeysWith: { first, _ in first })
        }
    }

    func close() async {
        let channels = open.withLock { list in
            defer { list = [] }
            return list.map(\.channel)
        }
        for channel in channels {
            do { try await channel.close() } catch {}  // closed already
        }
    }
}

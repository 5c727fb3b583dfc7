import ClusterModel
import NIOCore
import Synchronization

/// The addresses the proxy listens on; it never takes itself for a server (PX8).
final class OwnPorts: Sendable {
    private let listeners = Mutex<[SocketAddress]>([])

    func set(_ addresses: [SocketAddress]) { listeners.withLock { $0 = addresses } }

    /// Whether the routing table names one of this proxy's own ports.
    func names(_ backend: RoutingTable.Backend, _ ownAddresses: Set<String>) -> Bool {
        guard ownAddresses.contains(backend.host) else { return false }
        return listeners.withLock { $0.contains { $0.port == backend.port } }
    }

    /// Whether `channel` came out at a listener of this proxy, whatever name it was reached by: a connection within
    /// one machine has the same address at both ends.
    func isReached(by channel: any Channel) -> Bool {
        guard let local = channel.localAddress, let remote = channel.remoteAddress else { return false }
        guard local.ipAddress == remote.ipAddress, let ip = remote.ipAddress else { return false }
        return listeners.withLock { listeners in
            listeners.contains { $0.port == remote.port && ($0.ipAddress == ip || OwnPorts.isWildcard($0)) }
        }
    }

    private static func isWildcard(_ address: SocketAddress) -> Bool {
        address.ipAddress == "0.0.0.0" || address.ipAddress == "::"
    }
}

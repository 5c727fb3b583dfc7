import ClusterModel
import ConfigFiles
import Glibc

/// Who uses the ports of a configuration.
struct PortInspection {
    let configuration: NodeConfiguration
    let isDaemon: Bool

    func ports() -> [PortFacts] {
        let everywhere = configuration.listenHosts
        var wanted: [(key: String, hosts: [String], port: Int)] = [
            ("raft.bind_port", everywhere, configuration.raft.bindPort.number),
            ("proxy.primary_port", everywhere, configuration.proxy.primaryPort.number),
            ("proxy.replica_port", everywhere, configuration.proxy.replicaPort.number),
            ("api.port", configuration.api.bindAddresses.map(\.description), configuration.api.port.number),
            ("metrics.port", configuration.metrics.bindAddresses.map(\.description), configuration.metrics.port.number),
        ]
        if let postgres = configuration.postgresql, !isDaemon {
            wanted.append(("postgresql.port", everywhere, postgres.port.number))
        }
        let isOurs = isDaemon || daemonRuns
        let hasServer = configuration.postgresql?.dataDirectory.flatMap { MachineInspection.postmaster($0) } != nil
        return wanted.flatMap { want in
            want.hosts.map { host in
                var facts = look(want.key, host, want.port)
                // A port that is taken by whom it is meant for.
                if facts.state == .taken, want.key == "postgresql.port" ? hasServer : isOurs { facts.state = .listening }
                return facts
            }
        }
    }

    /// A daemon answers on the socket of this configuration.
    private var daemonRuns: Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(configuration.api.socket.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// Tries to bind, as the daemon would.
    private func look(_ key: String, _ host: String, _ port: Int) -> PortFacts {
        var facts = PortFacts(key: key, host: host, port: port, state: .unknown)
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let found else {
            facts.reason = "\(host) is no address of this machine that can be looked at"
            return facts
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
        guard descriptor >= 0 else {
            facts.reason = String(cString: strerror(errno))
            return facts
        }
        defer { close(descriptor) }
        // As a server does: a connection that lingers from before does not count.
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, listen(descriptor, 1) == 0 else {
            facts.state = errno == EADDRINUSE ? .taken : .unknown
            facts.reason = "\(host):\(port): \(String(cString: strerror(errno)))"
            return facts
        }
        facts.state = .free
        return facts
    }
}

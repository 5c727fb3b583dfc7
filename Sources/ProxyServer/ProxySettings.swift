import ClusterModel

/// What the proxy is told once, when it is made. Every limit of PX5 and PX7 has its name here.
package struct ProxySettings: Sendable {
    /// Addresses the two ports are opened on; IP literals. Empty hosts are an error of `start()`.
    package var bindHosts: [String]
    /// 0 takes any free port (the same one on every host); see `ProxyServer.ports`.
    package var primaryPort: Int
    package var replicaPort: Int
    /// The node this proxy runs on: bytes of its own primary pass only before the deadline (PX9).
    package var localNode: NodeName?
    package var connectTimeout: Duration
    /// How long `drain` lets sessions go on before it cuts them.
    package var drainTimeout: Duration
    package var maxSessions: Int
    /// The longest a new session is held inside a switchover (PX3).
    package var holdLimit: Duration
    /// The first packet must be complete within this time (PX5).
    package var startupTimeout: Duration
    /// Names and addresses of this node: a backend with one of them and a proxy port is refused (PX8).
    package var ownAddresses: Set<String>
    /// Bytes waiting for a slow reader, per direction, before the other side is no longer read (PX7).
    package var bufferLimit: Int
    /// A server that has not acknowledged sent bytes for this long is given up.
    package var deadServerAfter: Duration

    package init(
        bindHosts: [String] = ["0.0.0.0"], primaryPort: Int = 5432, replicaPort: Int = 5433,
        localNode: NodeName? = nil, connectTimeout: Duration = .seconds(5), drainTimeout: Duration = .seconds(30),
        maxSessions: Int = 10_000, holdLimit: Duration = .seconds(5), startupTimeout: Duration = .seconds(10),
        ownAddresses: Set<String> = [], bufferLimit: Int = 262_144, deadServerAfter: Duration = .seconds(15)
    ) {
        self.bindHosts = bindHosts
        self.primaryPort = primaryPort
        self.replicaPort = replicaPort
        self.localNode = localNode
        self.connectTimeout = connectTimeout
        self.drainTimeout = drainTimeout
        self.maxSessions = maxSessions
        self.holdLimit = holdLimit
        self.startupTimeout = startupTimeout
        self.ownAddresses = ownAddresses
        self.bufferLimit = bufferLimit
        self.deadServerAfter = deadServerAfter
    }
}

import ClusterModel

/// Which of the two ports a client came to (K07, K08).
package enum PortType: String, Sendable, Hashable, CaseIterable { case primary, replica }

/// Something the proxy did, for metrics and log lines (PX10). Told on an event loop: the observer must not block.
package enum ProxyEvent: Sendable, Hashable {
    /// A client connected (`proxy_connections_total`, `proxy_connections_active` + 1).
    case accepted(PortType)
    /// A client is gone (`proxy_connections_active` - 1); told once for each `accepted`.
    case closed(PortType)
    /// A session is joined to a server (`proxy_backend_connections_active` + 1).
    case joined(PortType, backend: NodeName)
    /// The end of a `joined` session.
    case parted(PortType, backend: NodeName)
    /// `proxy_routing_errors_total`.
    case routingFailed(PortType, RoutingFailure, backend: NodeName?)
    /// The proxy ended a session of its own accord (`proxy_sessions_cut_total`).
    case cut(PortType, CutReason, backend: NodeName)
    /// A new session waits for the end of a switchover.
    case held(PortType)
    /// The end of a `held` session's wait: it went on or was refused (`proxy_hold_seconds`).
    case holdEnded(Duration, resumed: Bool)

    package enum RoutingFailure: String, Sendable, Hashable, CaseIterable {
        case noBackend = "no_backend"
        case backendConnectFailed = "backend_connect_failed"
    }
}

/// Why the proxy ended a session; label of `proxy_sessions_cut_total`.
package enum CutReason: String, Sendable, Hashable, CaseIterable {
    /// A higher token was applied (PX1).
    case epoch
    /// `RoutingTable.cut` names the server: fenced, cloned or rewound.
    case fence
    /// The lease of this node's primary ran out before the bytes could be passed on (PX9).
    case deadline
    case drain
    case stop
    /// The server no longer answers the network.
    case serverLost = "server_lost"
}

/// How many sessions of one port one server has.
package struct BackendSessions: Sendable, Hashable {
    package var backend: RoutingTable.Backend
    package var portType: PortType
    package var count: Int
}

/// The proxy's counts at one moment; totals count from `init`.
package struct ProxyStatistics: Sendable, Hashable {
    package var epoch: FencingToken = .never
    package var acceptedTotal: [PortType: Int] = [:]
    package var active: [PortType: Int] = [:]
    package var held = 0
    package var routingErrorsTotal = 0
    package var cutTotal: [CutReason: Int] = [:]
}

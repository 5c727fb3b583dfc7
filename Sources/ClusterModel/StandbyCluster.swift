/// Another cluster that this one follows (`standby_cluster`): where its primary is reached.
package struct StandbyUpstream: Sendable, Codable, Hashable {
    package var host: String
    package var port: Int
    /// A physical slot there; nil: none is used.
    package var slot: String?
    package init(host: String, port: Int, slot: String?) {
        self.host = host
        self.port = port
        self.slot = slot
    }

    /// `HOST:PORT`.
    package var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// How this cluster's nodes reach it. It is no member: nothing there is managed from here.
    package var endpoint: PostgresEndpoint? {
        NodeName("upstream").map { PostgresEndpoint(node: $0, host: host, port: port, isOutside: true) }
    }
}

/// How a cluster that follows another one stands.
package struct StandbyView: Sendable, Codable, Hashable {
    package var upstream: StandbyUpstream
    /// The node that streams from the other cluster; the others stream from it.
    package var source: NodeName?
    package var isStreaming: Bool
    /// nil until a stream was established: PostgreSQL refuses one to other data.
    package var systemIdentifier: UInt64?
    /// The last end of WAL that the other cluster is known to have had.
    package var upstreamLSN: LSN?
    /// What the most advanced node lacks of it; nil while it is not known.
    package var lagBytes: UInt64?
    /// The most advanced node.
    package var best: NodeName?
    package init(upstream: StandbyUpstream, source: NodeName?) {
        self.upstream = upstream
        self.source = source
        isStreaming = false
    }
}

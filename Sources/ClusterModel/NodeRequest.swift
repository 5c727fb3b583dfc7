/// An order or a question to one node, outside the log: carried out by that node's daemon, sent by whichever node a client
/// talks to, over the authenticated peer link.
///
/// What must survive a crash or be agreed on is a `ClusterRequest` instead.
package enum NodeRequest: Sendable, Codable, Hashable {
    /// What this node knows of the cluster now.
    case view
    /// Sessions of the node's proxy.
    case connections
    /// The node's Prometheus page.
    case metrics
    /// Reads the configuration file again.
    case reload
    /// Draws the value of a new API token; asked of the own node only, so the value never travels between nodes.
    case mintToken

    /// What the node found out about itself and its reach.
    case diagnose([DiagnosisTopic])

    /// The newest lines of the daemon's log.
    case logs(LogQuery)

    /// About its log, its state or its PostgreSQL.
    case inspect(Inspection)

    /// The node that has the virtual address announces it again.
    case announceAddress

    /// The primary's node takes a restart hold for its lease (4.8).
    case takeHold(seconds: Double)
    /// The daemon ends itself, after a hold where it has the primary, and its supervisor starts it again.
    case restartDaemon(holdSeconds: Double?)
    /// Which life of the daemon answers.
    case incarnation

    /// For logs: which kind of request it is.
    package var name: String {
        switch self {
        case .view: "view"
        case .connections: "connections"
        case .metrics: "metrics"
        case .logs: "logs"
        case .reload: "reload"
        case .takeHold: "take_hold"
        case .restartDaemon: "restart_daemon"
        case .incarnation: "incarnation"
        case .diagnose: "diagnose"
        case .mintToken: "mint_token"
        case .announceAddress: "announce_address"
        case .inspect(let inspection): inspection.name
        }
    }
}

/// The answer to a `NodeRequest` that was carried out.
package enum NodeReply: Sendable, Codable, Hashable {
    /// One sentence for people.
    case done(String)
    case changed(ClusterReply)
    case view(ClusterView)
    case connections([ProxySessions])
    case text(String)
    case logs([LogRecord])
    case reloaded(ReloadReport)
    case diagnosis(NodeDiagnosis)
    case token(MintedToken)
    case inspected(InspectionReply)

    /// The answer of a kind that was not asked for.
    package static func mismatch(_ request: NodeRequest) -> BastionError {
        BastionError(.internal, "a node gave the wrong kind of answer to \"\(request.name)\"")
    }
}

/// Sessions from one node's proxy to one server.
package struct ProxySessions: Sendable, Codable, Hashable {
    package var backend: NodeName
    /// `primary` or `replica`.
    package var portType: String
    package var active: Int
    package init(backend: NodeName, portType: String, active: Int) {
        self.backend = backend
        self.portType = portType
        self.active = active
    }
}

/// What reading the configuration file again changed.
package struct ReloadReport: Sendable, Codable, Hashable {
    package var applied: [String]
    package var needsRestart: [String]
    package init(applied: [String], needsRestart: [String]) {
        self.applied = applied
        self.needsRestart = needsRestart
    }
}

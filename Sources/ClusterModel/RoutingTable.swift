/// Where client sessions go now, as one node's proxy must act on it (section 9 of failover.md).
package struct RoutingTable: Sendable, Hashable {
    /// PX1: the token whose primary is meant. Sessions to the primary made under a lower epoch are cut.
    package var epoch: FencingToken
    package var primary: Backend?
    /// In rotation for the replica port, sorted by name.
    package var replicas: [Backend]
    /// What to do with a new session for the primary port while `primary` is nil.
    package var withoutPrimary: WithoutPrimary
    package var splitBrain: Bool
    /// Backends whose sessions must be cut now, with the reason (fenced, cloned, rewound).
    package var cut: [NodeName: String]
    /// PX3: backends that get no new session, and whose sessions end: idle ones at once, the others within this time (nil: the
    /// proxy's own).
    package var drained: [NodeName: Drain]

    package struct Drain: Sendable, Hashable {
        package var limit: Duration?
        package init(limit: Duration?) { self.limit = limit }
    }

    package enum WithoutPrimary: Sendable, Hashable {
        /// Refuse at once with 57P03 and this reason.
        case refuse(String)
        /// Inside a switchover: hold the session, at most 5 s (PX3).
        case hold
    }

    package struct Backend: Sendable, Hashable {
        package var node: NodeName
        package var host: String
        package var port: Int
        package init(node: NodeName, host: String, port: Int) {
            self.node = node
            self.host = host
            self.port = port
        }
    }

    package init(
        epoch: FencingToken = .never, primary: Backend? = nil, replicas: [Backend] = [],
        withoutPrimary: WithoutPrimary = .refuse("no primary is known yet"), splitBrain: Bool = false,
        cut: [NodeName: String] = [:], drained: [NodeName: Drain] = [:]
    ) {
        self.epoch = epoch
        self.primary = primary
        self.replicas = replicas
        self.withoutPrimary = withoutPrimary
        self.splitBrain = splitBrain
        self.cut = cut
        self.drained = drained
    }
}

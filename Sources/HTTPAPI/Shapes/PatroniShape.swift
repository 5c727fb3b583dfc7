import ClusterModel
import Operations

/// `GET /patroni`, and the body of the probes (X09, X11).
struct PatroniShape: Codable, Sendable {
    struct Position: Codable, Sendable {
        /// The primary's.
        var location: UInt64?
        /// A replica's.
        var replayedLocation: UInt64?
    }
    struct Software: Codable, Sendable {
        var version: String
        var scope: String
        var name: NodeName
    }
    struct Sender: Codable, Sendable {
        var applicationName: String
        var state: String
        var syncState: String
    }
    var state: String
    /// `primary` or `replica`
    var role: String
    @Nullable var serverVersion: Int?
    @Nullable var timeline: TimelineID?
    var xlog: Position
    var replication: [Sender]
    @Nullable var databaseSystemIdentifier: String?
    var pause: Bool
    var patroni: Software

    init(_ view: ClusterView) {
        let own = view.node(named: view.node)
        let isPrimary = own?.role == .primary
        state = own.map { $0.state == "streaming" ? "running" : $0.state } ?? "unknown"
        role = isPrimary ? "primary" : own?.role == .replica ? "replica" : "unknown"
        serverVersion = own?.postgresVersion
        timeline = own?.timeline
        xlog = Position(
            location: isPrimary ? own?.lsn?.rawValue : nil, replayedLocation: isPrimary ? nil : own?.lsn?.rawValue)
        replication =
            isPrimary
            ? view.nodes.compactMap(\.replication).map {
                Sender(applicationName: $0.applicationName, state: $0.state, syncState: $0.syncState)
            } : []
        databaseSystemIdentifier = (own?.systemIdentifier ?? view.systemIdentifier).map { "\($0)" }
        pause = view.paused != nil
        patroni = Software(version: view.version, scope: view.clusterName, name: view.node)
    }
}

import ClusterModel
import Operations

/// `GET /patroni`, and the body of the probes (X09, X11): the running server as Patroni describes one.
struct PatroniShape: Codable, Sendable {
    struct Position: Codable, Sendable {
        /// The primary's.
        var location: UInt64?
        /// A replica's.
        var receivedLocation: UInt64?
        var replayedLocation: UInt64?
        var paused: Bool?
    }
    struct Software: Codable, Sendable {
        var version: String
        var scope: String
        var name: NodeName
    }
    struct Sender: Codable, Sendable {
        var applicationName: String
        @Nullable var clientAddr: String?
        var state: String
        var syncState: String
    }
    var state: String
    /// `primary`, `replica`, `witness` or `unknown`
    var role: NodeRole
    @Nullable var postmasterStartTime: String?
    @Nullable var serverVersion: Int?
    @Nullable var timeline: TimelineID?
    var xlog: Position
    var replication: [Sender]
    @Nullable var databaseSystemIdentifier: String?
    /// No node holds the primary's lease.
    var clusterUnlocked: Bool
    var pause: Bool
    var patroni: Software

    init(_ view: ClusterView) {
        let own = view.node(named: view.node)
        let isPrimary = own?.role == .primary
        state = own.map { ["streaming", "catching_up"].contains($0.state) ? "running" : $0.state } ?? "unknown"
        role = own?.role ?? .unknown
        postmasterStartTime = own?.postmasterStartedAt
        serverVersion = own?.postgresVersion
        timeline = own?.timeline
        xlog =
            isPrimary
            ? Position(location: own?.lsn?.rawValue)
            : Position(
                receivedLocation: own?.receivedLSN?.rawValue, replayedLocation: (own?.replayedLSN ?? own?.lsn)?.rawValue,
                paused: own?.isReplayPaused)
        replication =
            isPrimary
            ? view.nodes.compactMap(\.replication).map {
                Sender(
                    applicationName: $0.applicationName, clientAddr: $0.clientAddress, state: $0.state,
                    syncState: $0.syncState)
            } : []
        databaseSystemIdentifier = (own?.systemIdentifier ?? view.systemIdentifier).map { "\($0)" }
        clusterUnlocked = view.primary?.phase != "serving"
        pause = view.paused != nil
        patroni = Software(version: view.version, scope: view.clusterName, name: view.node)
    }
}

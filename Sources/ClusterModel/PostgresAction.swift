/// What the core asks the PostgreSQL adapter of its own node to do. Each is idempotent: it may be repeated after a crash
/// at any point. Starting, stopping, promoting and killing the server are orders to the guard, not actions.
package enum PostgresAction: Sendable, Codable, Hashable {
    /// initdb with checksums into a temporary directory, fsync, rename (8.2).
    case initialize
    /// Write `standby.signal` and the settings file, durably (AG14). The server is not running.
    case prepareStandby(ManagedSettings)
    /// The server ended under a lease this node still holds: remove `standby.signal`, write the settings file.
    case prepareInPlaceStart(ManagedSettings)
    /// Write the settings file and reload; succeeds when a new session shows the settings.
    case applySettings(ManagedSettings)
    /// Make the service roles (replication, rewind) with these passwords if they are missing. Primary only.
    case ensureRoles
    /// Member slots: create those missing, drop those of `drop`; on a replica advance them to the replayed position (AG20).
    case ensureSlots(keep: [String], drop: [String])
    /// SE3: forget the upstream, reload, wait until no receiver runs; the outcome is the position reached.
    case stopReceiver(ManagedSettings)
    /// SE9: with the placeholder set, prove that commits wait.
    case proveSynchronousWait(ManagedSettings)
    /// A checkpoint now.
    case checkpoint
    /// AG9: reserve timeline numbers, so that the promotion takes exactly `timeline`.
    case reserveTimeline(TimelineID)
    /// A stopped server: control file, end of its WAL (by `pg_waldump`), timeline history (8.3).
    case inspectStopped
    /// pg_basebackup into a new directory, old one to quarantine, rename (AG16). Draws a new data id. `slot` nil: none.
    case clone(source: PostgresEndpoint, slot: String?, keepOldSeconds: UInt64? = nil)
    /// pg_rewind against `source` (8.3 procedure). Draws a new data id; removes the marker only by `finishRejoin`.
    case rewind(source: PostgresEndpoint)
    /// The rejoined server streams: remove the marker of clone or rewind (D48).
    case finishRejoin
    /// Move the data directory aside (D49).
    case quarantine(reason: String)
}

/// Where another node's PostgreSQL is reached by replication and rewind connections.
package struct PostgresEndpoint: Sendable, Codable, Hashable {
    package var node: NodeName
    package var host: String
    package var port: Int
    /// The primary of another cluster (`standby_cluster`).
    package var isOutside: Bool
    package init(node: NodeName, host: String, port: Int, isOutside: Bool = false) {
        self.node = node
        self.host = host
        self.port = port
        self.isOutside = isOutside
    }
}

/// The contents of the settings file that pgbastion owns (8.5), before the adapter adds what never changes.
package struct ManagedSettings: Sendable, Codable, Hashable {
    /// The server to stream from; nil: no upstream (primary, or pledged).
    package var upstream: PostgresEndpoint?
    /// The slot on the upstream.
    package var slot: String?
    /// AG22: unique in the cluster.
    package var applicationName: String
    /// `synchronous_standby_names`; replicas always carry the placeholder when a synchronous mode is on (SE8).
    package var synchronousStandbyNames: String
    /// Managed PostgreSQL parameters of the cluster.
    package var parameters: [String: String]
    package init(
        upstream: PostgresEndpoint?, slot: String?, applicationName: String, synchronousStandbyNames: String,
        parameters: [String: String] = [:]
    ) {
        self.upstream = upstream
        self.slot = slot
        self.applicationName = applicationName
        self.synchronousStandbyNames = synchronousStandbyNames
        self.parameters = parameters
    }
}

/// How a `PostgresAction` ended.
package enum PostgresOutcome: Sendable, Codable, Hashable {
    case done
    /// `stopReceiver`: where reception ended. The received position is durable.
    case stoppedReceiving(ReceivedPosition)
    case inspected(StoppedServer)
    case failed(BastionError)
}

/// SE3: what a replica has after its receiver stopped.
package struct ReceivedPosition: Sendable, Codable, Hashable {
    package var timeline: TimelineID
    /// max(received and flushed, replayed).
    package var lsn: LSN
    package var replayed: LSN
    package var history: [TimelineSwitch]
    package init(timeline: TimelineID, lsn: LSN, replayed: LSN, history: [TimelineSwitch]) {
        self.timeline = timeline
        self.lsn = lsn
        self.replayed = replayed
        self.history = history
    }
}

/// What the files of a stopped server say (8.3).
package struct StoppedServer: Sendable, Codable, Hashable {
    package var control: ControlFile
    /// The timeline of the last WAL record and the end of that record. After a clean stop: the end of the shutdown
    /// checkpoint record.
    package var end: WALPosition
    package var isCleanShutdown: Bool
    /// It last ran as a standby.
    package var wasStandby: Bool
    /// A base backup that has never been started; nil counts as false.
    package var hasBackupLabel: Bool?
    package var history: [TimelineSwitch]
    package init(
        control: ControlFile, end: WALPosition, isCleanShutdown: Bool, wasStandby: Bool, history: [TimelineSwitch]
    ) {
        self.control = control
        self.end = end
        self.isCleanShutdown = isCleanShutdown
        self.wasStandby = wasStandby
        self.history = history
    }
}

/// What one node knows of its own PostgreSQL, from files and from SQL. A fact that could not be read is nil; nothing is
/// guessed. Sources: the data directory, `pg_controldata`, SQL over the local socket, the storage probe.
package struct PostgresFacts: Sendable, Codable, Hashable {
    package var dataDirectory: DataDirectoryState
    /// `pg_control`, read from the file; nil when there is none.
    package var control: ControlFile?
    /// The running server as SQL shows it; nil when it does not accept a connection.
    package var server: ServerFacts?
    /// Why `server` is nil although a connection was tried.
    package var sqlError: String?
    package var storage: StorageHealth
    /// A marker of an unfinished rewind or clone lies beside the data directory (D48).
    package var unfinishedJob: String?
    /// Drawn anew when a clone, rewind or restore of this directory began; kept beside the directory.
    package var dataID: DataID?
    /// Read before the first of these facts was; nil when the reader does not say.
    package var begunAt: ClockStamp?

    package init(dataDirectory: DataDirectoryState, storage: StorageHealth = .healthy) {
        self.dataDirectory = dataDirectory
        self.storage = storage
    }

    /// Which data these are (D60); nil while nobody knows. An interrupted rewind may have left half a control file.
    package var systemIdentifier: UInt64? {
        unfinishedJob == "rewind" ? nil : control?.systemIdentifier ?? server?.systemIdentifier
    }
}

package enum DataDirectoryState: String, Sendable, Codable, Hashable { case missing, empty, present }

/// Result of the storage probe (DE4-DE6): write and fsync of a small file, on a thread of its own.
package enum StorageHealth: String, Sendable, Codable, Hashable { case healthy, stalled, full, broken }

/// What `pg_controldata` prints, as far as decisions need it.
package struct ControlFile: Sendable, Codable, Hashable {
    package enum State: String, Sendable, Codable, Hashable {
        case startingUp = "starting up"
        case shutDown = "shut down"
        case shutDownInRecovery = "shut down in recovery"
        case shuttingDown = "shutting down"
        case inCrashRecovery = "in crash recovery"
        case inArchiveRecovery = "in archive recovery"
        case inProduction = "in production"
    }
    package var systemIdentifier: UInt64
    package var state: State
    /// The timeline of the latest checkpoint.
    package var timeline: TimelineID
    package var checkpointLSN: LSN
    package var redoLSN: LSN
    package var minimumRecoveryLSN: LSN
    package var minimumRecoveryTimeline: TimelineID
    package var hasChecksums: Bool
    package var logHints: Bool
    package init(
        systemIdentifier: UInt64, state: State, timeline: TimelineID, checkpointLSN: LSN, redoLSN: LSN,
        minimumRecoveryLSN: LSN, minimumRecoveryTimeline: TimelineID, hasChecksums: Bool, logHints: Bool
    ) {
        self.systemIdentifier = systemIdentifier
        self.state = state
        self.timeline = timeline
        self.checkpointLSN = checkpointLSN
        self.redoLSN = redoLSN
        self.minimumRecoveryLSN = minimumRecoveryLSN
        self.minimumRecoveryTimeline = minimumRecoveryTimeline
        self.hasChecksums = hasChecksums
        self.logHints = logHints
    }
}

/// A running server, read in one SQL statement batch.
package struct ServerFacts: Sendable, Codable, Hashable {
    package var versionNumber: Int
    package var systemIdentifier: UInt64
    package var isInRecovery: Bool
    /// Of the running WAL: `pg_control_checkpoint` is late after a promotion, so this is taken from the current WAL file
    /// name on a primary, and from the receiver or the replayed timeline on a replica.
    package var timeline: TimelineID
    /// Primary: end of flushed WAL. Replica: nil.
    package var flushLSN: LSN?
    /// Replica: received and flushed by the receiver, also after it stopped.
    package var receivedLSN: LSN?
    package var replayedLSN: LSN?
    package var isReplayPaused: Bool
    package var receiver: ReceiverFacts?
    package var replicas: [StreamingReplica]
    package var slots: [SlotFacts]
    /// As a new session sees it.
    package var synchronousStandbyNames: String
    package var primaryConninfoHost: String?
    package var primaryConninfoPort: Int?
    package var longestTransactionSeconds: Double?
    package var isBaseBackupRunning: Bool
    package var pendingRestart: Bool
    /// Names of the settings whose value in a file needs a restart; nil when the reader does not say.
    package var pendingRestartSettings: [String]?
    /// Running values of `PostgresParameterRules.commandLine`.
    package var commandLineValues: [String: Int]?
    /// What the next start would give the server; a standby's WAL may demand more.
    package var commandLineWanted: [String: Int]?
    package var connections: Int
    package var postmasterStartedAt: String?
    /// It was in recovery when this node found it, started by somebody else; nil when that is not known (P01).
    package var foundInRecovery: Bool?
    /// The switch points of the running server's history, oldest first; empty on timeline 1.
    package var history: [TimelineSwitch]

    package init(versionNumber: Int, systemIdentifier: UInt64, isInRecovery: Bool, timeline: TimelineID) {
        self.versionNumber = versionNumber
        self.systemIdentifier = systemIdentifier
        self.isInRecovery = isInRecovery
        self.timeline = timeline
        isReplayPaused = false
        replicas = []
        slots = []
        synchronousStandbyNames = ""
        isBaseBackupRunning = false
        pendingRestart = false
        connections = 0
        history = []
    }
}

/// `pg_stat_wal_receiver`.
package struct ReceiverFacts: Sendable, Codable, Hashable {
    package var status: String
    package var host: String?
    package var port: Int?
    package var flushedLSN: LSN?
    package var timeline: TimelineID?
    /// The end of WAL that the sender last spoke of; nil when the reader does not say.
    package var upstreamEnd: LSN?
    package init(status: String, host: String? = nil, port: Int? = nil, flushedLSN: LSN? = nil, timeline: TimelineID? = nil) {
        self.status = status
        self.host = host
        self.port = port
        self.flushedLSN = flushedLSN
        self.timeline = timeline
    }
}

/// One row of `pg_stat_replication`.
package struct StreamingReplica: Sendable, Codable, Hashable {
    package var applicationName: String
    package var clientAddress: String?
    package var state: String
    package var syncState: String
    package var sentLSN: LSN?
    package var writeLSN: LSN?
    package var flushLSN: LSN?
    package var replayLSN: LSN?
    package var replayLagSeconds: Double?
    package init(applicationName: String, state: String, syncState: String) {
        self.applicationName = applicationName
        self.state = state
        self.syncState = syncState
    }
}

/// One row of `pg_replication_slots`.
package struct SlotFacts: Sendable, Codable, Hashable {
    package var name: String
    package var isPhysical: Bool
    package var isActive: Bool
    package var retainedBytes: UInt64?
    package var walStatus: String?
    package var restartLSN: LSN?
    package init(name: String, isPhysical: Bool, isActive: Bool) {
        self.name = name
        self.isPhysical = isPhysical
        self.isActive = isActive
    }
}

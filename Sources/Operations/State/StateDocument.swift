import ClusterModel

/// The state document: the only thing that conditions of runbooks and `wait PATH=VALUE` can see (runbooks.md, section 5).
///
/// The names of its fields are a contract. Unknown is null; lists are never null.
package struct StateDocument: Codable, Sendable {
    package struct Cluster: Codable, Sendable {
        @Nullable package var id: String? = nil
        package var name: String
        package var epoch: UInt32
        package var healthy: Bool
    }
    package struct Raft: Codable, Sendable {
        @Nullable package var leader: NodeName? = nil
        package var term: UInt64
        package var commitIndex: UInt64
        package var appliedIndex: UInt64
        package var voters: Int
        package var votersReachable: Int
        package var learners: Int
        package var failuresTolerated: Int
        package var hasQuorum: Bool
        /// `agree disagree unknown`
        package var digestAgreement: String
    }
    package struct Paused: Codable, Sendable {
        package var active: Bool
        @Nullable package var since: String? = nil
        @Nullable package var until: String? = nil
        @Nullable package var reason: String? = nil
        @Nullable package var by: String? = nil
        @Nullable package var byRun: String? = nil
    }
    package struct RestartHold: Codable, Sendable {
        package var active: Bool
        @Nullable package var node: NodeName? = nil
        @Nullable package var until: String? = nil
    }
    package struct Primary: Codable, Sendable {
        @Nullable package var name: NodeName? = nil
        package var verified: Bool
        @Nullable package var acceptingWrites: Bool? = nil
        @Nullable package var since: String? = nil
        @Nullable package var timeline: TimelineID? = nil
        @Nullable package var lsn: LSN? = nil
        @Nullable package var systemIdentifier: String? = nil
        @Nullable package var leaseHolder: NodeName? = nil
        @Nullable package var leaseRemainingSeconds: Double? = nil
    }
    package struct Synchronous: Codable, Sendable {
        package var mode: String
        package var degraded: Bool
        package var required: Int
        package var members: [NodeName]
    }
    package struct Address: Codable, Sendable {
        @Nullable package var address: String? = nil
        @Nullable package var owner: NodeName? = nil
        package var follows: String
        @Nullable package var consistent: Bool? = nil
    }
    package struct Directives: Codable, Sendable {
        package var pending: Int
        @Nullable package var oldestPendingSeconds: Double? = nil
    }
    package struct Operations: Codable, Sendable {
        package struct Active: Codable, Sendable {
            package var id: String
            package var name: String
            @Nullable package var by: String? = nil
            package var startedAt: String
        }
        package var active: [Active]
    }
    package struct Lock: Codable, Sendable {
        package var runID: String
        package var runbook: String
        package var holder: String
        package var startedAt: String
        package var heartbeatAgeSeconds: Double
        package var live: Bool
    }
    package struct Backup: Codable, Sendable {
        @Nullable package var lastID: String? = nil
        @Nullable package var lastSuccessAt: String? = nil
        @Nullable package var ageSeconds: Double? = nil
        package var countGood: Int
        @Nullable package var lastDrillAt: String? = nil
        @Nullable package var drillAgeSeconds: Double? = nil
    }
    package struct Versions: Codable, Sendable {
        @Nullable package var min: String? = nil
        @Nullable package var max: String? = nil
        package var skew: Bool
    }
    package struct Configuration: Codable, Sendable {
        package var drift: Bool
        package var invalidNodes: [NodeName]
    }
    package struct Standby: Codable, Sendable {
        package var active: Bool
        @Nullable package var upstreamSystemIdentifier: String? = nil
        @Nullable package var lagBytes: UInt64? = nil
    }

    package var format = "pgbastion-state"
    package var formatVersion = "1.0"
    package var capturedAt: String
    /// `live recorded simulated`
    package var source = "live"
    package var seenBy: NodeName
    package var cluster: Cluster
    package var raft: Raft
    package var paused: Paused
    package var restartHold: RestartHold
    package var primary: Primary
    package var synchronous: Synchronous
    package var nodes: [StateNode]
    package var vip: Address
    package var splitBrain: Bool
    package var directives: Directives
    package var operations: Operations
    @Nullable package var lock: Lock? = nil
    package var backup: Backup
    package var versions: Versions
    package var config: Configuration
    package var standby: Standby
    /// Filled in for runbooks that run without a daemon; null otherwise.
    @Nullable package var local: LocalState? = nil
}

/// `nodes[]` of the state document.
package struct StateNode: Codable, Sendable {
    package struct Job: Codable, Sendable {
        package var kind: String
        @Nullable package var percent: Int? = nil
    }
    package struct Slot: Codable, Sendable {
        package var name: String
        /// `physical logical`
        package var kind: String
        package var active: Bool
        @Nullable package var retainedBytes: UInt64? = nil
        @Nullable package var walStatus: String? = nil
    }
    package struct Member: Codable, Sendable {
        /// `voter learner none`
        package var suffrage: String
        package var reachable: Bool
        @Nullable package var matchIndex: UInt64? = nil
        @Nullable package var lastTerm: UInt64? = nil
        @Nullable package var lastIndex: UInt64? = nil
        @Nullable package var caughtUp: Bool? = nil
        @Nullable package var clusterID: String? = nil
    }
    package var name: NodeName
    package var address: String
    package var role: NodeRole
    package var state: String
    package var healthy: Bool
    package var reachable: Bool
    package var drained: Bool
    package var fenced: Bool
    package var promotable: Bool
    @Nullable package var promotableReason: String? = nil
    @Nullable package var streaming: Bool? = nil
    @Nullable package var upstream: NodeName? = nil
    package var sync: String
    @Nullable package var lagBytes: UInt64? = nil
    @Nullable package var lagSeconds: Double? = nil
    @Nullable package var lagMeasuredAt: String? = nil
    @Nullable package var lagAgeSeconds: Double? = nil
    @Nullable package var timeline: TimelineID? = nil
    @Nullable package var lsn: LSN? = nil
    @Nullable package var systemIdentifier: String? = nil
    @Nullable package var replayPaused: Bool? = nil
    @Nullable package var version: String? = nil
    @Nullable package var pgVersion: Int? = nil
    @Nullable package var schemaVersion: Int? = nil
    @Nullable package var connections: Int? = nil
    @Nullable package var longestTransactionSeconds: Double? = nil
    @Nullable package var baseBackupRunning: Bool? = nil
    @Nullable package var pendingRestart: Bool? = nil
    @Nullable package var dataBytes: UInt64? = nil
    @Nullable package var dataFreeBytes: UInt64? = nil
    @Nullable package var clockOffsetSeconds: Double? = nil
    @Nullable package var lastSeenSeconds: Double? = nil
    package var job: Job
    package var slots: [Slot]
    package var raft: Member
}

/// `local` of the state document: what the stopped node itself has.
package struct LocalState: Codable, Sendable {
    package struct Postgres: Codable, Sendable {
        package var running: Bool
        @Nullable package var inRecovery: Bool? = nil
        @Nullable package var systemIdentifier: String? = nil
        @Nullable package var timeline: TimelineID? = nil
        @Nullable package var lsn: LSN? = nil
        @Nullable package var controlState: String? = nil
    }
    package struct Member: Codable, Sendable {
        package var name: NodeName
        package var address: String
        package var reachable: Bool
        @Nullable package var clusterID: String? = nil
        @Nullable package var hasLeader: Bool? = nil
    }
    package var node: NodeName
    package var daemonRunning: Bool
    package var guardRunning: Bool
    /// null: there is no configuration file.
    @Nullable package var configValid: Bool? = nil
    package var portsFree: Bool
    @Nullable package var clockSynchronised: Bool? = nil
    /// `missing empty initialised restored recovered`
    package var dataDir: String
    @Nullable package var clusterID: String? = nil
    @Nullable package var epoch: UInt32? = nil
    @Nullable package var lastTerm: UInt64? = nil
    @Nullable package var lastIndex: UInt64? = nil
    @Nullable package var postgres: Postgres? = nil
    package var members: [Member]
}

/// What one node knows of the whole cluster at one moment: its applied state, the leader's last report of every node, and
/// its own Raft and PostgreSQL. Every read of every surface is answered from this value.
package struct ClusterView: Sendable, Codable, Hashable {
    /// nil while the node waits to be added.
    package var clusterID: ClusterID?
    package var clusterName: String
    package var epoch: UInt32
    package var node: NodeName
    package var version: String
    /// RFC 3339 UTC, filled in by the shell.
    package var capturedAt: String
    /// Seconds without leader contact; 0 when current.
    package var staleSeconds: Double
    package var raft: RaftView
    /// Members of the Raft configuration, sorted by name.
    package var peers: [PeerView]
    /// Registered nodes, sorted by name.
    package var nodes: [NodeView]
    package var primary: PrimaryView?
    package var paused: PauseView?
    package var hold: HoldView?
    package var synchronous: SynchronousView
    package var operation: OperationView?
    /// Finished operations, newest first.
    package var recentOperations: [OperationView]
    package var directives: [DirectiveView]
    /// Checks of this node's PostgreSQL, newest first, at most 100.
    package var healthChecks: [HealthCheckView]
    package var splitBrain: Bool
    package var vipOwner: NodeName?
    package var vipReason: String?
    /// nil when none is configured on this node.
    package var virtualAddress: VirtualAddressView?
    package var job: JobProgress
    /// Failovers and switchovers: `[timeline, lsn, reason, time, new_primary]` of Patroni's /history.
    package var history: [TimelineView]
    /// This node's own `GET /health` status and reasons.
    package var health: HealthView
    package var systemIdentifier: UInt64?
    /// The decision record, oldest first, at most 512. Left out of what nodes send each other (`NodeRequest.view`).
    package var decisions: [DecisionRecord] = []
    /// Managed settings of PostgreSQL; nil: none was ever set.
    package var postgresParameters: PostgresParametersView?
    /// Named tokens of the API, in order of their names.
    package var tokens: [TokenView]
    /// What holds for the whole cluster.
    package var settings: SettingsView
    /// Set after a restore or a recovery until every former node is accounted for.
    package var barrier: BarrierView?
    /// The cluster this one was restored or recovered from.
    package var parentClusterID: ClusterID?
    /// The backup catalogue, oldest first, at most 50.
    package var backups: [BackupRecord] = []
    /// Locks of runbooks' runs.
    package var locks: [RunLock] = []
    /// Runs of runbooks, oldest first, at most 100.
    package var runs: [RunSummary] = []
    /// nil: this cluster follows no other one.
    package var standby: StandbyView?

    package init(node: NodeName, clusterName: String, version: String) {
        self.node = node
        self.clusterName = clusterName
        self.version = version
        epoch = 0
        capturedAt = ""
        staleSeconds = 0
        raft = RaftView()
        peers = []
        nodes = []
        synchronous = SynchronousView()
        recentOperations = []
        directives = []
        healthChecks = []
        splitBrain = false
        job = JobProgress()
        history = []
        health = HealthView()
        tokens = []
        settings = SettingsView()
    }
}

package struct RaftView: Sendable, Codable, Hashable {
    /// `Leader`, `Follower`, `Candidate` or `Learner` (E01).
    package var state = "Follower"
    package var isLeader = false
    package var leader: NodeName?
    package var leaderAddress: String?
    package var term: UInt64 = 0
    package var commitIndex: UInt64 = 0
    package var appliedIndex: UInt64 = 0
    package var lastLogIndex: UInt64 = 0
    /// Milliseconds since the leader was heard; 0 on the leader; nil when never.
    package var lastContactMilliseconds: Int64?
    package var voters = 0
    package var votersReachable = 0
    package var hasQuorum = false
    package var failuresTolerated = 0
    /// CS6: `agree disagree unknown`
    package var digestAgreement = "unknown"
    package init() {}
}

package struct PeerView: Sendable, Codable, Hashable {
    package enum Suffrage: String, Sendable, Codable, CaseIterable { case voter, learner }
    package var name: NodeName
    /// `host:port` of Raft.
    package var address: String
    package var suffrage: Suffrage
    package var isLeader: Bool
    package var reachable: Bool
    package var lastContactMilliseconds: Int64?
    package var matchIndex: UInt64?
    package var version: String?
    package init(name: NodeName, address: String, suffrage: Suffrage, isLeader: Bool, reachable: Bool) {
        self.name = name
        self.address = address
        self.suffrage = suffrage
        self.isLeader = isLeader
        self.reachable = reachable
    }
}

package struct NodeView: Sendable, Codable, Hashable {
    package var name: NodeName
    package var host: String
    package var postgresPort: Int
    package var kind: NodeKind
    package var role: NodeRole
    /// `starting running streaming catching_up cloning rewinding stopped fenced failed unreachable`
    package var state: String
    package var standing: String
    package var standingReason: String?
    package var lagBytes: UInt64?
    package var lagSeconds: Double?
    package var timeline: TimelineID?
    package var lsn: LSN?
    package var streaming: Bool?
    package var upstream: NodeName?
    /// `none async potential quorum sync`
    package var sync: String
    package var version: String?
    package var postgresVersion: Int?
    package var lastSeenSeconds: Double?
    package var healthy: Bool
    package var inRotation: Bool
    package var rotationReason: String?
    package var promotable: Bool
    package var promotableReason: String?
    /// Every objection, each with its rule.
    package var promotableReasons: [String] = []
    package var pendingRestart: Bool
    /// Settings whose wanted value needs a restart of this server.
    package var pendingRestartSettings: [String] = []
    /// Running values of `PostgresParameterRules.commandLine`.
    package var commandLineValues: [String: Int] = [:]
    /// The version of the managed settings that this server has taken; nil when it does not run.
    package var parametersVersion: UInt64?
    package var isBaseBackupRunning: Bool?
    /// The running server was started by somebody else and taken over.
    package var isAdopted = false
    package var drained = false
    /// `guard_confirmation` or `lease_end` when `standing` is `fenced` and that is proven.
    package var fenceMethod: String?
    package var connections: Int?
    package var longestTransactionSeconds: Double?
    package var isInRecovery: Bool?
    package var systemIdentifier: UInt64?
    /// The virtual address as that node sees it; nil when it has none configured.
    package var virtualAddress: VirtualAddressView?
    /// `http://HOST:PORT` of the node's own API, as the node says.
    package var apiURL: String?
    package var receivedLSN: LSN?
    package var replayedLSN: LSN?
    package var isReplayPaused: Bool?
    package var postmasterStartedAt: String?
    package var slots: [SlotFacts]
    /// The primary's row of `pg_stat_replication` for this node.
    package var replication: StreamingReplica?
    package var job: JobProgress

    package init(name: NodeName, host: String, postgresPort: Int, kind: NodeKind) {
        self.name = name
        self.host = host
        self.postgresPort = postgresPort
        self.kind = kind
        role = .unknown
        state = "unreachable"
        standing = "joining"
        sync = "none"
        healthy = false
        inRotation = false
        promotable = false
        pendingRestart = false
        slots = []
        job = JobProgress()
    }
}

package struct PrimaryView: Sendable, Codable, Hashable {
    package var name: NodeName
    package var token: FencingToken
    package var timeline: TimelineID
    /// `assigned serving ended`
    package var phase: String
    package var lsn: LSN?
    /// Known on the holder's node only.
    package var leaseRemainingSeconds: Double?
    package init(name: NodeName, token: FencingToken, timeline: TimelineID, phase: String) {
        self.name = name
        self.token = token
        self.timeline = timeline
        self.phase = phase
    }
}

package struct PauseView: Sendable, Codable, Hashable {
    package var reason: String
    package var by: String
    package var since: String
    package var forSeconds: Double?
    /// The run of a runbook that paused.
    package var byRun: String?
    package init(reason: String, by: String, since: String, forSeconds: Double?) {
        self.reason = reason
        self.by = by
        self.since = since
        self.forSeconds = forSeconds
    }
}

/// Cluster-wide settings in force.
package struct SettingsView: Sendable, Codable, Hashable {
    package var leaseSeconds = 0.0
    package var restartHoldSeconds = 0.0
    /// Without synchronous replication a replica further behind is not promoted automatically; nil: no limit.
    package var maxLagBytes: UInt64?
    package var synchronousWanted = 1
    package init() {}
}

package struct HoldView: Sendable, Codable, Hashable {
    package var node: NodeName
    package var seconds: Double
    package var reason: String
    /// An operator's: it lasts although the daemon is there.
    package var isOrdered: Bool
    /// RFC 3339 UTC; nil when it is not known when it began.
    package var until: String?
    package init(node: NodeName, seconds: Double, reason: String = "", isOrdered: Bool = false, until: String? = nil) {
        self.node = node
        self.seconds = seconds
        self.reason = reason
        self.isOrdered = isOrdered
        self.until = until
    }
}

package struct SynchronousView: Sendable, Codable, Hashable {
    /// `off quorum strict`
    package var mode = "off"
    package var degraded = false
    package var required = 0
    package var members: [NodeName] = []
    package init() {}
}

/// A failover, switchover, bootstrap or reinitialization: running or finished.
package struct OperationView: Sendable, Codable, Hashable {
    package struct Phase: Sendable, Codable, Hashable {
        package var name: String
        package var detail: String
        package var elapsedSeconds: Double
        package init(name: String, detail: String, elapsedSeconds: Double) {
            self.name = name
            self.detail = detail
            self.elapsedSeconds = elapsedSeconds
        }
    }
    package enum Result: String, Sendable, Codable, CaseIterable { case running, succeeded, failed, undone }
    package var id: String
    /// `failover switchover bootstrap reinitialize`
    package var kind: String
    package var phase: String
    package var phases: [Phase]
    package var from: NodeName?
    package var to: NodeName?
    package var result: Result
    package var message: String
    package var startedAt: String
    package var finishedAt: String?
    package var requestID: String?
    package var oldTimeline: TimelineID?
    package var newTimeline: TimelineID?
    package var lsn: LSN?
    package var lostBytesMax: UInt64?
    package var provenLossless: Bool?
    package var fenceMethod: String?
    /// A restart: for how long the server did not answer.
    package var outageSeconds: Double?
    package init(id: String, kind: String, phase: String, startedAt: String) {
        self.id = id
        self.kind = kind
        self.phase = phase
        self.startedAt = startedAt
        phases = []
        result = .running
        message = ""
    }
}

package struct DirectiveView: Sendable, Codable, Hashable {
    package var id: String
    package var type: String
    package var targetNode: NodeName
    package var params: [String: String]
    package var status: String
    package var createdAt: String
    package var completedAt: String?
    package var error: String?
    package var term: UInt64
    package var expiresAt: String?
    package init(id: String, type: String, targetNode: NodeName, status: String, createdAt: String, term: UInt64) {
        self.id = id
        self.type = type
        self.targetNode = targetNode
        self.status = status
        self.createdAt = createdAt
        self.term = term
        params = [:]
    }
}

package struct HealthCheckView: Sendable, Codable, Hashable {
    package var timestamp: String
    package var durationMilliseconds: Double
    package var healthy: Bool
    package var error: String?
    package init(timestamp: String, durationMilliseconds: Double, healthy: Bool, error: String?) {
        self.timestamp = timestamp
        self.durationMilliseconds = durationMilliseconds
        self.healthy = healthy
        self.error = error
    }
}

package struct HealthView: Sendable, Codable, Hashable {
    /// First that applies of `split_brain fenced no_quorum postgres_down no_backends starting ok` (E07).
    package var status = "starting"
    package var reasons: [String] = []
    package var role: NodeRole = .unknown
    package var proxyHealthy = false
    package init() {}
}

/// A clone or rewind under way on one node (X03).
package struct JobProgress: Sendable, Codable, Hashable {
    /// `none clone rewind`
    package var kind = "none"
    /// `idle connecting fetching_files copying complete failed`
    package var phase = "idle"
    package var percent: Double?
    package var bytesTotal: UInt64?
    package var bytesCopied: UInt64?
    /// Of a clone; a rewind does not say.
    package var filesCopied: UInt64?
    /// RFC 3339.
    package var startedAt: String?
    package var error: String?
    /// The last lines of the program, oldest first, at most 20.
    package var recentOutput: [String]?
    package init() {}
}

package struct TimelineView: Sendable, Codable, Hashable {
    package var timeline: TimelineID
    package var forkLSN: LSN?
    package var reason: String
    package var at: String
    package var node: NodeName
    package init(timeline: TimelineID, forkLSN: LSN?, reason: String, at: String, node: NodeName) {
        self.timeline = timeline
        self.forkLSN = forkLSN
        self.reason = reason
        self.at = at
        self.node = node
    }
}

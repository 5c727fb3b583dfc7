import ClusterModel

/// What every member agrees on: the state machine that the Raft log drives (section 3 of failover.md).
///
/// - Invariant: Changed only by `apply`, a total and deterministic function of (state, entry): no clock, no randomness,
///   no I/O, sorted iteration (CS1). Times inside are display data.
package struct ClusterState: Sendable, Codable, Hashable {
    package var format = 1
    /// nil until `InitCluster` is applied.
    package var cluster: ClusterIdentity?
    package var systemIdentifier: UInt64?
    package var nodes: [NodeName: NodeRecord] = [:]
    /// Member ids that were removed and must stay out; at most `Caps.tombstones`, oldest first.
    package var tombstones: [MemberID] = []
    package var primary: PrimaryRecord?
    /// The highest token ever assigned.
    package var lastToken = FencingToken.never
    /// The highest timeline ever assigned or found at bootstrap (AG9).
    package var lastTimeline = TimelineID(0)
    package var leases = LeaseTerms()
    package var hold: HoldRecord?
    package var paused: PauseRecord?
    package var synchronous = SynchronousRecord()
    package var operation: OperationRecord?
    /// Finished operations, oldest first.
    package var finished: [OperationRecord] = []
    package var directives: [DirectiveRecord] = []
    package var timelines: [TimelineRecord] = []
    package var certificates: [LossCertificate] = []
    package var decisions: [DecisionRecord] = []
    /// Managed settings of PostgreSQL; nil: none was ever set.
    package var postgresParameters: PostgresParametersRecord?
    /// Results of requests already carried out, oldest first (CS5).
    package var idempotency: [IdempotencyRecord] = []
    /// Named tokens of the API; nil in the state of a cluster that never had one.
    package var tokens: [TokenRecord]?
    /// The cluster that this one follows, or followed; nil: none ever.
    package var standby: StandbyRecord?
    /// Set by a restore until a primary serves (4.12).
    package var barrier: BarrierRecord?
    /// The backup catalogue, oldest first; nil: nothing was ever recorded.
    package var backups: [BackupRecord]?
    /// Windows of `--once-per`, oldest first.
    package var backupClaims: [BackupClaim]?
    /// Locks of runbooks' runs, oldest first.
    package var locks: [RunLock]?
    /// Runs of runbooks, oldest first.
    package var runs: [RunSummary]?

    /// Named limits of section 3.1.
    package enum Caps {
        package static let nodes = 16
        package static let voters = 9
        package static let tombstones = 256
        package static let finished = 200
        package static let directives = 256
        package static let timelines = 128
        package static let certificates = 64
        package static let decisions = 512
        package static let idempotency = 4096
        package static let ackRules = 8
        package static let parameters = 512
        package static let parameterBytes = 64 << 10
        package static let tokens = 64
        package static let backups = 50
        package static let backupClaims = 64
        package static let locks = 16
        package static let runs = 100
    }

    package init() {}

    /// The nodes in order of their names.
    package var sortedNodes: [NodeRecord] { nodes.values.sorted { $0.name < $1.name } }
    /// Members with data; what a restore left of former ones does not count.
    package var dataNodes: [NodeRecord] { sortedNodes.filter { $0.kind == .data && !$0.isFormerMember } }
    /// The nodes that are to be in the Raft configuration, in order of their names.
    package var memberNodes: [NodeRecord] { sortedNodes.filter { !$0.isFormerMember } }
    package func node(_ member: MemberID) -> NodeRecord? { memberNodes.first { $0.memberID == member } }
}

package struct ClusterIdentity: Sendable, Codable, Hashable {
    package var id: ClusterID
    package var epoch: UInt32
    package var name: String
    /// Raised when all members support it (RA20).
    package var features: UInt32
    /// The cluster that this one was restored or recovered from.
    package var parentID: ClusterID?
    package init(id: ClusterID, epoch: UInt32, name: String, features: UInt32 = 1) {
        self.id = id
        self.epoch = epoch
        self.name = name
        self.features = features
    }
}

/// Where a data node stands on its way to being a candidate.
package enum Standing: String, Sendable, Codable, Hashable, CaseIterable {
    case joining, cloning, ready, diverged, rewinding, quarantined, fenced, refused
}

package struct NodeRecord: Sendable, Codable, Hashable {
    package var name: NodeName
    package var memberID: MemberID
    package var host: String
    package var raftPort: Int
    package var postgresPort: Int
    package var kind: NodeKind
    package var tags: NodeTags
    package var standing: Standing
    package var standingReason: String
    package var dataID: DataID?
    package var drained = false
    /// How long sessions may go on after `drained` was set; nil: as each proxy is configured (PX3).
    package var drainMilliseconds: Int64?
    /// Set while `standing` is `fenced`.
    package var fence: FenceRecord?
    /// Stays a learner (`peer add --learner`).
    package var learnerOnly = false
    /// Known from a restored state only: no member until it was reset and added again (4.12).
    package var isFormer: Bool?

    package init(
        name: NodeName, memberID: MemberID, host: String, raftPort: Int, postgresPort: Int, kind: NodeKind,
        tags: NodeTags = NodeTags(), learnerOnly: Bool = false
    ) {
        self.name = name
        self.memberID = memberID
        self.host = host
        self.raftPort = raftPort
        self.postgresPort = postgresPort
        self.kind = kind
        self.tags = tags
        self.learnerOnly = learnerOnly
        standing = .joining
        standingReason = ""
    }

    package var isFormerMember: Bool { isFormer == true }
    package var endpoint: PostgresEndpoint { PostgresEndpoint(node: name, host: host, port: postgresPort) }
}

/// An operator's fence, and how it was proven that the node is not writable.
package struct FenceRecord: Sendable, Codable, Hashable {
    package enum Method: String, Sendable, Codable, Hashable {
        /// The node's guard said that no process of the server is left, or that none is writable.
        case guardConfirmation = "guard_confirmation"
        /// The last lease that this node can have had has provably ended (LE8).
        case leaseEnd = "lease_end"
    }
    /// nil: not yet proven.
    package var method: Method?
    package init(method: Method? = nil) { self.method = method }
}

package struct NodeTags: Sendable, Codable, Hashable {
    package var nofailover = false
    package var priority = 100
    package var nosync = false
    package var noloadbalance = false
    package var clonefrom = false
    package init() {}
}

package struct PrimaryRecord: Sendable, Codable, Hashable {
    package enum Phase: String, Sendable, Codable, Hashable {
        case assigned, serving
        /// Final: no lease for this token ever again.
        case ended
    }
    package var token: FencingToken
    package var node: NodeName
    package var memberID: MemberID
    package var guardIncarnation: GuardIncarnation
    package var timeline: TimelineID
    package var phase: Phase
    package var basis: AssignmentBasis
    package var released: ReleaseEvidence?
    /// SE8: the rules that this appointment drops with their accepted loss; in force again if it is abandoned.
    package var rulesSetAside: [AckRule]?
}

/// LE8: why no other server of this cluster can be writable any more.
package enum AssignmentBasis: String, Sendable, Codable, Hashable { case never, released, expired, sameNode, attested }

/// How a holder gave its lease up (LE10, LE11).
package struct ReleaseEvidence: Sendable, Codable, Hashable {
    package enum Manner: String, Sendable, Codable, Hashable { case cleanStop, crash, fenced, empty, failedPromotion }
    package var manner: Manner
    package var endOfWAL: WALPosition?
    package init(manner: Manner, endOfWAL: WALPosition?) {
        self.manner = manner
        self.endOfWAL = endOfWAL
    }
}

package struct LeaseTerms: Sendable, Codable, Hashable {
    /// What grants carry.
    package var durationMilliseconds: Int64 = 3000
    /// What expiry waits for; never below the duration of any grant that may still count.
    package var waitMilliseconds: Int64 = 3000
    package var mode = LeaseMode.timed
    /// Counts the changes of `durationMilliseconds`, so that a guard's confirmation is not taken for that of an earlier change.
    package var generation: UInt64?
    /// What a pause raised, and a resume goes back to (4.11); nil: the duration in force is the usual one.
    package var usualMilliseconds: Int64?
    package init() {}
}

package struct HoldRecord: Sendable, Codable, Hashable {
    package var id: UInt64
    package var token: FencingToken
    package var guardIncarnation: GuardIncarnation
    package var durationMilliseconds: Int64
    package var reason: String
    /// An operator asked for it (`node restart-hold`): it ends with its time or by `ReleaseHold`, not when a daemon returns.
    package var isOrdered: Bool?
    /// Milliseconds of the proposer's wall clock; display only (D9).
    package var since: Int64?
    package init(
        id: UInt64, token: FencingToken, guardIncarnation: GuardIncarnation, durationMilliseconds: Int64, reason: String,
        isOrdered: Bool? = nil, since: Int64? = nil
    ) {
        self.id = id
        self.token = token
        self.guardIncarnation = guardIncarnation
        self.durationMilliseconds = durationMilliseconds
        self.reason = reason
        self.isOrdered = isOrdered
        self.since = since
    }
}

package struct PauseRecord: Sendable, Codable, Hashable {
    package var id: String
    package var reason: String
    package var by: String
    package var since: Int64
    package var durationMilliseconds: Int64?
    /// The run of a runbook that paused.
    package var byRun: String?
    package init(
        id: String, reason: String, by: String, since: Int64, durationMilliseconds: Int64?, byRun: String? = nil
    ) {
        self.byRun = byRun
        self.id = id
        self.reason = reason
        self.by = by
        self.since = since
        self.durationMilliseconds = durationMilliseconds
    }
}

package struct IdempotencyRecord: Sendable, Codable, Hashable {
    package var requestID: RequestID
    package var result: ApplyResult
    package init(requestID: RequestID, result: ApplyResult) {
        self.requestID = requestID
        self.result = result
    }
}

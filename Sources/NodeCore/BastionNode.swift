import ClusterModel
import FailoverCore
import RaftCore

/// The whole brain of one node: Raft, the replicated cluster state, the failover decision, the node agent's next step.
///
/// Synchronous; takes time and randomness as input; never throws, never logs, never awaits. The daemon feeds it facts from
/// the real world, the simulator feeds it invented ones: the glue between Raft and failover is inside.
package struct BastionNode: Sendable {
    package let identity: NodeIdentity
    let startedAt: ClockStamp
    package internal(set) var raft: RaftNode
    package internal(set) var state = ClusterState()
    package internal(set) var agent = NodeAgent()
    package internal(set) var policy: FailoverPolicy
    var holder: LeaseHolder
    /// Present while this node leads (LE8).
    package internal(set) var ledger: LeaseLedger?

    // What this node knows of itself.
    package internal(set) var guardStatus: GuardStatus?
    package internal(set) var facts: PostgresFacts?
    package internal(set) var pledgedBallot: FencingToken
    // What it knows of the others; never in the log.
    var reports: [NodeName: TimedReport] = [:]
    var leaderReport: ClusterReport?
    var leaderReportAt: ClockStamp?
    var lastLeaderContact: ClockStamp?

    // Book-keeping of this step and of what is under way.
    var now: ClockStamp
    var wallTime: Int64 = 0
    var effects: [NodeEffect] = []
    var tickDebt: Int64 = 0
    var lastTickAt: ClockStamp
    var appliedTerm = Term.zero
    var nextActionID: UInt64 = 0
    var actions: [UInt64: PostgresAction] = [:]
    var nextReadContext: UInt64 = 0
    var linearReads: [UInt64: UInt64] = [:]
    var confirmedReads: [(id: UInt64, index: LogIndex)] = []
    var proposals: [LogIndex: PendingProposal] = [:]
    var policyIndex: LogIndex?
    var policyProposedAt: ClockStamp?
    var pendingAdds: [PendingAdd] = []
    var pendingRemovals: [PendingRemoval] = []
    var decision = PolicyDecision()
    var refusals = RefusalMemory()
    /// CS6: the digest of the state at the last mark this node passed.
    package internal(set) var stateMark: StateMark?
    /// The digests at the last marks, oldest first.
    var stateMarks: [StateMark] = []
    /// Archives that somebody waits for, by the id of their mark.
    var awaitedArchives: [String] = []
    /// The members as of the applied index.
    var appliedMembership: (index: LogIndex, membership: Membership)
    var knownDisagreement = false
    /// The last requests of operators, while this node leads: who asked for what, and why.
    var asked: [AskedRequest] = []
    var ordersInForce: [NodeName: NodeOrder] = [:]
    var sentReportAt: ClockStamp?
    var sentReportKey: ReportKey?
    var broadcastAt: ClockStamp?
    var broadcastDue = false
    var reportSequence: UInt64 = 0
    var publishedRoute: RoutingTable?
    var publishedPeers: [PeerEndpoint]?
    var observeInterval: Duration?
    var agentAt: ClockStamp?
    /// Steps that may be repeated, but not at once.
    var repeatedSteps: [(step: AgentStep, at: ClockStamp)] = []
    var wasLeader = false
    var knownLeader: ServerID?
    /// The last leader there was, for the count of changes.
    var lastLeader: ServerID?
    /// When this leader proposed what is not applied yet.
    var proposedAt: [LogIndex: ClockStamp] = [:]
    var ledSince: ClockStamp?
    var transferredAt: ClockStamp?
    var stopping: Stopping?
    var orderedHold: OrderedHold?
    var snapshotWanted = false
    var appliedSinceSnapshot = 0
    var bytesSinceSnapshot = 0
    var wasSplitBrain = false
    var isRemoved = false
    /// Section 10; nil without `vip.address`.
    var address: AddressDuty?
    /// RA14: the end of the log at the start; before it is applied again the state is that of an old snapshot.
    let replayTarget: LogIndex
    /// RA18: the oldest write that is not durable yet, and since when it is waited for.
    var waitingWrite: (number: UInt64, since: ClockStamp)?
    /// RA18: after a pause of this process the policy waits one lease.
    var policyNotBefore: ClockStamp?

    package init(
        identity: NodeIdentity, durable: DurableState, settings: NodeSettings, pledgedBallot: FencingToken, seed: UInt64,
        now: ClockStamp
    ) throws {
        self.identity = identity
        self.pledgedBallot = pledgedBallot
        self.now = now
        startedAt = now
        lastTickAt = now
        raft = RaftNode(
            id: ServerID(rawValue: identity.memberID.rawValue), settings: settings.raft, durable: durable,
            initialMembership: Membership(), seed: seed)
        replayTarget = raft.lastIndex
        appliedMembership = (durable.snapshot?.index ?? .zero, durable.snapshot?.membership ?? Membership())
        policy = FailoverPolicy(settings: settings.policy)
        holder = LeaseHolder(daemon: identity.daemon)
        address = settings.virtualAddress.map(AddressDuty.init)
        if let snapshot = durable.snapshot {
            state = try StateCodec.decode(ClusterState.self, snapshot.data)
            appliedTerm = snapshot.term
        }
    }

    /// The log of a new cluster: one voter, this member (K06). Written before the first start.
    package static func bootstrapBatch(member: MemberID) -> PersistBatch {
        let membership = Membership(voters: [ServerID(rawValue: member.rawValue)])
        let entry = LogEntry(index: LogIndex(1), term: Term(1), kind: .membership, payload: membership.encoded())
        return PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: [entry])
    }

    /// One step: what happened in, what is to be done out, in order.
    ///
    /// - Parameters:
    ///   - now: Read after the input was received and before this call (LE2).
    ///   - wallTime: Milliseconds since 1970; display only (D9).
    package mutating func step(_ input: NodeInput, now: ClockStamp, wallTime: Int64) -> [NodeEffect] {
        self.now = now
        self.wallTime = wallTime
        effects.removeAll(keepingCapacity: true)
        passTime()
        handle(input)
        drainRaft()
        if isRemoved { return effects }
        renewLease()
        holdAddress()
        runAgent(isTick: input.isTick)
        lead()
        drainRaft()
        report()
        route()
        return effects
    }

    private mutating func handle(_ input: NodeInput) {
        switch input {
        case .tick: break
        case .message(let from, let message): receive(message, from: from)
        case .persisted(let number):
            if let waiting = waitingWrite, waiting.number <= number { waitingWrite = nil }
            raft.persisted(through: number)
        case .observed(let facts): self.facts = facts
        case .guardReported(let report): guardReported(report)
        case .guardLost: guardStatus = nil
        case .addressReported(let status): addressReported(status)
        case .effectFinished(let id, let outcome):
            guard let action = actions.removeValue(forKey: id) else { return }
            agent.finished(action, outcome, now: now)
            noteFailure(action, outcome)
        case .jobProgressed(let progress): agent.progressed(progress)
        case .pledgePersisted(let ballot): pledgedBallot = max(pledgedBallot, ballot)
        case .request(let id, let request, let metadata, let peer): handle(request, id: id, metadata, peer)
        case .read(let id):
            nextReadContext += 1
            linearReads[nextReadContext] = id
            raft.read(context: nextReadContext)
        case .stop: beginStop()
        case .restart(let milliseconds): beginStop(holding: milliseconds)
        case .settingsChanged(let settings): policy.settings = settings
        case .stateDigested(let mark): digested(mark)
        case .awaitArchive(let id): awaitArchive(id)
        case .archiveNow(let id): handOutState(id)
        }
    }

    /// Raft counts ticks of 10 ms of raw time.
    private mutating func passTime() {
        let pause = now.since(lastTickAt)
        // Not extended while it runs: a machine that is always slow must still decide.
        if pause > .milliseconds(250), policyNotBefore.map({ now.raw >= $0.raw }) ?? true {
            policyNotBefore = now.advanced(by: .milliseconds(state.leases.durationMilliseconds))
        }
        tickDebt += max(0, now.raw - lastTickAt.raw)
        lastTickAt = now
        raft.settings.prefersNotToLead = state.primary?.memberID == identity.memberID  // RA17
        let ticks = tickDebt / NodeSettings.tickNanoseconds
        guard ticks > 0 else { return }
        tickDebt -= ticks * NodeSettings.tickNanoseconds
        // RA18: after a long pause only as much time passes at once as a leader needs to notice that it is cut off.
        raft.tick(Int(min(ticks, 400)))
    }

    private mutating func guardReported(_ report: GuardReport) {
        // What SQL said of a server that has ended since says nothing of the next one.
        if guardStatus?.postmasterPID != report.status.postmasterPID { facts?.server = nil }
        guardStatus = report.status
        switch report {
        case .status: break
        case .refused(let rule, let reason, _):
            log(.warning, "guard.refused", "the guard refused an order: \(reason)", ["rule": rule])
        }
    }

    private mutating func noteFailure(_ action: PostgresAction, _ outcome: PostgresOutcome) {
        guard case .failed(let error) = outcome else { return }
        log(.warning, "agent.action_failed", error.message, ["action": action.name, "detail": error.detail ?? ""])
    }

    mutating func log(
        _ level: NodeEvent.Level = .info, _ name: String, _ message: String, _ fields: [String: String] = [:]
    ) {
        effects.append(.log(NodeEvent(level, name, message, fields)))
    }
}

/// Who a node is; fixed for the life of its daemon.
package struct NodeIdentity: Sendable, Hashable {
    package var name: NodeName
    package var memberID: MemberID
    package var daemon: DaemonIncarnation
    package var host: String
    package var raftPort: Int
    package var postgresPort: Int
    package var kind: NodeKind
    package var tags: NodeTags
    package var clusterName: String
    package var clusterID: ClusterID?
    /// `raft.bootstrap`: it may initialise the data of a cluster that has none.
    package var mayInitialise: Bool
    package var version: String
    /// `http://HOST:PORT` of this node's API.
    package var apiURL: String?
    package init(
        name: NodeName, memberID: MemberID, daemon: DaemonIncarnation, host: String, raftPort: Int, postgresPort: Int,
        kind: NodeKind, tags: NodeTags = NodeTags(), clusterName: String, clusterID: ClusterID?, mayInitialise: Bool,
        version: String
    ) {
        self.name = name
        self.memberID = memberID
        self.daemon = daemon
        self.host = host
        self.raftPort = raftPort
        self.postgresPort = postgresPort
        self.kind = kind
        self.tags = tags
        self.clusterName = clusterName
        self.clusterID = clusterID
        self.mayInitialise = mayInitialise
        self.version = version
    }
}

package struct NodeSettings: Sendable, Hashable {
    static let tickNanoseconds: Int64 = 10_000_000
    package var raft = RaftSettings()
    package var policy = PolicySettings()
    /// nil: none is configured.
    package var virtualAddress: VirtualAddressSettings?
    package init() {}
}

extension NodeInput {
    var isTick: Bool { if case .tick = self { true } else { false } }
}

extension PostgresAction {
    /// The case's name, for logs.
    package var name: String {
        switch self {
        case .initialize: "initialize"
        case .prepareStandby: "prepare_standby"
        case .prepareInPlaceStart: "prepare_in_place_start"
        case .applySettings: "apply_settings"
        case .ensureRoles: "ensure_roles"
        case .ensureSlots: "ensure_slots"
        case .stopReceiver: "stop_receiver"
        case .proveSynchronousWait: "prove_synchronous_wait"
        case .checkpoint: "checkpoint"
        case .reserveTimeline: "reserve_timeline"
        case .inspectStopped: "inspect_stopped"
        case .clone: "clone"
        case .rewind: "rewind"
        case .finishRejoin: "finish_rejoin"
        case .quarantine: "quarantine"
        }
    }
}

import ClusterModel

/// What an agent remembers between evaluations: its running job, and what it found out about the stopped server.
struct AgentMemory: Sendable {
    /// The running job of the main lane; pledges have a lane of their own, checkpoints and slots run beside.
    private(set) var job: PostgresAction?
    private(set) var pledgeJob: PostgresAction?
    private(set) var backgroundJob: PostgresAction?
    /// The files of the server since it last stopped.
    private(set) var stopped: StoppedServer?
    private(set) var stoppedAt: ClockStamp?
    /// The settings the adapter applied last.
    private(set) var applied: ManagedSettings?
    /// How the next start was prepared: with or without `standby.signal` (AG14).
    private(set) var preparedStart: StartKind?
    private(set) var received: ReceivedPosition?
    private(set) var receivedBallot = FencingToken.never
    /// The ballot for which the running `stopReceiver` was begun: what it measures answers no later one.
    private var stoppingBallot = FencingToken.never
    var persistingBallot = FencingToken.never
    var wantedBallot = FencingToken.never
    var pledgeAnswered = false
    /// Nothing is tried again before this instant, after a failure.
    private(set) var retryAt: ClockStamp?
    private(set) var rewindFailed = false
    var state = "starting"
    var promoted: PromotionReport?
    var failedToken: FencingToken?
    var failure: String?
    var reservedFor: FencingToken?
    var preparedFor: FencingToken?
    var checkpointedFor: FencingToken?
    var rolesFor: FencingToken?
    var slotsKept: [String] = []
    /// Slots of removed members, until a listing shows that they are gone.
    var slotsToDrop: Set<String> = []
    var slotsAt: ClockStamp?
    /// SE9: since when a new session shows the names of `settlingGeneration`, and the flush position sampled 1 s later.
    var settlingGeneration: UInt64?
    var settlingSince: ClockStamp?
    var settlingTarget: LSN?
    var settledGeneration: UInt64?
    var directiveResults: [String: String?] = [:]
    var runningDirective: String?
    /// RESTART: the checkpoint that makes the stop short was begun for this directive.
    var checkpointedForRestart: String?
    /// RESTART: since when the server does not answer, and for how long it did not.
    var stoppedForRestart: (id: String, at: ClockStamp)?
    var outages: [String: Double] = [:]
    /// The clone or rewind of `runningDirective` was begun.
    var reinitialized = false
    var progress = JobProgress()
    var notStreamingSince: ClockStamp?
    /// The highest end of WAL that the sender of the stream spoke of.
    private(set) var upstreamEnd: LSN?
    /// What a clone or rewind left does not fit the present primary.
    var completedJobDiverged = false
    private var startAskedAt: ClockStamp?
    private var wasRunning = false

    /// A start takes a moment to be seen: it is asked for at most every 500 ms.
    mutating func mayAskForStart(_ now: ClockStamp) -> Bool {
        if let startAskedAt, now.since(startAskedAt) < .milliseconds(500) { return false }
        startAskedAt = now
        return true
    }
    private var lookedAt: ClockStamp?

    mutating func observe(_ c: AgentContext) {
        let runs = c.guardStatus?.postmasterPID != nil
        if runs && !wasRunning { stopped = nil }
        if !runs && wasRunning {
            startAskedAt = nil
            stopped = nil
            applied = nil
        }
        if runs { preparedStart = nil }
        wasRunning = runs
        if let at = retryAt, c.now.raw >= at.raw { retryAt = nil }
        let streams = c.server?.receiver?.status == "streaming"
        if streams, let server = c.server {
            // A sender that has nothing to say since it began names no end; what was received it had.
            upstreamEnd = max(upstreamEnd ?? .zero, server.receiver?.upstreamEnd ?? .zero, server.receivedLSN ?? .zero)
        }
        notStreamingSince = runs && !streams ? notStreamingSince ?? c.now : nil
        let open = Set(c.state.directives.filter { $0.targetNode == c.me && $0.isOpen }.map(\.id))
        directiveResults = directiveResults.filter { open.contains($0.key) }
        outages = outages.filter { open.contains($0.key) }
        if let id = runningDirective, !open.contains(id) { runningDirective = nil }
        if c.state.primary?.token != promoted?.token { promoted = nil }
        if c.state.primary?.token != failedToken {
            failedToken = nil
            failure = nil
        }
    }

    mutating func start(_ action: PostgresAction, now: ClockStamp) {
        // An action that fails half-way leaves settings that nobody knows: they are written again.
        if changesSettings(action) { applied = nil }
        switch AgentMemory.lane(of: action) {
        case .main:
            job = action
            if changesData(action) { stopped = nil }
        case .pledge:
            pledgeJob = action
            stoppingBallot = wantedBallot
        case .background: backgroundJob = action
        }
    }

    mutating func finish(_ action: PostgresAction, _ outcome: PostgresOutcome, now: ClockStamp) {
        switch AgentMemory.lane(of: action) {
        case .main: job = nil
        case .pledge: pledgeJob = nil
        case .background: backgroundJob = nil
        }
        if case .failed(let error) = outcome {
            retryAt = now.advanced(by: .milliseconds(500))
            forgetAttempt(action)
            if changesData(action) { stopped = nil }
            if case .checkpoint = action, let id = orderedCheckpoint { directiveResults[id] = .some(error.message) }
            return
        }
        switch (action, outcome) {
        case (_, .inspected(let server)):
            stopped = server
            stoppedAt = now
        case (.stopReceiver(let settings), .stoppedReceiving(let position)):
            received = position
            receivedBallot = stoppingBallot
            applied = settings
        case (.applySettings(let settings), _), (.prepareStandby(let settings), _), (.prepareInPlaceStart(let settings), _),
            (.proveSynchronousWait(let settings), _):
            applied = settings
            if case .prepareStandby = action { preparedStart = .standby }
            if case .prepareInPlaceStart = action { preparedStart = .inPlace }
        case (.clone, _), (.rewind, _), (.initialize, _), (.quarantine, _):
            stopped = nil
            applied = nil
            preparedStart = nil
            rewindFailed = false
            completedJobDiverged = false
        case (.checkpoint, _):
            if let id = orderedCheckpoint {
                directiveResults[id] = .some(nil)
                runningDirective = nil
            }
        default: break
        }
    }

    /// The CHECKPOINT directive of a switchover that is being carried out; other directives are not done by a checkpoint.
    private var orderedCheckpoint: String? { runningDirective.flatMap { $0.contains("-checkpoint-") ? $0 : nil } }

    private func changesSettings(_ action: PostgresAction) -> Bool {
        switch action {
        case .applySettings, .stopReceiver, .proveSynchronousWait, .prepareStandby, .prepareInPlaceStart: true
        default: false
        }
    }

    /// What did not succeed is to be done again.
    private mutating func forgetAttempt(_ action: PostgresAction) {
        switch action {
        case .rewind: rewindFailed = true
        case .reserveTimeline: reservedFor = nil
        case .applySettings: preparedFor = nil
        case .ensureRoles: rolesFor = nil
        case .checkpoint: checkpointedFor = nil
        default: break
        }
    }

    /// A start was asked for a moment ago, and the server is not there yet.
    func isStarting(_ c: AgentContext) -> Bool {
        guard c.guardStatus?.postmasterPID == nil, let startAskedAt else { return false }
        return c.now.since(startAskedAt) < .milliseconds(500)
    }

    /// D48: what was known of the files says nothing any more, also when the job fails.
    private func changesData(_ action: PostgresAction) -> Bool {
        switch action {
        case .clone, .rewind, .initialize, .quarantine: true
        default: false
        }
    }

    /// LE11: processes that the guard found and may not kill are counted again only when somebody asks.
    mutating func mustLookAgain(_ c: AgentContext) -> Bool {
        guard let status = c.guardStatus, status.postmasterPID == nil, !status.allProcessesGone,
            lookedAt.map({ c.now.since($0) >= .milliseconds(250) }) ?? true
        else { return false }
        lookedAt = c.now
        return true
    }

    mutating func forgetReceived() { receivedBallot = .never }

    enum StartKind: Sendable { case standby, inPlace }
    enum Lane { case main, pledge, background }
    static func lane(of action: PostgresAction) -> Lane {
        switch action {
        case .stopReceiver: .pledge
        case .checkpoint, .ensureSlots, .finishRejoin: .background
        default: .main
        }
    }
}

import ClusterModel

/// What a leader has seen in its own term; lost with the leadership, never needed for safety.
struct PolicyMemory: Sendable {
    var wantsTimedLease = false
    var explanation = ""
    /// Answers to the ballot of the running operation.
    private(set) var pledges: [NodeName: Pledge] = [:]
    private(set) var pledgeArrivals: [NodeName: ClockStamp] = [:]
    private var ballot = FencingToken.never
    var pledgesAskedAt: ClockStamp?
    var provenSince: ClockStamp?
    /// Nodes whose promotion failed in the running operation (SE10).
    var excluded: Set<NodeName> = []
    /// When the running operation entered its phase, as this leader saw it.
    private(set) var phaseSince: ClockStamp?
    private var phaseKey = ""
    private var operationID = ""
    /// Progress of a promotion: the last replay position seen, and when it moved.
    var progressAt: ClockStamp?
    var progressLSN: LSN?
    /// Replicas seen not streaming although they belong to the synchronous set.
    private(set) var lostSince: [NodeName: ClockStamp] = [:]
    private(set) var oneDataNodeSince: ClockStamp?
    private(set) var unresponsiveSince: ClockStamp?
    private(set) var storageBadSince: ClockStamp?
    private(set) var pausedSince: (id: String, at: ClockStamp)?
    private(set) var holdSince: (id: UInt64, at: ClockStamp)?
    /// Since when leases are granted for less than expiry still waits for (LE12).
    private(set) var shorterSince: ClockStamp?
    private(set) var directivesSince: [String: ClockStamp] = [:]
    private(set) var crashSince: ClockStamp?
    private(set) var crashes: [ClockStamp] = []
    var expiredSince: ClockStamp?
    /// The node that should stream from the followed cluster and cannot, since when.
    var lostSource: (node: NodeName, since: ClockStamp)?

    mutating func receive(_ pledge: Pledge, now: ClockStamp) {
        guard pledge.ballot == ballot else { return }
        pledges[pledge.node] = pledge
        if pledgeArrivals[pledge.node] == nil { pledgeArrivals[pledge.node] = now }
    }

    mutating func observe(_ c: PolicyContext, settings: PolicySettings) {
        observeOperation(c)
        observeReplicas(c, settings)
        observePrimary(c)
        observeSource(c)
        let single = c.state.dataNodes.count == 1
        oneDataNodeSince = single ? oneDataNodeSince ?? c.now : nil
        if !single, c.state.leases.mode == .timed { wantsTimedLease = false }
        if let paused = c.state.paused {
            if pausedSince?.id != paused.id { pausedSince = (paused.id, c.now) }
        } else {
            pausedSince = nil
        }
        if let hold = c.state.hold {
            if holdSince?.id != hold.id { holdSince = (hold.id, c.now) }
        } else {
            holdSince = nil
        }
        let isShorter = c.state.leases.durationMilliseconds < c.state.leases.waitMilliseconds
        shorterSince = isShorter ? shorterSince ?? c.now : nil
        let open = c.state.directives.filter(\.isOpen).map(\.id)
        directivesSince = directivesSince.filter { open.contains($0.key) }
        for id in open where directivesSince[id] == nil { directivesSince[id] = c.now }
    }

    private mutating func observeOperation(_ c: PolicyContext) {
        let operation = c.state.operation
        if operation?.id != operationID {
            operationID = operation?.id ?? ""
            excluded = []
        }
        let wantedBallot = operation?.ballot ?? .never
        if wantedBallot != ballot {
            ballot = wantedBallot
            pledges = [:]
            pledgeArrivals = [:]
            pledgesAskedAt = nil
            provenSince = nil
        }
        let key = operation.map { "\($0.id)/\($0.phase.rawValue)/\($0.ballot)" } ?? ""
        if key != phaseKey {
            phaseKey = key
            phaseSince = c.now
            progressAt = nil
            progressLSN = nil
            explanation = ""
        }
    }

    private mutating func observeReplicas(_ c: PolicyContext, _ settings: PolicySettings) {
        guard let cluster = c.state.cluster, let primary = c.state.primary, primary.phase == .serving,
            c.fresh(primary.node)?.facts?.server != nil
        else {
            lostSince = [:]
            return
        }
        let streaming = SynchronousPolicy.streamingNodes(
            state: c.state, cluster: cluster, reports: c.reports, primary: primary, settings, c.now)
        for node in c.state.dataNodes.map(\.name) {
            if streaming.contains(node) {
                lostSince[node] = nil
            } else if lostSince[node] == nil {
                lostSince[node] = c.now
            }
        }
    }

    private mutating func observePrimary(_ c: PolicyContext) {
        guard let primary = c.state.primary, primary.phase == .serving, let report = c.fresh(primary.node) else {
            unresponsiveSince = nil
            storageBadSince = nil
            crashSince = nil
            return
        }
        let runs = report.guardStatus?.postmasterPID != nil
        unresponsiveSince = runs && report.facts?.server == nil ? unresponsiveSince ?? c.now : nil
        let bad = report.facts?.storage == .stalled || report.facts?.storage == .broken
        storageBadSince = bad ? storageBadSince ?? c.now : nil
        if report.hasStoppedUnderLease {
            if crashSince == nil {
                crashSince = c.now
                // 5.2: a clean stop is no crash; it is only started again.
                if report.guardStatus?.lastExit?.cause != .ordered {
                    crashes = crashes.filter { c.now.since($0) < .seconds(600) } + [c.now]
                }
            }
        } else if runs {
            crashSince = nil
        }
    }

    func timeInPhase(_ now: ClockStamp) -> Duration { phaseSince.map { now.since($0) } ?? .zero }
}

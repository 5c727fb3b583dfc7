import ClusterModel

/// What the leader decides: whom to appoint, when, in what order, and why (sections 5 to 7 of failover.md).
///
/// The decisions depend only on the arguments and on what this value remembers of its own term; a new leader starts with
/// an empty memory and goes on from the committed phase (SW3).
package struct FailoverPolicy: Sendable {
    var memory = PolicyMemory()
    package var settings: PolicySettings

    package init(settings: PolicySettings) { self.settings = settings }

    /// One evaluation; at most one command is proposed, the caller evaluates again when it is applied.
    package mutating func evaluate(_ c: PolicyContext) -> PolicyDecision {
        var d = PolicyDecision()
        memory.observe(c, settings: settings)
        if c.state.operation == nil { memory.explanation = "" }
        fenceStrangers(c, &d)
        noteRivals(c, &d)
        lowerLeaseIfNeeded(c, &d)
        if let operation = c.state.operation {
            if !replaceLostSwitchover(operation, c, &d) { drive(operation, c, &d) }
            if d.command == nil { watchPrimary(during: operation, c, &d) }
        } else if let standby = c.state.standby, standby.endedBy == nil {
            keepFollowing(standby, c, &d)
        } else {
            watchPrimary(c, &d)
        }
        if d.command == nil { keepOrder(c, &d) }
        // D29: while a writable server is seen elsewhere nobody is appointed.
        if d.splitBrain, case .assignPrimary = d.command {
            d.command = nil
            memory.explanation = "D29: a writable server without the current token is seen; nobody is appointed"
        }
        if d.command == nil { d.refusal = memory.explanation }
        return d
    }

    /// A pledge arrived (SE3).
    package mutating func receive(_ pledge: Pledge, now: ClockStamp) {
        memory.receive(pledge, now: now)
    }

    /// A second data node is to be registered while the lease has no end (4.10).
    package mutating func requireTimedLease() { memory.wantsTimedLease = true }

    /// Why the running operation waits, for `explain` and the status line.
    package var explanation: String { memory.explanation }

    /// DE2 inside a switchover: a primary that is lost before the point of no return is failed over at once.
    private mutating func replaceLostSwitchover(
        _ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision
    ) -> Bool {
        guard operation.kind == .switchover, operation.phase != .promote, operation.phase != .settle,
            let primary = c.state.primary, primary.phase == .serving, c.state.paused == nil
        else { return false }
        let incarnation = c.fresh(primary.node)?.guardStatus?.incarnation
        let isGuardNew = incarnation != nil && incarnation != primary.guardIncarnation
        guard isGuardNew || c.ledger.hasExpired(primary.token, state: c.state, now: c.now) else { return false }
        startFailover(c, &d, ["DE2", "LE8"], "the primary \"\(primary.node)\" was lost during the switchover")
        return true
    }

    // MARK: DE8

    /// A writable server without the current token is fenced, and shown as split brain.
    private func fenceStrangers(_ c: PolicyContext, _ d: inout PolicyDecision) {
        for (name, timed) in c.reports.sorted(by: { $0.key < $1.key }) where c.isFresh(timed) {
            guard let status = timed.report.guardStatus else { continue }
            // 4.12: shown, and left alone until somebody says which one counts.
            if c.state.mayRunUnleased(name) { continue }
            if isStranger(status, on: name, c) {
                // Its agent has the same facts and fences by itself (AG1); nobody is appointed and nothing routed until then.
                d.splitBrain = true
                continue
            }
            guard status.mayBeWritable, status.postmasterPID != nil, timed.report.facts?.server?.isInRecovery == false,
                let token = status.token
            else { continue }
            guard token != c.state.primary?.token || name != c.state.primary?.node else { continue }
            d.orders[name] = .fence(token, reason: "DE8: writable without the current token")
            d.splitBrain = true
        }
    }

    /// 4.12: two servers claim to be the restored cluster's primary.
    private func noteRivals(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard c.state.barrier != nil else { return }
        let writable = c.state.dataNodes.filter { node in
            guard let server = c.fresh(node.name)?.facts?.server else { return false }
            return !server.isInRecovery && server.systemIdentifier == c.state.systemIdentifier
        }
        if writable.count > 1 { d.splitBrain = true }
    }

    /// AS4: a server of this cluster's data runs writable that no guard started or adopted.
    private func isStranger(_ status: GuardStatus, on name: NodeName, _ c: PolicyContext) -> Bool {
        guard c.state.lastToken > .never || c.state.isStandby else { return false }
        // Adopted before the first token, which then went elsewhere.
        if status.state == .primary, status.token == nil { return c.state.primary?.node != name }
        guard status.postmasterPID == nil, let stranger = status.stranger, stranger.mayBeWritable else { return false }
        return stranger.systemIdentifier == nil || stranger.systemIdentifier == c.state.systemIdentifier
    }

    private func lowerLeaseIfNeeded(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard memory.wantsTimedLease, c.state.leases.mode == .sole, let primary = c.state.primary else { return }
        let lowering = GuardLowering.timed(durationMilliseconds: c.state.leases.durationMilliseconds)
        let status = c.fresh(primary.node)?.guardStatus
        let confirmed = status?.token == primary.token && status?.mode == .timed && status?.lowered.contains(lowering) == true
        if confirmed || primary.released != nil {
            d.propose(.setLeaseMode(.timed, token: primary.token, confirmed: confirmed), ["LE12"])
        } else {
            d.orders[primary.node] = .lower(primary.token, lowering)
        }
    }
}

/// Everything a decision may depend on.
package struct PolicyContext: Sendable {
    package var state: ClusterState
    /// The newest report of every node, this one's included.
    package var reports: [NodeName: TimedReport]
    package var ledger: LeaseLedger
    package var now: ClockStamp
    package var leader: NodeName
    /// Makes operation ids unique: the index the next entry will have.
    package var nextIndex: UInt64
    package var reportMaxAge: Duration
    /// When this leader's daemon started; nil: long ago.
    package var startedAt: ClockStamp?
    package init(
        state: ClusterState, reports: [NodeName: TimedReport], ledger: LeaseLedger, now: ClockStamp, leader: NodeName,
        nextIndex: UInt64, reportMaxAge: Duration
    ) {
        self.state = state
        self.reports = reports
        self.ledger = ledger
        self.now = now
        self.leader = leader
        self.nextIndex = nextIndex
        self.reportMaxAge = reportMaxAge
    }

    package func isFresh(_ timed: TimedReport) -> Bool { now.since(timed.at) <= reportMaxAge }
    /// The report of a node, unless it is too old to mean anything (DE7).
    package func fresh(_ node: NodeName?) -> NodeReport? {
        guard let node, let timed = reports[node], isFresh(timed), timed.report.memberID == state.nodes[node]?.memberID
        else { return nil }
        return timed.report
    }
}

/// What one evaluation wants done.
package struct PolicyDecision: Sendable {
    package var command: ClusterCommand?
    /// The rules that made it, for the record (PR8).
    package var rules: [String] = []
    /// Ask every data node to pledge this ballot.
    package var pledgeBallot: FencingToken?
    package var orders: [NodeName: NodeOrder] = [:]
    /// With an appointment: why each other node was not chosen (L01).
    package var notChosen: [(node: NodeName, reason: String)] = []
    /// Nothing is done although something is wrong, and why; empty: nothing is wrong.
    package var refusal = ""
    package var splitBrain = false

    package init() {}

    package mutating func propose(_ command: ClusterCommand, _ rules: [String]) {
        guard self.command == nil else { return }
        self.command = command
        self.rules = rules
    }
}

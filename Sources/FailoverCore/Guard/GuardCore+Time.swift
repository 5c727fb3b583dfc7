import ClusterModel

// Deadlines, the kill sequence and everything else that happens because time passes.
extension GuardCore {
    /// How often LE1 is read while a deadline exists (GU2).
    static let readingInterval = Duration.milliseconds(50)
    /// Between two passes over the processes (LE11).
    static let sweepInterval = Duration.milliseconds(20)
    static let emptyPassesNeeded = 2
    /// How long before a hold's end the server is stopped cleanly (4.8).
    static let holdMargin = Duration.seconds(10)
    /// What walsenders get after backends were terminated (section 7, phase 4).
    static let walsenderBudget = Duration.seconds(1)

    var hasLease: Bool { [.armed, .primary, .stopping].contains(status.state) && status.token != nil }

    /// S of section 2.3: L/6, at least 200 ms, at most 1 s.
    package var stopBudget: Duration {
        lease.duration == .zero ? .milliseconds(500) : min(max(lease.duration / 6, .milliseconds(200)), .seconds(1))
    }

    /// The later of lease and hold deadline; nil when a suspension ended both (LE1).
    func deadline(at now: ClockStamp) -> ClockStamp? {
        [lease.deadline(at: now), holdDeadline(at: now)].compactMap { $0 }.max { $0.raw < $1.raw }
    }

    func holdDeadline(at now: ClockStamp) -> ClockStamp? {
        guard let hold, !now.wasSuspended(since: hold.term.requestedAt) else { return nil }
        return hold.term.deadline
    }

    /// LE4: when fencing begins, under a timed lease that holds now.
    package func fenceAt(_ now: ClockStamp) -> ClockStamp? {
        guard hasLease, lease.mode == .timed, let deadline = deadline(at: now) else { return nil }
        return deadline.advanced(by: .zero - stopBudget)
    }

    mutating func fenceIfLeaseIsOver(_ out: inout Output) {
        guard hasLease, lease.mode == .timed else { return }
        guard let fenceAt = fenceAt(out.now) else {
            return fence(token: status.token, reason: "the machine was suspended: the lease is over (LE1)", &out)
        }
        if out.now.raw >= fenceAt.raw {
            fence(token: status.token, reason: "the lease was not renewed before its end (LE4)", &out)
        }
    }

    /// GU1, and irrevocable (LE4).
    mutating func fence(token: FencingToken?, reason: String, _ out: inout Output) {
        let deadline = hasLease && lease.mode == .timed ? deadline(at: out.now) : nil
        // A suspended lease has no deadline left at all: there is no time for SIGQUIT.
        let isOver = hasLease && lease.mode == .timed && deadline.map { $0.raw <= out.now.raw } ?? true
        enter(.fencing)
        status.fenceReason = reason
        stopping = nil
        fencing = FencePlan(token: token, killAt: nil)
        takeStrangerIntoCustody(&out)
        guard hasPostmaster, !isOver else { return killEverything(&out) }
        let patience = stopBudget * 3 / 10
        let latest = deadline.map { $0.advanced(by: .zero - stopBudget + patience) }
        let killAt = [out.now.advanced(by: patience), latest].compactMap { $0 }.min { $0.raw < $1.raw }
        guard let killAt, killAt.raw > out.now.raw else { return killEverything(&out) }
        fencing?.killAt = killAt
        out.acts.append(.signalPostmaster(.immediate))
    }

    /// The SIGKILL part of GU1. The postmaster is stopped first, so that it forks nothing meanwhile.
    mutating func killEverything(_ out: inout Output) {
        fencing?.killAt = nil
        if hasPostmaster { out.acts.append(.signalPostmaster(.stop)) }
        sweep(kills: true, &out)
        if hasPostmaster { out.acts.append(.signalPostmaster(.kill)) }
    }

    mutating func sweep(kills: Bool, _ out: inout Output) {
        // Two passes found none earlier: somebody may have started a server since, which one more pass shows.
        let known = status.allProcessesGone ? Self.emptyPassesNeeded - 1 : 0
        let passes = sweeping?.kills == kills ? sweeping?.emptyPasses ?? 0 : known
        sweeping = Sweeping(kills: kills, emptyPasses: passes, nextAt: nil)
        out.acts.append(.sweep(kill: kills))
    }

    /// LE11: the postmaster is gone and two passes in a row found nothing.
    mutating func sweepFound(_ count: Int, _ out: inout Output) {
        guard var current = sweeping, current.nextAt == nil else { return }
        lookedAt = out.now
        if count > 0 { status.allProcessesGone = false }
        current.emptyPasses = count == 0 && !hasPostmaster ? current.emptyPasses + 1 : 0
        if current.emptyPasses >= Self.emptyPassesNeeded {
            sweeping = nil
            return serverIsGone(&out)
        }
        // Processes this guard did not start are counted again when somebody asks, not killed.
        if !current.kills && count > 0 {
            out.acts.append(.identifyStranger)
            return sweeping = nil
        }
        current.nextAt = out.now.advanced(by: Self.sweepInterval)
        sweeping = current
    }

    mutating func serverIsGone(_ out: inout Output) {
        status.allProcessesGone = true
        status.mayBeWritable = false
        status.stranger = nil
        stopping = nil
        switch status.state {
        case .fencing: becomeFenced(&out)
        case .primary: enter(status.token == nil ? .empty : .armed)
        case .stopping: enter(status.token == nil ? .empty : .armed)
        case .standby: enter(.empty)
        case .armed, .empty, .fenced: break
        }
        if isEnding { out.exits = true }
    }

    mutating func becomeFenced(_ out: inout Output) {
        let token = fencing?.token ?? status.token
        status.token = token
        status.highestFenced = max(status.highestFenced, token ?? .never)
        status.highestToken = max(status.highestToken, token ?? .never)
        status.mayBeWritable = false
        enter(.fenced)
        fencing = nil
        lease = lease.emptied()
        hold = nil
        if isEnding { out.exits = true }
    }

    mutating func doWhatIsDue(_ out: inout Output) {
        stopBeforeHoldEnds(&out)
        if let killAt = fencing?.killAt, killAt.raw <= out.now.raw { killEverything(&out) }
        if let plan = stopping, plan.nextAt.raw <= out.now.raw, hasPostmaster { escalate(plan, &out) }
        if let next = sweeping?.nextAt, next.raw <= out.now.raw { sweep(kills: sweeping?.kills ?? false, &out) }
        // The first step of a guard's life finds out whether an earlier one left something behind.
        if sweeping == nil, lastReported == nil, !hasPostmaster, !status.allProcessesGone { sweep(kills: false, &out) }
        if let lookAt, lookAt.raw <= out.now.raw { lookForStrangers(&out) }
    }

    private mutating func escalate(_ plan: StopPlan, _ out: inout Output) {
        switch plan.stage {
        case .asked:
            out.acts.append(.signalPostmaster(.terminateBackends))
            stopping = StopPlan(stage: .terminated, nextAt: out.now.advanced(by: Self.walsenderBudget))
        case .terminated:
            out.acts.append(.signalPostmaster(.immediate))
            stopping = StopPlan(stage: .quit, nextAt: out.now.advanced(by: stopBudget))
        case .quit:
            killEverything(&out)
            stopping = StopPlan(stage: .killed, nextAt: out.now.advanced(by: .seconds(3600)))
        case .killed: break
        }
    }

    /// 4.8: nobody came back during a hold; a clean stop now leaves less to recover than GU1 later.
    private mutating func stopBeforeHoldEnds(_ out: inout Output) {
        guard let stopAt = holdStopAt(out.now), stopAt.raw <= out.now.raw, let fenceAt = fenceAt(out.now) else {
            return
        }
        beginStop(budget: fenceAt.since(out.now) / 2, &out)
    }

    /// When the clean stop of 4.8 is due: the lease itself has run out and the hold's end is near.
    private func holdStopAt(_ now: ClockStamp) -> ClockStamp? {
        guard status.state == .primary, hasPostmaster, lease.mode == .timed, let hold, let end = holdDeadline(at: now)
        else { return nil }
        let early = end.advanced(by: .zero - min(Self.holdMargin, hold.term.duration / 2))
        guard let leaseEnd = lease.deadline(at: now)?.advanced(by: .zero - stopBudget) else { return early }
        return leaseEnd.raw > early.raw ? leaseEnd : early
    }

    /// The next instant at which something is due; nil when nothing is (no periodic wake-ups without a deadline).
    func nextWake(after now: ClockStamp) -> ClockStamp? {
        var due = [fencing?.killAt, sweeping?.nextAt, holdStopAt(now), hasPostmaster ? stopping?.nextAt : nil, lookAt]
        if let fenceAt = fenceAt(now) {
            due.append(fenceAt)
            due.append(now.advanced(by: Self.readingInterval))
        }
        return due.compactMap { $0 }.min { $0.raw < $1.raw }
    }
}

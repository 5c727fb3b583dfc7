import ClusterModel

// The daemon's orders. Every refusal names its rule.
extension GuardCore {
    static let longestDuration = Duration.seconds(600)
    /// What must be left of a lease to start a crashed primary again (4.7).
    static let startInPlaceMinimum = Duration.seconds(1)

    mutating func handle(
        _ order: GuardOrder, standbySignal: Bool?, processes: Int?, mismatch: String?, _ out: inout Output
    ) {
        out.mustReport = true
        if claimedBy != nil, !order.countsInAnyCluster {
            return out.refuse("D67", "the guard holds a lease of another cluster")
        }
        switch order {
        case .arm(let token, let requestedAt, let milliseconds, let mode):
            let term = LeaseTerm(requestedAt: requestedAt, duration: .milliseconds(milliseconds))
            arm(token, term, mode, &out)
        case .startStandby(let spec):
            noteBeforeStart(processes, &out)
            startStandby(spec, standbySignal: standbySignal, &out)
        case .startInPlace(let spec, let token):
            noteBeforeStart(processes, &out)
            startInPlace(spec, token, standbySignal: standbySignal, &out)
        case .adopt(let request): adopt(request, standbySignal: standbySignal, mismatch: mismatch, &out)
        case .promote(let token): promote(token, &out)
        case .stop(let milliseconds): if hasPostmaster { beginStop(budget: .milliseconds(milliseconds), &out) }
        case .reload: if hasPostmaster { out.acts.append(.signalPostmaster(.reload)) }
        case .fence(let token, let reason): orderedFence(token, reason, &out)
        case .hold(let id, let token, let requestedAt, let milliseconds):
            let term = LeaseTerm(requestedAt: requestedAt, duration: .milliseconds(milliseconds))
            takeHold(Hold(id: id, term: term), token, &out)
        case .lower(let lowering): lower(lowering, &out)
        case .status, .ping: lookAgain(&out)
        }
    }

    // MARK: The lease

    private mutating func arm(_ token: FencingToken, _ term: LeaseTerm, _ mode: LeaseMode, _ out: inout Output) {
        if status.state == .fencing { return out.refuse("LE4", "fencing has begun and is irrevocable") }
        if token < status.highestToken { return out.refuse("GU4", "token \(token) is below \(status.highestToken)") }
        if token <= status.highestFenced { return out.refuse("GU4", "token \(token) is fenced") }
        if token <= oldTokens { return out.refuse("LE5", "token \(token) belongs to an earlier guard") }
        if let refusal = refusalOf(term, mode, at: out.now) { return out.refuse(refusal.rule, refusal.reason) }
        let isNew = !hasLease || token != status.token
        if isNew, !isUnleasedPrimary, status.mayBeWritable || [.primary, .stopping].contains(status.state) {
            return out.refuse("LE5", "the token cannot be raised while the server runs as primary or stops")
        }
        if isNew, isEnding { return out.refuse("GU5", "the guard is ending") }
        guard isNew else { return lease.count(term, mode: mode) }
        lease = lease.emptied()
        lease.count(term, mode: mode)
        hold = nil
        status.token = token
        status.highestToken = token
        knowsDirectory = true
        status.fenceReason = nil
        guard status.state != .primary else { return writableToken = token }
        enter(.armed)
    }

    private func refusalOf(_ term: LeaseTerm, _ mode: LeaseMode, at now: ClockStamp) -> (rule: String, reason: String)? {
        if term.requestedAt.raw > now.raw { return ("LE2", "the request is stamped in the future") }
        if mode == .sole { return nil }
        if term.duration <= .zero || term.duration > Self.longestDuration {
            return ("LE3", "the duration is not within 10 minutes")
        }
        if now.wasSuspended(since: term.requestedAt) { return ("LE1", "the machine was suspended since the request") }
        let budget = min(max(term.duration / 6, .milliseconds(200)), .seconds(1))
        if !hasLease, term.deadline.advanced(by: .zero - budget).raw <= now.raw {
            return ("LE3", "the lease is over already")
        }
        return nil
    }

    private mutating func takeHold(_ new: Hold, _ token: FencingToken, _ out: inout Output) {
        guard hasLease, token == status.token else { return out.refuse("LE12", "no lease for token \(token)") }
        if endedHolds.contains(new.id) { return out.refuse("LE12", "hold \(new.id) has ended") }
        if let refusal = refusalOf(new.term, .timed, at: out.now) { return out.refuse(refusal.rule, refusal.reason) }
        if let old = hold, old.term.deadline.raw > new.term.deadline.raw {
            return out.refuse("LE12", "hold \(old.id) lasts longer")
        }
        hold = new
    }

    /// LE12: nothing may get shorter so that less than S is left.
    private mutating func lower(_ lowering: GuardLowering, _ out: inout Output) {
        var after = self
        switch lowering {
        case .endHold(let id):
            if hold?.id == id { after.hold = nil }
            after.rememberEndedHold(id)
        case .duration(let milliseconds, _):
            after.lease = lease.lowered(to: .milliseconds(milliseconds), at: out.now)
        case .timed(let milliseconds):
            after.lease = lease.loweredToTimed(.milliseconds(milliseconds), at: out.now)
        }
        if hasLease, after.lease.mode == .timed {
            guard let fenceAt = after.fenceAt(out.now), fenceAt.raw > out.now.raw else {
                return out.refuse("LE12", "less than the stop budget would be left: renew the lease first")
            }
        }
        after.status.lowered.append(lowering)
        if after.status.lowered.count > 8 { after.status.lowered.removeFirst() }
        self = after
    }

    private mutating func rememberEndedHold(_ id: UInt64) {
        guard !endedHolds.contains(id) else { return }
        endedHolds.append(id)
        if endedHolds.count > 64 { endedHolds.removeFirst() }
    }

    // MARK: The server

    /// Why no postmaster can be started now, whatever the kind.
    func refusalOfStart() -> (rule: String, reason: String)? {
        if isEnding { return ("GU5", "the guard is ending") }
        if status.state == .fencing { return ("LE4", "fencing is under way") }
        if hasPostmaster { return ("AG14", "a server is running") }
        if let stranger = status.stranger { return ("AG14", "a server with pid \(stranger.pid) runs in the data directory") }
        if !status.allProcessesGone { return ("LE11", "processes of the server are left") }
        return nil
    }

    private mutating func startStandby(_ spec: PostmasterSpec, standbySignal: Bool?, _ out: inout Output) {
        if let refusal = refusalOfStart() {
            lookAgain(&out)
            return out.refuse(refusal.rule, refusal.reason)
        }
        if standbySignal == false { return out.refuse("AG14", "standby.signal is not in place and durable") }
        if !hasLease {
            status.token = nil
            status.fenceReason = nil
            enter(.standby)
        }
        spawn(spec, standby: true, &out)
    }

    private mutating func startInPlace(
        _ spec: PostmasterSpec, _ token: FencingToken, standbySignal: Bool?, _ out: inout Output
    ) {
        if let refusal = refusalOfStart() { return out.refuse(refusal.rule, refusal.reason) }
        guard status.state == .armed, status.token == token else {
            return out.refuse("D1", "no lease for token \(token)")
        }
        guard writableToken == token else {
            return out.refuse("AG14", "the server was not primary under token \(token)")
        }
        if standbySignal == true {
            return out.refuse("AG14", "standby.signal is in place: the promotion was not completed")
        }
        if let deadline = status.mode == .timed ? deadline(at: out.now) : nil,
            deadline.since(out.now) < Self.startInPlaceMinimum
        {
            return out.refuse("LE4", "less than 1 s of the lease is left")
        }
        enter(.primary)
        status.mayBeWritable = true
        spawn(spec, standby: false, &out)
    }

    private mutating func spawn(_ spec: PostmasterSpec, standby: Bool, _ out: inout Output) {
        hasPostmaster = true
        knowsDirectory = true
        sweeping = nil
        stopping = nil
        status.allProcessesGone = false
        status.isAdopted = nil
        status.lastExit = nil
        out.acts.append(.spawn(spec, standby: standby))
    }

    private mutating func promote(_ token: FencingToken, _ out: inout Output) {
        guard status.token == token else { return out.refuse("D1", "no lease for token \(token)") }
        if status.state == .primary { return }
        guard status.state == .armed else { return out.refuse("D1", "no lease for token \(token)") }
        guard hasPostmaster, status.postmasterPID != nil else { return out.refuse("D1", "no server is running") }
        if writableToken == token { return out.refuse("D59", "token \(token) was used for a promotion already") }
        if lease.mode == .timed {
            guard let deadline = deadline(at: out.now), deadline.since(out.now) >= stopBudget * 2 else {
                return out.refuse("LE4", "less than twice the stop budget is left of the lease")
            }
        }
        enter(.primary)
        status.mayBeWritable = true
        writableToken = token
        out.acts.append(.signalPostmaster(.promoteFileAndUSR1))
    }

    mutating func beginStop(budget: Duration, _ out: inout Output) {
        let terminateAt = out.now.advanced(by: max(budget, .zero))
        switch status.state {
        case .standby, .armed, .primary:
            enter(.stopping)
            stopping = StopPlan(nextAt: terminateAt)
            out.acts.append(.signalPostmaster(.fastStop))
        case .stopping:
            // A second order may only shorten the wait.
            if let plan = stopping, plan.stage == .asked, terminateAt.raw < plan.nextAt.raw {
                stopping?.nextAt = terminateAt
            }
        case .empty, .fencing, .fenced: break
        }
    }

    private mutating func orderedFence(_ token: FencingToken, _ reason: String, _ out: inout Output) {
        if status.state == .fencing {
            if let present = fencing?.token, present >= token { return }
            fencing?.token = token
            return
        }
        if let own = status.token, hasLease, token < own { return out.refuse("D36", "the lease has token \(own)") }
        if status.state == .fenced, let own = status.token, token <= own, status.allProcessesGone { return }
        if !hasLease, token < status.highestToken {
            return out.refuse("D36", "token \(token) is below \(status.highestToken)")
        }
        fence(token: token, reason: reason, &out)
    }

    /// Processes nobody started here may have gone meanwhile.
    private mutating func lookAgain(_ out: inout Output) {
        if !hasPostmaster, !status.allProcessesGone, sweeping == nil { sweep(kills: false, &out) }
    }
}

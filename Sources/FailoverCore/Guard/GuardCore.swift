import ClusterModel

/// The logic of the process that owns the postmaster and the lease deadline (`failover.md` 4.3, 4.6 to 4.8).
///
/// A value: the guard process and the simulator run the same `step`. Feed `tick` once after making it, then every
/// event and every `setTimer` instant; carry the effects out front to back.
/// - Invariant: While a server may be writable under a timed lease, a timer is set no later than `fenceAt`.
package struct GuardCore: Sendable, Hashable {
    package internal(set) var status: GuardStatus
    package internal(set) var clusterID: ClusterID?
    /// The cluster of a daemon that came while the guard holds a lease of another one: it may take over by `adopt` (4.12).
    package internal(set) var claimedBy: ClusterID?

    var lease = LeaseClock()
    var hold: Hold?
    /// Ids whose hold was ended by `lower`: a late `hold` of such an id is refused (LE12).
    var endedHolds: [UInt64] = []
    /// The token under which this incarnation started or promoted a writable server.
    var writableToken: FencingToken?
    /// LE5: tokens up to this one were armed by an earlier incarnation.
    var oldTokens: FencingToken
    /// A postmaster was started and has not ended.
    var hasPostmaster = false
    /// A postmaster of this incarnation ran, or a token was armed: the data directory is known to be this cluster's.
    var knowsDirectory: Bool
    /// When the last pass over the processes was made.
    var lookedAt: ClockStamp?
    var sweeping: Sweeping?
    var stopping: StopPlan?
    var fencing: FencePlan?
    var isEnding = false
    var lastReported: GuardStatus?
    var lastSaved: SavedGuardState?
    var lastTimer: ClockStamp?

    /// - Parameter saved: What an earlier incarnation left. Its tokens are never armed again; a fenced state stays.
    package init(incarnation: GuardIncarnation, clusterID: ClusterID? = nil, saved: SavedGuardState? = nil) {
        status = GuardStatus(incarnation: incarnation)
        // Nothing is known of the processes of an earlier life before two passes found none (LE11).
        status.allProcessesGone = false
        self.clusterID = clusterID ?? saved?.clusterID
        oldTokens = .never
        knowsDirectory = false
        guard let saved, saved.clusterID == nil || saved.clusterID == self.clusterID else { return }
        status.highestToken = saved.highestToken
        status.highestFenced = saved.highestFenced
        oldTokens = saved.highestToken
        knowsDirectory = saved.highestToken > .never
        if let token = saved.fencedToken {
            status.state = .fenced
            status.token = token
            status.fenceReason = saved.fenceReason
        }
    }

    /// Handles one input. Total: an order that cannot be carried out is answered by `refused` with its rule.
    package mutating func step(_ input: GuardInput, now: ClockStamp) -> [GuardEffect] {
        var out = Output(now: now)
        // LE4: what arrives after `fenceAt` finds the guard fencing.
        fenceIfLeaseIsOver(&out)
        switch input {
        case .order(let order, let standbySignal, let processes, let mismatch):
            handle(order, standbySignal: standbySignal, processes: processes, mismatch: mismatch, &out)
        case .tick: break
        case .postmasterStarted(let pid): postmasterStarted(pid)
        case .postmasterExited(let waitStatus): postmasterExited(waitStatus, &out)
        case .sweepResult(let count): sweepFound(count, &out)
        case .rogueSignal(let signal): rogue(signal, &out)
        case .strangerIdentified(let stranger): strangerIdentified(stranger, &out)
        case .terminate: terminate(&out)
        case .cluster(let id): identify(id, &out)
        }
        doWhatIsDue(&out)
        joinClaimant()
        return finish(out)
    }

    /// What the shell writes on `saveState`.
    package var saved: SavedGuardState {
        SavedGuardState(
            clusterID: clusterID, incarnation: status.incarnation, highestToken: status.highestToken,
            highestFenced: status.highestFenced, fencedToken: status.state == .fenced ? status.token : nil,
            fenceReason: status.fenceReason)
    }

    /// Whether the guard process may end when no daemon is connected: nothing runs, nothing is being killed.
    package var isIdle: Bool {
        !hasPostmaster && sweeping == nil && [.empty, .fenced, .armed].contains(status.state) && !status.mayBeWritable
    }
}

extension GuardCore {
    /// What one step produces, sorted when it ends: acts first, then reports, the state file, the timer.
    struct Output {
        let now: ClockStamp
        var acts: [GuardEffect] = []
        var refusal: (rule: String, reason: String)?
        var mustReport = false
        var exits = false

        mutating func refuse(_ rule: String, _ reason: String) { refusal = (rule, reason) }
    }

    struct Hold: Sendable, Hashable {
        var id: UInt64
        var term: LeaseTerm
    }

    /// Passes over the processes of a server that ended or is being killed.
    struct Sweeping: Sendable, Hashable {
        var kills: Bool
        var emptyPasses = 0
        /// nil: a pass is under way.
        var nextAt: ClockStamp?
    }

    /// A fast stop and what follows when it does not end.
    struct StopPlan: Sendable, Hashable {
        enum Stage: Sendable, Hashable { case asked, terminated, quit, killed }
        var stage = Stage.asked
        var nextAt: ClockStamp
    }

    /// GU1.
    struct FencePlan: Sendable, Hashable {
        var token: FencingToken?
        /// When SIGKILL follows SIGQUIT; nil once it did.
        var killAt: ClockStamp?
    }

    /// Changes the state; an illegal transition is a broken invariant and stops the process with the numbers.
    mutating func enter(_ state: GuardState) {
        precondition(
            GuardTransition.isLegal(from: status.state, to: state),
            "guard: illegal transition \(status.state.rawValue) to \(state.rawValue), token \(status.token?.description ?? "none")"
        )
        status.state = state
    }

    /// The end of a step: derived fields, then the effects in their order.
    private mutating func finish(_ out: Output) -> [GuardEffect] {
        status.mode = lease.mode
        status.deadline = hasLease && lease.mode == .timed ? deadline(at: out.now) : nil
        status.holdID = hold?.id
        status.clusterID = clusterID
        var effects = out.acts
        if let refusal = out.refusal {
            effects.append(.report(.refused(rule: refusal.rule, reason: refusal.reason, status: status)))
            lastReported = status
        } else if out.mustReport || status != lastReported {
            effects.append(.report(.status(status)))
            lastReported = status
        }
        // The state file needs the disk, and the disk may hang: never while something may have to be killed.
        if saved != lastSaved, !status.mayBeWritable, status.state != .fencing {
            effects.append(.saveState)
            lastSaved = saved
        }
        let timer = nextWake(after: out.now)
        if timer != lastTimer {
            effects.append(.setTimer(timer))
            lastTimer = timer
        }
        if out.exits { effects.append(.exit) }
        return effects
    }
}

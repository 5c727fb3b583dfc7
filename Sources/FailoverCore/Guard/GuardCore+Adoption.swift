import ClusterModel

// Servers that this guard did not start: how they are found, taken over, or ended (AS4, AG1, AG5, DE8).
extension GuardCore {
    /// How often a guard without a server looks whether somebody else started one.
    static let lookInterval = Duration.seconds(1)

    /// An adopted primary before its first lease: writable, without a token and without a deadline.
    var isUnleasedPrimary: Bool { hasPostmaster && status.state == .primary && status.token == nil }

    /// When the processes are looked at again; nil while a server runs or is being ended.
    var lookAt: ClockStamp? {
        guard !hasPostmaster, sweeping == nil, status.state != .fencing, let lookedAt else { return nil }
        return lookedAt.advanced(by: Self.lookInterval)
    }

    mutating func lookForStrangers(_ out: inout Output) {
        guard !hasPostmaster, sweeping == nil, status.state != .fencing else { return }
        sweep(kills: false, &out)
    }

    /// What the shell counted just before a start is newer than what is remembered.
    mutating func noteBeforeStart(_ processes: Int?, _ out: inout Output) {
        guard let processes, processes > 0, !hasPostmaster, sweeping == nil else { return }
        status.allProcessesGone = false
    }

    /// A writable server without a lease is ended at once if the directory is known to belong to this cluster. What a new
    /// guard finds may be the server that a new cluster is to adopt: the daemon knows, and decides.
    mutating func strangerIdentified(_ stranger: StrangerServer?, _ out: inout Output) {
        guard !hasPostmaster, !status.allProcessesGone, status.state != .fencing else { return }
        status.stranger = stranger
        guard let stranger, stranger.mayBeWritable, knowsDirectory else { return }
        // Somebody started the crashed primary again under the lease it still has: the daemon may adopt it (AG12).
        if status.state == .armed, writableToken == status.token { return }
        fence(
            token: status.token ?? status.highestToken,
            reason: "a writable server with pid \(stranger.pid) was started without the current token (AG1)", &out)
    }

    mutating func adopt(_ request: AdoptionRequest, standbySignal: Bool?, mismatch: String?, _ out: inout Output) {
        if request.role == .accepted { return acceptRunning(request, &out) }
        if hasPostmaster, status.postmasterPID == request.pid { return }
        if let refusal = refusalOfAdoption(request.role, standbySignal: standbySignal) {
            lookForStrangers(&out)
            return out.refuse(refusal.rule, refusal.reason)
        }
        if let mismatch { return out.refuse("D61", mismatch) }
        switch request.role {
        case .standby:
            if !hasLease {
                status.token = nil
                enter(.standby)
            }
        case .primary: enter(.primary)
        case .firstPrimary, .accepted:
            status.token = nil
            enter(.primary)
        }
        status.fenceReason = nil
        status.mayBeWritable = request.role != .standby
        status.lastExit = nil
        sweeping = nil
        stopping = nil
        takeCustody(of: request.pid, &out)
    }

    private func refusalOfAdoption(
        _ role: AdoptionRequest.Role, standbySignal: Bool?
    ) -> (rule: String, reason: String)? {
        if isEnding { return ("GU5", "the guard is ending") }
        if status.state == .fencing { return ("LE4", "fencing is under way") }
        if hasPostmaster { return ("AG14", "a server is running already") }
        guard sweeping?.kills != true, [.empty, .fenced, .armed].contains(status.state) else {
            return ("LE11", "an earlier server is being ended")
        }
        switch role {
        case .standby:
            return standbySignal == false ? ("AG14", "standby.signal is not in place: its recovery ends by itself") : nil
        case .primary(let token):
            guard status.state == .armed, status.token == token else { return ("D1", "no lease for token \(token)") }
            return writableToken == token ? nil : ("AG14", "the server was not primary under token \(token)")
        case .firstPrimary, .accepted:
            guard status.highestToken == .never, !hasLease else {
                return ("AG1", "a token was given before: a writable server is not adopted")
            }
            return nil
        }
    }

    private mutating func takeCustody(of pid: Int32, _ out: inout Output) {
        hasPostmaster = true
        knowsDirectory = true
        status.stranger = nil
        status.isAdopted = true
        status.allProcessesGone = false
        out.acts.append(.takeCustody(pid: pid))
    }

    /// GU1 needs a postmaster to signal.
    mutating func takeStrangerIntoCustody(_ out: inout Output) {
        guard !hasPostmaster, let stranger = status.stranger else { return }
        status.mayBeWritable = stranger.mayBeWritable
        takeCustody(of: stranger.pid, &out)
    }

    /// 4.12: an operator accepted this node as the primary of the restored cluster, so its server goes on without a restart.
    private mutating func acceptRunning(_ request: AdoptionRequest, _ out: inout Output) {
        guard let id = claimedBy else {
            if status.state != .primary || status.token != nil { out.refuse("D67", "the guard belongs to this cluster already") }
            return
        }
        guard hasPostmaster, status.state == .primary, status.postmasterPID == request.pid else {
            return out.refuse("D61", "no writable server with pid \(request.pid) runs under this guard")
        }
        claimedBy = nil
        leaveSoleCluster(for: id)
    }

    /// The lease of the former cluster ended, and nothing can be writable: from now on the daemon's cluster counts.
    mutating func joinClaimant() {
        guard let id = claimedBy, !hasLease, !status.mayBeWritable, status.state != .fencing else { return }
        claimedBy = nil
        changeCluster(to: id)
    }

    /// 4.12, P19: the only data node of a cluster was wiped and founded a new one. Nobody else could have been promoted
    /// meanwhile, so its server goes on, as an adopted one does until its first lease.
    mutating func leaveSoleCluster(for id: ClusterID) {
        clusterID = id
        lease = LeaseClock()
        hold = nil
        status.token = nil
        status.highestToken = .never
        status.highestFenced = .never
        oldTokens = .never
        writableToken = nil
        status.isAdopted = true
    }
}

extension GuardOrder {
    /// It needs no token of the daemon's cluster, or makes things only safer.
    var countsInAnyCluster: Bool {
        switch self {
        case .adopt(let request): request.role == .accepted
        case .stop, .fence, .status, .ping: true
        case .arm, .startStandby, .startInPlace, .promote, .reload, .hold, .lower: false
        }
    }
}

import ClusterModel

// What happens to the guard without an order.
extension GuardCore {
    /// How long a server without a deadline gets for the stop at the guard's end.
    static let endingBudget = Duration.seconds(30)

    mutating func postmasterStarted(_ pid: Int32) {
        guard hasPostmaster else { return }
        status.postmasterPID = pid
    }

    /// A dead postmaster is not a dead server: orphaned backends finish and acknowledge transactions (LE11).
    mutating func postmasterExited(_ waitStatus: Int32, _ out: inout Output) {
        guard hasPostmaster else { return }
        hasPostmaster = false
        status.postmasterPID = nil
        status.isAdopted = nil
        status.lastExit = PostmasterExit(cause: exitCause, waitStatus: waitStatus)
        fencing?.killAt = nil
        sweeping = nil
        sweep(kills: true, &out)
    }

    private var exitCause: PostmasterExit.Cause {
        if status.state == .fencing { return .fenced }
        guard status.state == .stopping, let stage = stopping?.stage else { return .unexpected }
        return stage == .asked || stage == .terminated ? .ordered : .fenced
    }

    /// GU3: nobody but this guard starts PostgreSQL writable or promotes it (AS4).
    mutating func rogue(_ signal: RogueSignal, _ out: inout Output) {
        if signal == .foreignPostmaster { return lookForStrangers(&out) }
        guard hasPostmaster, !status.mayBeWritable, status.state != .fencing else { return }
        fence(token: status.token, reason: "\(signal.reason) (GU3)", &out)
    }

    /// GU5: a fast stop within the remaining lease, then the end.
    mutating func terminate(_ out: inout Output) {
        guard !isEnding else { return }
        isEnding = true
        guard hasPostmaster else {
            // Whatever sweep is under way ends the guard when it is done.
            if sweeping?.kills != true { out.exits = true }
            return
        }
        let budget = fenceAt(out.now).map { $0.since(out.now) / 2 } ?? Self.endingBudget
        beginStop(budget: budget, &out)
    }

    /// 4.12: tokens count per cluster, and the cluster changes only while nothing is writable or leased.
    mutating func identify(_ id: ClusterID, _ out: inout Output) {
        claimedBy = nil
        guard clusterID != id else { return }
        guard clusterID != nil else { return clusterID = id }
        if status.state == .primary, lease.mode == .sole { return leaveSoleCluster(for: id) }
        guard !hasLease, !status.mayBeWritable, status.state != .fencing else {
            claimedBy = id
            return out.refuse("D67", "the guard holds a lease of another cluster")
        }
        changeCluster(to: id)
    }

    mutating func changeCluster(to id: ClusterID) {
        clusterID = id
        status.highestToken = .never
        status.highestFenced = .never
        oldTokens = .never
        writableToken = nil
        knowsDirectory = hasPostmaster
        if status.state == .fenced { status.token = .never }
    }
}

extension RogueSignal {
    fileprivate var reason: String {
        switch self {
        case .standbySignalVanished: "standby.signal vanished while the server ran as standby"
        case .foreignPromoteFile: "a promote file appeared that the guard did not write"
        case .foreignPostmaster: "a server was started that the guard did not start"
        }
    }
}

import ClusterModel

/// What happens to a guard. The shell (`Guard`) and the simulator feed the same values.
package enum GuardInput: Sendable, Hashable {
    /// An order of the daemon, with what the shell looked up for it. `standbySignal`: whether `standby.signal` is in place
    /// and durable, for orders that start or adopt; nil if nobody looked. `processes`: how many of the data directory live,
    /// counted just now for the orders that start. `mismatch`: what does not fit about the process to be adopted (D61).
    case order(GuardOrder, standbySignal: Bool? = nil, processes: Int? = nil, mismatch: String? = nil)
    /// Time passed; whatever is due happens. Also the first input of a new guard.
    case tick
    /// The postmaster of the last `spawn` runs.
    case postmasterStarted(pid: Int32)
    /// The postmaster ended, or could not be started (wait status of exit code 127).
    case postmasterExited(waitStatus: Int32)
    /// The answer to `sweep`: living processes found by that pass, before its kill took effect.
    case sweepResult(processesLeft: Int)
    /// GU3: something nobody but this guard may do.
    case rogueSignal(RogueSignal)
    /// The answer to `identifyStranger`: the postmaster that runs in the data directory; nil when none was found, only
    /// other processes.
    case strangerIdentified(StrangerServer?)
    /// SIGTERM (GU5).
    case terminate
    /// The cluster the connected daemon belongs to (4.12).
    case cluster(ClusterID)
}

/// What `inotify` on the data directory may show (GU3, AS4).
package enum RogueSignal: String, Sendable, Hashable {
    case standbySignalVanished
    case foreignPromoteFile
    /// A pid file appeared while no server of this guard ran.
    case foreignPostmaster
}

/// What a guard does, in the order in which it must be done.
package enum GuardEffect: Sendable, Hashable {
    /// Start the postmaster. Answered by `postmasterStarted` or `postmasterExited`.
    case spawn(PostmasterSpec, standby: Bool)
    /// Watch and signal this process from now on as if it had been spawned. Answered by `postmasterStarted`, or by
    /// `postmasterExited` when it is gone already.
    case takeCustody(pid: Int32)
    /// Find out what server runs in the data directory. Answered at once by `strangerIdentified`.
    case identifyStranger
    case signalPostmaster(PostmasterSignal)
    /// One pass over all processes of the server (LE11), killing what it finds or only counting. Answered at once by
    /// `sweepResult`.
    case sweep(kill: Bool)
    case report(GuardReport)
    /// Write `GuardCore.saved` durably. Never asked for while a server may be writable.
    case saveState
    /// Feed `tick` at this instant; nil: no wake-up is needed.
    case setTimer(ClockStamp?)
    case exit
}

/// What a guard may send to its postmaster.
package enum PostmasterSignal: String, Sendable, Hashable {
    /// SIGINT.
    case fastStop
    /// SIGQUIT.
    case immediate
    /// SIGSTOP, so that no process is forked while the rest is killed.
    case stop
    /// SIGKILL.
    case kill
    /// SIGHUP.
    case reload
    /// What `pg_ctl promote` does.
    case promoteFileAndUSR1
    /// SIGTERM to every process of the server but the postmaster.
    case terminateBackends
}

/// What a guard keeps over its own death, for reports and so that no token is armed twice (GU4, LE5).
package struct SavedGuardState: Sendable, Codable, Hashable {
    package var clusterID: ClusterID?
    package var incarnation: GuardIncarnation
    package var highestToken: FencingToken
    package var highestFenced: FencingToken
    /// Set while the guard is `fenced` (D15).
    package var fencedToken: FencingToken?
    package var fenceReason: String?

    package init(
        clusterID: ClusterID?, incarnation: GuardIncarnation, highestToken: FencingToken, highestFenced: FencingToken,
        fencedToken: FencingToken?, fenceReason: String?
    ) {
        self.clusterID = clusterID
        self.incarnation = incarnation
        self.highestToken = highestToken
        self.highestFenced = highestFenced
        self.fencedToken = fencedToken
        self.fenceReason = fenceReason
    }
}

extension GuardReport {
    /// The status every report carries.
    package var status: GuardStatus {
        switch self {
        case .status(let status), .refused(_, _, let status): status
        }
    }
}

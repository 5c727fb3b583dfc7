import ClusterModel

/// How long a grant counts (4.10).
package enum LeaseMode: String, Sendable, Codable, Hashable {
    /// The lease ends at its deadline; the guard fences before it.
    case timed
    /// Only one data node exists: nobody could be promoted, so the lease has no end.
    case sole
}

/// What the daemon tells the guard (4.7). Every order has a rule under which the guard refuses it.
package enum GuardOrder: Sendable, Codable, Hashable {
    /// A lease for `token`, granted for `duration` counted from `requestedAt` (LE3).
    case arm(token: FencingToken, requestedAt: ClockStamp, durationMilliseconds: Int64, mode: LeaseMode)
    /// Start the server as a standby; refused unless `standby.signal` is in place and durable (AG14).
    case startStandby(PostmasterSpec)
    /// Start the crashed server of the same token again without `standby.signal` (5.2).
    case startInPlace(PostmasterSpec, token: FencingToken)
    /// Take over a running postmaster that nobody here started (AG5); refused unless it is what it seems (D61).
    case adopt(AdoptionRequest)
    /// Write the `promote` file and send SIGUSR1, as `pg_ctl promote` does.
    case promote(token: FencingToken)
    /// SIGINT; after `budgetMilliseconds` backends are terminated, 1 s later comes SIGQUIT, S later the kill (D39). A stop
    /// that got beyond SIGTERM is reported with the cause `fenced`: it was not clean.
    case stop(budgetMilliseconds: Int64)
    /// SIGHUP to the postmaster, after the settings file changed.
    case reload
    /// Irrevocable kill for this token. Also how a node gives a lease up after its server ended (LE10): then `fenced` is
    /// confirmed at once.
    case fence(token: FencingToken, reason: String)
    case hold(id: UInt64, token: FencingToken, requestedAt: ClockStamp, durationMilliseconds: Int64)
    case lower(GuardLowering)
    case status
    case ping
}

/// LE12: what must be shorter at the guard before the cluster state says so.
package enum GuardLowering: Sendable, Codable, Hashable {
    case endHold(id: UInt64)
    /// `change` tells one lowering to the same duration from an earlier one.
    case duration(milliseconds: Int64, change: UInt64? = nil)
    case timed(durationMilliseconds: Int64)
}

/// How to start one postmaster. Programs are executed without a shell.
package struct PostmasterSpec: Sendable, Codable, Hashable {
    /// Absolute path of the `postgres` program.
    package var program: String
    package var arguments: [String]
    package var environment: [String]
    package var dataDirectory: String
    /// Standard output and error of the server are appended here.
    package var logFile: String
    package init(
        program: String, arguments: [String], environment: [String], dataDirectory: String, logFile: String
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.dataDirectory = dataDirectory
        self.logFile = logFile
    }
}

/// The states of a guard. Legal transitions: the table in `failover.md` 4.7, kept as data in `GuardCore`.
package enum GuardState: String, Sendable, Codable, Hashable, CaseIterable {
    /// No process of this data directory.
    case empty
    /// A postmaster started with `standby.signal`, no lease.
    case standby
    /// A lease; PostgreSQL absent, in recovery or promoting.
    case armed
    /// A lease; PostgreSQL may be writable.
    case primary
    /// An ordered fast stop; the deadline still rules.
    case stopping
    /// The irrevocable kill is under way.
    case fencing
    /// No process of this server exists (LE11).
    case fenced
}

/// How the last postmaster ended.
package struct PostmasterExit: Sendable, Codable, Hashable {
    package enum Cause: String, Sendable, Codable, Hashable {
        /// The daemon ordered a stop and the server ended by itself.
        case ordered
        /// Nobody ordered it: a crash, or a kill from outside.
        case unexpected
        /// Killed by the guard.
        case fenced
    }
    package var cause: Cause
    /// The exit status as `waitpid` gives it; 0 is a clean stop.
    package var waitStatus: Int32
    /// Of an adopted server: only a parent learns how its child ended.
    package static let unknownWaitStatus: Int32 = -1
    package init(cause: Cause, waitStatus: Int32) {
        self.cause = cause
        self.waitStatus = waitStatus
    }
}

/// Everything the daemon knows of its guard. Sent on every change and as the answer to `status` and `ping`.
package struct GuardStatus: Sendable, Codable, Hashable {
    package var incarnation: GuardIncarnation
    package var state: GuardState
    /// The token of the states armed, primary, stopping, fencing, fenced.
    package var token: FencingToken?
    package var mode: LeaseMode
    /// The later of lease and hold deadline; nil without lease or in mode sole.
    package var deadline: ClockStamp?
    package var holdID: UInt64?
    package var postmasterPID: Int32?
    /// Whether the running postmaster was started without `standby.signal` or promoted.
    package var mayBeWritable: Bool
    package var lastExit: PostmasterExit?
    /// No process with this data directory exists, by two passes 20 ms apart (LE11).
    package var allProcessesGone: Bool
    package var highestToken: FencingToken
    package var highestFenced: FencingToken
    package var fenceReason: String?
    /// The ids of `lower` orders carried out, newest last, at most 8.
    package var lowered: [GuardLowering]
    /// The running postmaster was not started by this guard; nil counts as false. Optional, as all that was added after
    /// the first version: a guard and its daemon may be of different versions.
    package var isAdopted: Bool?
    /// A server in the data directory that this guard neither started nor adopted (AS4).
    package var stranger: StrangerServer?
    /// The cluster whose tokens count here (4.12).
    package var clusterID: ClusterID?

    package init(incarnation: GuardIncarnation) {
        self.incarnation = incarnation
        state = .empty
        mode = .timed
        mayBeWritable = false
        allProcessesGone = true
        highestToken = .never
        highestFenced = .never
        lowered = []
    }
}

/// What the guard tells the daemon.
package enum GuardReport: Sendable, Codable, Hashable {
    case status(GuardStatus)
    /// An order was refused; `rule` is the rule id of `failover.md`.
    case refused(rule: String, reason: String, status: GuardStatus)
}

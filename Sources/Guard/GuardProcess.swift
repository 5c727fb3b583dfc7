import CLinux
import ClusterModel
import FailoverCore
import Glibc

/// The process that is parent of the postmaster and enforces the lease (`failover.md` 4.7).
///
/// Synchronous and single-threaded: one epoll loop, no allocation of consequence on the kill path, no disk I/O after
/// the start except the state file while nothing is writable.
package enum GuardProcess {
    /// Runs a guard until it ends by itself: SIGTERM (GU5), or no daemon and no server for `idleLimit`.
    ///
    /// Call it from the main thread: the postmaster's parent-death signal is bound to the thread that spawns it.
    package static func run(arguments: GuardArguments) -> Never {
        do {
            let limitations = acquirePrivileges()
            try run(arguments, limitations: limitations, terminator: nil)
            exit(0)
        } catch {
            GuardLog.write("pgbastion: error: \(error)")
            exit(error.code.exitStatus)
        }
    }

    /// The same loop on the calling thread of a foreign process, for tests; ends when `terminator` is raised.
    package static func runInProcess(arguments: GuardArguments, terminator: GuardTerminator) throws(BastionError) {
        precondition(arguments.inProcess, "arguments for a process of its own")
        try run(arguments, limitations: [], terminator: terminator)
    }

    private static func run(
        _ arguments: GuardArguments, limitations: [String], terminator: GuardTerminator?
    ) throws(BastionError) {
        try GuardFiles.prepare(arguments)
        let lock = try GuardFiles.lock(arguments)
        defer { close(lock) }
        let loop = try GuardLoop(arguments: arguments, limitations: limitations, terminator: terminator)
        try loop.run()
    }

    /// What helps the guard to run in time, each only where permitted. Returns what was not.
    private static func acquirePrivileges() -> [String] {
        _ = pgb_ignore_signal(SIGPIPE)
        _ = pgb_ignore_signal(SIGHUP)
        _ = pgb_ignore_signal(SIGINT)
        var limitations: [String] = []
        if pgb_become_subreaper() != 0 { limitations.append("orphaned backends are not adopted (child subreaper)") }
        if pgb_lock_memory() != 0 { limitations.append("memory is not locked (memlock limit)") }
        if pgb_become_realtime(10) != 0 { limitations.append("no real-time priority (rtprio limit)") }
        if pgb_set_oom_score_adj(-1000) != 0 { limitations.append("the out-of-memory killer may choose the guard") }
        return limitations
    }
}

/// Asks a guard that runs inside this process to end as SIGTERM would.
package final class GuardTerminator: Sendable {
    let descriptor: Int32
    package init() { descriptor = pgb_eventfd_create() }
    deinit { close(descriptor) }
    package func raise() { _ = pgb_eventfd_raise(descriptor) }
}

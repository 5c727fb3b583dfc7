import ClusterModel
import FailoverCore
import Synchronization

/// Whether bytes of this node's primary may still reach a client (PX9): asked by the proxy for each piece of data.
///
/// The deadline is the last one that the guard reported: never later than the guard's own, which only an order to this
/// guard can lower, and then the guard fences before it answers (decision 0020).
package final class LeaseGate: Sendable {
    /// Raw nanoseconds at which the lease ends; `.max` without a timed lease, `.min` when nothing here may be writable.
    private let deadline = Atomic<Int64>(.max)
    /// The suspension count when the guard said so: a machine that slept since has no lease (LE1).
    private let suspended = Atomic<Int64>(.max)

    package init() {}

    package func note(_ status: GuardStatus) {
        if let end = status.deadline {
            suspended.store(end.suspended, ordering: .relaxed)
            deadline.store(end.raw, ordering: .relaxed)
        } else {
            // What a fenced server still had in its sockets is never heard; one without a timed lease is not limited.
            suspended.store(.max, ordering: .relaxed)
            deadline.store(status.mayBeWritable ? .max : .min, ordering: .relaxed)
        }
    }

    package func isOpen(at now: ClockStamp) -> Bool {
        let sleptAt = suspended.load(ordering: .relaxed)
        guard sleptAt == .max || !now.wasSuspended(since: ClockStamp(raw: 0, suspended: sleptAt)) else { return false }
        return now.raw < deadline.load(ordering: .relaxed)
    }
}

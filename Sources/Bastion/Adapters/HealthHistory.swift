import ClusterModel
import Synchronization

/// The last 100 checks of this node's PostgreSQL, newest first (E11).
package final class HealthHistory: Sendable {
    private let checks = Mutex<[HealthCheckView]>([])
    private let lastNoted = Mutex<Int64>(0)

    package init() {}

    package var entries: [HealthCheckView] { checks.withLock { $0 } }

    /// Notes a check; looks that follow each other within a second during an operation count as one.
    ///
    /// - Returns: Whether it was noted.
    package func note(_ check: PostgresLink.HealthCheck, milliseconds: Int64) -> Bool {
        let isDue = lastNoted.withLock { last in
            guard milliseconds - last >= 900 else { return false }
            last = milliseconds
            return true
        }
        guard isDue else { return false }
        let healthy = check.facts.server != nil
        let entry = HealthCheckView(
            timestamp: WallTime.text(milliseconds: milliseconds),
            durationMilliseconds: check.duration.inSeconds * 1000, healthy: healthy,
            error: healthy ? nil : check.facts.sqlError ?? "PostgreSQL does not run")
        checks.withLock { list in
            list.insert(entry, at: 0)
            if list.count > 100 { list.removeLast() }
        }
        return true
    }
}

import ClusterModel
import Dispatch
import FoundationEssentials
import Synchronization

/// The last 100 checks of this node's PostgreSQL, newest first; a small file keeps them over a restart (E11).
package final class HealthHistory: Sendable {
    private static let limit = 100
    /// Limit: how often the file is written; what a crash loses is at most this long.
    private static let writeInterval: Int64 = 10_000

    private struct State {
        var checks: [HealthCheckView] = []
        var lastNoted: Int64 = 0
        var lastWritten: Int64 = 0
    }
    private let state: Mutex<State>
    private let path: String?
    private let queue = DispatchQueue(label: "pgbastion.health-history", qos: .utility)

    /// - Parameter path: nil: kept in memory only. A file that cannot be read is none: it is a help, not a truth.
    package init(path: String? = nil) {
        self.path = path
        var state = State()
        if let path, let text = TextFiles.read(path) {
            do {
                let checks = try JSONDecoder().decode([HealthCheckView].self, from: Data(text.utf8))
                state.checks = Array(checks.prefix(HealthHistory.limit))
            } catch {
                state.checks = []
            }
        }
        self.state = Mutex(state)
    }

    package var entries: [HealthCheckView] { state.withLock { $0.checks } }

    /// Notes a check; looks that follow each other within a second during an operation count as one.
    ///
    /// - Returns: Whether it was noted.
    package func note(_ check: PostgresLink.HealthCheck, milliseconds: Int64) -> Bool {
        let healthy = check.facts.server != nil
        let entry = HealthCheckView(
            timestamp: WallTime.text(milliseconds: milliseconds),
            durationMilliseconds: check.duration.inSeconds * 1000, healthy: healthy,
            error: healthy ? nil : check.facts.sqlError ?? "PostgreSQL does not run")
        return note(entry, milliseconds: milliseconds)
    }

    func note(_ entry: HealthCheckView, milliseconds: Int64) -> Bool {
        let (isNoted, isDue) = state.withLock { state in
            guard milliseconds - state.lastNoted >= 900 else { return (false, false) }
            state.lastNoted = milliseconds
            state.checks.insert(entry, at: 0)
            if state.checks.count > HealthHistory.limit { state.checks.removeLast() }
            let isDue = milliseconds - state.lastWritten >= HealthHistory.writeInterval
            if isDue { state.lastWritten = milliseconds }
            return (true, isDue)
        }
        if isDue { queue.async { self.write() } }
        return isNoted
    }

    /// Writes the file now, before the daemon ends.
    package func save() { queue.sync { write() } }

    private func write() {
        guard let path else { return }
        do {
            let data = try JSONEncoder().encode(entries)
            try TextFiles.write(String(decoding: data, as: UTF8.self), to: path)
        } catch {
            // The checks are in memory still; the next write tries again, and the disk is somebody else's alarm.
        }
    }
}

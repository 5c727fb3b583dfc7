import ClusterModel
import FailoverCore
import Guard
import NodeCore
import PostgresControl
import Synchronization

/// The PostgreSQL of this node: facts flow into the core, actions out of it.
package final class PostgresLink: Sendable {
    package let server: PostgresServer
    private let submit: @Sendable (NodeInput) -> Void
    private let onCheck: @Sendable (HealthCheck) -> Void
    private let onRewind: @Sendable (RewindReport) -> Void
    /// Gets the generated passwords from another member, for a node that joins.
    private let fetchSecrets: @Sendable () async -> PostgresSecrets?
    private let state = Mutex(Polling())
    private let wakeup = Wakeup()

    private struct Polling {
        var interval = Duration.seconds(1)
        var healthInterval = Duration.seconds(1)
        /// The members' addresses could not be put in force.
        var hasMembersToAdmit = false
    }

    /// One look at the server, for metrics and the health history.
    package struct HealthCheck: Sendable {
        package var duration: Duration
        package var facts: PostgresFacts
    }

    /// How a rewind goes on and how it ended, for the metrics.
    package enum RewindReport: Sendable {
        case progress(JobProgress)
        case ended(Duration, isSuccess: Bool)
    }

    package init(
        server: PostgresServer, submit: @escaping @Sendable (NodeInput) -> Void,
        onCheck: @escaping @Sendable (HealthCheck) -> Void,
        onRewind: @escaping @Sendable (RewindReport) -> Void = { _ in },
        fetchSecrets: @escaping @Sendable () async -> PostgresSecrets?
    ) {
        self.server = server
        self.submit = submit
        self.onCheck = onCheck
        self.onRewind = onRewind
        self.fetchSecrets = fetchSecrets
    }

    /// Looks at the server until the task is cancelled, at the interval the core wants.
    package func observe() async {
        while !Task.isCancelled {
            await look()
            let interval = state.withLock { $0.interval < .seconds(1) ? $0.interval : $0.healthInterval }
            await wakeup.wait(atMost: interval)
        }
    }

    package func setInterval(_ interval: Duration) {
        let hurries = state.withLock { state in
            defer { state.interval = interval }
            return interval < state.interval
        }
        if hurries { wakeup.raise() }
    }

    /// `postgresql.health_*`; the interval holds while the core is in no hurry.
    package func setHealth(interval: Duration, timeout: Duration) {
        server.setHealthTimeout(timeout)
        state.withLock { $0.healthInterval = interval }
        wakeup.raise()
    }

    /// Facts now: something outside has changed.
    package func poke() { wakeup.raise() }

    package func perform(_ id: UInt64, _ action: PostgresAction) {
        Task {
            if action.needsSecrets { await adoptSecrets() }
            let begin = ContinuousClock.now
            let outcome = await server.perform(action) { [submit, onRewind] report in
                submit(.jobProgressed(report.progress))
                if report.progress.kind == "rewind" { onRewind(.progress(report.progress)) }
            }
            if case .rewind = action { onRewind(.ended(ContinuousClock.now - begin, isSuccess: outcome.isSuccess)) }
            // The core must see the world after the action before it hears that the action ended.
            await look()
            submit(.effectFinished(id: id, outcome))
        }
    }

    /// AG23: the members' addresses, from which the service roles may connect.
    package func admit(_ hosts: [String], onFailure: @escaping @Sendable (NodeEvent) -> Void) {
        Task {
            do throws(BastionError) { try await server.setMemberAddresses(hosts) } catch {
                state.withLock { $0.hasMembersToAdmit = true }
                onFailure(
                    NodeEvent(.error, "postgres.access_rules", "could not write the members into pg_hba.conf", ["error": error.message]))
            }
        }
    }

    private func look() async {
        let clock = ContinuousClock()
        let begin = clock.now
        let stamp = SystemClock.now()
        var facts = await server.facts()
        facts.begunAt = stamp
        submit(.observed(facts))
        onCheck(HealthCheck(duration: clock.now - begin, facts: facts))
        if facts.server != nil { await repeatAdmission() }
    }

    /// A failure was told when it happened: until this succeeds a new member cannot clone, and nothing else changes.
    private func repeatAdmission() async {
        guard state.withLock({ $0.hasMembersToAdmit }) else { return }
        do throws(BastionError) {
            try await server.admitMembers()
            state.withLock { $0.hasMembersToAdmit = false }
        } catch {
            return
        }
    }

    private func adoptSecrets() async {
        do throws(BastionError) {
            guard try await server.secrets() == nil, let secrets = await fetchSecrets() else { return }
            try await server.adopt(secrets: secrets)
        } catch {
            // The action itself will fail and say so.
            return
        }
    }
}

extension PostgresOutcome {
    fileprivate var isSuccess: Bool { if case .failed = self { false } else { true } }
}

extension PostgresAction {
    /// Replication or rewind connections are made with passwords that another member generated.
    var needsSecrets: Bool {
        switch self {
        case .clone, .rewind: true
        case .prepareStandby(let settings), .applySettings(let settings): settings.upstream != nil
        default: false
        }
    }
}

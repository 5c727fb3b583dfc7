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
    /// Gets the generated passwords from another member, for a node that joins.
    private let fetchSecrets: @Sendable () async -> PostgresSecrets?
    private let state = Mutex(Polling())
    private let wakeup = Wakeup()

    private struct Polling {
        var interval = Duration.seconds(1)
    }

    /// One look at the server, for metrics and the health history.
    package struct HealthCheck: Sendable {
        package var duration: Duration
        package var facts: PostgresFacts
    }

    package init(
        server: PostgresServer, submit: @escaping @Sendable (NodeInput) -> Void,
        onCheck: @escaping @Sendable (HealthCheck) -> Void,
        fetchSecrets: @escaping @Sendable () async -> PostgresSecrets?
    ) {
        self.server = server
        self.submit = submit
        self.onCheck = onCheck
        self.fetchSecrets = fetchSecrets
    }

    /// Looks at the server until the task is cancelled, at the interval the core wants.
    package func observe() async {
        while !Task.isCancelled {
            await look()
            let interval = state.withLock { $0.interval }
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

    /// Facts now: something outside has changed.
    package func poke() { wakeup.raise() }

    package func perform(_ id: UInt64, _ action: PostgresAction) {
        Task {
            if action.needsSecrets { await adoptSecrets() }
            let outcome = await server.perform(action) { [submit] report in
                submit(.jobProgressed(report.progress))
            }
            // The core must see the world after the action before it hears that the action ended.
            await look()
            submit(.effectFinished(id: id, outcome))
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

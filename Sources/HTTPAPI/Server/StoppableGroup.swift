import ServiceLifecycle
import Synchronization

/// A service group that may be told to stop before, while and after it runs.
final class StoppableGroup: Sendable {
    private enum State {
        case idle, stopped
        case running(ServiceGroup)
    }
    private let state = Mutex(State.idle)

    func run(_ group: ServiceGroup) async throws {
        let mayRun = state.withLock { state in
            if case .stopped = state { return false }
            state = .running(group)
            return true
        }
        guard mayRun else { return }
        try await group.run()
    }

    func stop() async {
        let group: ServiceGroup? = state.withLock { state in
            defer { state = .stopped }
            if case .running(let group) = state { return group }
            return nil
        }
        await group?.triggerGracefulShutdown()
    }
}

import ClusterModel
import Synchronization

/// The addresses a server got.
package struct BoundAddresses: Sendable, Hashable {
    package var api: [APISettings.Bind] = []
    package var metrics: [APISettings.Bind] = []
    package var socketPath: String?
}

/// Opens when all listeners are bound, or fails when one cannot be.
final class ListeningLatch: Sendable {
    enum Listener {
        case api(APISettings.Bind)
        case metrics(APISettings.Bind)
        case socket(String)
    }

    private struct State {
        var left: Int
        var bound = BoundAddresses()
        var failure: BastionError?
        var waiters: [CheckedContinuation<Result<BoundAddresses, BastionError>, Never>] = []

        var result: Result<BoundAddresses, BastionError>? {
            if let failure { return .failure(failure) }
            return left <= 0 ? .success(bound) : nil
        }
    }
    private let state: Mutex<State>

    init(expected: Int) { state = Mutex(State(left: expected)) }

    func note(_ listener: Listener) {
        update { state in
            switch listener {
            case .api(let bind): state.bound.api.append(bind)
            case .metrics(let bind): state.bound.metrics.append(bind)
            case .socket(let path): state.bound.socketPath = path
            }
            state.left -= 1
        }
    }

    func fail(_ error: BastionError) { update { $0.failure = $0.failure ?? error } }

    func wait() async throws(BastionError) -> BoundAddresses {
        let result = await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.result == nil { state.waiters.append(continuation) }
                return state.result
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }

    private func update(_ change: (inout State) -> Void) {
        let (result, waiters) = state.withLock { state in
            change(&state)
            guard let result = state.result else {
                return (nil as Result<BoundAddresses, BastionError>?, state.waiters)
            }
            defer { state.waiters = [] }
            return (result, state.waiters)
        }
        guard let result else { return }
        for waiter in waiters { waiter.resume(returning: result) }
    }
}

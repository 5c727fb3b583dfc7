import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A value that tests change from event loops and wait on without sleeping.
final class Watched<State: Sendable>: Sendable {
    private struct Waiter: Sendable {
        var isDone: @Sendable (State) -> Bool
        var promise: EventLoopPromise<Void>
    }
    private struct Inner: Sendable {
        var state: State
        var waiters: [Waiter] = []
    }
    private let inner: Mutex<Inner>

    init(_ state: State) { inner = Mutex(Inner(state: state)) }

    var value: State { inner.withLock { $0.state } }

    func update(_ change: @Sendable (inout State) -> Void) {
        let ready = inner.withLock { inner in
            change(&inner.state)
            let state = inner.state
            let ready = inner.waiters.filter { $0.isDone(state) }
            inner.waiters.removeAll { $0.isDone(state) }
            return ready
        }
        for waiter in ready { waiter.promise.succeed(()) }
    }

    /// Returns when `isDone` holds; throws after `seconds`.
    @discardableResult
    func wait(_ what: String, seconds: Int64 = 10, _ isDone: @escaping @Sendable (State) -> Bool) async throws -> State {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Void.self)
        let isDoneNow = inner.withLock { inner in
            if isDone(inner.state) { return true }
            inner.waiters.append(Waiter(isDone: isDone, promise: promise))
            return false
        }
        if isDoneNow { promise.succeed(()) }
        let timeout = loop.scheduleTask(in: .seconds(seconds)) {
            promise.fail(WaitTimedOut(what: what, state: "\(self.value)"))
        }
        defer { timeout.cancel() }
        try await promise.futureResult.get()
        return value
    }
}

struct WaitTimedOut: Error {
    var what: String
    var state: String
}

import Dispatch
import Synchronization

/// A wait that can be cut short: `raise` ends the present one, or the next if nobody waits.
final class Wakeup: Sendable {
    private struct State {
        var isRaised = false
        var number: UInt64 = 0
        var waiting: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    func raise() { take { $0.isRaised = true }?.resume() }

    /// Limit: one waiter at a time.
    func wait(atMost limit: Duration) async {
        await withCheckedContinuation { continuation in
            let number: UInt64? = state.withLock { s in
                if s.isRaised {
                    s.isRaised = false
                    return nil
                }
                s.number += 1
                s.waiting = continuation
                return s.number
            }
            guard let number else { return continuation.resume() }
            let nanoseconds = Int(limit.components.seconds * 1_000_000_000 + limit.components.attoseconds / 1_000_000_000)
            DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [self] in
                end(number)?.resume()
            }
        }
    }

    /// The waiter, to be resumed; `body` only runs when nobody waits.
    private func take(_ body: (inout State) -> Void) -> CheckedContinuation<Void, Never>? {
        state.withLock { s in
            guard let waiting = s.waiting else {
                body(&s)
                return nil
            }
            s.waiting = nil
            return waiting
        }
    }

    private func end(_ number: UInt64) -> CheckedContinuation<Void, Never>? {
        state.withLock { s in
            guard s.number == number, let waiting = s.waiting else { return nil }
            s.waiting = nil
            return waiting
        }
    }
}

import Synchronization

/// A number that goes up and down. Sharing one costs an atomic store per change.
package final class GaugeSeries: Sendable {
    private let bits = Atomic<UInt64>(0)

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    package func set(_ isTrue: Bool) { set(isTrue ? 1 : 0) }

    package func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, seen) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = seen
        }
    }
}

/// A number that only grows.
package final class CounterSeries: Sendable {
    private let count = Atomic<UInt64>(0)

    package var value: UInt64 { count.load(ordering: .relaxed) }
    package func increment(by amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

    /// Takes over a total that is counted elsewhere; a smaller one changes nothing.
    package func raise(to total: UInt64) { count.max(total, ordering: .relaxed) }
}

/// Observed values by size.
package final class HistogramSeries: Sendable {
    package struct Content: Sendable, Hashable {
        /// One count per bound, not cumulative, and one more for everything above.
        package var counts: [UInt64]
        package var sum: Double
    }
    package let bounds: [Double]
    private let content: Mutex<Content>

    init(bounds: [Double]) {
        self.bounds = bounds
        content = Mutex(Content(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    package var snapshot: Content { content.withLock { $0 } }

    package func observe(_ value: Double) {
        let slot = bounds.firstIndex { value <= $0 } ?? bounds.count
        content.withLock {
            $0.counts[slot] += 1
            $0.sum += value
        }
    }
}

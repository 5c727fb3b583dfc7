import Synchronization

/// Gives its values one after another; the last one again and again.
final class Countdown: Sendable {
    private let values: Mutex<[Int]>
    init(_ values: [Int]) { self.values = Mutex(values) }
    func next() -> Int { values.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? 0 } }
    var left: Int { values.withLock { $0.count } }
}

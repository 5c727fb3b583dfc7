/// What is to happen, ordered by time and then by the order in which it was asked for.
struct SimQueue {
    struct Event {
        var time: Int64
        var sequence: UInt64
        var action: () -> Void
    }

    private var heap: [Event] = []
    private var sequence: UInt64 = 0

    var nextTime: Int64? { heap.first?.time }

    mutating func push(at time: Int64, _ action: @escaping () -> Void) {
        sequence += 1
        heap.append(Event(time: time, sequence: sequence, action: action))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(child, parent) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Event? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let event = heap.removeLast()
        var parent = 0
        while true {
            let left = parent * 2 + 1
            guard left < heap.count else { break }
            let right = left + 1
            let child = right < heap.count && isBefore(right, left) ? right : left
            guard isBefore(child, parent) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return event
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        heap[a].time != heap[b].time ? heap[a].time < heap[b].time : heap[a].sequence < heap[b].sequence
    }
}

/// A process of a machine: it can end, be frozen, and live again. What happens to it while frozen waits.
package final class SimProcess {
    package private(set) var life = 0
    package private(set) var isAlive = false
    package private(set) var isFrozen = false
    private var backlog: [() -> Void] = []

    package init() {}

    func begin() {
        life += 1
        isAlive = true
        isFrozen = false
        backlog = []
    }

    func end() {
        isAlive = false
        isFrozen = false
        backlog = []
    }

    package func freeze() { if isAlive { isFrozen = true } }

    /// Everything that waited happens now, in order.
    package func thaw() {
        guard isFrozen else { return }
        isFrozen = false
        while !backlog.isEmpty, isAlive, !isFrozen { backlog.removeFirst()() }
    }

    func receive(life: Int, _ action: @escaping () -> Void) {
        guard isAlive, life == self.life else { return }
        if isFrozen {
            backlog.append { [self] in if isAlive, life == self.life { action() } }
        } else {
            action()
        }
    }
}

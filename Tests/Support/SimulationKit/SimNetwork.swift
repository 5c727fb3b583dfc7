/// The wires between machines, per direction.
package final class SimNetwork {
    package struct Weather {
        package var loss = 0.0
        package var delay: ClosedRange<Double> = 0.2...1.5
        /// How often a message takes a time from `tail` instead.
        package var tailRate = 0.0
        package var tail: ClosedRange<Double> = 20...400
        package var duplication = 0.0
        package init() {}
    }

    package var weather = Weather()
    private var random: SimRandom
    private let count: Int
    private var cut: [Bool]
    /// Only the messages between daemons are lost; PostgreSQL's connections go on.
    private var muted: Set<Int> = []

    init(count: Int, random: SimRandom) {
        self.count = count
        self.random = random
        cut = Array(repeating: false, count: count * count)
    }

    func isOpen(_ from: Int, _ to: Int) -> Bool { from == to || !cut[from * count + to] }
    /// A connection needs both directions.
    func isConnected(_ a: Int, _ b: Int) -> Bool { isOpen(a, b) && isOpen(b, a) }

    package func set(_ from: Int, _ to: Int, isCut: Bool) { cut[from * count + to] = isCut }
    package func isolate(_ machine: Int, inward: Bool = true, outward: Bool = true) {
        for other in 0..<count where other != machine {
            if inward { set(other, machine, isCut: true) }
            if outward { set(machine, other, isCut: true) }
        }
    }
    /// Cuts the peer port of a machine and leaves PostgreSQL's port alone.
    package func mute(_ machine: Int) { muted.insert(machine) }

    package func healAll() {
        cut = Array(repeating: false, count: count * count)
        muted = []
    }
    package func heal(_ machine: Int) {
        muted.remove(machine)
        for other in 0..<count {
            set(other, machine, isCut: false)
            set(machine, other, isCut: false)
        }
    }

    /// When the copies of a message sent now arrive; none: lost.
    func arrivals(_ from: Int, _ to: Int) -> [Int64] {
        guard isOpen(from, to), !muted.contains(from), !muted.contains(to), !random.chance(weather.loss) else { return [] }
        if random.chance(weather.duplication) { return [oneDelay(), oneDelay()] }
        return [oneDelay()]
    }

    /// A piece of a byte stream: loss is a retransmission. nil: nothing gets through now.
    func streamDelay(_ from: Int, _ to: Int) -> Int64? {
        guard isOpen(from, to) else { return nil }
        var delay = oneDelay()
        while random.chance(weather.loss) { delay += 200_000_000 }
        return delay
    }

    private func oneDelay() -> Int64 {
        random.chance(weather.tailRate) ? random.time(weather.tail) : random.time(weather.delay)
    }
}

import RaftCore

/// The only source of chance in a simulation.
package struct SimRandom: Sendable {
    private var generator: SeededGenerator

    package init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    package mutating func number() -> UInt64 { generator.next() }
    package mutating func wide() -> UInt128 { UInt128(generator.next()) << 64 | UInt128(generator.next()) }
    /// From 0 up to, not including, 1.
    package mutating func fraction() -> Double { Double(generator.next() >> 11) / Double(1 << 53) }
    package mutating func chance(_ probability: Double) -> Bool { probability > 0 && fraction() < probability }
    package mutating func int(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(generator.next() % UInt64(range.upperBound - range.lowerBound + 1))
    }
    package mutating func real(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + fraction() * (range.upperBound - range.lowerBound)
    }
    /// A time in nanoseconds from a range of milliseconds.
    package mutating func time(_ milliseconds: ClosedRange<Double>) -> Int64 { Int64(real(milliseconds) * 1_000_000) }
    package mutating func pick<T>(_ choices: [T]) -> T? {
        choices.isEmpty ? nil : choices[int(0...choices.count - 1)]
    }
}

/// Nanoseconds of virtual time.
package func milliseconds(_ count: Double) -> Int64 { Int64(count * 1_000_000) }
package func seconds(_ count: Double) -> Int64 { Int64(count * 1_000_000_000) }

/// An instant on one machine (LE1): `raw` is CLOCK_MONOTONIC_RAW, which is never slewed; `suspended` is
/// CLOCK_BOOTTIME - CLOCK_MONOTONIC, which grows while the machine is suspended. Both in nanoseconds.
package struct ClockStamp: Hashable, Sendable, Codable, CustomStringConvertible {
    package var raw: Int64
    package var suspended: Int64

    package init(raw: Int64, suspended: Int64 = 0) {
        self.raw = raw
        self.suspended = suspended
    }

    package var description: String { "\(raw / 1_000_000)ms" }

    /// Raw time from `earlier` to this stamp.
    package func since(_ earlier: ClockStamp) -> Duration { .nanoseconds(raw - earlier.raw) }

    /// This stamp moved by `duration` of raw time; the suspension count stays.
    package func advanced(by duration: Duration) -> ClockStamp {
        ClockStamp(raw: raw + duration.inNanoseconds, suspended: suspended)
    }

    /// LE1: suspension grew by more than 1 ms since `earlier`: a holder's lease counted from `earlier` is over.
    package func wasSuspended(since earlier: ClockStamp) -> Bool { suspended - earlier.suspended > 1_000_000 }
}

extension Duration {
    package var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
    package var inMilliseconds: Int64 { inNanoseconds / 1_000_000 }
    package var inSeconds: Double { Double(inNanoseconds) / 1e9 }
}

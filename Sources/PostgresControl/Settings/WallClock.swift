import ClusterModel
import Glibc

/// Wall time for names and display only (D9).
enum WallClock {
    /// RFC 3339, for people.
    static func instant() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return WallTime.text(milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
    }

    /// UTC, for example `20260102T030405Z`.
    static func compactTimestamp() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let date = "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
        return date + "T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))Z"
    }
}

/// An instant of the monotonic clock by which a wait must end.
struct Deadline: Sendable {
    private let nanoseconds: Int64

    static func after(_ duration: Duration) -> Deadline {
        Deadline(nanoseconds: now() + duration.wholeMilliseconds * 1_000_000)
    }

    var isOver: Bool { Deadline.now() >= nanoseconds }

    /// At least 0, rounded up: a wait of this length never ends before the deadline.
    var remainingMilliseconds: Int32 {
        let left = (nanoseconds - Deadline.now() + 999_999) / 1_000_000
        return Int32(clamping: max(0, left))
    }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}

import CLinux
import ClusterModel

/// This machine's clock as the lease rules read it (LE1).
package enum SystemClock {
    package static func now() -> ClockStamp {
        var raw: Int64 = 0
        var suspended: Int64 = 0
        pgb_clock_stamp(&raw, &suspended)
        return ClockStamp(raw: raw, suspended: suspended)
    }
}

import ClusterModel

/// The clocks of one machine (LE1): a raw clock that runs within 1 % of real time, and the time spent suspended.
package struct SimClock {
    private var rate: Double
    private var base: Int64
    private var since: Int64
    private var suspended: Int64 = 0
    private var suspendedAt: Int64?

    /// - Parameter raw: What the raw clock shows at `now`, the machine's start.
    init(rate: Double, raw: Int64, now: Int64) {
        self.rate = rate
        base = raw
        since = now
    }

    func stamp(at now: Int64) -> ClockStamp {
        let until = suspendedAt ?? now
        return ClockStamp(raw: base + Int64(Double(until - since) * rate), suspended: suspended)
    }

    /// Virtual time from `now` until the raw clock shows `stamp`.
    func delay(until stamp: ClockStamp, now: Int64) -> Int64 {
        max(0, Int64(Double(stamp.raw - self.stamp(at: now).raw) / rate) + 1)
    }

    /// From now on the clock runs at another rate.
    mutating func change(rate: Double, now: Int64) {
        base = stamp(at: now).raw
        since = now
        self.rate = rate
    }

    mutating func suspend(at now: Int64) {
        base = stamp(at: now).raw
        since = now
        suspendedAt = now
    }

    /// - Parameter error: How far the counted suspension is off.
    mutating func resume(at now: Int64, error: Int64) {
        guard let begun = suspendedAt else { return }
        suspended += max(2_000_000, now - begun + error)
        since = now
        suspendedAt = nil
    }
}

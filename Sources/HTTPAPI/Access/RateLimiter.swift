import ClusterModel
import Synchronization

/// A token bucket per client address (H03).
package final class RateLimiter: Sendable {
    package static let burst = 10
    package static let perSecond = 5
    /// Limit: addresses remembered; the fullest buckets are forgotten first, which forgives nobody.
    static let maximumAddresses = 10_000

    private struct Bucket {
        var tokens: Double
        var at: Double
    }

    private let buckets = Mutex<[String: Bucket]>([:])
    private let now: @Sendable () -> Double

    /// - Parameter now: Seconds that only grow.
    package init(now: @escaping @Sendable () -> Double = RateLimiter.monotonicSeconds) { self.now = now }

    /// Seconds since the process first asked.
    package static let monotonicSeconds: @Sendable () -> Double = {
        let clock = ContinuousClock()
        let start = clock.now
        return { start.duration(to: clock.now).inSeconds }
    }()

    /// Takes one; false when there is none.
    func take(_ address: String) -> Bool {
        let time = now()
        return buckets.withLock { buckets in
            RateLimiter.shrink(&buckets, at: time)
            var bucket = RateLimiter.filled(buckets[address], at: time)
            let allowed = bucket.tokens >= 1
            if allowed { bucket.tokens -= 1 }
            buckets[address] = bucket
            return allowed
        }
    }

    /// Whether there is one, without taking it.
    func has(_ address: String) -> Bool {
        let time = now()
        return buckets.withLock { RateLimiter.filled($0[address], at: time).tokens >= 1 }
    }

    /// Addresses remembered now.
    var count: Int { buckets.withLock { $0.count } }

    private static func filled(_ bucket: Bucket?, at time: Double) -> Bucket {
        guard let bucket else { return Bucket(tokens: Double(burst), at: time) }
        let gained = max(0, time - bucket.at) * Double(perSecond)
        return Bucket(tokens: min(Double(burst), bucket.tokens + gained), at: time)
    }

    private static func shrink(_ buckets: inout [String: Bucket], at time: Double) {
        guard buckets.count >= maximumAddresses else { return }
        buckets = buckets.filter { filled($0.value, at: time).tokens < Double(burst) }
        guard buckets.count >= maximumAddresses else { return }
        let kept = buckets.sorted { ($0.value.tokens, $0.key) < ($1.value.tokens, $1.key) }.prefix(maximumAddresses / 2)
        buckets = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}

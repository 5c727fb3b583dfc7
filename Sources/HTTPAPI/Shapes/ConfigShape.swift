import ClusterModel
import Operations

/// `GET /config` (X12): what holds for the whole cluster, with the names Patroni's dynamic configuration has.
struct ConfigShape: Codable, Sendable {
    /// Seconds of the primary's lease.
    var ttl: Double
    @Nullable var maximumLagOnFailover: UInt64?
    @Nullable var maximumLagOnFailoverReason: String?
    var synchronousMode: Bool
    var synchronousModeStrict: Bool
    var synchronousNodeCount: Int
    /// `off`, `quorum` or `strict`: what the three above stand for.
    var synchronous: String
    var pause: Bool
    var restartHoldSeconds: Double
    var scope: String
    var capturedAt: String

    init(_ view: ClusterView) {
        ttl = view.settings.leaseSeconds
        maximumLagOnFailover = view.settings.maxLagBytes
        maximumLagOnFailoverReason = view.settings.maxLagBytes == nil ? "there is no limit" : nil
        synchronous = view.synchronous.mode
        synchronousMode = view.synchronous.mode != "off"
        synchronousModeStrict = view.synchronous.mode == "strict"
        synchronousNodeCount = view.settings.synchronousWanted
        pause = view.paused != nil
        restartHoldSeconds = view.settings.restartHoldSeconds
        scope = view.clusterName
        capturedAt = view.capturedAt
    }
}

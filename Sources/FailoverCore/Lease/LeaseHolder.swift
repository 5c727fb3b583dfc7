import ClusterModel

/// The daemon's side of the lease: it stamps requests and hands what was granted to the guard, which counts.
///
/// - Safety: A grant counts only together with its own request's stamp (LE3), so late, duplicated and reordered grants
///   cannot move a deadline beyond what their own request allows.
package struct LeaseHolder: Sendable {
    private var kept: [UInt64: KeptRequest] = [:]
    private var sequence: UInt64 = 0
    private var lastSent: ClockStamp?
    /// The latest grant: for the view only, the guard decides.
    package private(set) var lastGrantAt: ClockStamp?
    package private(set) var unanswered = 0
    package let daemon: DaemonIncarnation

    private struct KeptRequest {
        var token: FencingToken
        var guardIncarnation: GuardIncarnation
        var requestedAt: ClockStamp
    }

    package init(daemon: DaemonIncarnation) { self.daemon = daemon }

    /// L/10, within 100 ms to 1 s (2.3).
    package static func renewalInterval(_ terms: LeaseTerms) -> Duration {
        .milliseconds(min(max(terms.durationMilliseconds / 10, 100), 1000))
    }

    /// Whether a renewal is due; a new leader is asked at once.
    package func isDue(terms: LeaseTerms, now: ClockStamp, leaderIsNew: Bool) -> Bool {
        guard let lastSent, !leaderIsNew else { return true }
        return now.since(lastSent) >= LeaseHolder.renewalInterval(terms)
    }

    /// A new request, stamped with an instant read before it is sent (LE2).
    package mutating func request(
        cluster: ClusterIdentity, member: MemberID, token: FencingToken, guardIncarnation: GuardIncarnation,
        terms: LeaseTerms, now: ClockStamp
    ) -> LeaseRequest {
        sequence += 1
        lastSent = now
        unanswered += 1
        kept[sequence] = KeptRequest(token: token, guardIncarnation: guardIncarnation, requestedAt: now)
        let longest = Duration.milliseconds(max(terms.durationMilliseconds, terms.waitMilliseconds))
        kept = kept.filter { now.since($0.value.requestedAt) <= longest }
        return LeaseRequest(
            clusterID: cluster.id, epoch: cluster.epoch, memberID: member, token: token,
            guardIncarnation: guardIncarnation, daemon: daemon, sequence: sequence)
    }

    /// The order to the guard that a grant amounts to; nil when it does not count (LE3).
    package mutating func accept(
        _ grant: LeaseGrant, cluster: ClusterIdentity?, guardIncarnation: GuardIncarnation?, now: ClockStamp
    ) -> GuardOrder? {
        guard grant.daemon == daemon, grant.clusterID == cluster?.id, let request = kept[grant.sequence],
            request.token == grant.token, request.guardIncarnation == grant.guardIncarnation,
            guardIncarnation == grant.guardIncarnation
        else { return nil }
        kept[grant.sequence] = nil
        unanswered = 0
        lastGrantAt = now
        return .arm(
            token: grant.token, requestedAt: request.requestedAt, durationMilliseconds: grant.durationMilliseconds,
            mode: grant.mode)
    }

    /// Time since the last request; nil before the first.
    package func elapsedSinceRequest(now: ClockStamp) -> Duration? { lastSent.map { now.since($0) } }

    /// Ask again soon, for instance because the leader was not ready.
    package mutating func retrySoon(now: ClockStamp) { lastSent = now.advanced(by: .milliseconds(-10_000)) }
}

import ClusterModel

/// The leader's side of the lease: what it accepted and granted in its own term, and when another primary may be assigned.
///
/// - Safety: LE6-LE8; the proof is in failover.md 4.5.
package struct LeaseLedger: Sendable {
    /// This leader's own observations begin here; it has applied its own-term entry later (RA5).
    package let term: UInt64
    package let becameLeaderAt: ClockStamp
    /// Per token: the last acceptance, and the longest duration it granted.
    private var accepted: [FencingToken: Acceptance] = [:]
    /// Tokens assigned by this leader in this term: nothing older can have been granted for them.
    private var assignedHere: Set<FencingToken> = []
    private var holdAskedAt: [FencingToken: ClockStamp] = [:]
    private var lastSequence: [DaemonIncarnation: UInt64] = [:]
    private var waiting: [UInt64: Waiting] = [:]

    private struct Acceptance {
        var at: ClockStamp
        var longestMilliseconds: Int64
    }
    private struct Waiting {
        var request: LeaseRequest
        var from: MemberID
    }

    package init(term: UInt64, becameLeaderAt: ClockStamp) {
        self.term = term
        self.becameLeaderAt = becameLeaderAt
    }

    /// LE6, checked at acceptance and again when the round is complete.
    private func objection(_ request: LeaseRequest, _ state: ClusterState) -> LeaseDenialReason? {
        guard let cluster = state.cluster, cluster.id == request.clusterID, cluster.epoch == request.epoch else {
            return .wrongCluster
        }
        guard let primary = state.primary, primary.token == request.token, primary.memberID == request.memberID else {
            return .wrongToken
        }
        guard primary.guardIncarnation == request.guardIncarnation else { return .wrongGuard }
        return primary.phase == .ended ? .ended : nil
    }

    /// LE6: notes the acceptance; the caller begins a round with this context, and grants when it is complete.
    package mutating func accept(
        _ request: LeaseRequest, from: MemberID, context: UInt64, state: ClusterState, now: ClockStamp
    ) -> LeaseDenialReason? {
        if let objection = objection(request, state) { return objection }
        if let last = lastSequence[request.daemon], request.sequence <= last { return .stale }
        lastSequence[request.daemon] = request.sequence
        let longest = max(accepted[request.token]?.longestMilliseconds ?? 0, state.leases.durationMilliseconds)
        accepted[request.token] = Acceptance(at: now, longestMilliseconds: longest)
        waiting[context] = Waiting(request: request, from: from)
        return nil
    }

    /// LE7: the round begun after the acceptance is complete, or failed.
    package mutating func finish(
        context: UInt64, confirmed: Bool, state: ClusterState
    ) -> (to: MemberID, answer: Result<LeaseGrant, LeaseRefused>)? {
        guard let entry = waiting.removeValue(forKey: context) else { return nil }
        let request = entry.request
        let reason = confirmed ? objection(request, state) : .noQuorum
        if let reason {
            return (
                entry.from,
                .failure(
                    LeaseRefused(
                        denial: LeaseDenial(
                            daemon: request.daemon, sequence: request.sequence, reason: reason)))
            )
        }
        let grant = LeaseGrant(
            clusterID: request.clusterID, term: term, token: request.token, guardIncarnation: request.guardIncarnation,
            daemon: request.daemon, sequence: request.sequence,
            durationMilliseconds: state.leases.durationMilliseconds, mode: state.leases.mode)
        // LE8: D covers what was granted.
        let longest = max(accepted[request.token]?.longestMilliseconds ?? 0, grant.durationMilliseconds)
        accepted[request.token]?.longestMilliseconds = longest
        return (entry.from, .success(grant))
    }

    /// A hold was asked for: its duration counts from here for this leader (LE8).
    package mutating func noteHold(_ token: FencingToken, now: ClockStamp) { holdAskedAt[token] = now }

    /// LE12: a shorter wait was committed, so no lease granted for longer counts any more.
    package mutating func settled(milliseconds: Int64) {
        for token in accepted.keys { accepted[token]?.longestMilliseconds = milliseconds }
    }

    package mutating func assigned(_ token: FencingToken) { assignedHere.insert(token) }

    /// When `expired` (LE8) will hold for `token`; nil: it never can, since the lease has no end.
    package func expiry(of token: FencingToken, state: ClusterState) -> ClockStamp? {
        guard state.leases.mode == .timed else { return nil }
        let mine = accepted[token]
        var from = becameLeaderAt
        var wait = state.leases.waitMilliseconds
        if assignedHere.contains(token) {
            guard let mine else { return becameLeaderAt }  // nobody asked: nothing was granted
            from = mine.at
            wait = max(mine.longestMilliseconds, state.leases.durationMilliseconds)
        } else if let mine, mine.at.raw > from.raw {
            from = mine.at
            wait = max(wait, mine.longestMilliseconds)
        }
        // 1.03 x D, in nanoseconds.
        let lease = from.advanced(by: .nanoseconds(wait * 1_030_000))
        guard let hold = state.hold, hold.token == token else { return lease }
        let since = holdAskedAt[token].map { max($0.raw, becameLeaderAt.raw) } ?? becameLeaderAt.raw
        let end = ClockStamp(raw: since).advanced(by: .nanoseconds(hold.durationMilliseconds * 1_030_000))
        return end.raw > lease.raw ? end : lease
    }

    package func hasExpired(_ token: FencingToken, state: ClusterState, now: ClockStamp) -> Bool {
        guard let expiry = expiry(of: token, state: state) else { return false }
        return now.raw >= expiry.raw
    }

    package func lastAcceptance(of token: FencingToken) -> ClockStamp? { accepted[token]?.at }
}

/// A refusal as an error value, for `Result`.
package struct LeaseRefused: Error, Sendable {
    package var denial: LeaseDenial
}

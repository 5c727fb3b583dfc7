import ClusterModel

/// Whether this node may have the virtual address, and until when (VI1).
///
/// `follows: leader`: from 1.03 V after it began to lead, or at once if its predecessor had given the address up before it
/// handed over; until V after the beginning of its last complete round. `follows: primary`: under the primary lease.
///
/// - Safety: 4.5 with a round in the place of a grant. A later leader shares a voter with every round of an earlier one,
///   so each such round began before the later leader was elected, and the later leader waits longer than V from there.
package struct VirtualAddressLease: Sendable {
    /// V for `follows: leader`, and the least for `follows: primary`.
    package static let least = Duration.seconds(3)
    /// 1.03 V in nanoseconds: what a waiter's clock may run slow, and a holder's fast.
    static func wait(for duration: Duration) -> Duration { .nanoseconds(duration.inNanoseconds / 100 * 103) }

    package let rule: VirtualAddressRule
    private var leading: Leading?
    private var guarding: Guarding?

    private struct Leading: Sendable {
        var mayHoldAt: ClockStamp
        var roundBegan: ClockStamp?
        /// The address was given up for a successor, whose claim stands until this node's log has moved on.
        var isGivenUp = false
    }
    private struct Guarding: Sendable {
        var token: FencingToken
        var mayHoldAt: ClockStamp
    }

    package init(rule: VirtualAddressRule) { self.rule = rule }

    /// - Parameter predecessorGaveUp: The leader of the term before removed the address, said so before its `TimeoutNow`,
    ///   and its log has not moved on since.
    package mutating func beganToLead(at now: ClockStamp, predecessorGaveUp: Bool) {
        let wait = predecessorGaveUp ? .zero : VirtualAddressLease.wait(for: VirtualAddressLease.least)
        leading = Leading(mayHoldAt: now.advanced(by: wait))
    }

    package mutating func stoppedLeading() { leading = nil }

    /// - Parameter began: An instant before the round's first message was sent.
    package mutating func completedRound(began: ClockStamp) {
        guard let last = leading?.roundBegan, last.raw >= began.raw else {
            leading?.roundBegan = began
            return
        }
    }

    /// Nobody before this leader can have the address any more; only then may it tell a successor that there is nothing
    /// to wait for.
    package func isEntitled(at now: ClockStamp) -> Bool { leading.map { now.raw >= $0.mayHoldAt.raw } ?? false }

    package mutating func giveUp() { leading?.isGivenUp = true }

    /// The transfer failed, and an entry after the one the successor was told of is committed: its claim is void.
    package mutating func takeBack() { leading?.isGivenUp = false }

    package var isGivenUp: Bool { leading?.isGivenUp ?? false }

    /// The claim under `follows: leader`.
    package func leaderClaim(isReady: Bool, now: ClockStamp) -> VirtualAddressOrder.Kind {
        guard let leading else { return .drop(reason: "not leader") }
        guard isReady else { return .drop(reason: "the leader is not ready yet") }
        guard !leading.isGivenUp else { return .drop(reason: "leadership is being handed over") }
        guard now.raw >= leading.mayHoldAt.raw else {
            return .drop(reason: "new leader: the one before may still have the address for a moment")
        }
        guard let began = leading.roundBegan, !now.wasSuspended(since: began) else {
            return .drop(reason: "no round of this leader is complete yet")
        }
        let until = began.advanced(by: VirtualAddressLease.least)
        guard now.raw < until.raw else { return .drop(reason: "no majority answers this leader") }
        return .hold(until: until, outlivesDaemon: false)
    }

    /// What `primaryClaim` depends on.
    package struct PrimaryContext: Sendable {
        package var token: FencingToken
        package var basis: AssignmentBasis
        /// The guard holds the lease for this token.
        package var holdsLease: Bool
        /// The server is being stopped for a switchover away from this node.
        package var isHandingOver: Bool
        /// The guard's deadline; nil: the lease has no end (4.10).
        package var deadline: ClockStamp?
        package var leaseDuration: Duration
        package var hasHold: Bool
        package init(
            token: FencingToken, basis: AssignmentBasis, holdsLease: Bool, isHandingOver: Bool, deadline: ClockStamp?,
            leaseDuration: Duration, hasHold: Bool
        ) {
            self.token = token
            self.basis = basis
            self.holdsLease = holdsLease
            self.isHandingOver = isHandingOver
            self.deadline = deadline
            self.leaseDuration = leaseDuration
            self.hasHold = hasHold
        }
    }

    /// The claim under `follows: primary`; nil: this node is not the primary.
    package mutating func primaryClaim(_ context: PrimaryContext?, now: ClockStamp) -> VirtualAddressOrder.Kind {
        guard let context, context.holdsLease else {
            guarding = nil
            return .drop(reason: context == nil ? "not primary" : "this node's guard has no lease")
        }
        guard !context.isHandingOver else { return .drop(reason: "the primary is being switched over") }
        // A lease below V is longer for the address than for PostgreSQL: then the next holder waits for the rest.
        let extra = max(.zero, VirtualAddressLease.least - context.leaseDuration)
        if guarding?.token != context.token {
            let isProven = context.basis == .released || context.basis == .never || context.basis == .sameNode
            let wait = isProven ? .zero : VirtualAddressLease.wait(for: extra)
            guarding = Guarding(token: context.token, mayHoldAt: now.advanced(by: wait))
        }
        if let guarding, now.raw < guarding.mayHoldAt.raw {
            return .drop(reason: "new primary: the one before may still have the address for a moment")
        }
        guard let deadline = context.deadline else {
            return .hold(until: now.advanced(by: VirtualAddressLease.least), outlivesDaemon: false)
        }
        let until = deadline.advanced(by: extra)
        guard now.raw < until.raw, !now.wasSuspended(since: until) else { return .drop(reason: "the primary lease ended") }
        return .hold(until: until, outlivesDaemon: context.hasHold)
    }
}

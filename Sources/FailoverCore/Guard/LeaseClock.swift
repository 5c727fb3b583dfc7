import ClusterModel

/// One grant as its holder counts it: from before its request was sent (LE3).
struct LeaseTerm: Sendable, Hashable {
    var requestedAt: ClockStamp
    var duration: Duration
    var deadline: ClockStamp { requestedAt.advanced(by: duration) }
}

/// The grants of one token, and what they amount to (LE3, LE12).
///
/// - Invariant: `terms` rise by `requestedAt` and fall by `deadline`: only grants that may still matter are kept.
struct LeaseClock: Sendable, Hashable {
    /// Limit: more grants than this are never kept; forgetting one only makes the lease shorter.
    static let maximumTerms = 8

    private(set) var mode = LeaseMode.timed
    private(set) var terms: [LeaseTerm] = []
    /// The newest request whose grant was counted, in either mode.
    private(set) var newest: ClockStamp?
    /// The duration of the newest timed grant.
    private(set) var duration = Duration.zero
    /// After `lower(timed)` no grant of this token brings the sole mode back: one answered before the leader committed
    /// the change may still be on its way.
    private var staysTimed = false
    private var caps: [Cap] = []

    /// What a lowering does to every request stamped before it.
    private struct Cap: Sendable, Hashable {
        var loweredAt: ClockStamp
        var duration: Duration
    }

    /// The clock of another token: no grants, the lowerings stay.
    func emptied() -> LeaseClock {
        var result = LeaseClock()
        result.caps = caps
        return result
    }

    /// Counts a grant.
    mutating func count(_ granted: LeaseTerm, mode grantedMode: LeaseMode) {
        let isNewest = newest.map { granted.requestedAt.raw >= $0.raw } ?? true
        if isNewest {
            newest = granted.requestedAt
            mode = staysTimed ? .timed : grantedMode
        }
        guard grantedMode == .timed || staysTimed else { return }
        var term = granted
        for cap in caps where term.requestedAt.raw <= cap.loweredAt.raw {
            term.duration = min(term.duration, cap.duration)
        }
        if isNewest { duration = term.duration }
        insert(term)
    }

    /// LE1 and LE3: the latest deadline of the grants that no suspension has ended; nil if there is none.
    func deadline(at now: ClockStamp) -> ClockStamp? {
        terms.first { !now.wasSuspended(since: $0.requestedAt) }?.deadline
    }

    /// These grants under at most `limit`, as a lowering at `now` makes them (LE12).
    func lowered(to limit: Duration, at now: ClockStamp) -> LeaseClock {
        var result = self
        if mode == .sole, let newest {
            result.terms = []
            result.insert(LeaseTerm(requestedAt: newest, duration: limit))
        } else {
            result.terms = []
            for term in terms {
                result.insert(LeaseTerm(requestedAt: term.requestedAt, duration: min(term.duration, limit)))
            }
        }
        result.duration = mode == .sole ? limit : min(duration, limit)
        result.addCap(Cap(loweredAt: now, duration: limit))
        return result
    }

    /// As `lowered(to:at:)`, and never again without an end.
    func loweredToTimed(_ limit: Duration, at now: ClockStamp) -> LeaseClock {
        var result = lowered(to: limit, at: now)
        result.mode = .timed
        result.staysTimed = true
        return result
    }

    private mutating func insert(_ term: LeaseTerm) {
        guard !terms.contains(where: { dominates($0, term) }) else { return }
        var kept = terms.filter { !dominates(term, $0) }
        let place = kept.firstIndex { $0.requestedAt.raw > term.requestedAt.raw } ?? kept.endIndex
        kept.insert(term, at: place)
        if kept.count > Self.maximumTerms { kept.removeFirst() }
        terms = kept
    }

    /// Whether `a` outlasts `b` in both respects: its end, and the suspensions that do not touch it.
    private func dominates(_ a: LeaseTerm, _ b: LeaseTerm) -> Bool {
        a.requestedAt.raw >= b.requestedAt.raw && a.deadline.raw >= b.deadline.raw
    }

    private mutating func addCap(_ cap: Cap) {
        caps.removeAll { $0.duration >= cap.duration }
        caps.append(cap)
        guard caps.count > Self.maximumTerms else { return }
        let merged = Cap(loweredAt: caps[1].loweredAt, duration: min(caps[0].duration, caps[1].duration))
        caps.replaceSubrange(0...1, with: [merged])
    }
}

/// The log of one server in memory: consecutive entries behind a base whose index and term are known, and the
/// memberships that its entries brought into effect.
///
/// - Invariant: `entries[i].index == baseIndex + 1 + i`; terms never fall.
/// - Invariant: `memberships` is ascending in index and never empty; the first one is committed.
struct RaftLog: Sendable {
    struct PlacedMembership: Sendable {
        var index: LogIndex
        var membership: Membership
    }

    private(set) var baseIndex: LogIndex
    private(set) var baseTerm: Term
    private(set) var entries: [LogEntry]
    private(set) var memberships: [PlacedMembership]

    /// The log as it was found on disk. Entries at or before the snapshot may still be there (ST6 keeps some).
    init(snapshot: Snapshot?, entries stored: [LogEntry], initialMembership: Membership) {
        baseIndex = snapshot?.index ?? .zero
        baseTerm = snapshot?.term ?? .zero
        entries = []
        memberships = [PlacedMembership(index: baseIndex, membership: snapshot?.membership ?? initialMembership)]
        let snapshotIndex = baseIndex
        if let first = stored.first, let last = stored.last, first.index <= snapshotIndex, last.index >= snapshotIndex,
            stored[snapshotIndex - first.index].term == baseTerm
        {
            // The oldest kept entry becomes the base: its term is known, its predecessor's is not.
            baseIndex = first.index
            baseTerm = first.term
        }
        entries.reserveCapacity(stored.count)
        for entry in stored where entry.index > baseIndex {
            precondition(
                entry.index == lastIndex.next && entry.term >= lastTerm,
                "stored entry \(entry.index) of term \(entry.term) does not follow \(lastIndex) of term \(lastTerm)")
            entries.append(entry)
            if entry.index > snapshotIndex { noteMembership(entry) }
        }
    }

    var firstIndex: LogIndex { baseIndex.next }
    var lastIndex: LogIndex { LogIndex(baseIndex.rawValue &+ UInt64(entries.count)) }
    var lastTerm: Term { entries.last?.term ?? baseTerm }

    var membership: Membership { memberships[memberships.count - 1].membership }
    var lastMembershipIndex: LogIndex { memberships[memberships.count - 1].index }

    /// The membership in effect before the latest one, when it is still known.
    var previousMembership: Membership? {
        memberships.count < 2 ? nil : memberships[memberships.count - 2].membership
    }

    /// The term of an entry, also of the base; nil when the index is not (or no longer) known.
    func term(at index: LogIndex) -> Term? {
        if index > baseIndex {
            return index > lastIndex ? nil : entries[Int(index.rawValue - baseIndex.rawValue) - 1].term
        }
        return index == baseIndex ? baseTerm : nil
    }

    /// Entries `from` through `to`, clamped to what is there.
    func slice(from: LogIndex, through to: LogIndex) -> [LogEntry] {
        let low = max(from, firstIndex)
        let high = min(to, lastIndex)
        guard low <= high else { return [] }
        return Array(entries[(low - firstIndex)...(high - firstIndex)])
    }

    /// Entries from `from` on, within the limits of one message (RA21), at least one if there is one.
    func slice(from: LogIndex, maxCount: Int, maxBytes: Int) -> [LogEntry] {
        guard from >= firstIndex, from <= lastIndex else { return [] }
        let start = from - firstIndex
        var end = start
        var bytes = 0
        while end < entries.count, end - start < max(1, maxCount) {
            bytes += entries[end].sizeInBytes
            if end > start, bytes > maxBytes { break }
            end += 1
        }
        return Array(entries[start..<end])
    }

    func bytes(from: LogIndex, through to: LogIndex) -> Int {
        let low = max(from, firstIndex)
        let high = min(to, lastIndex)
        guard low <= high else { return 0 }
        var sum = 0
        for i in (low - firstIndex)...(high - firstIndex) { sum += entries[i].sizeInBytes }
        return sum
    }

    /// The highest index at or before `index` whose term is at most `term`: where two logs may still agree.
    ///
    /// - Source: Raft thesis, section 3.5 (skipping a whole term per round trip).
    func lastIndex(atOrBefore index: LogIndex, ofTermAtMost term: Term) -> LogIndex {
        var i = min(index, lastIndex)
        while i > baseIndex, let found = self.term(at: i), found > term { i = i.previous }
        return i
    }

    mutating func append(_ entry: LogEntry) {
        entries.append(entry)
        if entry.kind == .membership { noteMembership(entry) }
    }

    /// Removes `index` and everything behind it; a membership that goes with it is no longer in effect (thesis 4.1).
    mutating func truncate(from index: LogIndex) {
        guard index > baseIndex, index <= lastIndex else { return }
        entries.removeSubrange((index - firstIndex)...)
        while memberships.count > 1, lastMembershipIndex >= index { memberships.removeLast() }
    }

    /// Replaces everything by a snapshot.
    mutating func reset(to snapshot: Snapshot) {
        baseIndex = snapshot.index
        baseTerm = snapshot.term
        entries = []
        memberships = [PlacedMembership(index: snapshot.index, membership: snapshot.membership)]
    }

    /// The membership that was in effect at `index`, if that is still known.
    func membership(at index: LogIndex) -> Membership? {
        memberships.last { $0.index <= index }?.membership
    }

    /// Forgets the memberships before the one in effect at `snapshotIndex`, and the entries through `dropped`.
    mutating func compact(snapshotIndex: LogIndex, dropThrough dropped: LogIndex) {
        while memberships.count > 1, memberships[1].index <= snapshotIndex { memberships.removeFirst() }
        guard dropped > baseIndex, let droppedTerm = term(at: dropped) else { return }
        entries.removeFirst(dropped - baseIndex)
        baseIndex = dropped
        baseTerm = droppedTerm
    }

    /// A payload that cannot be read changes nothing; a correct leader never appends one.
    private mutating func noteMembership(_ entry: LogEntry) {
        guard entry.kind == .membership else { return }
        do throws(RaftCodecError) {
            let membership = try Membership(decoding: entry.payload)
            memberships.append(PlacedMembership(index: entry.index, membership: membership))
        } catch {
            return
        }
    }
}

extension LogEntry {
    /// What an entry counts for in the limits of RA21: the payload and its fixed fields.
    var sizeInBytes: Int { payload.count + 32 }
}

/// What an entry of the Raft log is for.
package enum EntryKind: UInt8, Sendable, Hashable {
    /// A command of the state machine; the payload is opaque to Raft.
    case command = 0
    /// The entry a new leader appends first, without payload (thesis 6.4).
    case empty = 1
    /// A membership; the payload is an encoded `Membership`. Effective as soon as it is in the log (thesis 4.1).
    case membership = 2
}

/// One entry of the Raft log.
package struct LogEntry: Sendable, Hashable {
    package var index: LogIndex
    package var term: Term
    package var kind: EntryKind
    package var payload: [UInt8]

    package init(index: LogIndex, term: Term, kind: EntryKind = .command, payload: [UInt8] = []) {
        self.index = index
        self.term = term
        self.kind = kind
        self.payload = payload
    }
}

/// Who belongs to the cluster: voters count for majorities, learners only receive.
///
/// - Invariant: Both arrays are sorted, without duplicates, and disjoint.
package struct Membership: Sendable, Hashable {
    package private(set) var voters: [ServerID]
    package private(set) var learners: [ServerID]

    package init(voters: [ServerID] = [], learners: [ServerID] = []) {
        let v = Set(voters)
        self.voters = v.sorted()
        self.learners = Set(learners).subtracting(v).sorted()
    }

    package var members: [ServerID] { (voters + learners).sorted() }
    package func contains(_ id: ServerID) -> Bool { voters.contains(id) || learners.contains(id) }
}

/// What a server must remember before it answers: its term and whom it voted for in it.
package struct HardState: Sendable, Hashable {
    package var term: Term
    package var vote: ServerID?
    package init(term: Term = .zero, vote: ServerID? = nil) {
        self.term = term
        self.vote = vote
    }
}

/// A snapshot of the state machine and the membership at one index.
package struct Snapshot: Sendable, Hashable {
    package var index: LogIndex
    package var term: Term
    package var membership: Membership
    /// The state machine's own encoding, opaque to Raft. Copy-on-write: cheap to hand on.
    package var data: [UInt8]

    package init(index: LogIndex, term: Term, membership: Membership, data: [UInt8]) {
        self.index = index
        self.term = term
        self.membership = membership
        self.data = data
    }
}

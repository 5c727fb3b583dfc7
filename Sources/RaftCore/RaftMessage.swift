/// A message between two Raft servers.
///
/// - Invariant: Nothing in it refers to a wall clock, an address or an order of hashing.
package struct RaftMessage: Sendable, Hashable {
    package var from: ServerID
    package var to: ServerID
    /// The sender's term; a pre-vote request carries the term it would use.
    package var term: Term
    package var body: Body

    package init(from: ServerID, to: ServerID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }

    package enum Body: Sendable, Hashable {
        case voteRequest(VoteRequest)
        case voteResponse(VoteResponse)
        case append(AppendRequest)
        case appendResponse(AppendResponse)
        case snapshot(SnapshotChunk)
        case timeoutNow
    }

    /// - Source: Raft thesis, sections 3.4, 4.2.3 (`transfer`), 9.6 (`preVote`).
    package struct VoteRequest: Sendable, Hashable {
        package var lastIndex: LogIndex
        package var lastTerm: Term
        package var preVote: Bool
        /// The candidate was told by the leader to take over: stickiness does not apply.
        package var transfer: Bool
        package init(lastIndex: LogIndex, lastTerm: Term, preVote: Bool = false, transfer: Bool = false) {
            self.lastIndex = lastIndex
            self.lastTerm = lastTerm
            self.preVote = preVote
            self.transfer = transfer
        }
    }

    package struct VoteResponse: Sendable, Hashable {
        package var granted: Bool
        package var preVote: Bool
        package init(granted: Bool, preVote: Bool = false) {
            self.granted = granted
            self.preVote = preVote
        }
    }

    /// Entries after (`previousIndex`, `previousTerm`); without entries a heartbeat or a probe.
    package struct AppendRequest: Sendable, Hashable {
        package var previousIndex: LogIndex
        package var previousTerm: Term
        /// A plain array, never a slice of the log: a live slice makes the next append copy the log.
        package var entries: [LogEntry]
        package var commitIndex: LogIndex
        /// The leader's round at sending (RA7); answers return it.
        package var round: UInt64
        package init(
            previousIndex: LogIndex, previousTerm: Term, entries: [LogEntry], commitIndex: LogIndex, round: UInt64 = 0
        ) {
            self.previousIndex = previousIndex
            self.previousTerm = previousTerm
            self.entries = entries
            self.commitIndex = commitIndex
            self.round = round
        }
    }

    package struct AppendResponse: Sendable, Hashable {
        package var success: Bool
        /// When successful: the last index proven equal to the leader's log and stored durably.
        package var matchIndex: LogIndex
        /// When not: where the leader should go on looking.
        package var hintIndex: LogIndex
        package var hintTerm: Term
        package var round: UInt64
        /// Only in the answer to a snapshot chunk that did not complete the snapshot of (`hintIndex`, `hintTerm`):
        /// how many of its bytes are there, so which chunk comes next.
        package var receivedBytes: Int?
        package init(
            success: Bool, matchIndex: LogIndex, hintIndex: LogIndex = .zero, hintTerm: Term = .zero,
            round: UInt64 = 0, receivedBytes: Int? = nil
        ) {
            self.success = success
            self.matchIndex = matchIndex
            self.hintIndex = hintIndex
            self.hintTerm = hintTerm
            self.round = round
            self.receivedBytes = receivedBytes
        }
    }

    /// A piece of a snapshot (RA12); `offset + data.count == totalBytes` marks the last one.
    package struct SnapshotChunk: Sendable, Hashable {
        package var index: LogIndex
        package var snapshotTerm: Term
        package var membership: Membership
        package var offset: Int
        package var totalBytes: Int
        package var data: [UInt8]
        package var round: UInt64
        package init(
            index: LogIndex, snapshotTerm: Term, membership: Membership, offset: Int, totalBytes: Int, data: [UInt8],
            round: UInt64 = 0
        ) {
            self.index = index
            self.snapshotTerm = snapshotTerm
            self.membership = membership
            self.offset = offset
            self.totalBytes = totalBytes
            self.data = data
            self.round = round
        }
    }
}

/// What a server is in its current term.
///
/// Transitions: follower -> precandidate (timeout, RA2) -> candidate (pre-vote won, or `TimeoutNow`) -> leader
/// (majority); every role -> follower (higher term, a leader's message, lost election, check-quorum, removal);
/// follower <-> learner by membership only.
package enum RaftRole: String, Sendable, Hashable, CaseIterable {
    case follower, precandidate, candidate, leader, learner
}

/// Where a proposal was put. It is decided when (`index`, `term`) is committed; another term at `index` means it is lost.
package struct ProposalReceipt: Sendable, Hashable {
    package var index: LogIndex
    package var term: Term
    package init(index: LogIndex, term: Term) {
        self.index = index
        self.term = term
    }
}

package enum ProposalRefusal: Error, Sendable, Hashable {
    case notLeader(leader: ServerID?)
    /// RA21: too many bytes are not committed yet.
    case busy
    case tooLarge
    /// RA8: leadership is being handed over.
    case transferring
}

package enum MembershipChange: Sendable, Hashable {
    case addLearner(ServerID)
    /// Also makes a voter of a learner.
    case addVoter(ServerID)
    case remove(ServerID)
}

package enum MembershipRefusal: Error, Sendable, Hashable {
    case notLeader(leader: ServerID?)
    /// RA10: another change is not committed yet.
    case changePending
    /// RA5, RA10: no entry of this term is committed yet.
    case notReady
    /// The cluster would have no voter left.
    case lastVoter
    /// The membership is like that already; a voter is not made a learner either.
    case alreadySo
    case transferring
}

package enum TransferRefusal: Error, Sendable, Hashable {
    case notLeader(leader: ServerID?)
    /// RA8: never during a membership change.
    case changePending
    /// The target is not a voter, is this server, or no other voter is in contact.
    case noTarget
    case transferring
}

/// What a leader knows about another member.
package struct PeerProgress: Sendable, Hashable {
    package var matchIndex: LogIndex
    package var nextIndex: LogIndex
    package var ticksSinceContact: Int
    package var isLearner: Bool
    /// RA9: close to the leader's last entry for two rounds in a row.
    package var isCaughtUp: Bool
}

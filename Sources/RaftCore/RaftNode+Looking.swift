/// What can be seen of a server from outside.
extension RaftNode {
    package var role: RaftRole { state == .follower && selfIsLearner ? .learner : state }
    package var lastIndex: LogIndex { log.lastIndex }
    package var lastTerm: Term { log.lastTerm }
    package var firstIndex: LogIndex { log.firstIndex }
    /// The last index known to be durable on this server.
    package var durableIndex: LogIndex { storage.durableIndex }
    /// The latest membership in the log, committed or not (RA10).
    package var membership: Membership { log.membership }
    package var lastMembershipIndex: LogIndex { log.lastMembershipIndex }
    /// RA5: this server leads and an entry of its term is committed. Wait for `appliedIndex >= ownTermIndex` as well.
    package var hasCommittedInTerm: Bool { state == .leader && commitIndex >= termStart }
    /// The index of the entry a leader appended first in its term (RA5); nil on others.
    package var ownTermIndex: LogIndex? { state == .leader ? termStart : nil }
    package var isTransferring: Bool { transfer != nil }

    /// The leader's view of the other members, empty elsewhere.
    package var progress: [ServerID: PeerProgress] {
        var progress: [ServerID: PeerProgress] = [:]
        for peer in peers where peer.isMember {
            progress[peer.id] = PeerProgress(
                matchIndex: peer.match, nextIndex: peer.next, ticksSinceContact: peer.ticksSinceContact,
                isLearner: peer.isLearner, isCaughtUp: peer.levelRounds >= 2)
        }
        return progress
    }

    /// On the leader: voters heard within the check-quorum time, itself included if it is one. 0 elsewhere.
    package var votersInContact: Int {
        guard state == .leader else { return 0 }
        var count = selfIsVoter ? 1 : 0
        for peer in peers where peer.isVoter && peer.ticksSinceContact < settings.checkQuorumTicks { count += 1 }
        return count
    }

    /// Entries `from` through `to` as far as they are in the log.
    package func entries(from: LogIndex, to: LogIndex) -> [LogEntry] { log.slice(from: from, through: to) }

    package func term(at index: LogIndex) -> Term? { log.term(at: index) }

    /// Sets the election timeout of this moment and restarts its count. For drivers that steer time exactly.
    package mutating func setElectionTimeout(ticks: Int) {
        electionTimeout = max(1, ticks)
        electionElapsed = 0
    }
}

extension RaftMessage {
    /// Numbers beyond this are refused, so that arithmetic on them never overflows.
    static let largestNumber: UInt64 = 1 << 62

    var isPlausible: Bool {
        let limit = Self.largestNumber
        guard term.rawValue < limit else { return false }
        switch body {
        case .voteRequest(let request): return request.lastIndex.rawValue < limit
        case .append(let request):
            return request.previousIndex.rawValue < limit && request.commitIndex.rawValue < limit
        case .appendResponse(let response):
            return response.matchIndex.rawValue < limit && response.hintIndex.rawValue < limit
        case .snapshot(let chunk): return chunk.index.rawValue < limit
        case .voteResponse, .timeoutNow: return true
        }
    }
}

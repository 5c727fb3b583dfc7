/// Elections (thesis 3.4, 3.6.1, 3.9, 4.2.3, 9.6; RA1 to RA3, RA16).
extension RaftNode {
    /// Acts as if the election timeout had fired. A server that may not lead does nothing.
    package mutating func campaign() { campaign(byTransfer: false) }

    mutating func campaign(byTransfer: Bool) {
        electionElapsed = 0
        guard state != .leader, mayCampaign else { return }
        if settings.preVote && !byTransfer { becomePrecandidate() } else { becomeCandidate(byTransfer: byTransfer) }
    }

    /// Voters of the latest membership campaign, and a server whose removal may not be committed: it can hold the
    /// only copy of that entry, which its former fellow voters then need (thesis 4.2.2).
    var mayCampaign: Bool {
        if selfIsVoter { return true }
        return log.lastMembershipIndex > commitIndex && log.previousMembership?.voters.contains(id) == true
    }

    /// RA3. Only with check-quorum: a leader that ignored votes and never looked for its majority could not be replaced.
    var isSticky: Bool {
        guard settings.checkQuorum else { return false }
        return state == .leader || (leader != nil && ticksSinceLeaderContact < settings.electionTicks)
    }

    mutating func tickAsFollower() {
        electionElapsed += 1
        ticksSinceLeaderContact += 1
        guard electionElapsed >= electionTimeout else { return }
        campaign()
    }

    mutating func drawElectionTimeout() {
        let shortest = max(1, settings.electionTicks)
        let lowest = settings.prefersNotToLead ? shortest + shortest / 2 : shortest
        electionTimeout = generator.draw(lowest...(2 * shortest - 1))
    }

    mutating func becomeFollower(term newTerm: Term, leader newLeader: ServerID?) {
        if newTerm > term {
            term = newTerm
            vote = nil
            storage.hardStateChanged()
        }
        if state == .leader { leaveLeadership() }
        // A follower that only learns a term keeps its clock: whoever has the better log should campaign first.
        if newLeader != nil || state != .follower { electionElapsed = 0 }
        if newLeader != leader || state != .follower { drawElectionTimeout() }
        state = .follower
        leader = newLeader
        votes = [:]
        if newLeader != nil { ticksSinceLeaderContact = 0 }
    }

    private mutating func leaveLeadership() {
        finishedReads += pendingReads.map { ReadResult(context: $0.context, index: nil) }
        pendingReads = []
        peers = []
        transfer = nil
        roundWanted = false
        uncommittedBytes = 0
        ticksSinceLeaderContact = 0
    }

    private mutating func becomePrecandidate() {
        state = .precandidate
        leader = nil
        drawElectionTimeout()
        votes = [id: true]
        if Quorum.voteResult(voters: log.membership.voters, votes: votes) == .won {
            becomeCandidate(byTransfer: false)
            return
        }
        requestVotes(term: term.next, .init(lastIndex: log.lastIndex, lastTerm: log.lastTerm, preVote: true))
    }

    /// The own vote travels like any other: it counts once it is durable (RA13).
    private mutating func becomeCandidate(byTransfer: Bool) {
        state = .candidate
        leader = nil
        term = term.next
        vote = id
        storage.hardStateChanged()
        drawElectionTimeout()
        votes = [:]
        send(.voteResponse(.init(granted: true)), to: id)
        requestVotes(term: term, .init(lastIndex: log.lastIndex, lastTerm: log.lastTerm, transfer: byTransfer))
    }

    private mutating func requestVotes(term: Term, _ request: RaftMessage.VoteRequest) {
        for voter in log.membership.voters where voter != id {
            send(.voteRequest(request), to: voter, term: term)
        }
    }

    /// Also learners and strangers vote: whoever asks may know a newer membership (thesis 4.1).
    mutating func handleVoteRequest(_ request: RaftMessage.VoteRequest, _ message: RaftMessage) {
        if isSticky && !request.transfer { return }
        let isUpToDate = (request.lastTerm, request.lastIndex) >= (log.lastTerm, log.lastIndex)
        if request.preVote {
            let granted = isUpToDate && message.term > term
            let answer = RaftMessage.VoteResponse(granted: granted, preVote: true)
            send(.voteResponse(answer), to: message.from, term: granted ? message.term : term)
            return
        }
        let granted = isUpToDate && (vote == nil || vote == message.from)
        if granted {
            if vote == nil {
                vote = message.from
                storage.hardStateChanged()
            }
            electionElapsed = 0
        }
        send(.voteResponse(.init(granted: granted)), to: message.from)
    }

    mutating func handleVoteResponse(_ response: RaftMessage.VoteResponse, _ message: RaftMessage) {
        guard response.preVote == (state == .precandidate), state == .precandidate || state == .candidate else { return }
        let expectedTerm = response.preVote && response.granted ? term.next : term
        guard message.term == expectedTerm, votes[message.from] == nil else { return }
        votes[message.from] = response.granted
        switch Quorum.voteResult(voters: log.membership.voters, votes: votes) {
        case .won: if state == .precandidate { becomeCandidate(byTransfer: false) } else { becomeLeader() }
        case .lost where state == .precandidate: becomeFollower(term: term, leader: nil)
        case .lost, .pending: if !response.granted { retrySoonAfterSplitVote() }
        }
    }

    /// RA16. Only after a won pre-vote: the log is good enough, so a refusal means that the votes were split.
    private mutating func retrySoonAfterSplitVote() {
        guard state == .candidate, settings.preVote else { return }
        electionTimeout = min(electionTimeout, electionElapsed + generator.draw(settings.splitVoteRetryTicks))
    }

    mutating func handleTimeoutNow() {
        guard state != .leader, mayCampaign else { return }
        campaign(byTransfer: true)
    }

    private mutating func becomeLeader() {
        state = .leader
        leader = id
        votes = [:]
        ticksSinceLeaderContact = 0
        heartbeatElapsed = 0
        // The own-term entry goes to everybody at once and carries the first round.
        round = 1
        roundWanted = false
        transfer = nil
        pendingReads = []
        uncommittedBytes = log.bytes(from: commitIndex.next, through: log.lastIndex)
        peers = []
        termStart = log.lastIndex.next
        refreshPeers(next: termStart)
        appendAsLeader(LogEntry(index: termStart, term: term, kind: .empty))
    }
}

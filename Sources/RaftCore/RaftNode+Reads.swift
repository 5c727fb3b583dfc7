/// Rounds and linearizable reads (thesis 6.4; RA6, RA7).
extension RaftNode {
    struct PendingRead: Sendable {
        var context: UInt64
        var index: LogIndex
        /// Not begun when the read was asked for.
        var round: UInt64
    }

    /// Asks for the index from which on a local read is linearizable. The answer comes in `Ready.reads`.
    ///
    /// It is the commit index now, once a round begun after this call is complete; nil when this server does not
    /// lead, has not committed an entry of its term (RA5), or loses leadership meanwhile.
    package mutating func read(context: UInt64) {
        guard state == .leader, hasCommittedInTerm, pendingReads.count < settings.maxPendingReads else {
            finishedReads.append(ReadResult(context: context, index: nil))
            return
        }
        if log.membership.voters == [id] {
            finishedReads.append(ReadResult(context: context, index: commitIndex))
            return
        }
        roundWanted = true
        pendingReads.append(PendingRead(context: context, index: commitIndex, round: round + 1))
    }

    /// RA7: a membership entry makes rounds under way worthless for what waits for them.
    mutating func restartRounds() {
        guard !pendingReads.isEmpty else { return }
        roundWanted = true
        for i in pendingReads.indices { pendingReads[i].round = round + 1 }
        finishReads()
    }

    mutating func noteRound(_ answered: UInt64, from i: Int) {
        guard answered > peers[i].answeredRound, answered <= round else { return }
        peers[i].answeredRound = answered
        let isLevel = peers[i].mode == .replicate && log.lastIndex - peers[i].match <= settings.caughtUpEntries
        peers[i].levelRounds = isLevel ? min(peers[i].levelRounds + 1, 2) : 0
        finishReads()
    }

    private mutating func finishReads() {
        guard !pendingReads.isEmpty else { return }
        // A leader that is the only voter now needs nobody's answer.
        let alone = log.membership.voters == [id]
        let complete = completeRound
        var done = 0
        while done < pendingReads.count, alone || pendingReads[done].round <= complete {
            finishedReads.append(ReadResult(context: pendingReads[done].context, index: pendingReads[done].index))
            done += 1
        }
        pendingReads.removeFirst(done)
    }

    /// The newest round that a majority of the voters of the latest membership answered.
    private var completeRound: UInt64 {
        let needed = Quorum.majority(of: log.membership.voters.count)
        var best: UInt64 = 0
        for candidate in peers where candidate.isVoter && candidate.answeredRound > best {
            var count = selfIsVoter ? 1 : 0
            for peer in peers where peer.isVoter && peer.answeredRound >= candidate.answeredRound { count += 1 }
            if count >= needed { best = candidate.answeredRound }
        }
        return best
    }
}

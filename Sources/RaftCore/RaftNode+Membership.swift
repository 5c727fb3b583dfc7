/// Membership changes one server at a time, and leadership transfer (thesis 3.10, 4; RA8 to RA11).
extension RaftNode {
    struct Transfer: Sendable {
        var target: ServerID
        var ticksLeft: Int
        var toldTarget = false
    }

    /// Appends the changed membership, effective at once on every server that has the entry.
    package mutating func changeMembership(
        _ change: MembershipChange
    ) -> Result<ProposalReceipt, MembershipRefusal> {
        guard state == .leader else { return .failure(.notLeader(leader: leader)) }
        guard transfer == nil else { return .failure(.transferring) }
        guard hasCommittedInTerm else { return .failure(.notReady) }
        guard log.lastMembershipIndex <= commitIndex else { return .failure(.changePending) }
        let changed: Membership
        switch log.membership.applying(change) {
        case .success(let membership): changed = membership
        case .failure(let refusal): return .failure(refusal)
        }
        let entry = LogEntry(index: log.lastIndex.next, term: term, kind: .membership, payload: changed.encoded())
        appendAsLeader(entry)
        return .success(ProposalReceipt(index: entry.index, term: term))
    }

    /// Hands leadership to `target`, or to the voter that is furthest when nil. Returns whom it chose.
    package mutating func transferLeadership(to target: ServerID?) -> Result<ServerID, TransferRefusal> {
        guard state == .leader else { return .failure(.notLeader(leader: leader)) }
        guard transfer == nil else { return .failure(.transferring) }
        guard log.lastMembershipIndex <= commitIndex else { return .failure(.changePending) }
        guard let chosen = target ?? bestTarget, let i = peerPosition(chosen), peers[i].isVoter else {
            return .failure(.noTarget)
        }
        transfer = Transfer(target: chosen, ticksLeft: 2 * settings.electionTicks)
        sendTimeoutNowWhenLevel()
        return .success(chosen)
    }

    /// The voter in contact with the longest log; the lowest id among equals.
    private var bestTarget: ServerID? {
        var best: Peer?
        for peer in peers where peer.isVoter && peer.ticksSinceContact < settings.electionTicks {
            if peer.match > (best?.match ?? .zero) || best == nil { best = peer }
        }
        return best?.id
    }

    mutating func sendTimeoutNowWhenLevel() {
        guard let target = transfer?.target, transfer?.toldTarget == false, let i = peerPosition(target),
            peers[i].match == log.lastIndex
        else { return }
        transfer?.toldTarget = true
        send(.timeoutNow, to: target)
    }

    /// Repeats `TimeoutNow` with the heartbeats; gives up after one maximum election timeout (RA8).
    mutating func tickTransfer() {
        guard let ticksLeft = transfer?.ticksLeft else { return }
        guard ticksLeft > 1 else {
            transfer = nil
            return
        }
        transfer?.ticksLeft = ticksLeft - 1
        if ticksLeft % max(1, settings.heartbeatTicks) == 0 {
            transfer?.toldTarget = false
            sendTimeoutNowWhenLevel()
        }
    }

    /// Makes `peers` fit the latest membership. Who was removed stays until the removal is committed.
    ///
    /// - Parameter next: The first entry to send to newcomers.
    mutating func refreshPeers(next: LogIndex) {
        let membership = log.membership
        for i in peers.indices {
            peers[i].isVoter = membership.voters.contains(peers[i].id)
            peers[i].isLearner = membership.learners.contains(peers[i].id)
        }
        for member in membership.members where member != id && peerPosition(member) == nil {
            var peer = Peer(id: member, next: next)
            peer.isVoter = membership.voters.contains(member)
            peer.isLearner = !peer.isVoter
            peers.append(peer)
        }
        peers.sort { $0.id < $1.id }
    }

    /// RA11: the committed entry goes out to everybody, then the removed ones are let go, this server included.
    mutating func membershipCommitted() {
        let membership = log.membership
        if peers.contains(where: { !$0.isMember }) {
            sendFarewells()
            peers.removeAll { !$0.isMember }
        }
        guard !membership.voters.contains(id) else { return }
        flush()
        becomeFollower(term: term, leader: nil)
    }
}

extension Membership {
    func applying(_ change: MembershipChange) -> Result<Membership, MembershipRefusal> {
        switch change {
        case .addLearner(let id):
            guard !contains(id) else { return .failure(.alreadySo) }
            return .success(Membership(voters: voters, learners: learners + [id]))
        case .addVoter(let id):
            guard !voters.contains(id) else { return .failure(.alreadySo) }
            return .success(Membership(voters: voters + [id], learners: learners))
        case .remove(let id):
            guard contains(id) else { return .failure(.alreadySo) }
            let remaining = voters.filter { $0 != id }
            guard !remaining.isEmpty else { return .failure(.lastVoter) }
            return .success(Membership(voters: remaining, learners: learners.filter { $0 != id }))
        }
    }
}

/// Replication and commitment (thesis 3.5, 3.6.2, 6.2, 10.2; RA1, RA4, RA13, RA15, RA21).
extension RaftNode {
    mutating func tickAsLeader() {
        for i in peers.indices { peers[i].ticksSinceContact += 1 }
        if settings.checkQuorum, votersInContact < Quorum.majority(of: log.membership.voters.count) {
            becomeFollower(term: term, leader: nil)
            return
        }
        tickTransfer()
        heartbeatElapsed += 1
        guard heartbeatElapsed >= settings.heartbeatTicks else { return }
        heartbeatElapsed = 0
        roundWanted = true
        for i in peers.indices { retryIfStalled(i) }
    }

    /// What went unanswered for two heartbeats is taken for lost.
    private mutating func retryIfStalled(_ i: Int) {
        guard peers[i].hasOutstanding else { return }
        peers[i].stalledHeartbeats += 1
        if peers[i].stalledHeartbeats >= 2 { retry(i) }
    }

    private mutating func retry(_ i: Int) {
        peers[i].stalledHeartbeats = 0
        switch peers[i].mode {
        case .probe: peers[i].probeIsOut = false
        case .replicate: peers[i].probe()
        case .snapshot: peers[i].transfer?.chunkIsOut = false
        }
    }

    /// Hint of the transport: what was sent to `peer` lately did not arrive.
    package mutating func reportUnreachable(_ peer: ServerID) {
        guard state == .leader, let i = peerPosition(peer), peers[i].mode == .replicate else { return }
        peers[i].probe()
    }

    func peerPosition(_ id: ServerID) -> Int? {
        for i in peers.indices where peers[i].id == id { return i }
        return nil
    }

    mutating func appendAsLeader(_ entry: LogEntry) {
        log.append(entry)
        storage.logChanged(from: entry.index)
        uncommittedBytes += entry.sizeInBytes
        if entry.kind == .membership {
            noteMembership()
            refreshPeers(next: entry.index)
            restartRounds()
        }
    }

    /// Sends what has to be said since the last `ready()`: entries, a new round, a new commit index.
    mutating func flush() {
        let beginsRound = roundWanted
        roundWanted = false
        if beginsRound { round += 1 }
        var shared = SharedSlice()
        for i in peers.indices {
            sendEntries(to: i, sharing: &shared)
            // RA15; capped by `match` since this message may overtake entries on the way.
            if beginsRound || min(commitIndex, peers[i].match) > peers[i].sentCommit { sendHeartbeat(to: i) }
        }
    }

    /// The entries of the last append built in this flush: followers that are level get the same ones.
    struct SharedSlice {
        var entries: [LogEntry] = []
        var bytes = 0
    }

    private mutating func sendEntries(to i: Int, sharing shared: inout SharedSlice) {
        if peers[i].mode == .snapshot { sendSnapshotChunk(to: i) }
        while peers[i].next <= log.lastIndex, peers[i].canSend(settings) {
            let next = peers[i].next
            guard next > log.baseIndex, let previousTerm = log.term(at: next.previous) else {
                startSnapshot(to: i)
                return
            }
            if shared.entries.first?.index != next {
                shared.entries = log.slice(
                    from: next, maxCount: settings.maxAppendEntries, maxBytes: settings.maxAppendBytes)
                shared.bytes = shared.entries.reduce(0) { $0 + $1.sizeInBytes }
            }
            let last = next + (shared.entries.count - 1)
            let request = RaftMessage.AppendRequest(
                previousIndex: next.previous, previousTerm: previousTerm, entries: shared.entries,
                commitIndex: commitIndex, round: round)
            peers[i].sent(through: last, bytes: shared.bytes)
            peers[i].sentCommit = max(peers[i].sentCommit, min(commitIndex, last))
            send(.append(request), to: peers[i].id)
        }
    }

    /// An append without entries behind the last index known to match, so that it is never refused.
    private mutating func sendHeartbeat(to i: Int) {
        var previous = peers[i].match
        var previousTerm = log.term(at: previous)
        if previousTerm == nil {
            previous = .zero
            previousTerm = .zero
        }
        let commit = min(commitIndex, peers[i].match)
        peers[i].sentCommit = max(peers[i].sentCommit, commit)
        let request = RaftMessage.AppendRequest(
            previousIndex: previous, previousTerm: previousTerm ?? .zero, entries: [], commitIndex: commit,
            round: round)
        send(.append(request), to: peers[i].id)
    }

    /// The last word to servers that a committed entry removed: with the entries sent before, it tells them so (RA11).
    mutating func sendFarewells() {
        for i in peers.indices where !peers[i].isMember && peers[i].mode != .snapshot {
            let previous = peers[i].mode == .replicate ? peers[i].next.previous : peers[i].match
            guard let previousTerm = log.term(at: previous) else { continue }
            let request = RaftMessage.AppendRequest(
                previousIndex: previous, previousTerm: previousTerm, entries: [], commitIndex: commitIndex,
                round: round)
            send(.append(request), to: peers[i].id)
        }
    }

    mutating func handleAppend(_ request: RaftMessage.AppendRequest, from sender: ServerID) {
        guard state != .leader, request.isWellFormed(maxTerm: term) else { return }
        becomeFollower(term: term, leader: sender)
        guard request.previousIndex < commitIndex || log.term(at: request.previousIndex) == request.previousTerm else {
            refuse(request, from: sender)
            return
        }
        guard store(request.entries) else { return }
        // Everything committed here is in every later leader's log (thesis 3.6.3).
        let matched = max(request.previousIndex + request.entries.count, commitIndex)
        advanceCommit(toLeaders: min(request.commitIndex, matched))
        // A heartbeat promises only what is durable already, so that it is answered while a write runs.
        let promised = request.entries.isEmpty ? min(matched, storage.durableIndex) : matched
        send(
            .appendResponse(.init(success: true, matchIndex: promised, round: request.round)), to: sender,
            storedThrough: promised)
    }

    /// Appends what is new; false when the entries contradict what is committed, which no correct leader sends.
    private mutating func store(_ entries: [LogEntry]) -> Bool {
        guard let last = entries.last, last.index > commitIndex else { return true }
        var newFrom: Int?
        for i in entries.indices where entries[i].index > commitIndex {
            if log.term(at: entries[i].index) == entries[i].term { continue }
            newFrom = i
            break
        }
        guard let newFrom else { return true }
        let first = entries[newFrom].index
        guard first <= log.lastIndex.next, first > log.baseIndex else { return false }
        let hadMembership = log.lastMembershipIndex
        if first <= log.lastIndex { log.truncate(from: first) }
        for i in newFrom..<entries.count { log.append(entries[i]) }
        storage.logChanged(from: first)
        if log.lastMembershipIndex != hadMembership || hadMembership >= first { noteMembership() }
        return true
    }

    private mutating func refuse(_ request: RaftMessage.AppendRequest, from sender: ServerID) {
        let hint = log.lastIndex(atOrBefore: request.previousIndex, ofTermAtMost: request.previousTerm)
        let response = RaftMessage.AppendResponse(
            success: false, matchIndex: .zero, hintIndex: hint, hintTerm: log.term(at: hint) ?? .zero,
            round: request.round)
        send(.appendResponse(response), to: sender)
    }

    private mutating func advanceCommit(toLeaders index: LogIndex) {
        let index = min(index, log.lastIndex)
        if index > commitIndex { commitIndex = index }
    }

    mutating func handleAppendResponse(_ response: RaftMessage.AppendResponse, from sender: ServerID) {
        guard state == .leader, let i = peerPosition(sender) else { return }
        let wasAway = peers[i].ticksSinceContact > 2 * settings.heartbeatTicks
        peers[i].ticksSinceContact = 0
        let oldMatch = peers[i].match
        if let received = response.receivedBytes {
            noteSnapshotBytes(received, of: response.hintIndex, from: i)
        } else if !response.success {
            handleRefusal(response, from: i)
        } else if response.matchIndex <= log.lastIndex {
            peers[i].matched(response.matchIndex)
        }
        if wasAway, peers[i].hasOutstanding { retry(i) }
        noteRound(response.round, from: i)
        // Both may end the leadership, or change `peers`: nothing may follow that uses `i`.
        if peers[i].match > oldMatch {
            sendTimeoutNowWhenLevel()
            advanceCommit()
        }
    }

    private mutating func handleRefusal(_ response: RaftMessage.AppendResponse, from i: Int) {
        guard peers[i].mode != .snapshot else { return }
        let old = peers[i].next
        let agreed = log.lastIndex(atOrBefore: response.hintIndex, ofTermAtMost: response.hintTerm)
        // A hint that leads nowhere still makes progress, one entry at a time.
        peers[i].probe(from: agreed.next < old ? agreed.next : old.previous)
    }

    /// Commits what a majority has stored, if it is of this term (thesis 3.6.2).
    mutating func advanceCommit() {
        let stored = quorumIndex
        guard stored > commitIndex, log.term(at: stored) == term else { return }
        let old = commitIndex
        uncommittedBytes -= log.bytes(from: commitIndex.next, through: stored)
        commitIndex = stored
        let membershipIndex = log.lastMembershipIndex
        if old < membershipIndex, membershipIndex <= stored { membershipCommitted() }
    }

    /// `Quorum.storedIndex` over the voters without a copy; at most nine voters make the double loop cheap.
    private var quorumIndex: LogIndex {
        let needed = Quorum.majority(of: log.membership.voters.count)
        let own = selfIsVoter ? storage.durableIndex : .zero
        var best = selfIsVoter && isStored(own, by: needed, own: own) ? own : .zero
        for peer in peers where peer.isVoter && peer.match > best && isStored(peer.match, by: needed, own: own) {
            best = peer.match
        }
        return best
    }

    private func isStored(_ index: LogIndex, by needed: Int, own: LogIndex) -> Bool {
        var count = selfIsVoter && own >= index ? 1 : 0
        for peer in peers where peer.isVoter && peer.match >= index { count += 1 }
        return count >= needed
    }
}

extension RaftMessage.AppendRequest {
    /// Entries must be consecutive, with terms that never fall and are not above the sender's.
    func isWellFormed(maxTerm: Term) -> Bool {
        var index = previousIndex
        var term = previousTerm
        for entry in entries {
            guard entry.index == index.next, entry.term >= term, entry.term <= maxTerm else { return false }
            index = entry.index
            term = entry.term
        }
        return true
    }
}

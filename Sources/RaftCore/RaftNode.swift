/// One Raft server as a value: consensus without clock, network, disk or randomness of its own.
///
/// Call any input method, then take `ready()` until it is empty, carry it out front to back, and report
/// durable writes with `persisted(through:)`.
///
/// - Invariant: The same inputs in the same order give the same outputs, bit for bit.
/// - Invariant: `appliedIndex <= min(commitIndex, durableIndex)`, `commitIndex <= lastIndex`.
/// - Source: Ongaro, "Consensus: Bridging Theory and Practice" (thesis).
package struct RaftNode: Sendable {
    package let id: ServerID
    package var settings: RaftSettings

    // Persistent state (thesis, figure 3.1).
    package internal(set) var term: Term
    package internal(set) var vote: ServerID?
    var log: RaftLog
    /// The newest snapshot: the one sent to followers that are too far behind.
    package internal(set) var snapshot: Snapshot?

    // Volatile state.
    package internal(set) var leader: ServerID?
    package internal(set) var commitIndex: LogIndex
    /// The last entry handed out in `Ready.committed`, or the snapshot handed out.
    package internal(set) var appliedIndex: LogIndex
    /// Ticks since the last message of the current leader, or since the start; 0 on the leader.
    package internal(set) var ticksSinceLeaderContact = 0
    /// Never `.learner`; see `role`.
    var state = RaftRole.follower
    var selfIsVoter = false
    var selfIsLearner = false
    var generator: SeededGenerator
    var electionElapsed = 0
    var electionTimeout = 0
    var votes: [ServerID: Bool] = [:]
    var assembly: SnapshotAssembly?
    var storage: StorageProgress
    var outbox: [RaftMessage] = []
    var finishedReads: [ReadResult] = []

    // Leader state; meaningless in the other roles.
    var peers: [Peer] = []
    /// RA7: the round that outgoing messages carry. `roundWanted`: `ready()` begins the next one.
    var round: UInt64 = 0
    var roundWanted = false
    var pendingReads: [PendingRead] = []
    var heartbeatElapsed = 0
    var transfer: Transfer?
    /// The index of the own-term entry (RA5).
    var termStart = LogIndex.zero
    var uncommittedBytes = 0

    /// - Parameter knownCommit: An index known to be committed; the daemon keeps none (RA14).
    package init(
        id: ServerID, settings: RaftSettings, durable: DurableState, initialMembership: Membership, seed: UInt64,
        knownCommit: LogIndex = .zero
    ) {
        self.id = id
        self.settings = settings
        term = durable.hardState.term
        vote = durable.hardState.vote
        snapshot = durable.snapshot
        log = RaftLog(
            snapshot: durable.snapshot, entries: durable.entries, initialMembership: initialMembership)
        precondition(
            log.lastTerm <= durable.hardState.term,
            "term \(log.lastTerm) of the log is above the stored term \(durable.hardState.term)")
        // RA14: nothing behind the snapshot is applied before a leader confirms it, unless the caller knows better.
        appliedIndex = durable.snapshot?.index ?? .zero
        commitIndex = max(appliedIndex, min(knownCommit, log.lastIndex))
        storage = StorageProgress(durableIndex: log.lastIndex)
        generator = SeededGenerator(seed: seed)
        noteMembership()
        drawElectionTimeout()
    }

    /// Handles one message. Messages for others, stale ones and malformed ones change nothing.
    package mutating func step(_ message: RaftMessage) {
        guard message.to == id, message.from != id, message.isPlausible else { return }
        handle(message)
    }

    /// Lets time pass.
    package mutating func tick(_ count: Int = 1) {
        for _ in 0..<max(0, count) {
            if state == .leader { tickAsLeader() } else { tickAsFollower() }
        }
    }

    /// Appends a command, if this server leads.
    package mutating func propose(_ payload: [UInt8]) -> Result<ProposalReceipt, ProposalRefusal> {
        guard state == .leader else { return .failure(.notLeader(leader: leader)) }
        guard transfer == nil else { return .failure(.transferring) }
        guard payload.count <= settings.maxEntryBytes else { return .failure(.tooLarge) }
        let entry = LogEntry(index: log.lastIndex.next, term: term, payload: payload)
        guard uncommittedBytes + entry.sizeInBytes <= settings.maxUncommittedBytes else { return .failure(.busy) }
        appendAsLeader(entry)
        return .success(ProposalReceipt(index: entry.index, term: term))
    }

    /// An entry without content: once it is committed, every later leader has all that stands before it.
    package mutating func proposeEmpty() {
        guard state == .leader, transfer == nil else { return }
        appendAsLeader(LogEntry(index: log.lastIndex.next, term: term, kind: .empty))
    }

    /// Reports that batches through `batch` are durable: releases the promises that waited for them.
    package mutating func persisted(through batch: UInt64) {
        let released = storage.persisted(through: batch)
        for message in released {
            if message.to == id {
                handle(message)
            } else if message.term >= term {
                // An older promise is still true but of no use; its receiver has moved on or will.
                outbox.append(message)
            }
        }
        if state == .leader { advanceCommit() }
    }

    /// Everything to be done since the last call. Call again until it is empty.
    package mutating func ready() -> Ready {
        if state == .leader { flush() }
        var ready = Ready()
        ready.persist = storage.nextBatch(hardState: HardState(term: term, vote: vote), log: log)
        swap(&ready.messages, &outbox)
        swap(&ready.reads, &finishedReads)
        if let installed = storage.takeInstalled() {
            ready.installedSnapshot = installed
            appliedIndex = installed.index
        }
        takeCommitted(into: &ready)
        return ready
    }

    private mutating func takeCommitted(into ready: inout Ready) {
        guard storage.installing == nil else { return }
        let limit = min(commitIndex, storage.durableIndex)
        guard limit > appliedIndex else { return }
        let last = min(limit, appliedIndex + max(1, settings.maxCommittedPerReady))
        ready.committed = log.slice(from: appliedIndex.next, through: last)
        appliedIndex = last
    }
}

extension RaftNode {
    mutating func handle(_ message: RaftMessage) {
        if message.term > term {
            guard acceptHigherTerm(message) else { return }
        } else if message.term < term {
            answerStale(message)
            return
        }
        switch message.body {
        case .voteRequest(let request): handleVoteRequest(request, message)
        case .voteResponse(let response): handleVoteResponse(response, message)
        case .append(let request): handleAppend(request, from: message.from)
        case .appendResponse(let response): handleAppendResponse(response, from: message.from)
        case .snapshot(let chunk): handleSnapshotChunk(chunk, from: message.from)
        case .timeoutNow: handleTimeoutNow()
        }
    }

    /// Thesis 3.3: a higher term makes a follower; a pre-vote changes no term (RA2), a sticky server none at all (RA3).
    private mutating func acceptHigherTerm(_ message: RaftMessage) -> Bool {
        switch message.body {
        case .voteRequest(let request):
            if isSticky && !request.transfer { return false }
            if !request.preVote { becomeFollower(term: message.term, leader: nil) }
        case .voteResponse(let response):
            if !(response.preVote && response.granted) { becomeFollower(term: message.term, leader: nil) }
        case .append, .snapshot: becomeFollower(term: message.term, leader: message.from)
        case .appendResponse, .timeoutNow: becomeFollower(term: message.term, leader: nil)
        }
        return true
    }

    /// Tells a sender of an older term the current one, so that an old leader steps down (thesis 3.3).
    private mutating func answerStale(_ message: RaftMessage) {
        switch message.body {
        case .voteRequest(let request):
            send(.voteResponse(.init(granted: false, preVote: request.preVote)), to: message.from)
        case .append(let request):
            send(.appendResponse(.init(success: false, matchIndex: .zero, round: request.round)), to: message.from)
        case .snapshot(let chunk):
            send(.appendResponse(.init(success: false, matchIndex: .zero, round: chunk.round)), to: message.from)
        case .voteResponse, .appendResponse, .timeoutNow: break
        }
    }

    /// Queues a message behind what it promises: the current term and vote, and the log through `index` (RA13).
    mutating func send(
        _ body: RaftMessage.Body, to receiver: ServerID, term messageTerm: Term? = nil,
        storedThrough index: LogIndex = .zero
    ) {
        let message = RaftMessage(from: id, to: receiver, term: messageTerm ?? term, body: body)
        let batch = storage.batch(coveringHardStateAnd: index)
        if batch <= storage.persistedThrough {
            outbox.append(message)
        } else {
            storage.hold(message, until: batch)
        }
    }

    /// Takes note of who belongs to the cluster according to the log.
    mutating func noteMembership() {
        selfIsVoter = log.membership.voters.contains(id)
        selfIsLearner = log.membership.learners.contains(id)
    }
}

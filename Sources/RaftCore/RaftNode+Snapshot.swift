/// Snapshots: compaction of the own log, and sending them in chunks to followers that are too far behind
/// (thesis 5.1; RA12, ST6).
extension RaftNode {
    /// Takes a snapshot of the state machine at an applied index into use and drops the log before it, but for
    /// `keeping` entries for slow followers.
    ///
    /// - Returns: The snapshot to be stored; nil when `index` is not applied, or not newer than the last snapshot.
    package mutating func compact(through index: LogIndex, data: [UInt8], keeping: Int = 1024) -> Snapshot? {
        guard index <= appliedIndex, index > snapshot?.index ?? .zero, let term = log.term(at: index),
            let membership = log.membership(at: index)
        else { return nil }
        let taken = Snapshot(index: index, term: term, membership: membership, data: data)
        snapshot = taken
        let kept = UInt64(max(0, keeping))
        log.compact(
            snapshotIndex: index, dropThrough: LogIndex(index.rawValue > kept ? index.rawValue - kept : 0))
        return taken
    }

    mutating func startSnapshot(to i: Int) {
        guard let snapshot else { return }
        peers[i].startSnapshot(snapshot)
        sendSnapshotChunk(to: i)
    }

    mutating func sendSnapshotChunk(to i: Int) {
        guard let sending = peers[i].transfer, !sending.chunkIsOut else { return }
        let data = sending.snapshot.data
        let start = min(sending.acknowledgedBytes, data.count)
        let end = min(data.count, start + max(1, settings.snapshotChunkBytes))
        let chunk = RaftMessage.SnapshotChunk(
            index: sending.snapshot.index, snapshotTerm: sending.snapshot.term,
            membership: sending.snapshot.membership, offset: start, totalBytes: data.count,
            data: Array(data[start..<end]), round: round)
        peers[i].transfer?.chunkIsOut = true
        peers[i].stalledHeartbeats = 0
        send(.snapshot(chunk), to: peers[i].id)
    }

    /// The follower has so many bytes: the next chunk may go. Fewer than before: it lost them and starts again.
    mutating func noteSnapshotBytes(_ received: Int, of index: LogIndex, from i: Int) {
        guard let sending = peers[i].transfer, sending.snapshot.index == index, received >= 0,
            received <= sending.snapshot.data.count, received != sending.acknowledgedBytes
        else { return }
        peers[i].transfer?.acknowledgedBytes = received
        peers[i].transfer?.chunkIsOut = false
    }

    mutating func handleSnapshotChunk(_ chunk: RaftMessage.SnapshotChunk, from sender: ServerID) {
        guard state != .leader, chunk.isWellFormed(maxTerm: term, maxBytes: settings.maxSnapshotBytes) else { return }
        becomeFollower(term: term, leader: sender)
        if chunk.index <= commitIndex {
            assembly = nil
            acknowledgeSnapshot(through: commitIndex, chunk, to: sender)
            return
        }
        if log.term(at: chunk.index) == chunk.snapshotTerm {
            // The log reaches as far already: no need to replace the state.
            assembly = nil
            commitIndex = chunk.index
            acknowledgeSnapshot(through: chunk.index, chunk, to: sender)
            return
        }
        var assembly = self.assembly.flatMap { $0.isOf(chunk) ? $0 : nil } ?? SnapshotAssembly(chunk)
        self.assembly = nil
        assembly.add(chunk)
        if let complete = assembly.complete {
            install(complete)
            acknowledgeSnapshot(through: complete.index, chunk, to: sender)
            return
        }
        let response = RaftMessage.AppendResponse(
            success: true, matchIndex: .zero, hintIndex: chunk.index, hintTerm: chunk.snapshotTerm,
            round: chunk.round, receivedBytes: assembly.data.count)
        self.assembly = assembly
        send(.appendResponse(response), to: sender)
    }

    private mutating func acknowledgeSnapshot(
        through index: LogIndex, _ chunk: RaftMessage.SnapshotChunk, to sender: ServerID
    ) {
        send(
            .appendResponse(.init(success: true, matchIndex: index, round: chunk.round)), to: sender,
            storedThrough: index)
    }

    /// The log is replaced at once; the state machine follows when the snapshot is durable.
    private mutating func install(_ received: Snapshot) {
        storage.install(received, committed: commitIndex)
        log.reset(to: received)
        commitIndex = received.index
        snapshot = received
        noteMembership()
    }
}

/// The part of a snapshot that has arrived so far (bounded by `RaftSettings.maxSnapshotBytes`).
struct SnapshotAssembly: Sendable {
    private let index: LogIndex
    private let term: Term
    private let membership: Membership
    private let totalBytes: Int
    private(set) var data: [UInt8] = []
    private var hasAll = false

    init(_ chunk: RaftMessage.SnapshotChunk) {
        index = chunk.index
        term = chunk.snapshotTerm
        membership = chunk.membership
        totalBytes = chunk.totalBytes
    }

    func isOf(_ chunk: RaftMessage.SnapshotChunk) -> Bool {
        index == chunk.index && term == chunk.snapshotTerm && totalBytes == chunk.totalBytes
            && membership == chunk.membership
    }

    /// Takes the chunk if it is the next one; others are answered with how far the bytes reach.
    mutating func add(_ chunk: RaftMessage.SnapshotChunk) {
        guard chunk.offset == data.count else { return }
        data += chunk.data
        hasAll = data.count == totalBytes
    }

    var complete: Snapshot? {
        hasAll ? Snapshot(index: index, term: term, membership: membership, data: data) : nil
    }
}

extension RaftMessage.SnapshotChunk {
    func isWellFormed(maxTerm: Term, maxBytes: Int) -> Bool {
        index > .zero && snapshotTerm <= maxTerm && offset >= 0 && totalBytes >= 0 && totalBytes <= maxBytes
            && offset <= totalBytes && data.count <= totalBytes - offset
    }
}

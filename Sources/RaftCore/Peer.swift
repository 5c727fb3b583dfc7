/// The leader's book about one other server.
struct Peer: Sendable {
    /// Transitions: probe -> replicate (an append was accepted); replicate -> probe (a refusal, silence, a report);
    /// probe or replicate -> snapshot (the log no longer reaches back far enough); snapshot -> replicate (installed).
    enum Mode: Sendable {
        /// One append at a time, until it is known where the logs agree.
        case probe
        /// Appends are sent one after another without waiting.
        case replicate
        case snapshot
    }

    struct InflightAppend: Sendable {
        var lastIndex: LogIndex
        var bytes: Int
    }

    /// A snapshot on its way; it stays the same one until it is complete.
    struct SnapshotTransfer: Sendable {
        var snapshot: Snapshot
        var acknowledgedBytes = 0
        var chunkIsOut = false
    }

    let id: ServerID
    /// Neither voter nor learner: removed by an entry that is not committed yet; it still hears of it (RA11).
    var isVoter = false
    var isLearner = false
    var match = LogIndex.zero
    var next: LogIndex
    var mode = Mode.probe
    var probeIsOut = false
    var inflight: [InflightAppend] = []
    var inflightBytes = 0
    var transfer: SnapshotTransfer?
    /// Heartbeats since something outstanding was last answered.
    var stalledHeartbeats = 0
    var ticksSinceContact = 0
    var answeredRound: UInt64 = 0
    /// RA9: rounds in a row in which the peer was close to the leader's last entry.
    var levelRounds = 0
    /// The highest commit index this peer was told in a way it could use.
    var sentCommit = LogIndex.zero

    init(id: ServerID, next: LogIndex) {
        self.id = id
        self.next = next
    }

    var isMember: Bool { isVoter || isLearner }

    var hasOutstanding: Bool {
        switch mode {
        case .probe: probeIsOut
        case .replicate: !inflight.isEmpty
        case .snapshot: transfer?.chunkIsOut ?? false
        }
    }

    func canSend(_ settings: RaftSettings) -> Bool {
        switch mode {
        case .probe: !probeIsOut
        case .replicate:
            inflight.count < settings.maxInflightMessages && inflightBytes < settings.maxInflightBytes
        case .snapshot: false
        }
    }

    mutating func sent(through last: LogIndex, bytes: Int) {
        if !hasOutstanding { stalledHeartbeats = 0 }
        switch mode {
        case .probe: probeIsOut = true
        case .replicate:
            next = last.next
            inflight.append(InflightAppend(lastIndex: last, bytes: bytes))
            inflightBytes += bytes
        case .snapshot: break
        }
    }

    /// Takes note that the peer's log equals the leader's through `index`.
    mutating func matched(_ index: LogIndex) {
        guard index > match else { return }
        match = index
        next = max(next, index.next)
        stalledHeartbeats = 0
        if mode == .replicate {
            var done = 0
            while done < inflight.count, inflight[done].lastIndex <= index {
                inflightBytes -= inflight[done].bytes
                done += 1
            }
            if done > 0 { inflight.removeFirst(done) }
        } else if mode == .probe || index >= (transfer?.snapshot.index ?? .zero) {
            next = index.next
            become(.replicate)
        }
    }

    /// Starts over behind the last index known to match, or at `next` when that is given.
    mutating func probe(from next: LogIndex? = nil) {
        self.next = max(next ?? match.next, match.next)
        become(.probe)
    }

    mutating func startSnapshot(_ snapshot: Snapshot) {
        become(.snapshot)
        transfer = SnapshotTransfer(snapshot: snapshot)
    }

    private mutating func become(_ newMode: Mode) {
        mode = newMode
        probeIsOut = false
        inflight.removeAll(keepingCapacity: true)
        inflightBytes = 0
        transfer = nil
        stalledHeartbeats = 0
    }
}

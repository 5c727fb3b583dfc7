import RaftCore

/// What survives a crash, written by batches.
struct TestDisk {
    var state = DurableState()

    mutating func write(_ batch: PersistBatch) {
        if let hardState = batch.hardState { state.hardState = hardState }
        if let snapshot = batch.snapshot {
            state.snapshot = snapshot
            state.entries = []
        }
        guard let first = batch.entries.first else { return }
        state.entries.removeAll { $0.index >= first.index }
        state.entries += batch.entries
    }

    /// A snapshot the server took itself; the log before it goes.
    mutating func write(_ snapshot: Snapshot, keeping: Int) {
        state.snapshot = snapshot
        state.entries.removeAll { $0.index - snapshot.index <= -keeping }
    }
}

/// One server with its disk, its writes under way and its state machine (a chain of hashes over what was applied).
struct TestServer {
    var node: RaftNode
    var disk: TestDisk
    var unwritten: [PersistBatch] = []
    var applied: [LogEntry] = []
    var appliedIndex: LogIndex
    var digest: UInt64
    var reads: [ReadResult] = []
    var batchesIssued = 0

    let settings: RaftSettings
    let initialMembership: Membership

    init(
        _ id: ServerID, settings: RaftSettings, disk: TestDisk = TestDisk(), membership: Membership, seed: UInt64
    ) {
        self.settings = settings
        self.disk = disk
        initialMembership = membership
        node = RaftNode(
            id: id, settings: settings, durable: disk.state, initialMembership: membership, seed: seed)
        appliedIndex = disk.state.snapshot?.index ?? .zero
        digest = disk.state.snapshot.map { Self.digest(of: $0.data) } ?? 0
    }

    /// Carries out `ready()` until it is empty, but for the writes, which wait in `unwritten`.
    mutating func drain() -> [RaftMessage] {
        var messages: [RaftMessage] = []
        while true {
            let ready = node.ready()
            if ready.isEmpty { return messages }
            if let batch = ready.persist {
                unwritten.append(batch)
                batchesIssued += 1
            }
            messages += ready.messages
            if let snapshot = ready.installedSnapshot {
                appliedIndex = snapshot.index
                digest = Self.digest(of: snapshot.data)
            }
            for entry in ready.committed { apply(entry) }
            reads += ready.reads
        }
    }

    private mutating func apply(_ entry: LogEntry) {
        precondition(entry.index == appliedIndex.next, "applied \(entry.index) after \(appliedIndex)")
        precondition(
            disk.state.entries.contains { $0.index == entry.index && $0.term == entry.term },
            "applied \(entry.index) before it was durable")
        appliedIndex = entry.index
        digest = Self.mixed(digest, entry)
        applied.append(entry)
    }

    /// Makes the oldest `count` writes durable and tells the node.
    mutating func write(_ count: Int = .max) {
        let done = unwritten.prefix(count)
        guard let last = done.last else { return }
        for batch in done { disk.write(batch) }
        unwritten.removeFirst(done.count)
        node.persisted(through: last.number)
    }

    /// Loses everything that is not durable, and starts again.
    mutating func restart(seed: UInt64) {
        self = TestServer(node.id, settings: settings, disk: disk, membership: initialMembership, seed: seed)
    }

    /// Snapshot of everything applied.
    mutating func compact(keeping: Int) -> Bool {
        guard let snapshot = node.compact(through: appliedIndex, data: Self.data(of: digest), keeping: keeping)
        else { return false }
        disk.write(snapshot, keeping: keeping)
        return true
    }

    static func mixed(_ digest: UInt64, _ entry: LogEntry) -> UInt64 {
        var generator = SeededGenerator(seed: digest ^ entry.index.rawValue &* 31 ^ entry.term.rawValue &* 1_000_003)
        var result = generator.next()
        for byte in entry.payload { result = (result ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return result
    }

    static func data(of digest: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: digest >> UInt64($0 * 8)) }
    }

    static func digest(of data: [UInt8]) -> UInt64 {
        data.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64($1.offset * 8) }
    }
}

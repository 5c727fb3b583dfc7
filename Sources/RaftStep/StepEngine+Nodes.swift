import RaftCore

/// Making, killing and starting nodes.
extension StepEngine {
    mutating func hello() {
        reply.own["name"] = "pgbastion"
        reply.own["features"] = .array(Self.features.map(JSON.string))
    }

    /// Message ids start again as well: otherwise the same commands would not give the same replies.
    mutating func reset(_ arguments: StepArguments) throws(StepRefusal) {
        let seed = arguments.value("seed")?.int ?? 0
        self = StepEngine()
        generator = SeededGenerator(seed: UInt64(bitPattern: Int64(seed)))
    }

    mutating func createNode(_ arguments: StepArguments) throws(StepRefusal) {
        let id = try arguments.server("id").number
        guard nodes[id] == nil else { throw .senseless }
        let membership = try arguments.membership()
        let settings = try RaftSettings(arguments)
        let durable = try DurableState(arguments, membership: membership)
        let commit = try arguments.index("commit", default: 0)
        let usesDisk: Bool
        switch arguments.value("storage")?.string {
        case nil, "memory": usesDisk = false
        case "sqlite": usesDisk = true
        default: throw .senseless
        }
        nodes[id] = HostedNode(
            id: id, settings: settings, initialMembership: membership, knownCommit: commit,
            storage: try StepStorage(durable, directory: usesDisk ? try nextDirectory() : nil))
        try start(id)
    }

    private mutating func nextDirectory() throws(StepRefusal) -> String {
        if let directory { return directory.next() }
        let made = try StepDirectory()
        directory = made
        return made.next()
    }

    private mutating func start(_ id: Int) throws(StepRefusal) {
        let raft = nodes[id]?.started(seed: generator.next())
        nodes[id]?.raft = raft
        try change(id) { _ in }
    }

    mutating func crash(_ arguments: StepArguments) throws(StepRefusal) {
        let id = try runningNode(arguments)
        nodes[id]?.raft = nil
        nodes[id]?.readContexts = [:]
        nodes[id]?.storage.crash()
        show(id)
    }

    mutating func restart(_ arguments: StepArguments) throws(StepRefusal) {
        let node = try node(arguments)
        guard node.raft == nil else { throw .senseless }
        try nodes[node.id]?.storage.restart()
        try start(node.id)
    }
}

extension RaftSettings {
    /// Limit: more ticks than this are refused, so that sums of them never overflow.
    private static let ticks = 1...1_000_000_000

    fileprivate init(_ arguments: StepArguments) throws(StepRefusal) {
        self.init()
        electionTicks = try arguments.number("election", default: 10, in: Self.ticks)
        heartbeatTicks = try arguments.number("heartbeat", default: 1, in: Self.ticks)
        checkQuorumTicks = electionTicks
        preVote = try arguments.flag("prevote")
        checkQuorum = try arguments.flag("checkquorum")
        maxAppendEntries = try arguments.number("max_entries", default: maxAppendEntries, in: Self.ticks)
        maxInflightMessages = try arguments.number("max_inflight", default: maxInflightMessages, in: Self.ticks)
        // The timeout is promised to lie in [election, 2 x election): no earlier try after a split vote (RA16).
        splitVoteRetryTicks = (2 * electionTicks)...(2 * electionTicks)
        // A snapshot is one message here.
        snapshotChunkBytes = maxSnapshotBytes
    }
}

extension DurableState {
    /// - Throws: `.senseless` for a state that no server can have: terms that fall, or lie above the stored term.
    fileprivate init(_ arguments: StepArguments, membership: Membership) throws(StepRefusal) {
        let snapshot = try Snapshot(arguments.value("snap"), membership: membership)
        let entries = try LogEntry.list(try arguments.list("log"), behind: snapshot?.index ?? .zero)
        var lastTerm = snapshot?.term ?? .zero
        for entry in entries {
            guard entry.term >= max(lastTerm, Term(1)) else { throw .senseless }
            lastTerm = entry.term
        }
        let term = try arguments.term("term", default: lastTerm.number)
        guard term >= lastTerm else { throw .senseless }
        self.init(
            hardState: HardState(term: term, vote: try arguments.serverOrNobody("vote")), snapshot: snapshot,
            entries: entries)
    }
}

extension Snapshot {
    /// nil for none. It may carry `voters` and `learners` of its own; otherwise those of the node hold.
    fileprivate init?(_ value: JSON?, membership: Membership) throws(StepRefusal) {
        guard let value else { return nil }
        let arguments = try StepArguments(value)
        let index = try arguments.index("index")
        guard index > .zero else { return nil }
        let own = arguments.value("voters") == nil ? membership : try arguments.membership()
        self.init(
            index: index, term: try arguments.term("term"), membership: own,
            data: StepPayload.bytes(of: arguments.value("data")))
    }
}

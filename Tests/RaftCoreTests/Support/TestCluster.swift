import RaftCore

func server(_ number: Int) -> ServerID { ServerID(UInt128(number)) }
func index(_ number: Int) -> LogIndex { LogIndex(UInt64(number)) }
func term(_ number: Int) -> Term { Term(UInt64(number)) }

extension ServerID {
    var number: Int { Int(rawValue) }
}

/// A cluster in memory: messages are delivered in order and writes are done at once, unless a test says otherwise.
struct TestCluster {
    var servers: [ServerID: TestServer] = [:]
    /// Sent and not delivered yet.
    var wire: [RaftMessage] = []
    var stopped: Set<ServerID> = []
    /// Servers whose writes do not return.
    var slowDisks: Set<ServerID> = []
    /// Servers cut off from all others.
    var isolated: Set<ServerID> = []
    /// Messages for which this is true are lost.
    var drops: (RaftMessage) -> Bool = { _ in false }
    /// Everything that was ever sent, for tests that look at messages.
    var sent: [RaftMessage] = []
    let settings: RaftSettings
    private var seed: UInt64

    init(_ count: Int = 3, learners: [Int] = [], settings: RaftSettings = RaftSettings(), seed: UInt64 = 1) {
        self.settings = settings
        self.seed = seed
        let membership = Membership(voters: (1...count).map(server), learners: learners.map(server))
        for id in membership.members { add(id, membership: membership) }
    }

    var ids: [ServerID] { servers.keys.sorted() }

    subscript(_ number: Int) -> RaftNode {
        get { at(number).node }
        set { servers[server(number)]?.node = newValue }
    }

    func at(_ number: Int) -> TestServer {
        guard let found = servers[server(number)] else { preconditionFailure("no server \(number)") }
        return found
    }

    mutating func add(_ id: ServerID, membership: Membership = Membership(), disk: TestDisk = TestDisk()) {
        seed += 1
        servers[id] = TestServer(id, settings: settings, disk: disk, membership: membership, seed: seed)
    }

    /// Replaces a server's log: one entry per term, and its hard state.
    mutating func setLog(_ number: Int, terms: [Int], term current: Int? = nil, vote: Int? = nil) {
        let id = server(number)
        var disk = TestDisk()
        disk.state.entries = terms.enumerated().map {
            LogEntry(index: index($0.offset + 1), term: RaftCoreTests.term($0.element), payload: [UInt8($0.element)])
        }
        disk.state.hardState = HardState(
            term: RaftCoreTests.term(current ?? terms.last ?? 0), vote: vote.map(server))
        add(id, membership: Membership(voters: servers.keys.sorted()), disk: disk)
    }

    /// Collects what the servers want done; writes where the disk is not slow.
    mutating func collect() {
        for id in ids where !stopped.contains(id) {
            var more = true
            while more {
                let messages = servers[id]?.drain() ?? []
                wire += messages
                sent += messages
                more = servers[id]?.unwritten.isEmpty == false && !slowDisks.contains(id)
                if more { servers[id]?.write() }
            }
        }
    }

    /// Delivers messages until there are none left.
    mutating func settle(limit: Int = 100_000) {
        collect()
        var steps = 0
        while !wire.isEmpty {
            steps += 1
            precondition(steps < limit, "the cluster does not come to rest")
            deliver(wire.removeFirst())
        }
    }

    mutating func deliver(_ message: RaftMessage) {
        guard !isolated.contains(message.from), !isolated.contains(message.to), !stopped.contains(message.to),
            !drops(message)
        else { return }
        servers[message.to]?.node.step(message)
        collect()
    }

    /// Lets `count` ticks pass on all servers, settling after each.
    mutating func tick(_ count: Int = 1, only: [Int]? = nil) {
        for _ in 0..<count {
            for id in ids where !stopped.contains(id) && only?.contains(id.number) ?? true {
                servers[id]?.node.tick()
            }
            settle()
        }
    }

    mutating func elect(_ number: Int) {
        self[number].campaign()
        settle()
    }

    @discardableResult
    mutating func propose(_ number: Int, _ text: String) -> ProposalReceipt? {
        switch self[number].propose(Array(text.utf8)) {
        case .success(let receipt): return receipt
        case .failure: return nil
        }
    }

    mutating func crash(_ number: Int) { stopped.insert(server(number)) }

    mutating func restart(_ number: Int) {
        seed += 1
        servers[server(number)]?.restart(seed: seed)
        stopped.remove(server(number))
    }

    func commands(_ number: Int) -> [String] {
        at(number).applied.filter { $0.kind == .command }.map { String(decoding: $0.payload, as: UTF8.self) }
    }

    var leaders: [Int] {
        ids.filter { !stopped.contains($0) && servers[$0]?.node.role == .leader }.map(\.number)
    }
}

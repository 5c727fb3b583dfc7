import RaftCore

/// A cluster driven by chance alone: every order of events, loss, duplication, partitions, crashes that lose what is
/// not durable, membership changes, snapshots, transfers, reads. The same seed gives the same run.
struct RandomRun {
    private(set) var servers: [TestServer] = []
    private(set) var checker = Checker()
    private var wire: [RaftMessage] = []
    private var generator: SeededGenerator
    private var cut: Set<Int> = []
    private var nextRead: UInt64 = 0
    private var nextCommand = 0
    private let lossPercent: Int
    private let slowDiskPercent: Int
    private let voters: Int
    /// Without pre-vote and check-quorum a removed server may disturb for ever (thesis 4.2.3): only safety is promised.
    private let mustConverge: Bool

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        voters = generator.draw(1...5)
        lossPercent = generator.draw(0...15)
        slowDiskPercent = generator.draw(0...60)
        var settings = RaftSettings()
        settings.electionTicks = 10
        settings.heartbeatTicks = 2
        settings.checkQuorumTicks = 15
        settings.splitVoteRetryTicks = 1...5
        settings.snapshotChunkBytes = generator.draw(3...20)
        settings.maxAppendEntries = generator.draw(1...8)
        settings.maxInflightMessages = generator.draw(1...8)
        settings.maxCommittedPerReady = generator.draw(1...50)
        settings.preVote = generator.draw(0...3) > 0
        settings.checkQuorum = generator.draw(0...3) > 0
        mustConverge = settings.preVote && settings.checkQuorum
        let membership = Membership(voters: (1...voters).map(server))
        for number in 1...(voters + 2) {
            servers.append(
                TestServer(
                    server(number), settings: settings,
                    membership: number <= voters ? membership : Membership(), seed: generator.next()))
        }
    }

    var commits: Int { Int(checker.highestCommitted.rawValue) }

    mutating func run(steps: Int) {
        for step in 0..<steps where checker.violations.isEmpty {
            act()
            if step % 64 == 0 { checker.compareLogs(servers.map(\.node)) }
        }
    }

    private mutating func chance(_ percent: Int) -> Bool { generator.draw(1...100) <= percent }
    private mutating func anyServer() -> Int { generator.draw(0...(servers.count - 1)) }

    private mutating func act() {
        switch generator.draw(1...1000) {
        case ...400: deliverSomething()
        case ...640: tick()
        case ...800: write()
        case ...900: propose()
        case ...930: read()
        case ...945: compact()
        case ...957: changeMembership()
        case ...964: transfer()
        case ...974: crash()
        case ...984: cut = chance(50) ? [] : Set((0..<generator.draw(1...2)).map { _ in anyServer() })
        case ...990: strike { $0.campaign() }
        default: strike { _ in }
        }
    }

    private mutating func strike(_ body: (inout RaftNode) -> Void) { strike(anyServer(), body) }

    /// Lets something happen to one server and takes what comes of it.
    private mutating func strike(_ i: Int, _ body: (inout RaftNode) -> Void) {
        body(&servers[i].node)
        wire += servers[i].drain()
        if !chance(slowDiskPercent) {
            servers[i].write()
            wire += servers[i].drain()
        }
        for result in servers[i].reads { checker.readAnswered(result) }
        servers[i].reads = []
        checker.look(at: servers[i])
        if wire.count > 400 { wire.removeFirst(200) }
    }

    private mutating func tick() {
        let count = generator.draw(1...3)
        strike { $0.tick(count) }
    }

    private mutating func deliverSomething() {
        guard !wire.isEmpty else { return }
        // Mostly in order, sometimes not.
        let position = chance(75) ? 0 : generator.draw(0...(wire.count - 1))
        let message = chance(4) ? wire[position] : wire.remove(at: position)
        let sender = message.from.number - 1
        let receiver = message.to.number - 1
        guard cut.contains(sender) == cut.contains(receiver), !chance(lossPercent) else { return }
        strike(receiver) { $0.step(message) }
    }

    private mutating func write() {
        let i = anyServer()
        servers[i].write(generator.draw(1...3))
        strike(i) { _ in }
    }

    /// A server that leads, mostly; any server otherwise.
    private mutating func likelyLeader() -> Int {
        let leading = servers.indices.filter { servers[$0].node.role == .leader }
        guard !leading.isEmpty, !chance(5) else { return anyServer() }
        return leading[generator.draw(0...(leading.count - 1))]
    }

    private mutating func propose() {
        nextCommand += 1
        let text = Array("\(nextCommand)".utf8)
        strike(likelyLeader()) { _ = $0.propose(text) }
    }

    private mutating func read() {
        nextRead += 1
        let context = nextRead
        checker.readAsked(context)
        strike(likelyLeader()) { $0.read(context: context) }
    }

    private mutating func compact() {
        let i = anyServer()
        // What is under way to the disk is written first, as the store does it in order.
        servers[i].write()
        strike(i) { _ in }
        _ = servers[i].compact(keeping: generator.draw(0...5))
        strike(i) { _ in }
    }

    private mutating func changeMembership() {
        let id = server(generator.draw(1...servers.count))
        let change: MembershipChange = [.addLearner(id), .addVoter(id), .remove(id)][generator.draw(0...2)]
        strike(likelyLeader()) { _ = $0.changeMembership(change) }
    }

    private mutating func transfer() {
        let target = chance(50) ? nil : server(generator.draw(1...servers.count))
        strike(likelyLeader()) { _ = $0.transferLeadership(to: target) }
    }

    private mutating func crash() {
        let i = anyServer()
        // Some writes may have reached the disk without the server knowing.
        for batch in servers[i].unwritten.prefix(generator.draw(0...2)) { servers[i].disk.write(batch) }
        for result in servers[i].reads { checker.readAnswered(result) }
        servers[i].restart(seed: generator.next())
        checker.forget(servers[i].node.id)
        strike(i) { _ in }
    }

    /// Ends all faults; afterwards one leader must exist and every member must have everything.
    mutating func heal() {
        cut = []
        for _ in 0..<400 {
            for i in servers.indices {
                servers[i].node.tick()
                absorb(i)
            }
            var budget = 2000
            while !wire.isEmpty, budget > 0 {
                budget -= 1
                let message = wire.removeFirst()
                let i = message.to.number - 1
                servers[i].node.step(message)
                absorb(i)
            }
        }
        checker.compareLogs(servers.map(\.node))
        if mustConverge { checkConvergence() }
    }

    private mutating func absorb(_ i: Int) {
        repeat {
            wire += servers[i].drain()
            servers[i].write()
            wire += servers[i].drain()
        } while !servers[i].unwritten.isEmpty
        for result in servers[i].reads { checker.readAnswered(result) }
        servers[i].reads = []
        checker.look(at: servers[i])
    }

    private mutating func checkConvergence() {
        let leading = servers.filter { $0.node.role == .leader }
        guard let leader = leading.max(by: { $0.node.term < $1.node.term }) else {
            return checker.fail("no leader after healing")
        }
        if leading.count > 1 { checker.fail("\(leading.count) leaders after healing") }
        for member in leader.node.membership.members {
            let follower = servers[member.number - 1]
            if follower.appliedIndex != leader.appliedIndex || follower.digest != leader.digest {
                checker.fail("\(member) is at \(follower.appliedIndex), the leader at \(leader.appliedIndex)")
            }
        }
    }
}

import RaftCore
import Testing

struct RaftNodeTests {
    private func led(_ count: Int = 3, settings: RaftSettings = RaftSettings()) -> TestCluster {
        var cluster = TestCluster(count, settings: settings)
        cluster.elect(1)
        return cluster
    }

    @Test func `a cluster left alone elects exactly one leader`() {
        for seed in 1...20 {
            var cluster = TestCluster(5, seed: UInt64(seed) * 97)
            cluster.tick(200)
            #expect(cluster.leaders.count == 1)
        }
    }

    @Test func `an idle cluster writes nothing`() {
        var cluster = led()
        let before = (1...3).map { cluster.at($0).batchesIssued }
        cluster.tick(1000)
        #expect((1...3).map { cluster.at($0).batchesIssued } == before)
    }

    @Test func `a single voter leads, commits and reads alone, after its own writes`() {
        var cluster = TestCluster(1)
        cluster.slowDisks = [server(1)]
        cluster[1].campaign()
        cluster.settle()
        #expect(cluster[1].role == .candidate)
        cluster.slowDisks = []
        cluster.settle()
        #expect(cluster[1].role == .leader)
        cluster.propose(1, "x")
        cluster.settle()
        cluster[1].read(context: 3)
        cluster.settle()
        #expect(cluster.commands(1) == ["x"])
        #expect(cluster.at(1).reads == [ReadResult(context: 3, index: index(2))])
    }

    @Test func `no promise leaves before its write is done`() {
        var cluster = TestCluster()
        cluster.slowDisks = [server(2)]
        cluster[2].step(vote(from: 1, to: 2, term: 1))
        cluster.collect()
        #expect(cluster.sent.isEmpty)
        cluster[2].step(append(from: 1, to: 2, term: 1, entries: [entry(1, term: 1)]))
        cluster.collect()
        #expect(cluster.sent.isEmpty)
        cluster.servers[server(2)]?.write(1)
        cluster.collect()
        #expect(cluster.sent.compactMap(\.voteGranted) == [true])
        cluster.servers[server(2)]?.write()
        cluster.collect()
        #expect(cluster.sent.last?.appendResponse?.matchIndex == index(1))
    }

    @Test func `a heartbeat is answered while a write runs, and promises only what is durable`() {
        var cluster = led()
        cluster.slowDisks = [server(2)]
        cluster.propose(1, "x")
        cluster.settle()
        cluster.sent = []
        cluster.tick(10, only: [1])
        let answers = cluster.sent.filter { $0.from == server(2) }.compactMap(\.appendResponse)
        #expect(answers.map(\.matchIndex) == [index(1)])
    }

    @Test func `a write under way does not count for entries that were replaced meanwhile`() {
        var cluster = TestCluster()
        cluster.slowDisks = [server(2)]
        cluster[2].step(append(from: 1, to: 2, term: 1, entries: (1...5).map { entry($0, term: 1) }))
        cluster.collect()
        cluster[2].step(append(from: 3, to: 2, term: 2, previous: 2, previousTerm: 1, entries: [entry(3, term: 2)]))
        cluster.collect()
        cluster.servers[server(2)]?.write(1)
        cluster.collect()
        #expect(cluster[2].durableIndex == index(2))
        #expect(cluster.sent.isEmpty, "the answer to the first leader is of no use now, the other one waits")
        cluster.servers[server(2)]?.write()
        cluster.collect()
        #expect(cluster.sent.compactMap { $0.appendResponse?.matchIndex } == [index(3)])
    }

    @Test func `a snapshot is acknowledged and handed out once it is durable`() {
        var cluster = TestCluster()
        cluster.slowDisks = [server(2)]
        let chunk = RaftMessage.SnapshotChunk(
            index: index(9), snapshotTerm: term(1), membership: cluster[2].membership, offset: 0, totalBytes: 8,
            data: TestServer.data(of: 77))
        cluster[2].step(RaftMessage(from: server(1), to: server(2), term: term(1), body: .snapshot(chunk)))
        cluster.collect()
        cluster.servers[server(2)]?.write(0)
        #expect(cluster.sent.isEmpty)
        #expect(cluster.at(2).appliedIndex == .zero)
        cluster.slowDisks = []
        cluster.collect()
        #expect(cluster.sent.compactMap { $0.appendResponse?.matchIndex } == [index(9)])
        #expect(cluster.at(2).appliedIndex == index(9))
        #expect(cluster.at(2).digest == 77)
    }

    @Test func `a snapshot of a known term is acknowledged only when it is durable`() {
        var cluster = led()
        cluster.slowDisks = [server(2)]
        cluster.sent = []
        let chunk = RaftMessage.SnapshotChunk(
            index: index(9), snapshotTerm: term(1), membership: cluster[2].membership, offset: 0, totalBytes: 8,
            data: TestServer.data(of: 77))
        cluster[2].step(RaftMessage(from: server(1), to: server(2), term: term(1), body: .snapshot(chunk)))
        cluster.collect()
        #expect(cluster.sent.isEmpty)
        cluster.servers[server(2)]?.write()
        cluster.collect()
        #expect(cluster.sent.compactMap { $0.appendResponse?.matchIndex } == [index(9)])
    }

    @Test func `proposals are refused with the reason`() {
        var settings = RaftSettings()
        settings.maxEntryBytes = 100
        settings.maxUncommittedBytes = 300
        var cluster = led(settings: settings)
        #expect(cluster[2].propose([1]) == .failure(.notLeader(leader: server(1))))
        #expect(cluster[1].propose([UInt8](repeating: 0, count: 101)) == .failure(.tooLarge))
        cluster.isolated = [server(1)]
        for _ in 0..<2 { #expect(cluster[1].propose([UInt8](repeating: 0, count: 100)) != .failure(.busy)) }
        #expect(cluster[1].propose([UInt8](repeating: 0, count: 100)) == .failure(.busy))
        cluster.settle()
        cluster.isolated = []
        cluster.tick(40)
        #expect(cluster[1].commitIndex == index(3))
        #expect(cluster[1].propose([UInt8](repeating: 0, count: 100)) != .failure(.busy))
    }

    @Test func `appends keep the limits of messages and of what is in flight`() {
        var settings = RaftSettings()
        settings.maxAppendEntries = 10
        settings.maxInflightMessages = 4
        var cluster = led(settings: settings)
        cluster.sent = []
        for _ in 0..<100 { cluster.propose(1, "x") }
        cluster.collect()
        let toTwo = cluster.sent.filter { $0.to == server(2) }
        #expect(toTwo.compactMap { $0.appendRequest?.entries.count } == [10, 10, 10, 10])
        cluster.settle()
        #expect(cluster.commands(3).count == 100)
    }

    @Test func `a server that prefers not to lead, as the primary does, waits at least half as long again (GD7)`() {
        var settings = RaftSettings()
        settings.prefersNotToLead = true
        for seed in 1...50 {
            var cluster = TestCluster(settings: settings, seed: UInt64(seed) * 31)
            cluster[1].tick(89)
            #expect(cluster[1].role == .follower)
            cluster[1].tick(30)
            #expect(cluster[1].role == .precandidate)
        }
    }

    @Test func `the leader reports who is in contact`() {
        var cluster = led(5)
        #expect(cluster[1].votersInContact == 5)
        cluster.isolated = [server(4), server(5)]
        cluster.tick(100)
        #expect(cluster[1].votersInContact == 3)
        #expect(cluster[2].votersInContact == 0)
        #expect(cluster[2].ticksSinceLeaderContact < 10)
        #expect(cluster[4].ticksSinceLeaderContact >= 100)
    }

    @Test func `reads fail when leadership is lost, and where there is none`() {
        var cluster = led()
        cluster[2].read(context: 1)
        cluster.isolated = [server(1)]
        cluster[1].read(context: 2)
        cluster.tick(150)
        #expect(cluster.at(2).reads == [ReadResult(context: 1, index: nil)])
        #expect(cluster.at(1).reads == [ReadResult(context: 2, index: nil)])
    }

    @Test func `compaction refuses what is not applied or not newer`() {
        var cluster = led()
        #expect(cluster[1].compact(through: index(5), data: []) == nil)
        #expect(cluster[1].compact(through: .zero, data: []) == nil)
        #expect(cluster[1].compact(through: index(1), data: [7])?.data == [7])
        #expect(cluster[1].compact(through: index(1), data: [7]) == nil)
    }

    @Test func `a snapshot beyond the limit is not assembled`() {
        var settings = RaftSettings()
        settings.maxSnapshotBytes = 10
        var cluster = TestCluster(settings: settings)
        let chunk = RaftMessage.SnapshotChunk(
            index: index(9), snapshotTerm: term(1), membership: Membership(), offset: 0, totalBytes: 11,
            data: [UInt8](repeating: 0, count: 11))
        cluster[2].step(RaftMessage(from: server(1), to: server(2), term: term(1), body: .snapshot(chunk)))
        cluster.settle()
        #expect(cluster[2].lastIndex == .zero)
    }

    @Test func `the same inputs give the same outputs`() {
        func transcript() -> [RaftMessage] {
            var cluster = TestCluster(5)
            cluster.tick(200)
            for text in ["a", "b", "c"] { cluster.propose(cluster.leaders[0], text) }
            cluster.tick(100)
            return cluster.sent
        }
        #expect(transcript() == transcript())
    }
}

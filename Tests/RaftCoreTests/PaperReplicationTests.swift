import RaftCore
import Testing

/// Sentences of the Raft paper, section 5, and of the thesis, sections 3.5, 3.6, 5.1, 6.4 and 10.2, about the log.
struct PaperReplicationTests {
    private func led(_ count: Int = 3) -> TestCluster {
        var cluster = TestCluster(count)
        cluster.elect(1)
        return cluster
    }

    @Test func `5.3: the leader appends the command as a new entry and sends it to the others in parallel`() {
        var cluster = led()
        cluster.sent = []
        #expect(cluster.propose(1, "x") == ProposalReceipt(index: index(2), term: term(1)))
        cluster.collect()
        #expect(cluster.sent.map(\.to) == [server(2), server(3)])
        #expect(cluster.sent.allSatisfy { $0.appendRequest?.entries.count == 1 })
    }

    @Test func `5.3: an entry is committed once the leader has replicated it on a majority of the servers`() {
        var cluster = led(5)
        cluster.isolated = [server(4), server(5)]
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster[1].commitIndex == index(2))
        cluster.isolated.insert(server(3))
        cluster.propose(1, "y")
        cluster.settle()
        #expect(cluster[1].commitIndex == index(2))
    }

    @Test func `5.3: this also commits all preceding entries in the leader's log`() {
        var cluster = TestCluster()
        cluster.setLog(1, terms: [1, 1, 2])
        cluster.elect(1)
        #expect(cluster[2].commitIndex == index(4))
        #expect(cluster.at(2).applied.map(\.index) == (1...4).map(index))
    }

    @Test func `5.3: the leader keeps track of the highest committed index and includes it in future messages`() {
        var cluster = led()
        cluster.propose(1, "x")
        cluster.settle()
        cluster.sent = []
        cluster[1].tick(10)
        cluster.collect()
        #expect(cluster.sent.allSatisfy { $0.appendRequest?.commitIndex == index(2) })
    }

    @Test func `5.3: if followers run slowly or packets are lost, the leader retries indefinitely`() {
        var cluster = led()
        cluster.propose(1, "x")
        cluster.drops = { $0.to == server(3) && $0.appendRequest?.entries.isEmpty == false }
        cluster.tick(500)
        #expect(cluster[3].lastIndex == index(1))
        cluster.drops = { _ in false }
        cluster.tick(20)
        #expect(cluster.commands(3) == ["x"])
    }

    @Test func `5.3: if the follower does not find the preceding entry, it refuses the new entries`() {
        for (own, previous, previousTerm) in [([1], 2, 1), ([1, 1], 2, 2), ([], 1, 1)] {
            var cluster = TestCluster()
            cluster.setLog(2, terms: own, term: 3)
            cluster[2].step(
                append(
                    from: 1, to: 2, term: 3, previous: previous, previousTerm: previousTerm,
                    entries: [
                        entry(previous + 1, term: 3)
                    ]))
            cluster.collect()
            #expect(cluster.sent.last?.appendResponse?.success == false)
            #expect(cluster[2].lastIndex == index(own.count))
        }
    }

    @Test(arguments: [
        [1, 1, 1, 4, 4, 5, 5, 6, 6], [1, 1, 1, 4], [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
        [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], [1, 1, 1, 4, 4, 4, 4], [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ]) func `5.3, figure 7: the leader forces the followers' logs to duplicate its own`(_ follower: [Int]) {
        var cluster = TestCluster()
        let leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
        cluster.setLog(1, terms: leaderTerms, term: 7)
        cluster.setLog(2, terms: follower, term: 7)
        cluster.setLog(3, terms: leaderTerms, term: 7)
        cluster.isolated = [server(2)]
        cluster.elect(1)
        cluster.isolated = []
        cluster.tick(40)
        #expect(cluster.leaders == [1])
        #expect(cluster[2].entries(from: index(1), to: index(99)) == cluster[1].entries(from: index(1), to: index(99)))
    }

    @Test func `5.3: an existing entry that conflicts with a new one is deleted with all that follow it`() {
        var cluster = TestCluster()
        cluster.setLog(2, terms: [1, 1, 2, 2, 2])
        cluster[2].step(append(from: 1, to: 2, term: 3, previous: 2, previousTerm: 1, entries: [entry(3, term: 3)]))
        cluster.collect()
        #expect(cluster[2].lastIndex == index(3))
        #expect(cluster.at(2).disk.state.entries.map(\.term) == [term(1), term(1), term(3)])
    }

    @Test func `5.3: entries that are there already are not deleted by an older message`() {
        var cluster = TestCluster()
        cluster.setLog(2, terms: [1, 1, 1])
        cluster[2].step(append(from: 1, to: 2, term: 1, entries: [entry(1, term: 1)]))
        cluster.collect()
        #expect(cluster[2].lastIndex == index(3))
        #expect(cluster.sent.last?.appendResponse?.matchIndex == index(1))
    }

    @Test func `5.3: the follower sets its commit index to the smaller of the leader's and its last new entry`() {
        var cluster = TestCluster()
        cluster.setLog(2, terms: [1, 1, 1])
        cluster[2].step(append(from: 1, to: 2, term: 1, previous: 1, previousTerm: 1, commit: 3))
        #expect(cluster[2].commitIndex == index(1))
        cluster[2].step(append(from: 1, to: 2, term: 1, previous: 2, previousTerm: 1, commit: 1))
        #expect(cluster[2].commitIndex == index(1))
    }

    @Test func `5.3: a leader never overwrites or deletes entries in its own log`() {
        var cluster = led()
        cluster[1].step(append(from: 2, to: 1, term: 1, entries: [entry(1, term: 0)]))
        #expect(cluster[1].role == .leader)
        #expect(cluster[1].term(at: index(1)) == term(1))
    }

    @Test func `5.4.2: only entries of the leader's current term are committed by counting replicas`() {
        var cluster = TestCluster(5, settings: withoutPreVote)
        for number in 1...2 { cluster.setLog(number, terms: [1, 2], term: 3) }
        for number in 3...5 { cluster.setLog(number, terms: [1], term: 3) }
        cluster[1].campaign()
        cluster.collect()
        for number in 2...3 { cluster[1].step(granted(from: number, to: 1, term: 4)) }
        cluster.collect()
        func stored(_ from: Int, _ match: Int) -> RaftMessage {
            RaftMessage(
                from: server(from), to: server(1), term: term(4),
                body: .appendResponse(
                    .init(success: true, matchIndex: index(match))))
        }
        cluster[1].step(stored(2, 2))
        cluster[1].step(stored(3, 2))
        #expect(cluster[1].commitIndex == .zero, "entry 2 of term 2 is on a majority, and not committed (figure 8)")
        cluster[1].step(stored(2, 3))
        cluster[1].step(stored(3, 3))
        #expect(cluster[1].commitIndex == index(3))
    }

    @Test func `6.4: each leader commits an empty entry at the start of its term`() {
        var cluster = led()
        #expect(cluster[1].entries(from: index(1), to: index(1)).map(\.kind) == [.empty])
        #expect(cluster[1].hasCommittedInTerm)
        cluster.isolated = [server(2)]
        cluster.crash(1)
        cluster.tick(120)
        #expect(!cluster[3].hasCommittedInTerm)
    }

    @Test func `6.4: a leader confirms with a round to a majority that it has not been deposed before it reads`() {
        var cluster = led()
        cluster.drops = { $0.appendResponse != nil }
        cluster[1].read(context: 1)
        cluster.settle()
        #expect(cluster.at(1).reads.isEmpty)
        cluster.drops = { _ in false }
        cluster.tick(10)
        #expect(cluster.at(1).reads == [ReadResult(context: 1, index: index(1))])
    }

    @Test func `6.4: an answer to a round begun before the read confirms nothing`() {
        var cluster = led()
        cluster[1].tick(10)
        cluster.collect()
        let early = cluster.wire
        cluster.wire = []
        cluster[1].read(context: 1)
        for message in early { cluster.deliver(message) }
        let answers = cluster.wire.filter { $0.appendResponse != nil }
        for answer in answers { cluster[1].step(answer) }
        cluster.collect()
        #expect(cluster.at(1).reads.isEmpty)
        cluster.settle()
        #expect(cluster.at(1).reads.count == 1)
    }

    @Test func `10.2.1: the leader may commit an entry before it has been written to the leader's own disk`() {
        var cluster = led()
        cluster.slowDisks = [server(1)]
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster[1].commitIndex == index(2))
        #expect(cluster.commands(1) == [])
        #expect(cluster.commands(2) == ["x"])
    }

    @Test func `10.2.1: a leader counts itself only after its own write`() {
        var cluster = led()
        cluster.isolated = [server(3)]
        cluster.slowDisks = [server(1), server(2)]
        cluster.propose(1, "x")
        cluster.settle()
        cluster.servers[server(2)]?.write()
        cluster.slowDisks = [server(1)]
        cluster.settle()
        #expect(cluster[1].commitIndex == index(1))
        cluster.servers[server(1)]?.write()
        #expect(cluster[1].commitIndex == index(2))
    }

    @Test func `3.8: a server that restarts knows no commit index but its snapshot's`() {
        var cluster = led()
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster.servers[server(2)]?.compact(keeping: 0) == true)
        cluster.propose(1, "y")
        cluster.settle()
        cluster.restart(2)
        #expect(cluster[2].commitIndex == index(2))
        #expect(cluster[2].lastIndex == index(3))
    }

    @Test func `5.1 of the thesis: a snapshot replaces the log of a follower that is too far behind`() {
        var cluster = led()
        cluster.isolated = [server(3)]
        for _ in 0..<20 { cluster.propose(1, "x") }
        cluster.settle()
        #expect(cluster.servers[server(1)]?.compact(keeping: 3) == true)
        cluster.isolated = []
        cluster.tick(40)
        #expect(cluster.at(3).appliedIndex == index(21))
        #expect(cluster.at(3).digest == cluster.at(1).digest)
        #expect(cluster[3].firstIndex == index(22))
        cluster.propose(1, "y")
        cluster.settle()
        #expect(cluster.commands(3) == ["y"])
    }

    @Test func `5.1 of the thesis: a follower keeps its log when the snapshot describes a prefix of it`() {
        var cluster = TestCluster()
        cluster.setLog(2, terms: [1, 1, 1])
        let chunk = RaftMessage.SnapshotChunk(
            index: index(2), snapshotTerm: term(1), membership: cluster[2].membership, offset: 0, totalBytes: 0,
            data: [])
        cluster[2].step(RaftMessage(from: server(1), to: server(2), term: term(1), body: .snapshot(chunk)))
        cluster.collect()
        #expect(cluster[2].lastIndex == index(3))
        #expect(cluster[2].commitIndex == index(2))
        #expect(cluster.at(2).disk.state.snapshot == nil)
    }
}

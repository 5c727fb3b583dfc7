import RaftCore
import Testing

/// Sentences of the Raft paper, section 5, and of the thesis, sections 3.3, 3.4, 3.6 and 3.9, about elections.
struct PaperElectionTests {
    @Test func `5.1: if one server's term is smaller than the other's, it updates its term to the larger value`() {
        var cluster = TestCluster()
        cluster[2].step(vote(from: 1, to: 2, term: 5))
        #expect(cluster[2].term == term(5))
    }

    @Test func `5.1: if a leader discovers that its term is out of date, it immediately reverts to follower state`() {
        var cluster = TestCluster()
        cluster.elect(1)
        cluster[1].step(
            RaftMessage(
                from: server(2), to: server(1), term: term(7),
                body: .appendResponse(
                    .init(success: false, matchIndex: .zero))))
        #expect(cluster[1].role == .follower)
        #expect(cluster[1].term == term(7))
        #expect(cluster[1].leader == nil)
    }

    @Test func `5.1: a candidate that discovers a higher term reverts to follower state`() {
        var cluster = TestCluster(settings: withoutPreVote)
        cluster[1].campaign()
        cluster.collect()
        cluster[1].step(
            RaftMessage(
                from: server(2), to: server(1), term: term(9),
                body: .voteResponse(
                    .init(granted: false))))
        #expect(cluster[1].role == .follower)
        #expect(cluster[1].term == term(9))
    }

    @Test func `5.1: if a server receives a request with a stale term number, it rejects the request`() throws {
        var cluster = TestCluster()
        cluster.setLog(1, terms: [], term: 4)
        cluster[1].step(vote(from: 2, to: 1, term: 3))
        cluster[1].step(append(from: 2, to: 1, term: 3, entries: [LogEntry(index: index(1), term: term(3))]))
        cluster.collect()
        #expect(cluster.sent.map(\.term) == [term(4), term(4)])
        #expect(cluster.sent.first?.body == .voteResponse(.init(granted: false)))
        #expect(cluster.sent.last?.body == .appendResponse(.init(success: false, matchIndex: .zero)))
        #expect(cluster[1].lastIndex == .zero)
    }

    @Test func `5.2: when servers start up, they begin as followers`() {
        #expect((1...3).allSatisfy { TestCluster()[$0].role == .follower })
    }

    @Test func `5.2: a server remains in follower state as long as it receives valid RPCs from a leader`() {
        var cluster = TestCluster()
        cluster.elect(1)
        cluster.tick(2000)
        #expect(cluster.leaders == [1])
        #expect(cluster[2].term == term(1))
    }

    @Test func `5.2: a follower that receives no communication over the election timeout begins an election`() {
        var cluster = TestCluster()
        cluster[1].tick(119)
        #expect(cluster[1].role == .precandidate)
    }

    @Test func `5.2: a follower increments its current term, votes for itself and asks all others in parallel`() {
        var cluster = TestCluster(5, settings: withoutPreVote)
        cluster[1].campaign()
        cluster.collect()
        #expect(cluster[1].term == term(1))
        #expect(cluster[1].vote == server(1))
        #expect(cluster.sent.map(\.to) == (2...5).map(server))
        #expect(cluster.at(1).disk.state.hardState == HardState(term: term(1), vote: server(1)))
    }

    @Test func `5.2: a candidate wins if it receives votes from a majority of the full cluster`() {
        var cluster = TestCluster(5, settings: withoutPreVote)
        cluster[1].campaign()
        cluster.collect()
        cluster[1].step(granted(from: 2, to: 1, term: 1))
        #expect(cluster[1].role == .candidate)
        cluster[1].step(granted(from: 2, to: 1, term: 1))
        #expect(cluster[1].role == .candidate, "a duplicate is no second vote")
        cluster[1].step(granted(from: 3, to: 1, term: 1))
        #expect(cluster[1].role == .leader)
    }

    @Test func `5.2: each server votes for at most one candidate in a given term, first come first served`() {
        var cluster = TestCluster()
        cluster[3].step(vote(from: 1, to: 3, term: 1))
        cluster[3].step(vote(from: 2, to: 3, term: 1))
        cluster[3].step(vote(from: 1, to: 3, term: 1))
        cluster.collect()
        #expect(cluster.sent.compactMap(\.voteGranted) == [true, false, true])
    }

    @Test func `5.2: a vote outlives a restart`() {
        var cluster = TestCluster()
        cluster[3].step(vote(from: 1, to: 3, term: 1))
        cluster.collect()
        cluster.restart(3)
        cluster[3].step(vote(from: 2, to: 3, term: 1))
        cluster.collect()
        #expect(cluster.sent.compactMap(\.voteGranted) == [true, false])
    }

    @Test func `5.2: a new leader sends messages to all other servers to prevent new elections`() {
        var cluster = TestCluster()
        cluster.elect(1)
        #expect((2...3).allSatisfy { cluster[$0].leader == server(1) })
    }

    @Test func `5.2: a candidate that hears of a leader with a term at least as large returns to follower state`() {
        var cluster = TestCluster(settings: withoutPreVote)
        cluster[1].campaign()
        cluster[1].step(append(from: 2, to: 1, term: 1))
        #expect(cluster[1].role == .follower)
        #expect(cluster[1].leader == server(2))
    }

    @Test func `5.2: a candidate rejects a leader with a smaller term and continues in candidate state`() {
        var cluster = TestCluster(settings: withoutPreVote)
        cluster.setLog(1, terms: [], term: 3)
        cluster[1].campaign()
        cluster[1].step(append(from: 2, to: 1, term: 3))
        #expect(cluster[1].role == .candidate)
    }

    @Test func `5.2: election timeouts are chosen randomly from a fixed interval`() {
        var seen: Set<Int> = []
        for seed in 1...200 {
            var cluster = TestCluster(seed: UInt64(seed) * 1000)
            var ticks = 0
            while cluster[1].role == .follower {
                cluster[1].tick()
                ticks += 1
            }
            seen.insert(ticks)
        }
        #expect(seen.count > 40)
        #expect(seen.allSatisfy { (60..<120).contains($0) })
    }

    @Test func `5.4.1: the voter denies its vote if its own log is more up-to-date than the candidate's`() {
        for (own, last, lastTerm, granted) in [
            ([1, 1], 2, 1, true), ([1, 1], 1, 1, false), ([1, 1], 3, 1, true), ([1, 2], 5, 1, false),
            ([1, 1, 1], 1, 2, true), ([1], 0, 0, false),
        ] {
            var cluster = TestCluster()
            cluster.setLog(2, terms: own)
            cluster[2].step(vote(from: 1, to: 2, term: 5, last: last, lastTerm: lastTerm))
            cluster.collect()
            #expect(cluster.sent.compactMap(\.voteGranted) == [granted], "\(own) against \(last)/\(lastTerm)")
        }
    }

    @Test func `3.9: split votes are resolved quickly`() {
        var cluster = TestCluster(4)
        for number in 1...4 { cluster[number].campaign() }
        cluster.settle()
        #expect(cluster.leaders == [])
        cluster.tick(70)
        #expect(cluster.leaders.count == 1)
    }

    @Test func `9.6: a pre-vote changes no term and no vote`() {
        var cluster = TestCluster()
        cluster[2].step(vote(from: 1, to: 2, term: 1, preVote: true))
        cluster.collect()
        #expect(cluster[2].term == .zero)
        #expect(cluster[2].vote == nil)
        #expect(cluster.at(2).batchesIssued == 0)
        #expect(cluster.sent.compactMap(\.voteGranted) == [true])
    }

    @Test func `9.6: a partitioned server does not disrupt the cluster when it returns`() {
        var cluster = TestCluster()
        cluster.elect(1)
        cluster.isolated = [server(3)]
        cluster.tick(1000)
        #expect(cluster[3].term == term(1))
        cluster.isolated = []
        cluster.tick(100)
        #expect(cluster.leaders == [1])
        #expect(cluster[1].term == term(1))
    }

    @Test func `4.2.3: a server that heard a leader within the minimum election timeout grants no vote`() {
        var cluster = TestCluster()
        cluster.elect(1)
        cluster[2].tick(59)
        cluster[2].step(vote(from: 3, to: 2, term: 9, last: 9, lastTerm: 8))
        #expect(cluster[2].term == term(1))
        cluster[1].step(vote(from: 3, to: 1, term: 9, last: 9, lastTerm: 8))
        #expect(cluster[1].role == .leader, "the leader as well (RA3)")
        cluster[2].setElectionTimeout(ticks: 1000)
        cluster[2].tick()
        cluster[2].step(vote(from: 3, to: 2, term: 9, last: 9, lastTerm: 8))
        #expect(cluster[2].term == term(9))
    }

    @Test func `6.2: a leader steps down if an election timeout elapses without a round to a majority`() {
        var cluster = TestCluster()
        cluster.elect(1)
        cluster.isolated = [server(1)]
        cluster.tick(99, only: [1])
        #expect(cluster.leaders == [1])
        cluster.tick(1, only: [1])
        #expect(cluster.leaders == [])
    }
}

import RaftCore
import Testing

/// Sentences of the thesis, section 3.10 and chapter 4, about transfer and membership.
struct PaperMembershipTests {
    private func led(_ count: Int = 3, learners: [Int] = []) -> TestCluster {
        var cluster = TestCluster(count, learners: learners)
        cluster.elect(1)
        return cluster
    }

    private func change(_ cluster: inout TestCluster, _ change: MembershipChange) -> MembershipRefusal? {
        switch cluster[1].changeMembership(change) {
        case .success: nil
        case .failure(let refusal): refusal
        }
    }

    @Test func `4.1: servers use the latest configuration in their log, committed or not`() {
        var cluster = led()
        cluster.isolated = [server(1)]
        #expect(change(&cluster, .addVoter(server(4))) == nil)
        #expect(cluster[1].membership.voters == (1...4).map(server))
        #expect(cluster[1].commitIndex == index(1))
    }

    @Test func `4.1: a server falls back to the previous configuration if the entry is removed from its log`() {
        var cluster = led()
        cluster.isolated = [server(1)]
        #expect(change(&cluster, .remove(server(3))) == nil)
        cluster.tick(250)
        cluster.isolated = []
        cluster.tick(40)
        #expect(cluster[1].membership.voters == (1...3).map(server))
    }

    @Test func `4.1: a leader begins no change before the previous one is committed`() {
        var cluster = led()
        cluster.isolated = [server(1)]
        #expect(change(&cluster, .addLearner(server(4))) == nil)
        #expect(change(&cluster, .addLearner(server(5))) == .changePending)
    }

    @Test func `4.1, raft-dev 2015: a leader begins no change before an entry of its term is committed`() {
        var cluster = TestCluster()
        cluster.drops = { $0.appendRequest != nil }
        cluster.elect(1)
        #expect(cluster[1].role == .leader)
        #expect(change(&cluster, .addVoter(server(4))) == .notReady)
    }

    @Test func `4.1: servers answer requests of a leader and of candidates that are not in their configuration`() {
        var cluster = led()
        cluster.add(server(9))
        cluster[9].step(vote(from: 1, to: 9, term: 2))
        cluster[9].step(append(from: 1, to: 9, term: 2, entries: [entry(1, term: 2)]))
        cluster.collect()
        #expect(cluster.sent.contains { $0.from == server(9) && $0.voteGranted == true })
        #expect(cluster[9].lastIndex == index(1))
    }

    @Test func `4.2.1: a new server joins as a non-voting member that does not count towards majorities`() {
        var cluster = TestCluster(2, learners: [3])
        cluster.elect(1)
        #expect(cluster[3].role == .learner)
        cluster.isolated = [server(2)]
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster[3].lastIndex == index(2))
        #expect(cluster[1].commitIndex == index(1))
        cluster[1].read(context: 1)
        cluster.settle()
        #expect(cluster.at(1).reads.isEmpty)
    }

    @Test func `4.2.1: a learner never campaigns`() {
        var cluster = TestCluster(2, learners: [3])
        cluster[3].campaign()
        cluster[3].tick(1000)
        cluster.collect()
        #expect(cluster[3].role == .learner)
        #expect(cluster.sent.isEmpty)
    }

    @Test func `4.2.1: a learner is caught up when it stays close to the leader for two rounds`() {
        var cluster = led()
        cluster.add(server(4))
        cluster.isolated = [server(4)]
        #expect(change(&cluster, .addLearner(server(4))) == nil)
        for _ in 0..<200 { cluster.propose(1, "x") }
        cluster.settle()
        #expect(cluster[1].progress[server(4)]?.isCaughtUp == false)
        cluster.isolated = []
        cluster.tick(60)
        #expect(cluster[1].progress[server(4)]?.isCaughtUp == true)
    }

    @Test func `4.2.2: a leader that removes itself leads until the entry is committed, then steps down`() {
        var cluster = led()
        cluster.isolated = [server(2)]
        #expect(change(&cluster, .remove(server(1))) == nil)
        cluster.settle()
        #expect(cluster.leaders == [1], "the two others are needed, the leader does not count itself")
        cluster.isolated = []
        cluster.tick(40)
        #expect(cluster[1].role == .follower)
        cluster.tick(300)
        #expect(cluster.leaders.count == 1)
        #expect(cluster.leaders != [1])
        #expect(cluster[1].membership.voters == [server(2), server(3)])
    }

    @Test func `4.2.2: the only server with the entry that removes it can still lead until it is committed`() {
        var cluster = led(2)
        cluster.isolated = [server(1)]
        #expect(change(&cluster, .remove(server(1))) == nil)
        cluster.settle()
        cluster.restart(1)
        cluster.isolated = []
        cluster.tick(600)
        #expect(cluster.leaders == [2])
        #expect(cluster[2].membership.voters == [server(2)])
    }

    @Test func `4.2.3: removed servers do not disrupt the cluster`() {
        var cluster = led()
        cluster.isolated = [server(3)]
        #expect(change(&cluster, .remove(server(3))) == nil)
        cluster.settle()
        cluster.isolated = []
        cluster.tick(1000)
        #expect(cluster.leaders == [1])
        #expect(cluster[1].term == term(1))
    }

    @Test func `4.2.2: a removed server that is in contact is told`() {
        var cluster = led()
        #expect(change(&cluster, .remove(server(3))) == nil)
        cluster.settle()
        #expect(cluster[3].membership.voters == [server(1), server(2)])
        #expect(cluster[3].commitIndex == index(2))
        #expect(cluster[1].progress[server(3)] == nil)
    }

    @Test func `the last voter is not removed, and what is so already is not done again`() {
        var cluster = led(1)
        #expect(change(&cluster, .remove(server(1))) == .lastVoter)
        #expect(change(&cluster, .addVoter(server(1))) == .alreadySo)
        #expect(change(&cluster, .addLearner(server(1))) == .alreadySo)
        #expect(change(&cluster, .remove(server(7))) == .alreadySo)
    }

    @Test func `3.10: the prior leader brings the target level and then tells it to begin an election`() {
        var cluster = led()
        cluster.isolated = [server(2)]
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster[1].transferLeadership(to: server(2)) == .success(server(2)))
        cluster.settle()
        #expect(!cluster.sent.contains { $0.isTimeoutNow })
        cluster.isolated = []
        cluster.tick(30)
        #expect(cluster.leaders == [2])
        #expect(cluster.commands(2) == ["x"])
    }

    @Test func `3.10: the prior leader stops accepting new client requests`() {
        var cluster = led()
        #expect(cluster[1].transferLeadership(to: server(2)) == .success(server(2)))
        #expect(cluster[1].propose([1]) == .failure(.transferring))
        #expect(cluster[1].changeMembership(.remove(server(3))) == .failure(.transferring))
    }

    @Test func `3.10: a transfer that does not complete within an election timeout is aborted`() {
        var cluster = led()
        cluster.isolated = [server(2)]
        #expect(cluster[1].transferLeadership(to: server(2)) == .success(server(2)))
        cluster.tick(119)
        #expect(cluster[1].isTransferring)
        cluster.tick(1)
        #expect(!cluster[1].isTransferring)
        #expect(cluster.propose(1, "x") != nil)
    }

    @Test func `3.10: without a target the voter with the longest log is chosen`() {
        var cluster = led(3, learners: [4])
        cluster.isolated = [server(2)]
        cluster.propose(1, "x")
        cluster.settle()
        #expect(cluster[1].transferLeadership(to: nil) == .success(server(3)))
        cluster.settle()
        #expect(cluster[1].transferLeadership(to: server(4)) == .failure(.notLeader(leader: server(3))))
        #expect(cluster[3].transferLeadership(to: server(4)) == .failure(.noTarget))
    }

    @Test func `RA7: a membership entry restarts the round of waiting reads`() {
        var cluster = led()
        cluster.add(server(4))
        cluster[1].read(context: 1)
        cluster.collect()
        let answers = cluster.wire
        cluster.wire = []
        #expect(change(&cluster, .addVoter(server(4))) == nil)
        for message in answers { cluster.servers[message.to]?.node.step(message) }
        for number in 2...3 {
            for answer in cluster.servers[server(number)]?.drain() ?? [] { cluster[1].step(answer) }
        }
        #expect(cluster[1].ready().reads.isEmpty)
    }
}

import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import Testing

/// Three nodes that only vote: consensus, membership, requests and views, without PostgreSQL.
@Suite struct BastionNodeTests {
    @Test func `the first node founds the cluster and registers itself (K06, InitCluster)`() throws {
        let bench = try TestNodes("a")
        #expect(bench.leader == "a")
        #expect(bench.state("a").cluster?.id == clusterID)
        #expect(bench.state("a").cluster?.name == "demo")
        #expect(bench.state("a").nodes.keys.map(\.rawValue) == ["a"])
        #expect(bench.halts.isEmpty)
    }

    @Test func `a node that was added is a learner first and then a voter (RA9, E03)`() throws {
        let bench = try TestNodes("a")
        try bench.start("b")
        #expect(bench.nodes["b"]?.isSettled == true, "it waits to be added")
        let added = try #require(bench.ask("a", adding("b"), peer: peerIdentity("b"))).get()
        #expect(added.summary == "peer added")
        #expect(bench.raft("a")?.membership.contains(server("b")) == true)
        bench.run(until: { bench.raft("a")?.membership.voters.count == 2 })
        #expect(bench.raft("a")?.membership.voters.contains(server("b")) == true)
        bench.run(until: { bench.state("b") == bench.state("a") })
        #expect(bench.state("b") == bench.state("a"))
        #expect(bench.peers["b"]?.map(\.name) == [name("a")])
    }

    @Test func `a learner that is to stay one becomes a voter only when promoted (RA9)`() throws {
        let bench = try TestNodes("a")
        try bench.add("b", learnerOnly: true)
        bench.run(seconds: 3)
        #expect(bench.raft("a")?.membership.learners == [server("b")])
        let promoted = try #require(bench.ask("a", .promotePeer(name: name("b")))).get()
        #expect(!promoted.alreadySo)
        bench.run(until: { bench.raft("a")?.membership.voters.count == 2 })
        let again = try #require(bench.ask("a", .promotePeer(name: name("b")))).get()
        #expect(again.alreadySo)
    }

    @Test func `three nodes elect a new leader when theirs is cut off, and the old one gives up (RA4)`() throws {
        let bench = try three()
        bench.cut = ["a"]
        bench.run(until: { bench.leader != nil && bench.leader != "a" })
        let leader = try #require(bench.leader)
        #expect(["b", "c"].contains(leader))
        bench.run(until: { bench.raft("a")?.role != .leader })
        #expect(bench.raft("a")?.role != .leader)
        bench.cut = []
        bench.run(until: { bench.raft("a")?.leader == server(leader) })
        #expect(bench.raft("a")?.leader == server(leader))
        #expect(bench.halts.isEmpty)
    }

    @Test func `a change of leader fails the requests that wait (E03)`() throws {
        let bench = try three()
        bench.cut = ["a"]
        let id = bench.begin("a", .pause(forSeconds: nil, reason: "test"))
        #expect(bench.replies[id] == nil, "no majority")
        bench.run(until: { bench.replies[id] != nil })
        #expect(failure(bench.replies[id])?.code == .unavailable)
    }

    @Test func `a node that does not lead refuses and names the leader (E03)`() throws {
        let bench = try three()
        let error = try #require(failure(bench.ask("b", .pause(forSeconds: nil, reason: "test"))))
        #expect(error.code == .notLeader)
        #expect(error.hint?.contains("\"a\"") == true)
    }

    @Test func `pause and resume answer, and say when it was so already (E14)`() throws {
        let bench = try three()
        let resumed = try #require(bench.ask("a", .resume)).get()
        #expect(resumed.alreadySo)
        let paused = try #require(bench.ask("a", .pause(forSeconds: 60, reason: "upgrade"))).get()
        #expect(!paused.alreadySo)
        #expect(bench.state("a").paused?.reason == "upgrade")
        let again = try #require(bench.ask("a", .pause(forSeconds: nil, reason: "other"))).get()
        #expect(again.alreadySo)
        #expect(bench.state("a").paused?.reason == "upgrade")
        let ended = try #require(bench.ask("a", .resume)).get()
        #expect(!ended.alreadySo)
        #expect(bench.state("a").paused == nil)
    }

    @Test func `a pause with a duration ends by itself (CS7)`() throws {
        let bench = try three()
        _ = bench.ask("a", .pause(forSeconds: 2, reason: "short"))
        bench.run(seconds: 1)
        #expect(bench.state("a").paused != nil)
        bench.run(seconds: 3, until: { bench.state("a").paused == nil })
        #expect(bench.state("a").paused == nil)
    }

    @Test func `the same idempotency key returns the first outcome and does nothing twice (Q10, CS5)`() throws {
        let bench = try three()
        _ = try #require(bench.ask("a", .pause(forSeconds: nil, reason: "first"), key: "k1")).get()
        _ = bench.ask("a", .resume)
        let repeated = try #require(bench.ask("a", .pause(forSeconds: nil, reason: "first"), key: "k1")).get()
        #expect(!repeated.alreadySo)
        #expect(bench.state("a").paused == nil, "the repetition changes nothing")
    }

    @Test func `unknown nodes are not found (404)`() throws {
        let bench = try three()
        let requests: [ClusterRequest] = [
            .promotePeer(name: name("x")), .removePeer(name: name("x"), force: false),
            .transferLeadership(to: name("x")),
            .reinitialize(node: name("x"), from: nil, method: .auto),
        ]
        for request in requests {
            let error = try #require(failure(bench.ask("a", request)))
            #expect(error.code == .notFound, "\(request.name)")
            #expect(error.code.httpStatus == 404)
        }
    }

    @Test func `failover and switchover are refused while there is no primary (E12, E13)`() throws {
        let bench = try three()
        for request in [
            ClusterRequest.failover(to: nil, allowDataLossBytes: nil),
            .switchover(to: nil, maxLagBytes: nil, maxTransactionSeconds: nil),
        ] {
            let error = try #require(failure(bench.ask("a", request)))
            #expect(error.code == .preconditionFailed)
            #expect(error.checks.map(\.id) == ["one_primary"])
        }
    }

    @Test func `a peer is refused that is silent, misnamed, of another cluster, or removed (E03, D67, RA19)`() throws {
        let bench = try three()
        func code(_ peer: PeerIdentity?) -> ErrorCode? { failure(bench.ask("a", adding("d"), peer: peer))?.code }
        #expect(code(nil) == .preconditionFailed)
        #expect(code(peerIdentity("e")) == .preconditionFailed)
        #expect(code(peerIdentity("d", cluster: ClusterID(rawValue: 7))) == .foreignState)
        _ = try #require(bench.ask("a", .removePeer(name: name("c"), force: false))).get()
        let removed = failure(bench.ask("a", adding("c"), peer: peerIdentity("c")))
        #expect(removed?.code == .removed)
    }

    @Test func `adding a member again changes nothing (E03)`() throws {
        let bench = try three()
        let again = try #require(bench.ask("a", adding("b"), peer: peerIdentity("b", cluster: clusterID))).get()
        #expect(again.alreadySo)
    }

    @Test func `a removed peer leaves the membership and its member id is tombstoned (E04, RA11)`() throws {
        let bench = try three()
        let removed = try #require(bench.ask("a", .removePeer(name: name("c"), force: false))).get()
        #expect(removed.summary == "peer removed")
        #expect(bench.state("a").tombstones == [member("c")])
        #expect(bench.raft("a")?.membership.members == [server("a"), server("b")])
    }

    @Test func `the last voter cannot be removed, and not the one that a majority needs (E04)`() throws {
        let alone = try TestNodes("a")
        #expect(failure(alone.ask("a", .removePeer(name: name("a"), force: true)))?.code == .onlyVoter)
        let bench = try three()
        bench.cut = ["c"]
        bench.run(seconds: 2)
        let error = failure(bench.ask("a", .removePeer(name: name("b"), force: false)))
        #expect(error?.checks.map(\.id) == ["membership.removal_safe"])
        #expect(bench.raft("a")?.membership.voters.count == 3)
    }

    @Test func `leadership moves to the node asked for (E05, RA8)`() throws {
        let bench = try three()
        let own = try #require(bench.ask("a", .transferLeadership(to: name("a")))).get()
        #expect(own.alreadySo)
        _ = try #require(bench.ask("a", .transferLeadership(to: name("b")))).get()
        bench.run(until: { bench.leader == "b" })
        #expect(bench.leader == "b")
    }

    @Test func `a newcomer far behind gets a snapshot (RA12)`() throws {
        let bench = try TestNodes("a")
        // The log keeps 1,024 entries behind a snapshot: it must be longer than that.
        for i in 0..<700 {
            _ = bench.begin("a", .pause(forSeconds: nil, reason: "\(i)"))
            _ = bench.begin("a", .resume)
        }
        _ = try #require(bench.ask("a", .snapshot)).get()
        try bench.add("b")
        #expect(bench.installed.contains("b"))
        bench.run(until: { bench.state("b") == bench.state("a") })
        #expect(bench.state("b") == bench.state("a"))
        #expect(bench.halts.isEmpty)
    }

    @Test func `a linearizable read is confirmed by a majority only (RA6)`() throws {
        let bench = try three()
        #expect(bench.read("a") == true)
        #expect(bench.read("b") == false, "a follower confirms nothing")
        bench.cut = ["a"]
        #expect(bench.read("a") == false)
    }

    @Test func `a node that starts again knows what it had applied (RA14)`() throws {
        let bench = try three()
        _ = bench.ask("a", .pause(forSeconds: nil, reason: "kept"))
        bench.run(until: { bench.state("c").paused != nil })
        let disk = try #require(bench.disks["c"])
        let again = try BastionNode(
            identity: identity("c", cluster: nil), durable: disk, settings: NodeSettings(), pledgedBallot: .never,
            seed: 9,
            now: bench.now)
        #expect(again.raft.term == bench.raft("c")?.term)
        #expect(again.raft.lastIndex == bench.raft("c")?.lastIndex)
        #expect(again.state.paused == nil, "nothing behind the snapshot is applied before a leader confirms it")
    }

    // MARK: The view

    @Test func `the view shows role, term, indexes, voters and quorum (E01)`() throws {
        let bench = try three()
        let leader = try #require(bench.view("a")).raft
        #expect(leader.state == "Leader" && leader.isLeader && leader.leader == name("a"))
        #expect(leader.leaderAddress == "host-a:7000")
        #expect(leader.voters == 3 && leader.votersReachable == 3 && leader.hasQuorum && leader.failuresTolerated == 1)
        #expect(leader.commitIndex == leader.appliedIndex && leader.commitIndex > 0)
        let follower = try #require(bench.view("b")).raft
        #expect(follower.state == "Follower" && !follower.isLeader && follower.leader == name("a"))
        #expect(follower.lastContactMilliseconds.map { $0 <= 200 } == true)
        #expect(follower.hasQuorum)
    }

    @Test func `the view lists the peers, on every node alike (E02)`() throws {
        let bench = try three()
        bench.run(seconds: 2)
        for node in ["a", "b"] {
            let peers = try #require(bench.view(node)).peers
            #expect(peers.map(\.name.rawValue) == ["a", "b", "c"])
            #expect(peers.map(\.isLeader) == [true, false, false])
            #expect(peers.allSatisfy { $0.reachable && $0.suffrage == .voter && $0.address == "host-\($0.name):7000" })
        }
        bench.cut = ["c"]
        bench.run(seconds: 2)
        #expect(bench.view("a")?.peers.last?.reachable == false)
        #expect(bench.view("a")?.raft.failuresTolerated == 0)
    }

    @Test func `health says why a node cannot serve (E07)`() throws {
        let bench = try three()
        #expect(bench.view("a")?.health.status == "no_backends")
        #expect(bench.view("a")?.health.role == .witness)
        bench.cut = ["a"]
        bench.run(seconds: 3)
        #expect(bench.view("a")?.health.status == "no_quorum")
        try bench.start("d")
        #expect(bench.view("d")?.health.status == "starting")
    }

    @Test func `the view shows cluster, nodes and pause (E09)`() throws {
        let bench = try three()
        _ = bench.ask("a", .pause(forSeconds: 90, reason: "upgrade"))
        bench.run(until: { bench.view("b")?.paused != nil })
        let view = try #require(bench.view("b"))
        #expect(view.clusterID == clusterID && view.clusterName == "demo" && view.epoch == 1)
        #expect(view.nodes.map(\.name.rawValue) == ["a", "b", "c"])
        #expect(view.nodes.allSatisfy { $0.role == .witness && $0.kind == .witness })
        #expect(view.primary == nil && !view.splitBrain && view.operation == nil)
        #expect(view.paused?.reason == "upgrade" && view.paused?.forSeconds == 90 && view.paused?.by == "test")
        #expect(view.staleSeconds == 0)
        bench.cut = ["b"]
        bench.run(seconds: 4)
        #expect(try #require(bench.view("b")).staleSeconds > 2)
    }

    private func three() throws -> TestNodes {
        let bench = try TestNodes("a")
        try bench.add("b")
        try bench.add("c")
        bench.run(until: { ["b", "c"].allSatisfy { bench.state($0) == bench.state("a") } })
        #expect(bench.raft("a")?.membership.voters.count == 3)
        return bench
    }

    private func failure(_ result: Result<ClusterReply, BastionError>?) -> BastionError? {
        guard case .failure(let error) = result else { return nil }
        return error
    }
}

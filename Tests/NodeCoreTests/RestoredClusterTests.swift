import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import Testing

/// The first node of a restored cluster, until an operator accepts a primary (backup-restore.md 8; failover.md 4.12).
@Suite struct RestoredClusterTests {
    private static let newID = ClusterID(rawValue: 77)

    /// A cluster of data nodes `a`, `b`, `c` whose primary was `b`, restored on `a`.
    private func bench() throws -> TestNodes { try TestNodes(restored: state(), on: "a") }

    private func state() -> ClusterState {
        var old = ClusterState()
        old.cluster = ClusterIdentity(id: clusterID, epoch: 1, name: "demo")
        old.systemIdentifier = 42
        for node in ["a", "b", "c"] {
            var record = NodeRecord(
                name: name(node), memberID: MemberID(rawValue: member(node).rawValue + 1000), host: "host-\(node)", raftPort: 7000,
                postgresPort: 5432, kind: .data)
            record.standing = .ready
            old.nodes[record.name] = record
        }
        old.lastToken = FencingToken(5)
        old.lastTimeline = TimelineID(3)
        var restored = old.restored(
            on: name("a"), member: member("a"), newID: Self.newID, now: 1,
            archive: RestoredFrom(archiveID: "arch", sha256: "aa", by: "root@a", manner: .restore))
        restored.barrier?.claimed = name("b")
        return restored
    }

    private func failure(_ result: Result<ClusterReply, BastionError>?) -> BastionError? {
        if case .failure(let error) = result { error } else { nil }
    }
    private func check(_ result: Result<ClusterReply, BastionError>?) -> String? { failure(result)?.checks.first?.id }

    /// What guard and PostgreSQL of a node show.
    private func show(
        _ bench: TestNodes, _ state: GuardState, inRecovery: Bool?, system: UInt64 = 42, of node: String = "a", at lsn: LSN = LSN(900),
        replicas: [StreamingReplica] = []
    ) {
        var status = GuardStatus(incarnation: GuardIncarnation(rawValue: 9))
        status.clusterID = Self.newID
        status.state = state
        status.mayBeWritable = state == .primary
        status.postmasterPID = inRecovery == nil ? nil : 100
        status.allProcessesGone = inRecovery == nil
        var facts = PostgresFacts(dataDirectory: .present)
        if let inRecovery {
            var server = ServerFacts(versionNumber: 170_000, systemIdentifier: system, isInRecovery: inRecovery, timeline: TimelineID(3))
            server.flushLSN = lsn
            server.replayedLSN = lsn
            server.replicas = replicas
            facts.server = server
        }
        bench.feed(node, .guardReported(.status(status)))
        bench.feed(node, .observed(facts))
        bench.run(seconds: 1)
    }

    @Test func `it leads alone under the new id, shows its barrier, and does nothing to PostgreSQL`() throws {
        let bench = try bench()
        show(bench, .empty, inRecovery: nil)
        bench.run(seconds: 5)
        let view = try #require(bench.view("a"))
        #expect(view.clusterID == Self.newID && view.parentClusterID == clusterID && view.epoch == 2)
        #expect(view.peers.map(\.name) == [name("a")])
        #expect(view.nodes.map(\.name) == [name("a"), name("b"), name("c")])
        #expect(view.nodes.last?.role == .unknown && view.nodes.last?.state == "unknown")
        #expect(view.primary == nil && view.paused?.by == "restore")
        #expect(view.barrier?.claimedPrimary == name("b"))
        #expect(view.barrier?.nodes.map(\.mark) == [.confirmed, .unknown, .unknown], "its own guard has nothing writable (D68)")
        #expect(view.health.reasons.allSatisfy { !$0.isEmpty })
        #expect(bench.state("a").operation == nil && bench.state("a").lastToken == FencingToken(1_000_005))
    }

    @Test func `resume is refused until exactly one primary is verified and nobody else is unknown`() throws {
        let bench = try bench()
        show(bench, .empty, inRecovery: nil)
        let none = try #require(failure(bench.ask("a", .resume)))
        #expect(none.checks.first?.id == "one_primary" && none.code.exitStatus == 3)
        #expect(none.hint?.contains("--accept-primary") == true)
        show(bench, .primary, inRecovery: false)
        #expect(bench.view("a")?.barrier?.verified == [name("a")])
        let unknown = try #require(failure(bench.ask("a", .resume)))
        #expect(unknown.message.contains("\"b\"") && unknown.message.contains("\"c\""))
        #expect(bench.state("a").paused != nil)
    }

    @Test func `a plain resume accepts the only verified primary once nothing is unknown of the others`() throws {
        var restored = state()
        for other in ["b", "c"] { restored.barrier?.nodes[name(other)] = .confirmed }
        let bench = try TestNodes(restored: restored, on: "a")
        show(bench, .primary, inRecovery: false)
        _ = try #require(bench.ask("a", .resume)).get()
        #expect(bench.state("a").paused == nil && bench.state("a").barrier?.accepted == name("a"))
        bench.run(seconds: 6, until: { bench.state("a").primary != nil })
        #expect(bench.state("a").primary?.node == name("a"))
    }

    @Test func `other changes of roles and servers wait as well`() throws {
        let bench = try bench()
        for request: ClusterRequest in [
            .failover(to: nil, allowDataLossBytes: nil), .switchover(to: nil, maxLagBytes: nil, maxTransactionSeconds: nil),
            .restart(node: name("a")), .reinitialize(node: name("a"), from: nil, method: .auto),
        ] {
            #expect(check(bench.ask("a", request)) == "one_primary", "\(request)")
        }
    }

    @Test func `who cannot be accepted is refused by the check that it fails`() throws {
        let bench = try bench()
        #expect(check(bench.ask("a", .acceptPrimary(name("a"), assumeDead: []))) == "node.healthy", "it does not report")
        show(bench, .standby, inRecovery: true, system: 43)
        #expect(check(bench.ask("a", .acceptPrimary(name("a"), assumeDead: []))) == "system_id_mismatch")
        show(bench, .standby, inRecovery: true)
        #expect(failure(bench.ask("a", .acceptPrimary(name("x"), assumeDead: [])))?.code == .notFound)
        #expect(check(bench.ask("a", .acceptPrimary(name("b"), assumeDead: []))) == "node.exists")
        #expect(check(bench.ask("a", .acceptPrimary(name("a"), assumeDead: [name("a")]))) == "one_primary")
        #expect(failure(bench.ask("a", .acceptPrimary(name("a"), assumeDead: [name("y")])))?.code == .notFound)
        #expect(bench.state("a").barrier?.accepted == nil)
    }

    @Test func `a running server that is accepted is appointed on the timeline it runs on, after the old lease has passed`() throws {
        let bench = try bench()
        show(bench, .primary, inRecovery: false)
        let begin = bench.now
        _ = try #require(bench.ask("a", .acceptPrimary(name("a"), assumeDead: [name("b"), name("c")]))).get()
        #expect(bench.state("a").paused == nil)
        #expect(bench.state("a").barrier?.nodes[name("b")] == .attested)
        #expect(try #require(bench.ask("a", .acceptPrimary(name("a"), assumeDead: []))).get().alreadySo)
        bench.run(seconds: 6, until: { bench.state("a").primary != nil })
        let primary = try #require(bench.state("a").primary)
        #expect(primary.node == name("a") && primary.basis == .attested)
        #expect(primary.token == FencingToken(1_000_006))
        #expect(primary.timeline == TimelineID(3), "adopted where it is")
        #expect(bench.state("a").lastTimeline > TimelineID(3), "the next promotion takes no number that the lost part may have used")
        #expect(bench.now.since(begin) < .seconds(8))
    }

    @Test func `a stopped or standby server that is accepted is promoted to a timeline beyond all that were known`() throws {
        let bench = try bench()
        show(bench, .standby, inRecovery: true)
        _ = try #require(bench.ask("a", .acceptPrimary(name("a"), assumeDead: []))).get()
        bench.run(seconds: 6, until: { bench.state("a").primary != nil })
        #expect(try #require(bench.state("a").primary).timeline > TimelineID(3).next)
    }

    @Test func `nobody is appointed before the longest lease of the former cluster has passed since the daemon's start`() throws {
        var restored = state()
        restored.barrier?.waitMilliseconds = 20_000
        let bench = try TestNodes(restored: restored, on: "a")
        show(bench, .primary, inRecovery: false)
        _ = try #require(bench.ask("a", .acceptPrimary(name("a"), assumeDead: []))).get()
        bench.run(seconds: 10)
        #expect(bench.state("a").primary == nil)
        bench.run(seconds: 14, until: { bench.state("a").primary != nil })
        #expect(bench.state("a").primary != nil)
    }

    @Test func `a node that still has the old cluster's state is refused, a reset one is added under its name (D67)`() throws {
        let bench = try bench()
        show(bench, .empty, inRecovery: nil)
        let old = bench.ask("a", adding("b"), peer: peerIdentity("b", cluster: clusterID, kind: .data))
        #expect(failure(old)?.code == .foreignState)
        try bench.start("b")
        _ = try #require(bench.ask("a", adding("b"), peer: peerIdentity("b", kind: .data))).get()
        #expect(bench.state("a").nodes[name("b")]?.isFormerMember == false)
        #expect(bench.state("a").memberNodes.map(\.name) == [name("a"), name("b")])
        #expect(bench.state("a").barrier?.nodes[name("b")] == .unknown)
    }

    @Test func `a node with older data is refused, unless the newer data streams from it`() throws {
        let bench = try bench()
        show(bench, .primary, inRecovery: false)
        try bench.start("b", kind: .data)
        _ = try #require(bench.ask("a", adding("b"), peer: peerIdentity("b", kind: .data))).get()
        show(bench, .standby, inRecovery: true, of: "b", at: LSN(956))
        #expect(check(bench.ask("a", .acceptPrimary(name("a"), assumeDead: []))) == "not_most_recent")
        // A stream of the former cluster goes on under its old name; its report came later than that of the primary.
        let stream = StreamingReplica(
            applicationName: applicationName(cluster: clusterID, node: name("b")), state: "streaming", syncState: "async")
        show(bench, .primary, inRecovery: false, replicas: [stream])
        _ = try #require(bench.ask("a", .acceptPrimary(name("a"), assumeDead: [name("c")]))).get()
        #expect(bench.state("a").barrier?.accepted == name("a"))
    }

    @Test func `in a cluster that was not restored there is nothing to accept`() throws {
        let bench = try TestNodes("a")
        #expect(check(bench.ask("a", .acceptPrimary(name("a"), assumeDead: []))) == "one_primary")
    }
}

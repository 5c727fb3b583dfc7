import ClusterModel
import FailoverCore
import SimulationKit
import Testing

/// Scripted failures of a whole cluster, with the times that section 5.3 promises.
@Suite struct FailureScenarioTests {
    /// A complete cluster whose leader has moved away from the primary (RA17).
    private func cluster(_ seed: UInt64, nodes: Int = 3, placed: Bool = true) -> Simulation {
        let sim = Simulation(SimPlan(seed: seed, nodes: nodes), isTold: true)
        #expect(sim.bringUp(), "\(sim.complaint ?? "")")
        if placed {
            let isPlaced = sim.run(atMost: seconds(30)) {
                sim.leader != nil && sim.leader?.name != sim.primary?.name && sim.complaint == nil
            }
            #expect(isPlaced, "the leader stays on the primary's node")
        }
        return sim
    }

    /// Time until another server than `old` serves, or the same one under another token.
    private func timeToServe(_ sim: Simulation, after token: FencingToken, limit: Int64) -> Int64? {
        let begin = sim.now
        let serves = sim.run(atMost: limit) {
            guard let primary = sim.primary, let state = sim.leaderState, state.lastToken > token else { return false }
            return primary.postgres.isWritable
        }
        return serves ? sim.now - begin : nil
    }

    private func expectWhole(_ sim: Simulation, within limit: Int64 = seconds(60)) {
        let isWell = sim.run(atMost: limit) { sim.complaint == nil }
        #expect(isWell, "\(sim.complaint ?? "")\n\(sim.story.last(40).joined(separator: "\n"))")
        #expect(sim.checks.violation == nil, "\(sim.checks.violation.map { "\($0)" } ?? "")")
    }

    private func token(_ sim: Simulation) -> FencingToken { sim.checks.newestState.lastToken }

    @Test(arguments: 1...8)
    func `after the loss of the primary's machine another server serves within 4.5 s and nothing acknowledged is lost`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        let before = token(sim)
        old.crash()
        let time = try #require(timeToServe(sim, after: before, limit: seconds(20)))
        #expect(time <= milliseconds(4500), "it took \(time / 1_000_000) ms")
        #expect(sim.primary?.name != old.name)
        old.boot()
        expectWhole(sim)
        #expect(sim.checks.commits.protectedCount > 0)
    }

    @Test(arguments: 1...8)
    func `after kill -9 of the postmaster a server serves within 1.5 s`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        old.postgres.killPostmaster()
        let begin = sim.now
        let serves = sim.run(atMost: seconds(20)) {
            sim.now > begin && sim.primary?.postgres.isWritable == true && sim.primary?.postgres.hasPostmaster == true
        }
        #expect(serves)
        #expect(sim.now - begin <= milliseconds(1500), "it took \((sim.now - begin) / 1_000_000) ms")
        expectWhole(sim)
    }

    @Test(arguments: 1...8)
    func `a switchover pauses writes for about a second at most`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        for machine in sim.machines { machine.client.watchPauses() }
        sim.operators?.ask(.switchover(to: nil, maxLagBytes: nil, maxTransactionSeconds: nil))
        let moved = sim.run(atMost: seconds(10)) { sim.primary.map { $0.name != old.name && $0.postgres.isWritable } ?? false }
        #expect(moved, "\(sim.story.last(30).joined(separator: "\n"))")
        sim.run(for: seconds(3))
        let pause = sim.machines.map(\.client.longestPause).max() ?? 0
        // Up to 500 ms of it is wal_retrieve_retry_interval: a receiver that has just failed waits so long for its next try.
        #expect(pause <= milliseconds(1500), "writes paused for \(pause / 1_000_000) ms")
        expectWhole(sim)
    }

    @Test(arguments: 1...5)
    func `a frozen daemon's server is fenced by its guard before the lease ends`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        let before = token(sim)
        old.daemon.process.freeze()
        let deadline = sim.now + seconds(3)
        let fenced = sim.run(atMost: seconds(4)) { !old.postgres.isWritable }
        #expect(fenced && sim.now <= deadline)
        #expect(timeToServe(sim, after: before, limit: seconds(10)) != nil)
        old.daemon.process.thaw()
        expectWhole(sim)
    }

    @Test(arguments: 1...5)
    func `a frozen guard is killed with its server by the daemon, and never are two servers writable`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        let before = token(sim)
        old.guardian.process.freeze()
        #expect(timeToServe(sim, after: before, limit: seconds(15)) != nil)
        expectWhole(sim)
    }

    @Test(arguments: 1...5)
    func `a primary cut off from everybody is fenced, replaced, and joins again`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        let before = token(sim)
        sim.network.isolate(old.index)
        let time = try #require(timeToServe(sim, after: before, limit: seconds(20)))
        #expect(time <= milliseconds(5500), "it took \(time / 1_000_000) ms")
        #expect(!old.postgres.isWritable)
        sim.run(for: seconds(5))
        sim.network.healAll()
        expectWhole(sim)
    }

    @Test(arguments: 1...5)
    func `a primary whose messages leave but get no answers is fenced and replaced`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        let before = token(sim)
        sim.network.isolate(old.index, inward: true, outward: false)
        #expect(timeToServe(sim, after: before, limit: seconds(20)) != nil)
        sim.network.healAll()
        expectWhole(sim)
    }

    @Test(arguments: [1, 2, 3, 4, 5], [1, 3, 5])
    func `when all machines lose power at once the cluster starts again by itself`(seed: Int, nodes: Int) {
        let sim = cluster(UInt64(seed), nodes: nodes, placed: false)
        for machine in sim.machines { machine.crash() }
        sim.run(for: seconds(2))
        for machine in sim.machines { machine.boot() }
        expectWhole(sim)
    }

    @Test(arguments: 1...5)
    func `a restart of the primary's daemon under a hold does not touch its server`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        let (before, process) = (token(sim), old.postgres.processID)
        old.daemon.stop()
        let ended = sim.run(atMost: seconds(6)) { !old.daemon.process.isAlive }
        #expect(ended && old.guardian.core?.status.holdID != nil)
        sim.run(for: seconds(12))
        #expect(old.postgres.isWritable)
        old.daemon.startAgain()
        expectWhole(sim)
        #expect(token(sim) == before && old.postgres.processID == process)
    }

    @Test(arguments: 1...5)
    func `a switchover whose target dies before the point of no return ends with the old primary writable`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let old = try #require(sim.primary)
        let target = try #require(sim.machines.first { $0.name != old.name && $0.name != sim.leader?.name })
        sim.operators?.ask(.switchover(to: target.name, maxLagBytes: nil, maxTransactionSeconds: nil))
        let stopping = sim.run(atMost: seconds(5)) { sim.leaderState?.operation?.phase == .stop }
        #expect(stopping)
        target.crash()
        let back = sim.run(atMost: seconds(15)) { sim.primary?.postgres.isWritable == true && sim.leaderState?.operation == nil }
        #expect(back, "\(sim.story.last(30).joined(separator: "\n"))")
        target.boot()
        expectWhole(sim)
    }

    @Test(arguments: 1...5)
    func `PR2: a primary that outlives its lease by a slow clock acknowledges nothing that is lost`(seed: Int) throws {
        var plan = SimPlan(seed: UInt64(seed))
        plan.breaksClocks = true
        let sim = Simulation(plan, isTold: true)
        #expect(sim.bringUp(), "\(sim.complaint ?? "")")
        let isPlaced = sim.run(atMost: seconds(30)) { sim.leader?.name != sim.primary?.name && sim.complaint == nil }
        #expect(isPlaced)
        let old = try #require(sim.primary)
        let before = token(sim)
        // Its lease lasts ten times too long, and the peers hear nothing from its daemon; PostgreSQL's connections go on.
        old.changeClock(rate: 0.1)
        sim.network.mute(old.index)
        #expect(timeToServe(sim, after: before, limit: seconds(10)) != nil)
        #expect(old.postgres.isWritable, "the old primary was to be writable still")
        sim.run(for: seconds(10))
        #expect(sim.checks.violation == nil)
        old.changeClock(rate: 1)
        sim.network.healAll()
        expectWhole(sim)
        if let primary = sim.primary { sim.judgeCommits(on: primary) }
        #expect(sim.checks.violation == nil, "\(sim.checks.violation.map { "\($0)" } ?? "")")
    }

    @Test(arguments: 1...5)
    func `a removed node that was reset joins again and streams`(seed: Int) throws {
        let sim = cluster(UInt64(seed))
        let replica = try #require(sim.machines.last { $0.name != sim.primary?.name && $0.name != sim.leader?.name })
        sim.faults?.remove(replica)
        sim.run(for: seconds(5))
        expectWhole(sim)
    }
}

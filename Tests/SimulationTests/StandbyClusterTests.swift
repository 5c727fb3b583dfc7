import ClusterModel
import FailoverCore
import NodeCore
import SimulationKit
import Testing

/// A cluster that follows another one: never a writable server before the promotion, exactly one afterwards, and no row of the other
/// cluster is missing that it had when it stopped.
@Suite struct StandbyClusterTests {
    @Test(arguments: 1...12)
    func `it follows, is promoted on demand, and then is a cluster like any other`(seed: Int) throws {
        let sim = simulation(UInt64(seed))
        let upstream = try #require(sim.upstream)
        #expect(follows(sim), "\(tale(sim))")
        #expect(sim.primary == nil)
        upstream.stop()
        #expect(sim.run(atMost: seconds(20)) { upstream.isGone })
        promote(sim)
        expectWhole(sim, upstream)
    }

    @Test(arguments: 1...20)
    func `whatever fails meanwhile, nobody is writable before the order and exactly one after it`(seed: Int) throws {
        var random = SimRandom(seed: UInt64(seed))
        let sim = simulation(UInt64(200 + seed))
        let upstream = try #require(sim.upstream)
        #expect(follows(sim), "\(tale(sim))")
        for _ in 0..<12 {
            disturb(sim, &random)
            sim.run(for: milliseconds(random.real(200...3000)))
            #expect(sim.machines.allSatisfy { !$0.postgres.isWritable }, "\(tale(sim))")
            #expect(sim.leaderState?.lastToken ?? .never == .never)
        }
        for machine in sim.machines where !machine.isUp { machine.boot() }
        #expect(follows(sim), "\(tale(sim))")
        upstream.stop()
        #expect(sim.run(atMost: seconds(20)) { upstream.isGone })
        promote(sim)
        // Leaders change while it runs.
        for _ in 0..<4 where sim.primary == nil {
            sim.run(for: milliseconds(random.real(50...600)))
            sim.leader?.daemon.kill()
        }
        expectWhole(sim, upstream)
    }

    @Test(arguments: 1...6)
    func `it is promoted when the other cluster is gone, with what any of its nodes had`(seed: Int) throws {
        let sim = simulation(UInt64(400 + seed))
        let upstream = try #require(sim.upstream)
        #expect(follows(sim), "\(tale(sim))")
        upstream.vanish()
        sim.run(for: seconds(2))
        let best = sim.machines.map { upstream.missing(on: $0) }.min() ?? 0
        promote(sim, allowing: 1 << 20)
        #expect(sim.run(atMost: seconds(60)) { sim.complaint == nil }, "\(sim.complaint ?? "")\n\(tale(sim))")
        let primary = try #require(sim.primary)
        #expect(upstream.missing(on: primary) <= best)
        #expect(sim.checks.violation == nil)
    }

    // MARK: Helpers

    private func simulation(_ seed: UInt64) -> Simulation {
        var plan = SimPlan(seed: seed)
        plan.followsAnother = true
        plan.settings.policy.standbyUpstream = .simulated
        let sim = Simulation(plan, isTold: true)
        sim.upstream?.keepWriting(every: 20...90)
        return sim
    }

    private func follows(_ sim: Simulation) -> Bool {
        sim.run(atMost: seconds(60)) {
            guard let state = sim.leaderState, state.isStandby, state.systemIdentifier != nil else { return false }
            return sim.machines.allSatisfy { machine in
                machine.postgres.isStreaming && state.nodes[machine.name]?.standing == .ready
            }
        }
    }

    /// An operator asks until it is accepted.
    private func promote(_ sim: Simulation, allowing loss: UInt64? = nil) {
        var isAccepted = false
        var asks = 0
        let came = sim.run(atMost: seconds(60)) {
            asks += 1
            if asks % 50 == 1, !isAccepted {
                sim.operators?.ask(.promoteStandby(maxLagBytes: loss)) { result in
                    if case .success = result { isAccepted = true }
                }
            }
            return isAccepted
        }
        #expect(came, "\(tale(sim))")
    }

    private func disturb(_ sim: Simulation, _ random: inout SimRandom) {
        let machine = sim.machines[random.int(0...sim.machines.count - 1)]
        switch random.int(0...4) {
        case 0: machine.daemon.kill()
        case 1: sim.leader?.daemon.kill()
        case 2: machine.isUp ? machine.crash() : machine.boot()
        case 3: machine.postgres.killPostmaster()
        default: sim.machine(sim.leaderState?.standby?.source)?.postgres.killPostmaster()
        }
    }

    private func expectWhole(_ sim: Simulation, _ upstream: SimUpstream) {
        #expect(sim.run(atMost: seconds(90)) { sim.complaint == nil }, "\(sim.complaint ?? "")\n\(tale(sim))")
        #expect(sim.machines.filter(\.postgres.isWritable).count == 1)
        for machine in sim.machines { #expect(upstream.missing(on: machine) == 0, "\(machine.name)") }
        #expect(sim.checks.violation == nil, "\(sim.checks.violation.map { "\($0)" } ?? "")")
        #expect(sim.leaderState?.isStandby == false)
    }

    private func tale(_ sim: Simulation) -> String { sim.story.last(40).joined(separator: "\n") }
}

import ClusterModel
import SimulationKit
import Testing

/// AS4 is broken: somebody starts a server behind its guard's back. The breach is detected and fenced (AG1, DE8).
@Suite struct RogueTests {
    @Test(arguments: 1...10)
    func `a replica's directory that somebody starts as a primary is ended within 1.5 s, and becomes a copy again`(seed: Int) throws {
        let sim = Simulation(SimPlan(seed: UInt64(seed)), isTold: true)
        #expect(sim.bringUp(), "\(sim.complaint ?? "")")
        let primary = try #require(sim.primary)
        let replica = try #require(sim.machines.first { $0.name != primary.name })
        replica.postgres.startRogue()
        let started = sim.run(atMost: seconds(5)) { replica.postgres.isRogue }
        guard started else {
            // Its agent was quicker and runs it as a standby again.
            return expectWhole(sim)
        }
        #expect(sim.run(atMost: milliseconds(1500)) { !replica.postgres.isRogue }, "\(tale(sim))")
        expectWhole(sim)
        let now = try #require(sim.primary)
        for machine in sim.machines { #expect(machine.postgres.isCopy(of: now.postgres), "\(machine.name) is no copy") }
    }

    @Test(arguments: 1...5)
    func `without a daemon the guard ends it all the same`(seed: Int) throws {
        let sim = Simulation(SimPlan(seed: UInt64(100 + seed)), isTold: true)
        #expect(sim.bringUp(), "\(sim.complaint ?? "")")
        let primary = try #require(sim.primary)
        let replica = try #require(sim.machines.first { $0.name != primary.name })
        replica.daemon.process.freeze()
        replica.postgres.startRogue()
        #expect(sim.run(atMost: seconds(5)) { replica.postgres.isRogue }, "\(tale(sim))")
        #expect(sim.run(atMost: milliseconds(1500)) { !replica.postgres.isRogue }, "\(tale(sim))")
        replica.daemon.process.thaw()
        expectWhole(sim)
    }

    private func expectWhole(_ sim: Simulation) {
        let isWell = sim.run(atMost: seconds(60)) { sim.complaint == nil }
        #expect(isWell, "\(sim.complaint ?? "")\n\(tale(sim))")
        #expect(sim.checks.violation == nil, "\(sim.checks.violation.map { "\($0)" } ?? "")")
    }

    private func tale(_ sim: Simulation) -> String { sim.story.last(40).joined(separator: "\n") }
}

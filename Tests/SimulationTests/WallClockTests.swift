import SimulationKit
import Testing

/// No lease, election or timeout depends on the wall clock (GD8).
@Suite struct WallClockTests {
    @Test(arguments: 1...4)
    func `steps of an hour in either direction change nothing (GD8)`(seed: Int) throws {
        let still = try run(seed, step: 0)
        #expect(try run(seed, step: 3_600_000) == still)
        #expect(try run(seed, step: -3_600_000) == still)
    }

    /// The primary's machine is lost and comes back, while wall clocks jump before and after it.
    private func run(_ seed: Int, step: Int64) throws -> UInt64 {
        let sim = Simulation(SimPlan(seed: UInt64(seed), nodes: 3), isTold: true)
        #expect(sim.bringUp(), "\(sim.complaint ?? "")")
        let old = try #require(sim.primary)
        for machine in sim.machines { machine.wallClockStep = machine.index % 2 == 0 ? step : -step }
        sim.run(for: seconds(5))
        #expect(sim.primary?.name == old.name)
        old.crash()
        let serves = sim.run(atMost: seconds(20)) { sim.primary.map { $0.name != old.name && $0.postgres.isWritable } ?? false }
        #expect(serves, "\(sim.complaint ?? "")")
        old.wallClockStep = -old.wallClockStep
        old.boot()
        sim.run(for: seconds(20))
        #expect(sim.complaint == nil && sim.checks.violation == nil, "\(sim.complaint ?? "")")
        return sim.eventHash
    }
}

import ClusterModel
import NodeCore
import SimulationKit
import Testing

/// VI1 over whole clusters: the virtual address is on at most one machine at every instant (`SimAddress` looks), and it comes
/// back soon.
@Suite struct AddressTests {
    private func cluster(_ seed: UInt64, _ rule: VirtualAddressRule) -> Simulation {
        var plan = SimPlan(seed: seed, nodes: 3)
        plan.follows(rule)
        let sim = Simulation(plan, isTold: true)
        #expect(sim.bringUp(), "\(sim.complaint ?? "")")
        let isSettled = sim.run(atMost: seconds(60)) {
            sim.complaint == nil && sim.leader?.name != sim.primary?.name && owner(sim)?.name == wanted(sim, rule)?.name
        }
        #expect(isSettled, "\(sim.story.last(40).joined(separator: "\n"))")
        return sim
    }

    private func owner(_ sim: Simulation) -> SimMachine? { sim.machines.first { $0.address.isPresent && $0.isUp } }
    private func wanted(_ sim: Simulation, _ rule: VirtualAddressRule) -> SimMachine? { rule == .leader ? sim.leader : sim.primary }

    /// Milliseconds until somebody else than `old` has it.
    private func move(_ sim: Simulation, from old: SimMachine, limit: Int64) throws -> Int64 {
        let begin = sim.now
        let moved = sim.run(atMost: limit) { owner(sim).map { $0.name != old.name } ?? false }
        #expect(moved, "\(sim.story.last(40).joined(separator: "\n"))")
        #expect(sim.checks.violation == nil, "\(sim.checks.violation.map { "\($0)" } ?? "")")
        return (sim.now - begin) / 1_000_000
    }

    @Test(arguments: 1...6)
    func `after the loss of the leader's machine the next leader has it within 6 s`(seed: Int) throws {
        let sim = cluster(UInt64(seed), .leader)
        let old = try #require(sim.leader)
        old.crash()
        #expect(try move(sim, from: old, limit: seconds(10)) <= 6000)
    }

    @Test(arguments: 1...6)
    func `a leader that is cut off loses it before the next one takes it`(seed: Int) throws {
        let sim = cluster(UInt64(seed), .leader)
        let old = try #require(sim.leader)
        sim.network.isolate(old.index)
        _ = try move(sim, from: old, limit: seconds(10))
        #expect(!old.address.isPresent)
    }

    @Test(arguments: 1...6)
    func `a transfer of the lead hands it over within a second`(seed: Int) throws {
        let sim = cluster(UInt64(seed), .leader)
        let old = try #require(sim.leader)
        sim.operators?.ask(.transferLeadership(to: nil))
        #expect(try move(sim, from: old, limit: seconds(10)) <= 1000)
    }

    @Test(arguments: 1...6)
    func `it follows the primary through a switchover`(seed: Int) throws {
        let sim = cluster(UInt64(seed), .primary)
        let old = try #require(sim.primary)
        sim.operators?.ask(.switchover(to: nil, maxLagBytes: nil, maxTransactionSeconds: nil))
        #expect(try move(sim, from: old, limit: seconds(10)) <= 3000)
        #expect(owner(sim)?.name == sim.primary?.name)
    }

    @Test(arguments: 1...6)
    func `it follows the primary when its machine is lost`(seed: Int) throws {
        let sim = cluster(UInt64(seed), .primary)
        let old = try #require(sim.primary)
        old.crash()
        _ = try move(sim, from: old, limit: seconds(10))
        #expect(sim.run(atMost: seconds(10)) { owner(sim)?.name == sim.primary?.name })
    }

    @Test(arguments: 1...4)
    func `a restart of the primary's daemon under a hold keeps it where it is`(seed: Int) throws {
        let sim = cluster(UInt64(seed), .primary)
        let old = try #require(sim.primary)
        old.daemon.stop()
        #expect(sim.run(atMost: seconds(6)) { !old.daemon.process.isAlive })
        sim.run(for: seconds(2.5))
        #expect(old.address.isPresent, "the kernel removed it while the daemon was away")
        old.daemon.startAgain()
        let isBack = sim.run(atMost: seconds(20)) { sim.complaint == nil && owner(sim)?.name == old.name }
        #expect(isBack, "\(sim.story.last(40).joined(separator: "\n"))")
        #expect(old.address.takeovers == 1)
    }
}

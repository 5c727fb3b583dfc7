import ClusterModel
import FailoverCore
import SimulationKit
import Testing

/// A primary that dies before its synchronous set is settled is replaced all the same (SE2, SE8; decisions 0021 and 0022).
@Suite struct UnsettledSetTests {
    @Test(arguments: 1...12)
    func `a primary lost while waiting is turned on is replaced (SE6)`(seed: Int) throws {
        let sim = Simulation(SimPlan(seed: UInt64(seed), nodes: seed % 3 == 0 ? 5 : 3), isTold: true)
        let begun = sim.run(atMost: seconds(60)) {
            sim.leaderState?.synchronous.modeUntilSettled == .off && sim.operators?.isComplete == true
        }
        // With five nodes the first set may be settled before the last node is a member.
        guard begun else { return #expect(sim.complaint == nil, "\(sim.complaint ?? "")") }
        sim.run(for: milliseconds(Double(seed) * 60))
        try expectReplaced(sim)
    }

    @Test(arguments: 1...24)
    func `a primary lost right after a switchover is replaced although its set is not settled (SE8)`(seed: Int) throws {
        let sim = cluster(seed)
        let old = try #require(sim.primary)
        sim.operators?.ask(.switchover(to: nil, maxLagBytes: nil, maxTransactionSeconds: nil))
        let moved = sim.run(atMost: seconds(10)) { sim.primary.map { $0.name != old.name && $0.postgres.isWritable } ?? false }
        #expect(moved, "\(sim.story.last(30).joined(separator: "\n"))")
        // From the first commits to about when the set is settled.
        sim.run(for: milliseconds(Double(seed) * 70))
        try expectReplaced(sim)
    }

    @Test(arguments: 1...8)
    func `a second primary lost right after the first is replaced although its set is not settled (SE8)`(seed: Int) throws {
        let sim = cluster(seed, nodes: 5)
        let first = try #require(sim.primary)
        first.crash()
        let moved = sim.run(atMost: seconds(20)) { sim.primary.map { $0.name != first.name && $0.postgres.isWritable } ?? false }
        #expect(moved, "\(sim.story.last(30).joined(separator: "\n"))")
        sim.run(for: milliseconds(Double(seed) * 100))
        try expectReplaced(sim)
    }

    private func cluster(_ seed: Int, nodes: Int? = nil) -> Simulation {
        let sim = Simulation(SimPlan(seed: UInt64(seed), nodes: nodes ?? (seed % 3 == 0 ? 5 : 3)), isTold: true)
        #expect(sim.bringUp(), "\(sim.complaint ?? "")")
        return sim
    }

    /// The primary's machine dies, another server serves, and nothing that was promised is lost.
    private func expectReplaced(_ sim: Simulation) throws {
        let dead = try #require(sim.primary)
        let token = sim.checks.newestState.lastToken
        dead.crash()
        let serves = sim.run(atMost: seconds(20)) {
            guard let primary = sim.primary, let state = sim.leaderState, state.lastToken > token else { return false }
            return primary.name != dead.name && primary.postgres.isWritable
        }
        #expect(serves, "\(sim.complaint ?? "")\n\(sim.story.last(40).joined(separator: "\n"))")
        dead.boot()
        for machine in sim.machines where !machine.isUp { machine.boot() }
        let isWell = sim.run(atMost: seconds(60)) { sim.complaint == nil }
        #expect(isWell, "\(sim.complaint ?? "")\n\(sim.story.last(40).joined(separator: "\n"))")
        if let primary = sim.primary { sim.judgeCommits(on: primary) }
        #expect(sim.checks.violation == nil, "\(sim.checks.violation.map { "\($0)" } ?? "")")
    }
}

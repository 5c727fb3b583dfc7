import SimulationKit
import Testing

@Suite struct SwarmTests {
    @Test func `a cluster comes up`() {
        let sim = Simulation(SimPlan(seed: 1), isTold: true)
        let up = sim.bringUp()
        #expect(up, "\(sim.complaint ?? "")")
        if !up { print(sim.story.last(200).joined(separator: "\n")) }
        print("virtual", sim.now / 1_000_000)
    }
}

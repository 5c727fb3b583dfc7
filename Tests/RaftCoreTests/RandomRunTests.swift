import RaftCore
import Testing

struct RandomRunTests {
    @Test(arguments: 0..<10) func `fifty random runs keep the five properties and converge`(_ block: Int) {
        for seed in (block * 50)..<(block * 50 + 50) {
            var run = RandomRun(seed: UInt64(seed))
            run.run(steps: 1200)
            run.heal()
            #expect(run.checker.violations == [], "seed \(seed)")
        }
    }

    @Test func `the random runs do commit, read and compact`() {
        var commits = 0
        var reads = 0
        for seed in 0..<20 {
            var run = RandomRun(seed: UInt64(seed))
            run.run(steps: 1200)
            commits += run.commits
            reads += run.checker.readsServed
        }
        #expect(commits > 200)
        #expect(reads > 50)
    }
}

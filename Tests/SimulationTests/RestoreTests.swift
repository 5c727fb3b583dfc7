import FoundationEssentials
import SimulationKit
import Testing

/// Clusters that lose every Raft directory and are restored from an archive of an earlier moment (4.12, B8).
/// `PGBASTION_RESTORES=2000` runs more, `PGBASTION_RESTORE=17` replays one with its story.
@Suite struct RestoreTests {
    private static let parts = 8

    private static func number(_ variable: String) -> UInt64? { ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) } }
    private static var seeds: UInt64 { number("PGBASTION_RESTORES") ?? 200 }

    @Test(arguments: 0..<RestoreTests.parts)
    func `no restored cluster has two writable servers, and members of the lost one never join, lead or route`(part: Int) {
        if let seed = Self.number("PGBASTION_RESTORE") {
            guard part == 0 else { return }
            let outcome = SimRun.restored(seed, isTold: true)
            Issue.record("story of seed \(seed):\n\(outcome.story.joined(separator: "\n"))\n\(outcome.failure ?? "no failure")")
            return
        }
        for seed in 1...Self.seeds where Int(seed % UInt64(Self.parts)) == part {
            let outcome = SimRun.restored(seed)
            guard let failure = outcome.failure else { continue }
            Issue.record("seed \(seed): \(failure)\nreplay with PGBASTION_RESTORE=\(seed)")
        }
    }

    /// Each seed failed before the fix that its line names.
    @Test(
        arguments: [(1185, "SE5: an accepted primary that failed at once stayed joining, and its marker silenced it")] as [(UInt64, String)]
    )
    func `a restored seed that once failed stays green`(seed: UInt64, was: String) {
        #expect(SimRun.restored(seed).failure == nil, "\(was)")
    }

    @Test func `the runs reach every situation that the rules are about`() {
        var reached: [String: Int] = [:]
        for seed in 1...80 as ClosedRange<UInt64> { for mark in SimRun.restored(seed).marks { reached[mark, default: 0] += 1 } }
        for mark in ["ghost", "resume", "accept", "accepted another node", "took over a server", "adopted without a restart"] {
            #expect(reached[mark, default: 0] > 0, "\(mark): \(reached)")
        }
    }

    @Test func `one seed gives one run, bit for bit`() {
        for seed in [3, 14, 15] as [UInt64] { #expect(SimRun.restored(seed).hash == SimRun.restored(seed, isTold: true).hash) }
    }
}

import ClusterModel
import Testing

@testable import BackupArchive

/// B4: a table of archives for each rule.
@Suite struct RetentionTests {
    typealias Archive = RetentionPolicy.Archive

    static func nothing() -> RetentionPolicy {
        var policy = RetentionPolicy()
        (policy.keepLast, policy.keepHourly, policy.keepDaily, policy.keepWeekly, policy.keepMonthly) = (0, 0, 0, 0, 0)
        (policy.keepWithinSeconds, policy.minRedundancy) = (0, 1)
        return policy
    }

    static func lastOnly(_ count: Int) -> RetentionPolicy {
        var policy = nothing()
        policy.keepLast = count
        return policy
    }

    private let now = ArchiveTime(seconds: Fixture.time.seconds)

    /// `hours` before now; the index falls with the age.
    private func aged(_ hours: Int64, series: String = "default", cluster: String = "c1") -> Archive {
        Archive(
            name: "a\(hours)", clusterID: cluster, series: series, epoch: 1, index: 1_000_000 - hours,
            createdAt: ArchiveTime(seconds: now.seconds - hours * 3_600))
    }

    private func kept(_ policy: RetentionPolicy, _ archives: [Archive], series: String = "default") throws -> [String] {
        try policy.plan(for: archives, clusterID: "c1", series: series, now: now).decisions.filter { $0.verdict != .delete }.map(\.name)
    }

    @Test func `R1, R2: other clusters and series are ignored and never counted`() throws {
        let archives = [aged(0, cluster: "c2"), aged(1, series: "hourly"), aged(2), aged(3)]
        let plan = try Self.lastOnly(1).plan(for: archives, clusterID: "c1", series: "default", now: now)
        #expect(plan.decisions.map(\.verdict) == [.ignore, .ignore, .keep, .delete])
        #expect(plan.decisions[0].reasons == ["R1: another cluster or series"])
    }

    @Test func `R3: only good archives count`() throws {
        var bad = aged(0)
        bad.isGood = false
        #expect(try kept(Self.lastOnly(1), [bad, aged(1), aged(2)]) == ["a0", "a1"])
        let plan = try Self.lastOnly(1).plan(for: [bad], clusterID: "c1", series: "default", now: now)
        #expect(plan.decisions.map(\.verdict) == [.ignore])
    }

    @Test func `R4: the epoch goes before the index`() throws {
        var restored = aged(0)
        (restored.epoch, restored.index) = (2, 5)
        #expect(try kept(Self.lastOnly(1), [aged(1), restored]) == ["a0"])
    }

    @Test func `R5: keep_last keeps the newest`() throws {
        #expect(try kept(Self.lastOnly(2), (0..<5).map { aged($0) }) == ["a0", "a1"])
    }

    @Test func `R6: spans count only when they hold an archive`() throws {
        // Fixture.time is 2026-02-17T02:00:00Z, a Tuesday.
        var policy = Self.nothing()
        policy.keepDaily = 2
        #expect(try kept(policy, [aged(0), aged(1), aged(240), aged(241)]) == ["a0", "a240"])
        policy = Self.nothing()
        policy.keepHourly = 3
        #expect(try kept(policy, [aged(0), aged(5), aged(50), aged(500)]) == ["a0", "a5", "a50"])
        policy = Self.nothing()
        policy.keepWeekly = 2
        // Monday 01:00 is of this week, Sunday 23:00 of the one before.
        #expect(try kept(policy, [aged(0), aged(25), aged(27), aged(200)]) == ["a0", "a27"])
        policy = Self.nothing()
        policy.keepMonthly = 2
        #expect(try kept(policy, [aged(0), aged(384), aged(390), aged(420)]) == ["a0", "a390"])
    }

    @Test func `R7: keep_within counts from the newest archive, not from now`() throws {
        var policy = Self.nothing()
        policy.keepWithinSeconds = 3_600
        #expect(try kept(policy, [aged(9_000), aged(9_001), aged(9_002)]) == ["a9000", "a9001"])
    }

    @Test func `R8, R9: one rule is enough, and the newest always stays`() throws {
        var policy = Self.nothing()
        policy.keepWithinSeconds = 1
        let plan = try policy.plan(for: [aged(1), aged(0)], clusterID: "c1", series: "default", now: now)
        #expect(plan.decisions.map(\.verdict) == [.delete, .keep])
        #expect(plan.decisions[0].reasons == ["R8: no rule keeps it"])
        #expect(plan.decisions[1].reasons.contains("R9: the newest good archive"))
    }

    @Test func `R10: pinned archives stay`() throws {
        var pinned = aged(9)
        pinned.isPinned = true
        #expect(try kept(Self.lastOnly(1), [aged(0), aged(1), pinned]) == ["a0", "a9"])
    }

    @Test(arguments: ["pre-restore", "pre-recover", "pre-upgrade"])
    func `R11: reserved series stay for 30 days`(series: String) throws {
        let archives = [0, 24 * 29, 24 * 31].map { aged($0, series: series) }
        #expect(try kept(Self.lastOnly(1), archives, series: series) == ["a0", "a696"])
    }

    @Test func `R12: a deletion needs enough newer archives, and zero counts as one`() throws {
        var policy = Self.lastOnly(1)
        policy.minRedundancy = 3
        #expect(try kept(policy, (0..<5).map { aged($0) }) == ["a0", "a1", "a2"])
        policy.minRedundancy = 0
        let plan = try policy.plan(for: [aged(0), aged(1)], clusterID: "c1", series: "default", now: now)
        #expect(plan.decisions.map(\.verdict) == [.keep, .delete])
        #expect(plan.warnings == ["R12: min_redundancy 0 counts as 1"])
    }

    @Test func `R13: clocks that jumped by a year delete nothing`() throws {
        let plan = try Self.lastOnly(1).plan(for: [aged(-8_760), aged(1), aged(2)], clusterID: "c1", series: "default", now: now)
        #expect(plan.decisions.map(\.verdict) == [.ignore, .keep, .delete])
        #expect(plan.warnings.count == 1)
        var back = aged(8_760)
        back.index = 2_000_000
        #expect(try kept(Self.lastOnly(1), [back, aged(0), aged(1)]).count == 3)
    }

    @Test func `R14: a policy that keeps nothing is refused`() {
        let error = #expect(throws: BastionError.self) { try kept(Self.nothing(), [aged(0)]) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func `stopped backups expire nothing, and bad archives justify no deletion`() throws {
        let archives = (0..<5).map { aged(100_000 + $0) }
        #expect(try kept(RetentionPolicy(), archives).count == 5)
        let bad = archives.map { archive in
            var archive = archive
            archive.isGood = false
            return archive
        }
        #expect(try kept(Self.lastOnly(1), bad).count == 5)
    }
}

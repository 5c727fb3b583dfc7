import ClusterModel

/// Which archives of a repository may go: a pure function of what is there (rules R1-R14).
package struct RetentionPolicy: Sendable, Hashable {
    package var keepLast = 7
    package var keepHourly = 24
    package var keepDaily = 7
    package var keepWeekly = 5
    package var keepMonthly = 12
    /// Seconds before the newest good archive, not before now (R7).
    package var keepWithinSeconds: Int64 = 7 * 86_400
    package var minRedundancy = 3

    package init() {}

    package static let reservedSeries: Set<String> = ["pre-restore", "pre-recover", "pre-upgrade"]
    static let reservedSeconds: Int64 = 30 * 86_400
    static let clockTolerance: Int64 = 300

    /// One archive as the policy sees it.
    package struct Archive: Sendable, Hashable {
        package var name: String
        package var clusterID: String
        package var series: String
        package var epoch: Int64
        package var index: Int64
        package var createdAt: ArchiveTime
        package var isGood: Bool
        package var isPinned: Bool

        package init(
            name: String, clusterID: String, series: String, epoch: Int64, index: Int64, createdAt: ArchiveTime,
            isGood: Bool = true, isPinned: Bool = false
        ) {
            self.name = name
            self.clusterID = clusterID
            self.series = series
            self.epoch = epoch
            self.index = index
            self.createdAt = createdAt
            self.isGood = isGood
            self.isPinned = isPinned
        }

        /// R4: epoch, then index, then time.
        package func isOlder(than other: Archive) -> Bool {
            (epoch, index, createdAt.seconds, name) < (other.epoch, other.index, other.createdAt.seconds, other.name)
        }
    }

    package enum Verdict: String, Sendable, Codable { case keep, delete, ignore }

    package struct Decision: Sendable, Hashable {
        package var name: String
        package var verdict: Verdict
        /// Each begins with the rule that gave it; sorted by rule.
        package var reasons: [String]
    }

    package struct Plan: Sendable, Hashable {
        package var decisions: [Decision]
        package var warnings: [String]
    }

    /// Decides about the group of `clusterID` and `series`; everything else is ignored (R1, R2).
    ///
    /// - Returns: One decision for each archive, in the order given.
    /// - Throws: `.invalidConfiguration` when nothing would be kept (R14) or a number is negative.
    package func plan(
        for archives: [Archive], clusterID: String, series: String, now: ArchiveTime
    ) throws(BastionError) -> Plan {
        try validate()
        var warnings: [String] = []
        if minRedundancy == 0 { warnings.append("R12: min_redundancy 0 counts as 1") }
        let group = archives.filter { $0.clusterID == clusterID && $0.series == series && $0.isGood }
        let misdated = Set(group.filter { isMisdated($0, in: group, now) }.map(\.name))
        for name in misdated.sorted() { warnings.append("R13: \"\(name)\" has a date that cannot be right; it is kept") }
        let counted = group.filter { !misdated.contains($0.name) }.sorted { $1.isOlder(than: $0) }
        var reasons = keptByRules(counted)
        for (rank, archive) in counted.enumerated() {
            if rank < max(1, minRedundancy) {
                reasons[archive.name, default: []].append("R12: only \(rank) newer good archives")
            }
            if archive.isPinned { reasons[archive.name, default: []].append("R10: pinned") }
            if isYoungReserved(archive, now) { reasons[archive.name, default: []].append("R11: \(series), younger than 30 days") }
        }
        let decisions = archives.map { archive in
            if archive.clusterID != clusterID || archive.series != series {
                return Decision(name: archive.name, verdict: .ignore, reasons: ["R1: another cluster or series"])
            }
            if !archive.isGood { return Decision(name: archive.name, verdict: .ignore, reasons: ["R3: not good"]) }
            if misdated.contains(archive.name) {
                return Decision(name: archive.name, verdict: .ignore, reasons: ["R13: its date cannot be right"])
            }
            guard let kept = reasons[archive.name] else {
                return Decision(name: archive.name, verdict: .delete, reasons: ["R8: no rule keeps it"])
            }
            return Decision(name: archive.name, verdict: .keep, reasons: kept)
        }
        return Plan(decisions: decisions, warnings: warnings)
    }

    private func validate() throws(BastionError) {
        let counts = [keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, minRedundancy]
        guard counts.allSatisfy({ $0 >= 0 }), keepWithinSeconds >= 0 else {
            throw BastionError(.invalidConfiguration, "the retention of backups holds a negative number")
        }
        guard counts.dropLast().contains(where: { $0 > 0 }) || keepWithinSeconds > 0 else {
            throw BastionError(
                .invalidConfiguration, "the retention of backups would keep nothing", detail: "every keep_* is zero (R14)")
        }
    }

    /// R13: later than now allows, or later than an archive with a higher epoch and index.
    private func isMisdated(_ archive: Archive, in group: [Archive], _ now: ArchiveTime) -> Bool {
        archive.createdAt.seconds > now.seconds + RetentionPolicy.clockTolerance
            || group.contains { other in
                (other.epoch, other.index) > (archive.epoch, archive.index) && other.createdAt < archive.createdAt
            }
    }

    /// R5, R6, R7 and R9 for `archives`, which are sorted newest first.
    private func keptByRules(_ archives: [Archive]) -> [String: [String]] {
        guard let newest = archives.first else { return [:] }
        var reasons: [String: [String]] = [:]
        for archive in archives.prefix(keepLast) { reasons[archive.name, default: []].append("R5: keep_last") }
        let spans: [(String, Int, (ArchiveTime) -> String)] = [
            ("keep_hourly", keepHourly, { String($0.description.prefix(13)) }),
            ("keep_daily", keepDaily, { String($0.description.prefix(10)) }),
            // 1970-01-01 was a Thursday; ISO weeks begin on Monday.
            ("keep_weekly", keepWeekly, { String((($0.seconds + 3 * 86_400) / 604_800)) }),
            ("keep_monthly", keepMonthly, { String($0.description.prefix(7)) }),
        ]
        for (key, count, span) in spans {
            var seen: Set<String> = []
            // Within one group dates fall with the order once misdated archives are out, so the first of a span is its newest.
            for archive in archives where seen.count < count && seen.insert(span(archive.createdAt)).inserted {
                reasons[archive.name, default: []].append("R6: \(key)")
            }
        }
        for archive in archives where archive.createdAt.seconds >= newest.createdAt.seconds - keepWithinSeconds && keepWithinSeconds > 0 {
            reasons[archive.name, default: []].append("R7: keep_within")
        }
        reasons[newest.name, default: []].append("R9: the newest good archive")
        return reasons
    }

    private func isYoungReserved(_ archive: Archive, _ now: ArchiveTime) -> Bool {
        RetentionPolicy.reservedSeries.contains(archive.series)
            && archive.createdAt.seconds > now.seconds - RetentionPolicy.reservedSeconds
    }
}

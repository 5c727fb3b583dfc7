import ClusterModel

/// What the catalogue says about the backups of the cluster's state, as of the view.
package struct BackupStanding: Sendable {
    /// Of archives made by the restore commands themselves; they say nothing about the regular backups.
    private static let reserved: Set<String> = ["pre-restore", "pre-recover"]

    /// The last successful backup; nil when the catalogue knows none.
    package let last: BackupRecord?
    package let lastDrill: BackupRecord?
    /// The last run of each series, by series.
    package let attempts: [(series: String, record: BackupRecord)]
    /// The last success of each series, by series.
    package let successes: [(series: String, record: BackupRecord)]
    package let drills: [(series: String, record: BackupRecord)]
    private let now: Double?

    package init(_ view: ClusterView) {
        let backups = view.backups.filter { $0.kind == .backup }
        let drilled = view.backups.filter { $0.kind == .drill && $0.isSuccess }
        last = backups.last { $0.isSuccess && !Self.reserved.contains($0.series) }
        lastDrill = drilled.last
        attempts = Self.newest(backups)
        successes = Self.newest(backups.filter(\.isSuccess))
        drills = Self.newest(drilled)
        now = Timestamp.seconds(view.capturedAt)
    }

    private static func newest(_ records: [BackupRecord]) -> [(series: String, record: BackupRecord)] {
        var found: [String: BackupRecord] = [:]
        for record in records { found[record.series] = record }
        return found.sorted { $0.key < $1.key }.map { (series: $0.key, record: $0.value) }
    }

    /// Seconds since the end of that run; nil when the view has no time.
    package func age(_ record: BackupRecord?) -> Double? {
        guard let record, let now else { return nil }
        return max(0, now - Double(record.at) / 1_000)
    }

    package static func time(_ record: BackupRecord) -> String {
        WallTime.text(milliseconds: record.at / 1_000 * 1_000).replacing(".000Z", with: "Z")
    }
}

extension StateDocument.Backup {
    init(_ standing: BackupStanding) {
        self.init(
            lastID: standing.last?.id, lastSuccessAt: standing.last.map(BackupStanding.time), ageSeconds: standing.age(standing.last),
            countGood: standing.last?.goodCount ?? 0, lastDrillAt: standing.lastDrill.map(BackupStanding.time),
            drillAgeSeconds: standing.age(standing.lastDrill))
    }
}

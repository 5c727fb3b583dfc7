import ClusterModel
import Operations
import Telemetry

/// Metrics of a run for node_exporter's textfile collector; the daemon exports the same from the catalogue.
struct BackupTextfile {
    var line: BackupRecord
    /// Milliseconds.
    var startedAt: Int64

    /// Written beside its place and renamed. What this run has no new value for stays: a failed run does not take away when
    /// the last one succeeded.
    func write(to path: String) throws(BastionError) {
        var samples = Self.samples(in: TextFiles.read(path) ?? "")
        for value in values { samples["pgbastion_backup_\(value.name){series=\"\(line.series)\"}"] = value.value }
        try TextFiles.write(Self.text(samples), to: path, mode: 0o644)
    }

    private static func samples(in text: String) -> [String: String] {
        var samples: [String: String] = [:]
        for row in text.split(separator: "\n") where row.hasPrefix("pgbastion_backup_") {
            guard let space = row.lastIndex(of: " ") else { continue }
            samples[String(row[..<space])] = String(row[row.index(after: space)...])
        }
        return samples
    }

    private var values: [(name: String, value: String)] {
        var values: [(name: String, value: String)] = [
            ("last_attempt_timestamp_seconds", "\(startedAt / 1_000)"), ("last_exit_code", "\(line.exitStatus)"),
            ("duration_seconds", DecimalText.oneDigit(line.durationSeconds)), ("copies_failed", "\(line.copiesFailed)"),
        ]
        if line.isSuccess {
            values += [
                ("last_success_timestamp_seconds", "\(line.at / 1_000)"), ("size_bytes", "\(line.sizeBytes)"),
                ("raft_index", "\(line.index)"), ("verified", line.isVerified ? "1" : "0"), ("count", "\(line.goodCount)"),
            ]
        }
        return values
    }

    private static func text(_ samples: [String: String]) -> String {
        MetricCatalogue.backup.map { metric in
            let name = "pgbastion_\(metric.name)"
            let rows = samples.filter { $0.key.hasPrefix(name + "{") }.sorted { $0.key < $1.key }
            guard !rows.isEmpty else { return "" }
            return "# HELP \(name) \(metric.help)\n# TYPE \(name) gauge\n" + rows.map { "\($0.key) \($0.value)\n" }.joined()
        }.joined()
    }
}

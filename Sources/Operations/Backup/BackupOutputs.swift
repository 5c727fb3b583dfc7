import ClusterModel

/// `backup create`
package struct BackupCreateOutput: OperationOutput {
    /// Why nothing was stored; every other field about an archive is null then.
    @Nullable package var skipped: String?
    @Nullable package var id: String?
    @Nullable package var path: String?
    @Nullable package var sizeBytes: Int64?
    @Nullable package var sha256: String?
    package var series: String
    package var mode: String
    @Nullable package var term: Int64?
    @Nullable package var index: Int64?
    @Nullable package var stateSHA256: String?
    package var agreedBy: [String] = []
    package var unreachable: [String] = []
    package var verified = false
    package var pruned: [String] = []
    /// Good archives of the series afterwards.
    package var kept = 0
    /// Directories that hold a copy.
    package var copies: [String] = []
    package var durationSeconds = 0.0
    package var warnings: [String] = []

    package init(series: String, mode: String, skipped: String? = nil) {
        self.series = series
        self.mode = mode
        self.skipped = skipped
    }

    package var names: [String] { id.map { [$0] } ?? [] }

    package var text: String {
        if let skipped { return "skipped: \(skipped)" }
        var agreed = "digest agreed by \(agreedBy.joined(separator: ", "))"
        if agreedBy.isEmpty { agreed = mode }
        if !unreachable.isEmpty { agreed += "; not asked: \(unreachable.joined(separator: ", "))" }
        let size = sizeBytes.map { SizeValue(bytes: UInt64(clamping: $0)).description } ?? "-"
        var lines = ["backup \(id ?? "-")  \(size)  \(verified ? "verified" : "not verified")  \(agreed)", path ?? "-"]
        lines += copies.map { "copy in \($0)" }
        lines.append("retention: kept \(kept), removed \(pruned.count)")
        return lines.joined(separator: "\n")
    }
}

/// `backup list`
package struct BackupListOutput: OperationOutput {
    package struct Row: Codable, Sendable, Hashable {
        package var name: String
        @Nullable package var id: String?
        @Nullable package var createdAt: String?
        @Nullable package var cluster: String?
        @Nullable package var series: String?
        @Nullable package var index: Int64?
        @Nullable package var mode: String?
        package var sizeBytes: Int64
        /// `good`, `unsealed`, `damaged`, `unreadable`, `quarantined`
        package var status: String
        package var keep: Bool
        package init(name: String, sizeBytes: Int64, status: String, keep: Bool) {
            self.name = name
            self.sizeBytes = sizeBytes
            self.status = status
            self.keep = keep
        }
    }
    package var backups: [Row]
    package init(backups: [Row]) { self.backups = backups }
    package var names: [String] { backups.compactMap(\.id) }
    package var text: String {
        guard !backups.isEmpty else { return "no backups" }
        var table = TextTable("ID", "CREATED", "SERIES", "INDEX", "SIZE", "VERIFIED", "KEEP")
        for row in backups {
            table.add([
                row.id ?? row.name, row.createdAt ?? "-", row.series ?? "-", row.index.map { "\($0)" } ?? "-",
                SizeValue(bytes: UInt64(clamping: row.sizeBytes)).description, row.status == "good" ? "yes" : row.status,
                row.keep ? "yes" : "-",
            ])
        }
        return table.text
    }
}

/// `backup verify`
package struct BackupVerifyOutput: OperationOutput {
    package struct Row: Codable, Sendable, Hashable {
        @Nullable package var id: String?
        package var name: String
        package var level: String
        /// `passed`, `unsealed`, `inconclusive`, `failed`, `unsupported`
        package var result: String
        package var problems: [String]
        package init(id: String?, name: String, level: String, result: String, problems: [String]) {
            self.id = id
            self.name = name
            self.level = level
            self.result = result
            self.problems = problems
        }
    }
    package var results: [Row]
    package var ok: Bool { results.allSatisfy { $0.result == "passed" } }
    package init(results: [Row]) { self.results = results }
    package var names: [String] { results.map { $0.id ?? $0.name } }
    package var exitStatus: Int32 {
        let results = Set(results.map(\.result))
        if results.contains("failed") { return 9 }
        if results.contains("unsupported") { return 65 }
        return results.isSubset(of: ["passed"]) ? 0 : 2
    }
    package var text: String {
        guard !results.isEmpty else { return "no backups" }
        return results.map { row in
            ([row.id ?? row.name, row.level, row.result] + (row.problems.isEmpty ? [] : [row.problems.joined(separator: "; ")]))
                .joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// `backup drill`
package struct BackupDrillOutput: OperationOutput {
    package var id: String
    package var ok: Bool
    package var stateSHA256: String
    package var durationSeconds: Double
    package var steps: [String]
    package init(id: String, ok: Bool, stateSHA256: String, durationSeconds: Double, steps: [String]) {
        self.id = id
        self.ok = ok
        self.stateSHA256 = stateSHA256
        self.durationSeconds = durationSeconds
        self.steps = steps
    }
    package var names: [String] { [id] }
    package var text: String { (steps + ["drill of \(id) passed in \(DecimalText.oneDigit(durationSeconds)) s"]).joined(separator: "\n") }
}

/// `backup prune`
package struct BackupPruneOutput: OperationOutput {
    package struct Row: Codable, Sendable, Hashable {
        package var name: String
        @Nullable package var id: String?
        /// `keep`, `delete`, `ignore`
        package var decision: String
        package var reasons: [String]
        package init(name: String, id: String?, decision: String, reasons: [String]) {
            self.name = name
            self.id = id
            self.decision = decision
            self.reasons = reasons
        }
    }
    package var archives: [Row]
    package var deleted: [String]
    package var quarantined: [String]
    package var warnings: [String]
    package init(archives: [Row], deleted: [String], quarantined: [String], warnings: [String]) {
        self.archives = archives
        self.deleted = deleted
        self.quarantined = quarantined
        self.warnings = warnings
    }
    package var names: [String] { deleted }
    package var text: String {
        guard !archives.isEmpty else { return "no backups" }
        var table = TextTable("ARCHIVE", "DECISION", "REASONS")
        for row in archives { table.add([row.id ?? row.name, row.decision, row.reasons.joined(separator: "; ")]) }
        return table.text
    }
}

/// `backup keep`, `backup unkeep`
package struct BackupKeepOutput: OperationOutput {
    package var id: String
    package var keep: Bool
    package init(id: String, keep: Bool) {
        self.id = id
        self.keep = keep
    }
    package var names: [String] { [id] }
    package var text: String { keep ? "\(id) is kept until `pgbastion backup unkeep`" : "the retention policy decides about \(id)" }
}

/// `backup diff`
package struct BackupDiffOutput: OperationOutput {
    package struct Change: Codable, Sendable, Hashable {
        package var path: String
        /// JSON text; null where there is nothing.
        @Nullable package var before: String?
        @Nullable package var after: String?
        package init(path: String, before: String?, after: String?) {
            self.path = path
            self.before = before
            self.after = after
        }
    }
    package var a: String
    package var b: String
    package var changes: [Change]
    package init(a: String, b: String, changes: [Change]) {
        self.a = a
        self.b = b
        self.changes = changes
    }
    package var text: String {
        guard !changes.isEmpty else { return "the states are equal" }
        return changes.map { "\($0.path): \($0.before ?? "-") -> \($0.after ?? "-")" }.joined(separator: "\n")
    }
}

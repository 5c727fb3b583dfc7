import ClusterModel

/// `backup show`: the manifest of an archive, where it lies, and what no archive holds.
package struct BackupShowOutput: OperationOutput {
    package struct Tool: Codable, Sendable { package var name: String, version: String, commit: String }
    package struct Cluster: Codable, Sendable {
        package var id: String
        package var name: String
        package var epoch: Int64
        @Nullable package var parentID: String?
    }
    package struct Source: Codable, Sendable {
        package var node: String
        package var role: String
        package var mode: String
        @Nullable package var staleSeconds: Int64?
        package var assumedCommitted: Bool
    }
    package struct Raft: Codable, Sendable {
        package var term: Int64
        package var index: Int64
        package var configIndex: Int64
        package var voters: [String]
        package var learners: [String]
    }
    package struct State: Codable, Sendable {
        package var schemaVersion: Int64
        package var sha256: String
        package var agreedBy: [String]
        package var disagree: [String]
        package var unreachable: [String]
        package var counts: [String: Int64]
    }
    package struct Postgres: Codable, Sendable {
        @Nullable package var systemIdentifier: String?
        @Nullable package var primary: String?
        @Nullable package var timeline: Int64?
    }
    package struct Redacted: Codable, Sendable { package var path: String }
    package struct Secrets: Codable, Sendable {
        package var included: Bool
        package var redacted: [Redacted]
    }
    package struct File: Codable, Sendable {
        package var path: String
        package var size: Int64
        package var sha256: String
    }
    /// What the repository knows beside the manifest.
    package struct Archive: Codable, Sendable {
        package var path: String
        package var sizeBytes: Int64
        package var sha256: String
        package var isSealed: Bool
        package init(path: String, sizeBytes: Int64, sha256: String, isSealed: Bool) {
            self.path = path
            self.sizeBytes = sizeBytes
            self.sha256 = sha256
            self.isSealed = isSealed
        }
    }

    package var id: String
    @Nullable package var previousID: String?
    package var format: String
    package var formatVersion: String
    package var series: String
    package var labels: [String: String]
    package var createdAt: String
    package var tool: Tool
    package var cluster: Cluster
    package var source: Source
    package var raft: Raft
    package var state: State
    package var postgres: Postgres
    package var secrets: Secrets
    package var files: [File]
    package var archive: Archive?
    package var notIncluded: [String]?

    /// P09
    package static let neverIncluded = [
        "PostgreSQL data", "write-ahead log (WAL)", "application data", "Raft votes and terms", "keys, tokens and passwords",
    ]
    private static let meaning = [
        "state/fsm.json": "primary, nodes, settings, directives, health and failover history", "state/membership.json": "members",
        "config/pgbastion.yaml": "configuration of the node, secrets redacted", "postgres/facts.json": "what was known of PostgreSQL",
        "audit/runs.json": "the last runbook runs",
    ]

    package var names: [String] { [id] }
    package var warnings: [String] {
        var all: [String] = []
        if source.mode == "stale" { all.append("the state is stale\(source.staleSeconds.map { ", \($0) s old when it was taken" } ?? "")") }
        if source.assumedCommitted { all.append("entries were assumed to be committed") }
        if archive?.isSealed == false { all.append("there is no sidecar") }
        return all
    }
    package var text: String {
        var table = TextTable()
        table.add("archive", id)
        table.add("created", "\(createdAt) on \(source.node) (\(source.mode))")
        table.add("cluster", "\(cluster.name) \(cluster.id), epoch \(cluster.epoch)")
        table.add("series", series)
        if !labels.isEmpty {
            table.add("labels", labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))
        }
        table.add("position", "term \(raft.term), index \(raft.index)")
        table.add("members", (raft.voters + raft.learners.map { "\($0) (learner)" }).joined(separator: ", "))
        table.add("digest", "\(state.sha256) agreed by \(state.agreedBy.isEmpty ? "nobody" : state.agreedBy.joined(separator: ", "))")
        table.add("primary", "\(postgres.primary ?? "-"), timeline \(postgres.timeline.map { "\($0)" } ?? "-")")
        if let archive { table.add("file", "\(archive.path) (\(SizeValue(bytes: UInt64(clamping: archive.sizeBytes))))") }
        var lines = [table.text, "", "contains:"]
        lines += files.map { "  \($0.path)  \(SizeValue(bytes: UInt64(clamping: $0.size)))  \(Self.meaning[$0.path] ?? "site runbook")" }
        if !secrets.redacted.isEmpty { lines += ["redacted:"] + secrets.redacted.map { "  \($0.path)" } }
        return (lines + ["not included:"] + (notIncluded ?? []).map { "  \($0)" }).joined(separator: "\n")
    }
}

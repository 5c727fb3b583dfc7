/// The closed set of paths in an archive, and their order.
package enum ArchiveMember {
    package static let folder = "pgbastion-backup/"
    package static let manifest = "manifest.json"
    package static let state = "state/fsm.json"
    package static let membership = "state/membership.json"
    package static let configuration = "config/pgbastion.yaml"
    package static let facts = "postgres/facts.json"
    package static let runs = "audit/runs.json"
    package static let checksums = "checksums.sha256"
    static let runbookFolder = "config/runbooks/"

    static let maximumRunbooks = 200
    static let maximumMembers = 300
    static let maximumStateBytes: Int64 = 4 << 30
    static let maximumBytes: Int64 = 64 << 20
    /// Members that are never left out.
    static let required = [manifest, state, membership, facts, runs, checksums]

    /// The place of `path` in the archive; nil when it is not in the set. Runbooks share one place and are sorted by path.
    static func rank(_ path: String) -> Int? {
        let fixed = [manifest, state, membership, configuration, "", facts, runs, checksums]
        if let rank = fixed.firstIndex(of: path), !path.isEmpty { return rank }
        guard path.hasPrefix(runbookFolder), path.hasSuffix(".yaml") else { return nil }
        let name = path.dropFirst(runbookFolder.count).dropLast(".yaml".count)
        return BackupManifest.isName(name, limit: 64) ? 4 : nil
    }

    static func follows(_ path: String, after previous: String) -> Bool {
        guard let rank = rank(path), let before = self.rank(previous) else { return false }
        return rank > before || (rank == before && rank == 4 && Array(previous.utf8).lexicographicallyPrecedes(Array(path.utf8)))
    }

    static func isJSON(_ path: String) -> Bool { path.hasSuffix(".json") }

    static func limit(_ path: String) -> Int64 {
        switch path {
        case state: maximumStateBytes
        case manifest, checksums: BackupManifest.maximumBytes
        default: maximumBytes
        }
    }

    /// What `state/fsm.json` has at its top, no more and no less.
    package static let stateKeys: Set<String> = [
        "schema_version", "cluster", "nodes", "primary", "paused", "synchronous", "pgconfig", "directives", "health_history",
        "failover_history", "events", "slots", "runs", "barrier", "backups", "locks", "leases", "holds", "idempotency",
    ]
}

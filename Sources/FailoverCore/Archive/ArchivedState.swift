import ClusterModel

/// The state as member `state/fsm.json` of an archive holds it (backup-restore.md, 2.2): the fields of `ClusterState` sorted
/// into exactly 19 top-level keys, in a form that has one canonical text.
///
/// - Invariant: `ArchivedState(state).clusterState()` equals `state`, whatever fields a later version adds: what has no key of its
///   own stands under `cluster`.
package struct ArchivedState: Sendable, Hashable {
    /// Every key of the document, sorted.
    package static let keys = [
        "backups", "barrier", "cluster", "directives", "events", "failover_history", "health_history", "holds", "idempotency",
        "leases", "locks", "nodes", "paused", "pgconfig", "primary", "runs", "schema_version", "slots", "synchronous",
    ]
    /// The highest `schema_version` that this version reads.
    package static let schemaVersion: Int64 = 1

    /// Top-level key -> content.
    private var sections: [String: StateTree]

    package init(_ state: ClusterState) throws {
        guard case .object(let fields) = try TreeEncoder.encode(state) else { throw ArchivedState.problem("a state is an object") }
        sections = ArchivedState.empty
        for (field, value) in fields { place(value, at: ArchivedState.layout[field] ?? .within("cluster", field)) }
    }

    /// The state that was archived.
    package func clusterState() throws -> ClusterState {
        var fields: [String: StateTree] = [:]
        var rest = sections
        for (field, place) in ArchivedState.layout {
            switch place {
            case .whole(let key): if let value = sections[key], value != .null { fields[field] = value }
            case .within(let key, let name):
                guard case .object(var inner)? = rest[key] else { continue }
                fields[field] = inner.removeValue(forKey: name)
                rest[key] = .object(inner)
            }
        }
        if case .object(let others)? = rest["cluster"] { fields.merge(others) { own, _ in own } }
        return try TreeDecoder.decode(ClusterState.self, .object(fields))
    }

    private enum Place {
        case whole(String)
        case within(String, String)
    }

    /// Field of `ClusterState` -> where it stands. Digests of API tokens belong to the cluster, as its name does.
    private static let layout: [String: Place] = [
        "format": .whole("schema_version"),
        "cluster": .within("cluster", "identity"),
        "systemIdentifier": .within("cluster", "system_identifier"),
        "tombstones": .within("cluster", "tombstones"),
        "tokens": .within("cluster", "api_tokens"),
        "nodes": .whole("nodes"),
        "primary": .within("primary", "appointed"),
        "lastToken": .within("primary", "last_token"),
        "lastTimeline": .within("primary", "last_timeline"),
        "leases": .whole("leases"),
        "hold": .whole("holds"),
        "paused": .whole("paused"),
        "synchronous": .whole("synchronous"),
        "operation": .within("runs", "operation"),
        "finished": .within("runs", "finished_operations"),
        "runs": .within("runs", "runbooks"),
        "directives": .whole("directives"),
        "timelines": .within("failover_history", "timelines"),
        "certificates": .within("failover_history", "loss_certificates"),
        "decisions": .whole("events"),
        "postgresParameters": .whole("pgconfig"),
        "idempotency": .whole("idempotency"),
        "barrier": .whole("barrier"),
        "backups": .within("backups", "catalogue"),
        "backupClaims": .within("backups", "claims"),
        "locks": .whole("locks"),
    ]

    /// What a state without any content has under each key. Health checks and slots are not kept in the state.
    private static let empty: [String: StateTree] = {
        var all = Dictionary(uniqueKeysWithValues: keys.map { ($0, StateTree.null) })
        for key in ["backups", "cluster", "failover_history", "health_history", "primary", "runs"] { all[key] = .object([:]) }
        all["slots"] = .list([])
        return all
    }()

    private mutating func place(_ value: StateTree, at place: Place) {
        switch place {
        case .whole(let key): sections[key] = value
        case .within(let key, let name):
            guard case .object(var inner)? = sections[key] else { return }
            inner[name] = value
            sections[key] = .object(inner)
        }
    }

    private static func problem(_ text: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: text))
    }
}

extension ArchivedState: Codable {
    /// - Throws: `DecodingError` when a key is missing or unknown, or the schema is newer than this version.
    package init(from decoder: any Decoder) throws {
        guard case .object(let fields) = try StateTree(from: decoder) else { throw ArchivedState.problem("a state is an object") }
        let differing = Set(fields.keys).symmetricDifference(ArchivedState.keys).sorted()
        guard differing.isEmpty else {
            throw ArchivedState.problem("missing or unknown keys: \(differing.joined(separator: ", "))")
        }
        guard case .integer(let version)? = fields["schema_version"], version <= ArchivedState.schemaVersion else {
            throw ArchivedState.problem("the schema is newer than version \(ArchivedState.schemaVersion)")
        }
        sections = fields
    }

    package func encode(to encoder: any Encoder) throws { try StateTree.object(sections).encode(to: encoder) }
}

import ClusterModel

/// Managed settings of PostgreSQL, the same for every node.
package struct PostgresParametersRecord: Sendable, Codable, Hashable {
    package var values: [String: String]
    package var version: UInt64
    package var updatedAt: Int64
    package var updatedBy: String
}

extension PostgresParametersView {
    package init(_ record: PostgresParametersRecord) {
        self.init(
            values: record.values, version: record.version, updatedAt: WallTime.text(milliseconds: record.updatedAt),
            updatedBy: record.updatedBy)
    }
}

extension ClusterState {
    mutating func patchPostgresParameters(
        _ expected: UInt64?, set: [String: String], unset: [String], by actor: String, at time: Int64
    ) throws(Rejection) {
        let present = postgresParameters
        guard expected == nil || expected == present?.version ?? 0 else {
            throw Rejection("pgconfig.version", "the settings have version \(present?.version ?? 0), not \(expected ?? 0)")
        }
        for name in set.keys.sorted() + unset.sorted() {
            if let refusal = PostgresParameterRules.refusal(of: name) { throw Rejection("pgconfig.allowed", refusal) }
        }
        var values = present?.values ?? [:]
        for name in unset { values[name] = nil }
        values.merge(set) { _, new in new }
        guard values != present?.values ?? [:] else { throw Rejection("pgconfig.unchanged", "the settings are so already") }
        guard values.count <= Caps.parameters else { throw Rejection("CS4", "at most \(Caps.parameters) settings") }
        guard values.reduce(0, { $0 + $1.key.utf8.count + $1.value.utf8.count }) <= Caps.parameterBytes else {
            throw Rejection("CS4", "at most \(Caps.parameterBytes) bytes of settings")
        }
        postgresParameters = PostgresParametersRecord(
            values: values, version: (present?.version ?? 0) + 1, updatedAt: time, updatedBy: actor)
    }
}

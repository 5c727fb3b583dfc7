import ClusterModel

/// What is known of one version: what it reads, writes and speaks, and what somebody who installs it should know.
package struct ReleaseFacts: Codable, Sendable, Hashable {
    package var version: String
    package var notes: [String]
    package var breakingChanges: [String]
    package var configVersion: Int
    package var stateSchema: BuildInformation.SchemaRange
    package var protocolRange: BuildInformation.ProtocolRange
    /// Major versions of PostgreSQL, the oldest and the newest.
    package var postgres: SupportedPostgres

    package struct SupportedPostgres: Codable, Sendable, Hashable {
        package var oldest: Int
        package var newest: Int
    }
}

/// The versions this program knows of. A version made later is asked itself: `upgrade-check --binary PATH`.
package enum ReleaseTable {
    package static let all: [ReleaseFacts] = [
        ReleaseFacts(
            version: "1.0.0",
            notes: ["the first version with a stable configuration, state and protocol"], breakingChanges: [],
            configVersion: 1, stateSchema: .init(readMin: 1, readMax: 1, write: 1), protocolRange: .init(min: 1, max: 1),
            postgres: .init(oldest: 14, newest: 18))
    ]

    package static func release(_ version: String) -> ReleaseFacts? { all.first { $0.version == version } }

    /// This program; what it can do is said where it does it.
    package static var own: ReleaseFacts {
        let known = release(BuildInformation.version)
        return ReleaseFacts(
            version: BuildInformation.version, notes: known?.notes ?? [], breakingChanges: known?.breakingChanges ?? [],
            configVersion: BuildInformation.configurationVersion, stateSchema: BuildInformation.stateSchema,
            protocolRange: BuildInformation.protocolRange, postgres: known?.postgres ?? .init(oldest: 14, newest: 18))
    }
}

/// What the binary of the new version said when the client ran it (`--binary PATH`); the daemon runs no program it is told of.
package struct BinaryReport: Codable, Sendable, Hashable {
    package var path: String
    package var version: String
    package var configVersion: Int
    package var stateSchema: BuildInformation.SchemaRange
    package var `protocol`: BuildInformation.ProtocolRange
    /// Errors of `config validate` on this machine's file; empty when it is valid.
    package var configErrors: [String]

    package init(
        path: String, version: String, configVersion: Int, stateSchema: BuildInformation.SchemaRange,
        protocol range: BuildInformation.ProtocolRange, configErrors: [String]
    ) {
        self.path = path
        self.version = version
        self.configVersion = configVersion
        self.stateSchema = stateSchema
        `protocol` = range
        self.configErrors = configErrors
    }

    /// The version as the checks see it; what a binary does not say is taken from the table.
    var release: ReleaseFacts {
        let known = ReleaseTable.release(version)
        return ReleaseFacts(
            version: version, notes: known?.notes ?? [], breakingChanges: known?.breakingChanges ?? [], configVersion: configVersion,
            stateSchema: stateSchema, protocolRange: `protocol`, postgres: known?.postgres ?? ReleaseTable.own.postgres)
    }
}

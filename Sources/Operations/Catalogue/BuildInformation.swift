/// What this binary is; the same for daemon and client.
package enum BuildInformation {
    package static let version = "1.0.0"
    package static let commit = "unknown"
    package static let built = "unknown"
    package static let configurationVersion = 1
    package static let stateSchema = SchemaRange(readMin: 1, readMax: 1, write: 1)
    package static let protocolRange = ProtocolRange(min: 1, max: 1)

    package struct SchemaRange: Codable, Sendable, Hashable {
        package var readMin: Int
        package var readMax: Int
        package var write: Int
    }

    package struct ProtocolRange: Codable, Sendable, Hashable {
        package var min: Int
        package var max: Int
    }

    /// `pgbastion 1.2.0 (commit ab12cd3, built 2026-02-17)` (C01).
    package static var line: String { "pgbastion \(version) (commit \(commit), built \(built))" }
}

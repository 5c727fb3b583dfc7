import ClusterModel
import FoundationEssentials

/// A field that is always written, as `null` when there is no value, and refused when it is missing.
@propertyWrapper
package struct Nullable<Value: Codable & Sendable & Hashable>: Codable, Sendable, Hashable {
    package var wrappedValue: Value?
    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

/// The first member of an archive, `manifest.json`: what the archive is, and the hash of every other member.
///
/// Unknown fields are ignored. A member whose hash is here cannot be changed without changing the archive's id.
package struct BackupManifest: Codable, Sendable, Hashable {
    package static let format = "pgbastion-backup"
    package static let currentVersion = "1.0"

    package var format = BackupManifest.format
    package var formatVersion = BackupManifest.currentVersion
    package var minReader = BackupManifest.currentVersion
    package var id: String
    @Nullable package var previousID: String?
    package var series: String
    package var labels: [String: String]
    package var createdAt: ArchiveTime
    package var tool: Tool
    package var cluster: Cluster
    package var source: Source
    package var raft: Raft
    package var state: StateFacts
    package var postgres: Postgres
    package var secrets: Secrets
    /// Reserved: a reader of 1.0 refuses every value.
    @Nullable package private(set) var encryption: String?
    package var files: [File]

    enum CodingKeys: String, CodingKey {
        case format, id, series, labels, tool, cluster, source, raft, state, postgres, secrets, encryption, files
        case formatVersion = "format_version"
        case minReader = "min_reader"
        case previousID = "previous_id"
        case createdAt = "created_at"
    }

    package struct Tool: Codable, Sendable, Hashable {
        package var name: String
        package var version: String
        package var commit: String
        package init(name: String = "pgbastion", version: String, commit: String) {
            self.name = name
            self.version = version
            self.commit = commit
        }
    }

    package struct Cluster: Codable, Sendable, Hashable {
        package var id: String
        package var name: String
        package var epoch: Int64
        @Nullable package var parentID: String?
        enum CodingKeys: String, CodingKey {
            case id, name, epoch
            case parentID = "parent_id"
        }
        package init(id: String, name: String, epoch: Int64, parentID: String? = nil) {
            self.id = id
            self.name = name
            self.epoch = epoch
            self.parentID = parentID
        }
    }

    package struct Source: Codable, Sendable, Hashable {
        package enum Role: String, Codable, Sendable { case leader, follower, offline }
        package enum Mode: String, Codable, Sendable { case linearizable, stale, offline }
        package var node: String
        package var role: Role
        package var mode: Mode
        @Nullable package var staleSeconds: Int64?
        package var assumedCommitted: Bool
        enum CodingKeys: String, CodingKey {
            case node, role, mode
            case staleSeconds = "stale_seconds"
            case assumedCommitted = "assumed_committed"
        }
        package init(node: String, role: Role, mode: Mode, staleSeconds: Int64? = nil, assumedCommitted: Bool = false) {
            self.node = node
            self.role = role
            self.mode = mode
            self.staleSeconds = staleSeconds
            self.assumedCommitted = assumedCommitted
        }
    }

    package struct Raft: Codable, Sendable, Hashable {
        package var term: Int64
        package var index: Int64
        package var configIndex: Int64
        package var voters: [String]
        package var learners: [String]
        enum CodingKeys: String, CodingKey {
            case term, index, voters, learners
            case configIndex = "config_index"
        }
        package init(term: Int64, index: Int64, configIndex: Int64, voters: [String], learners: [String]) {
            self.term = term
            self.index = index
            self.configIndex = configIndex
            self.voters = voters
            self.learners = learners
        }
    }

    package struct StateFacts: Codable, Sendable, Hashable {
        package var schemaVersion: Int64
        package var sha256: String
        package var agreedBy: [String]
        package var disagree: [String]
        package var unreachable: [String]
        package var counts: [String: Int64]
        enum CodingKeys: String, CodingKey {
            case sha256, disagree, unreachable, counts
            case schemaVersion = "schema_version"
            case agreedBy = "agreed_by"
        }
        /// `sha256` is filled in by `BackupContents.prepared`.
        package init(
            schemaVersion: Int64, sha256: String = "", agreedBy: [String], disagree: [String] = [], unreachable: [String] = [],
            counts: [String: Int64] = [:]
        ) {
            self.schemaVersion = schemaVersion
            self.sha256 = sha256
            self.agreedBy = agreedBy
            self.disagree = disagree
            self.unreachable = unreachable
            self.counts = counts
        }
    }

    package struct Postgres: Codable, Sendable, Hashable {
        @Nullable package var systemIdentifier: String?
        @Nullable package var primary: String?
        @Nullable package var timeline: Int64?
        enum CodingKeys: String, CodingKey {
            case primary, timeline
            case systemIdentifier = "system_identifier"
        }
        package init(systemIdentifier: String?, primary: String?, timeline: Int64?) {
            self.systemIdentifier = systemIdentifier
            self.primary = primary
            self.timeline = timeline
        }
    }

    package struct Secrets: Codable, Sendable, Hashable {
        package var included = false
        package var redacted: [Redacted]
        package init(redacted: [Redacted]) { self.redacted = redacted }
    }

    /// A configuration key whose value was replaced. No fingerprint is kept: it would let a reader test guessed passwords.
    package struct Redacted: Codable, Sendable, Hashable {
        package var path: String
        @Nullable package private(set) var fingerprint: String?
        package init(path: String) {
            self.path = path
            fingerprint = nil
        }
    }

    package struct File: Codable, Sendable, Hashable {
        package var path: String
        package var size: Int64
        package var sha256: String
        package init(path: String, size: Int64, sha256: String) {
            self.path = path
            self.size = size
            self.sha256 = sha256
        }
    }

    /// `<cluster name>-<id>.tar.gz`
    package var archiveName: String { "\(cluster.name)-\(id).tar.gz" }

    init(id: String, contents: BackupContents, state: StateFacts, files: [File]) {
        self.id = id
        _previousID = Nullable(wrappedValue: contents.previousID)
        series = contents.series
        labels = contents.labels
        createdAt = contents.createdAt
        tool = contents.tool
        cluster = contents.cluster
        source = contents.source
        raft = contents.raft
        self.state = state
        postgres = contents.postgres
        secrets = Secrets(redacted: contents.redacted)
        _encryption = Nullable(wrappedValue: nil)
        self.files = files
    }
}

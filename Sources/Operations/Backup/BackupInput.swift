import ClusterModel

/// The parameters of every operation on backups, as JSON names them; each operation reads those of its definition.
package struct BackupInput: Codable, Sendable {
    package var series: String?
    package var label: [String]?
    package var dir: String?
    package var copyTo: [String]?
    package var keep: Bool?
    package var note: String?
    package var noPrune: Bool?
    package var retention: DurationValue?
    package var noConfig: Bool?
    package var noRunbooks: Bool?
    package var stale: Bool?
    package var offline: Bool?
    package var dataDir: String?
    package var assumeCommitted: Bool?
    package var ifLeader: Bool?
    package var oncePer: DurationValue?
    package var splay: DurationValue?
    package var lockWait: DurationValue?
    package var all: Bool?
    package var latest: Bool?
    package var level: String?
    package var quarantine: Bool?
    package var temp: String?
    package var a: String?
    package var b: String?
    /// One word, or several for `backup.verify`.
    package var archive: Words?

    package struct Words: Codable, Sendable {
        package var words: [String]
        package init(_ words: [String]) { self.words = words }
        package init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do { words = try container.decode([String].self) } catch { words = [try container.decode(String.self)] }
        }
        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(words)
        }
    }

    package init() {}
}

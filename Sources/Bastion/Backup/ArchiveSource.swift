import BackupArchive
import ClusterModel
import ConfigFiles
import FailoverCore
import NodeCore
import Operations

/// Everything of this machine and this moment that an archive needs beside the state; the same code puts archives together
/// in the daemon and offline.
struct ArchiveSource {
    var state: ClusterState
    var index: UInt64
    var term: UInt64
    var configIndex: UInt64
    var members: [ArchivedSnapshot.Member]
    var source: BackupManifest.Source
    /// As they were observed; empty offline.
    var nodes: [NodeView] = []
    var capturedAt: String?
    /// Of this node, nil when it is not known or it has none.
    var dataDirectory: String?
    var configurationPath: String
    var request: ArchiveRequest

    static let runbookDirectory = "/etc/pgbastion/runbooks.d"

    /// - Parameter digests: What the voters said; the archive's own digest is compared with it.
    func contents(
        agreement: (_ sha256: String) -> Agreement = { _ in Agreement() }, now: ArchiveTime
    ) throws(BastionError) -> BackupContents {
        guard let cluster = state.cluster else {
            throw BastionError(.preconditionFailed, "there is no cluster whose state could be stored", hint: "`pgbastion status`")
        }
        let bytes: [UInt8]
        do { bytes = try StateCodec.canonical(state) } catch {
            throw BastionError(.internal, "the cluster state cannot be written as JSON", detail: "\(error)")
        }
        let sha256 = SHA256.hex(bytes)
        let agreed = agreement(sha256)
        var contents = BackupContents(
            createdAt: request.createdAt.map { ArchiveTime(seconds: $0) } ?? now,
            tool: .init(version: BuildInformation.version, commit: BuildInformation.commit),
            cluster: .init(
                id: cluster.id.description, name: cluster.name, epoch: Int64(cluster.epoch), parentID: cluster.parentID?.description),
            source: source,
            raft: .init(
                term: Int64(term), index: Int64(index), configIndex: Int64(configIndex), voters: names(.voter), learners: names(.learner)),
            stateFacts: .init(
                schemaVersion: Int64(state.format), agreedBy: agreed.agreed.sorted(), disagree: agreed.differing.sorted(),
                unreachable: agreed.unreachable.sorted(), counts: counts),
            postgres: .init(
                systemIdentifier: state.systemIdentifier.map { "\($0)" }, primary: state.primary?.node.rawValue,
                timeline: state.primary.map { Int64($0.timeline.rawValue) }),
            state: .bytes(bytes), membership: try membership(), facts: try facts(),
            runs: try CanonicalJSON.encode(Array((state.runs ?? []).suffix(100))))
        contents.series = request.series
        contents.labels = request.labels
        if request.previousClusterID == cluster.id.description { contents.previousID = request.previousID }
        try addFiles(to: &contents)
        return contents
    }

    /// What the voters answered about their digest at the archive's index.
    struct Agreement: Sendable {
        var agreed: [String] = []
        var differing: [String] = []
        var unreachable: [String] = []
    }

    private func names(_ suffrage: PeerView.Suffrage) -> [String] { members.filter { $0.suffrage == suffrage }.map(\.name.rawValue) }

    private var counts: [String: Int64] {
        [
            "nodes": Int64(state.nodes.count), "directives": Int64(state.directives.count), "events": Int64(state.decisions.count),
            "timelines": Int64(state.timelines.count), "finished_operations": Int64(state.finished.count),
            "pgconfig": Int64(state.postgresParameters?.values.count ?? 0), "runs": Int64(state.runs?.count ?? 0),
            "backups": Int64(state.backups?.count ?? 0), "locks": Int64(state.locks?.count ?? 0),
        ]
    }

    private struct MembershipFile: Encodable {
        struct Row: Encodable {
            var name: String
            var address: String
            var suffrage: String
        }
        var config_index: Int64
        var members: [Row]
    }

    private func membership() throws(BastionError) -> [UInt8] {
        try CanonicalJSON.encode(
            MembershipFile(
                config_index: Int64(configIndex),
                members: members.map { .init(name: $0.name.rawValue, address: $0.address, suffrage: $0.suffrage.rawValue) }))
    }

    private struct FactsFile: Encodable {
        struct Row: Encodable {
            var name: String
            @Operations.Nullable var role: String?
            @Operations.Nullable var timeline: Int64?
            @Operations.Nullable var lsn: String?
            @Operations.Nullable var pg_version: Int64?
            @Operations.Nullable var data_dir: String?
            @Operations.Nullable var observed_at: String?
        }
        @Operations.Nullable var system_identifier: String?
        @Operations.Nullable var primary: String?
        @Operations.Nullable var timeline: Int64?
        var nodes: [Row]
    }

    private func facts() throws(BastionError) -> [UInt8] {
        let rows = state.sortedNodes.map { node in
            let seen = nodes.first { $0.name == node.name && $0.lastSeenSeconds != nil }
            let isHere = node.name.rawValue == source.node
            return FactsFile.Row(
                name: node.name.rawValue, role: seen?.role.rawValue, timeline: seen?.timeline.map { Int64($0.rawValue) },
                lsn: seen?.lsn?.description, pg_version: seen?.postgresVersion.map { Int64($0) },
                data_dir: isHere ? dataDirectory : nil, observed_at: seen == nil ? nil : capturedAt)
        }
        return try CanonicalJSON.encode(
            FactsFile(
                system_identifier: state.systemIdentifier.map { "\($0)" }, primary: state.primary?.node.rawValue,
                timeline: state.primary.map { Int64($0.timeline.rawValue) }, nodes: rows))
    }

    /// Members 4 and 5. Secrets leave the text in the process that reads the file.
    private func addFiles(to contents: inout BackupContents) throws(BastionError) {
        if request.includesConfiguration {
            do throws(ConfigurationErrors) {
                let clean = try ConfigurationRedaction.redact(path: configurationPath)
                contents.configuration = clean.bytes
                contents.redacted = clean.paths.map { .init(path: $0) }
            } catch {
                throw BastionError(
                    .invalidConfiguration, "the configuration file \"\(configurationPath)\" cannot be put into a backup",
                    detail: error.bastionError.detail ?? error.bastionError.message,
                    hint: "leave it out with --no-config, and repair it: `pgbastion config validate`")
            }
        }
        guard request.includesRunbooks else { return }
        for file in TextFiles.entries(Self.runbookDirectory) where file.hasSuffix(".yaml") {
            guard let text = TextFiles.read("\(Self.runbookDirectory)/\(file)") else { continue }
            contents.runbooks[String(file.dropLast(5))] = Array(text.utf8)
        }
    }
}

extension ArchiveTime {
    static var now: ArchiveTime { ArchiveTime(seconds: wallClockMilliseconds() / 1_000) }
}

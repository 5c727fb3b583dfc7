import ClusterModel
import Operations

/// How an archive's hash and length are called behind its bytes, and its name before them.
package enum ArchiveHeaders {
    package static let name = "X-Archive-Name"
    package static let sha256 = "X-Content-SHA256"
    package static let length = "X-Content-Length"
}

/// The archive of the cluster state, and the catalogue of backups (backup-restore.md, 4).
enum BackupRoutes {
    static let routes: [Route] = [
        Route(["GET"], "/v1/backup/archive", .change(.operate), about: archiveAbout) { call throws(BastionError) in
            let archive = try await call.node.archive(try request(call.query), try call.metadata())
            var response = APIResponse(status: 200, contentType: "application/gzip")
            response.archive = archive
            response.headers = [
                (name: ArchiveHeaders.name, value: archive.name),
                (name: "Trailer", value: "\(ArchiveHeaders.sha256), \(ArchiveHeaders.length)"),
            ]
            return response
        },
        .post("/v1/backup/record", about: recordAbout) { call throws(BastionError) in
            let record = try JSONText.decode(BackupRecord.self, from: call.request.body)
            let reply = try await call.gateway.submit(.recordBackup(record), metadata: try call.metadata(), forward: call.forward)
            return try .json(Recorded(recorded: true, alreadySo: reply.alreadySo))
        },
        .post("/v1/backup/claim", about: claimAbout) { call throws(BastionError) in
            let claim = try JSONText.decode(BackupClaim.self, from: call.request.body)
            do throws(BastionError) {
                _ = try await call.gateway.submit(.claimBackup(claim), metadata: try call.metadata(), forward: call.forward)
                return try .json(Claimed(claimed: true))
            } catch {
                guard error.checks.contains(where: { $0.id == "backup.window_unclaimed" }) else { throw error }
                return try .json(Claimed(claimed: false))
            }
        },
    ]

    struct Recorded: Codable, Sendable {
        var recorded: Bool
        var alreadySo: Bool
    }
    struct Claimed: Codable, Sendable { var claimed: Bool }

    private static func request(_ query: JSONValue) throws(BastionError) -> ArchiveRequest {
        var labels: [String: String] = [:]
        for text in query["label"]?.elements?.compactMap(\.string) ?? [] {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw BastionError(.invalidRequest, "query field \"label\" must be KEY=VALUE") }
            labels[String(parts[0])] = String(parts[1])
        }
        return ArchiveRequest(
            mode: ArchiveRequest.Mode(rawValue: query["mode"]?.string ?? "") ?? .linearizable,
            series: query["series"]?.string ?? "default", labels: labels, previousID: query["previous_id"]?.string,
            previousClusterID: query["previous_cluster_id"]?.string,
            includesConfiguration: query["no_config"] != .bool(true), includesRunbooks: query["no_runbooks"] != .bool(true),
            createdAt: query["created_at"]?.integer)
    }

    private static let archiveAbout = RouteAbout(
        "the cluster state as a backup archive, with its hash and its length in trailers", rows: ["P12"],
        query: [
            ParameterDefinition(
                name: "mode", kind: .choice, help: "linearizable: confirmed by a quorum now; stale: what this node has",
                defaultText: "linearizable", choices: ["linearizable", "stale"]),
            ParameterDefinition(name: "series", kind: .text, help: "archives of one series replace one another", defaultText: "default"),
            ParameterDefinition(name: "label", kind: .textList, help: "KEY=VALUE", example: "change=1234"),
            ParameterDefinition(name: "previous_id", kind: .text, help: "id of the archive before this one"),
            ParameterDefinition(name: "previous_cluster_id", kind: .text, help: "cluster of that archive"),
            ParameterDefinition(name: "no_config", kind: .flag, help: "leave the configuration file out"),
            ParameterDefinition(name: "no_runbooks", kind: .flag, help: "leave the site's runbooks out"),
            ParameterDefinition(name: "created_at", kind: .integer, help: "seconds since 1970 instead of now"),
        ], answers: [.text("the archive, followed by the trailers X-Content-SHA256 and X-Content-Length", "application/gzip")])
    private static let recordAbout = RouteAbout(
        "what became of a backup, for the catalogue of the cluster", rows: ["P14"],
        bodySchema: SchemaReader.schema(of: BackupRecord.self), answers: [.json(200, "recorded", Recorded.self)])
    private static let claimAbout = RouteAbout(
        "claim a window of `backup create --once-per`", rows: ["P13"],
        bodySchema: SchemaReader.schema(of: BackupClaim.self), answers: [.json(200, "whether this is the first claim", Claimed.self)])
}

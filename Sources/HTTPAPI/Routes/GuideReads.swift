import ClusterModel
import Operations

/// The reads of the operations guide (E01, E02, E05, E07 to E11).
enum GuideReads {
    static let routes: [Route] = [
        .get("/raft/state") { call throws(BastionError) in try .json(RaftStatusOutput(await call.gateway.view())) },
        .get("/raft/peers") { call throws(BastionError) in try .json(PeersShape(await call.gateway.view())) },
        .get("/members") { call throws(BastionError) in try .json(PeersShape(await call.gateway.view())) },
        .get("/raft/directives") { call throws(BastionError) in try await directives(call) },
        .get("/directives") { call throws(BastionError) in try await directives(call) },
        .get("/raft/directives/{id}") { call throws(BastionError) in try await directive(call) },
        .get("/health", .probe) { call throws(BastionError) in try await health(call) },
        .get("/cluster") { call throws(BastionError) in try .json(ClusterShape(await call.gateway.view())) },
        .get("/cluster/state") { call throws(BastionError) in try .json(ClusterStateShape(await call.gateway.view())) },
        .get("/cluster/replication") { call throws(BastionError) in
            try .json(ReplicationShape(await call.gateway.view()))
        },
        .get("/cluster/health/history") { call throws(BastionError) in try await healthHistory(call) },
        .get("/nodes") { call throws(BastionError) in try .json(NodesShape(await call.gateway.view())) },
        .get("/history") { call throws(BastionError) in try .json(history(await call.gateway.view())) },
    ]

    private static func directives(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let view = await call.gateway.view()
        return try .json(
            DirectiveListOutput(view, node: call.target.value("node"), status: call.target.value("status")))
    }

    private static func directive(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let id = call.parameters["id"] ?? ""
        guard let found = await call.gateway.view().directives.first(where: { $0.id == id }) else {
            throw BastionError(.notFound, "directive \"\(id.prefix(100))\" is not known")
        }
        return try .json(DirectiveRow(found))
    }

    /// E07: 200 for `ok`, else 503.
    private static func health(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let report = HealthReport(await call.gateway.view())
        return try .json(report, status: report.status == "ok" ? 200 : 503)
    }

    /// E11: default 20, at most 100.
    private static func healthHistory(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        var limit = 20
        if let text = call.target.value("limit") {
            guard let number = Int(text), (1...100).contains(number) else {
                throw BastionError(.invalidRequest, "query field \"limit\" must be a number from 1 to 100")
            }
            limit = number
        }
        return try .json(HealthHistoryOutput(await call.gateway.view(), limit: limit))
    }

    /// X12: `[timeline, lsn, reason, time, new_primary]`, oldest first, as Patroni lists it.
    private static func history(_ view: ClusterView) -> [[HistoryCell]] {
        view.history.sorted { $0.timeline < $1.timeline }.map { entry in
            [
                .number(UInt64(entry.timeline.rawValue)), .number(entry.forkLSN?.rawValue ?? 0), .text(entry.reason),
                .text(entry.at), .text(entry.node.rawValue),
            ]
        }
    }

    private enum HistoryCell: Encodable {
        case number(UInt64)
        case text(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            }
        }
    }
}

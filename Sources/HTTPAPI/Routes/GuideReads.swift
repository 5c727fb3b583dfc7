import ClusterModel
import Operations

/// The reads of the operations guide (E01, E02, E05, E07 to E11).
enum GuideReads {
    static let routes: [Route] = [
        .get("/raft/state", about: .init("Raft as this node sees it", rows: ["E01"], RaftStatusOutput.self)) {
            call throws(BastionError) in try .json(RaftStatusOutput(await call.gateway.view()))
        },
        .get("/raft/peers", about: peersAbout) { call throws(BastionError) in
            try .json(PeersShape(await call.gateway.view()))
        },
        .get("/members", about: peersAbout) { call throws(BastionError) in
            try .json(PeersShape(await call.gateway.view()))
        },
        .get("/raft/directives", about: directivesAbout) { call throws(BastionError) in try await directives(call) },
        .get("/directives", about: directivesAbout) { call throws(BastionError) in try await directives(call) },
        .get("/raft/directives/{id}", about: .init("one order of the leader", rows: ["E05"], DirectiveRow.self)) {
            call throws(BastionError) in try await directive(call)
        },
        .get("/health", .probe, about: healthAbout) { call throws(BastionError) in try await health(call) },
        .get("/cluster", about: .init("routing and members", rows: ["E08", "X13"], ClusterShape.self)) {
            call throws(BastionError) in try .json(ClusterShape(await call.gateway.view()))
        },
        .get("/cluster/state", about: .init("the cluster on one page", rows: ["E09"], ClusterStateShape.self)) {
            call throws(BastionError) in try .json(ClusterStateShape(await call.gateway.view()))
        },
        .get("/cluster/replication", about: .init("lag and slots", rows: ["E10"], ReplicationShape.self)) {
            call throws(BastionError) in try .json(ReplicationShape(await call.gateway.view()))
        },
        .get("/cluster/health/history", about: historyAbout) { call throws(BastionError) in
            try await healthHistory(call)
        },
        .get("/nodes", about: .init("the registered nodes", rows: ["X06"], NodesShape.self)) {
            call throws(BastionError) in try .json(NodesShape(await call.gateway.view()))
        },
        .get("/history", about: timelinesAbout) { call throws(BastionError) in
            try .json(history(await call.gateway.view()))
        },
    ]

    private static let peersAbout = RouteAbout("the members of the Raft group", rows: ["E02", "X05"], PeersShape.self)

    private static let directivesAbout = RouteAbout(
        "the leader's orders to nodes", rows: ["E05", "X05"], query: DirectiveListOperation.definition.parameters,
        DirectiveListOutput.self)

    private static let healthAbout = RouteAbout(
        "whether this node can serve", rows: ["E07"],
        answers: [
            .json(200, "`status` is `ok`", HealthReport.self), .json(503, "any other `status`", HealthReport.self),
        ])

    private static let historyAbout = RouteAbout(
        "the last checks of this node's PostgreSQL, newest first", rows: ["E11"],
        query: [
            ParameterDefinition(
                name: "limit", kind: .integer, help: "how many", defaultText: "20",
                limits: ParameterLimits(minimum: 1, maximum: 100))
        ], HealthHistoryOutput.self)

    private static let timelinesAbout = RouteAbout(
        "changes of timeline, oldest first", rows: ["X12"],
        answers: [
            RouteAbout.Answer(200, "rows of timeline, LSN, reason, time and new primary, as Patroni lists them") {
                let cell = JSONValue.record([("type", .array([.string("integer"), .string("string")]))])
                let row = JSONValue.record([
                    ("type", .string("array")), ("items", cell), ("minItems", .number("5")), ("maxItems", .number("5")),
                ])
                return .record([("type", .string("array")), ("items", row)])
            }
        ])

    private static func directives(_ call: RouteCall) async throws(BastionError) -> APIResponse {
        let view = await call.gateway.view()
        return try .json(
            DirectiveListOutput(view, node: call.query["node"]?.string, status: call.query["status"]?.string))
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
        let limit = call.query["limit"]?.integer ?? 20
        return try .json(HealthHistoryOutput(await call.gateway.view(), limit: Int(limit)))
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

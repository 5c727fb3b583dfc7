import ClusterModel
import Operations

/// Routes about the node that answers (X01 to X04, X11).
enum NodeRoutes {
    static let routes: [Route] = [
        .get("/connections", about: .init("sessions of this node's proxy", rows: ["X01"], ConnectionsShape.self)) {
            call throws(BastionError) in try .json(ConnectionsShape(await call.node.connections()))
        },
        .post("/reload", about: reloadAbout) { call throws(BastionError) in
            _ = try GuideBodies.read(GuideBodies.Nothing.self, call, reloadAbout)
            return try .json(try await call.node.reload())
        },
        .get("/cluster/progress", about: .init("the clone or rewind of this node", rows: ["X03"], ProgressShape.self)) {
            call throws(BastionError) in try .json(ProgressShape(await call.gateway.view()))
        },
        .get("/cluster/config", about: .init("the last check of this node's PostgreSQL", rows: ["X04"], CheckShape.self)) {
            call throws(BastionError) in try .json(CheckShape(await call.gateway.view()))
        },
        .get("/patroni", about: .init("this node's server, as Patroni shows one", rows: ["X11"], PatroniShape.self)) {
            call throws(BastionError) in try .json(PatroniShape(await call.gateway.view()))
        },
        .get("/openapi.json", about: openAPIAbout) { _ throws(BastionError) in
            APIResponse(status: 200, body: OpenAPIDocument.bytes)
        },
    ]

    private static let reloadAbout = RouteAbout(
        "read the configuration file of this node again", rows: ["X02"], body: [],
        answers: [.json(200, "what changed; nothing when the file is invalid", ReloadReport.self)])

    private static let openAPIAbout = RouteAbout(
        "this document", rows: ["X14"],
        answers: [RouteAbout.Answer(200, "OpenAPI 3.1") { .record([("type", .string("object"))]) }])

    /// E17: the one route of the metrics listener; never needs a token.
    static let metrics = Route.get("/metrics", .probe) { call throws(BastionError) in
        let text = await call.node.metricsText()
        return APIResponse(
            status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: Array(text.utf8))
    }
}

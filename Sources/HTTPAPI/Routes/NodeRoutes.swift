import ClusterModel
import Operations

/// Routes about the node that answers (X01 to X04, X11).
enum NodeRoutes {
    static let routes: [Route] = [
        .get("/connections") { call throws(BastionError) in
            try .json(ConnectionsShape(await call.node.connections()))
        },
        .post("/reload") { call throws(BastionError) in
            _ = try GuideBodies.read(GuideBodies.Nothing.self, call, [])
            return try .json(try await call.node.reload())
        },
        .get("/cluster/progress") { call throws(BastionError) in
            try .json(ProgressShape(await call.gateway.view()))
        },
        .get("/cluster/config") { call throws(BastionError) in try .json(CheckShape(await call.gateway.view())) },
        .get("/patroni") { call throws(BastionError) in try .json(PatroniShape(await call.gateway.view())) },
    ]

    /// E17: the one route of the metrics listener; never needs a token.
    static let metrics = Route.get("/metrics", .probe) { call throws(BastionError) in
        let text = await call.node.metricsText()
        return APIResponse(
            status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: Array(text.utf8))
    }
}

import ClusterModel
import Operations

/// The event stream (X08).
enum EventRoutes {
    static let routes: [Route] = [
        .get(
            "/events",
            about: RouteAbout(
                "server-sent events: `cluster_update` on every change and at least every 2 s, with the data of `status`; "
                    + "the request header Last-Event-ID continues", rows: ["X08"],
                answers: [.text("the stream; it goes on until the client closes it", "text/event-stream")])
        ) { call throws(BastionError) in
            var response = APIResponse(status: 200, contentType: "text/event-stream")
            if call.request.method == "GET" {
                response.stream = try await call.node.events.subscribe(after: call.request.header("last-event-id"))
            }
            return response
        }
    ]
}

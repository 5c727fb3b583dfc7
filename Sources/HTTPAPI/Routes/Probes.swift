import ClusterModel
import Operations

/// The probes of load balancers and supervisors (X09, X10): 200 or 503 with Patroni's meaning.
enum Probes {
    static let routes: [Route] =
        probes(["/", "/primary", "/master", "/read-write", "/leader"]) { isPrimary($0) }
        + probes(["/replica"]) { isReplica($0, $1) }
        + probes(["/read-only"]) { isPrimary($0) || isReplica($0, $1) }
        + probes(["/sync", "/synchronous"]) { isReplica($0, $1) && own($0)?.sync == "sync" }
        + probes(["/quorum"]) { isReplica($0, $1) && own($0)?.sync == "quorum" }
        + probes(["/async", "/asynchronous"]) {
            isReplica($0, $1) && !["sync", "quorum"].contains(own($0)?.sync ?? "none")
        }
        + probes(["/readyz", "/readiness"]) { isReady($0, $1) }
        + [live("/livez"), live("/liveness")]

    private static func probes(
        _ paths: [String], _ holds: @escaping @Sendable (ClusterView) throws(BastionError) -> Bool
    ) -> [Route] {
        probes(paths) { (view: ClusterView, _: RequestTarget) throws(BastionError) in try holds(view) }
    }

    private static func probes(
        _ paths: [String], _ holds: @escaping @Sendable (ClusterView, RequestTarget) throws(BastionError) -> Bool
    ) -> [Route] {
        paths.map { path in
            Route(["GET", "HEAD", "OPTIONS"], path, .probe, about: about(path)) { call throws(BastionError) in
                let view = await call.gateway.view()
                let isRight = try holds(view, call.target)
                let isNear = try isWithinLag(view, call.target)
                return try .json(PatroniShape(view), status: isRight && isNear ? 200 : 503)
            }
        }
    }

    private static func live(_ path: String) -> Route {
        let about = RouteAbout(
            "probe: the daemon's loops make progress", rows: ["X10"],
            answers: [.json(200, "they do", LiveShape.self), .json(503, "they do not", LiveShape.self)])
        return Route(["GET", "HEAD", "OPTIONS"], path, .probe, about: about) { call throws(BastionError) in
            let isLive = await call.node.isLive()
            return try .json(LiveShape(status: isLive ? "live" : "stuck"), status: isLive ? 200 : 503)
        }
    }

    struct LiveShape: Codable, Sendable { var status: String }

    private static func about(_ path: String) -> RouteAbout {
        let isReadiness = path.hasPrefix("/read") && path != "/read-only" && path != "/read-write"
        return RouteAbout(
            "probe, with Patroni's meaning", rows: [isReadiness ? "X10" : "X09"],
            query: [
                ParameterDefinition(name: "lag", kind: .size, help: "503 when a replica is further behind", example: "16MiB"),
                ParameterDefinition(
                    name: "replication_state", kind: .text, help: "503 for a replica in another state", example: "streaming"),
            ],
            answers: [.json(200, "it is so", PatroniShape.self), .json(503, "it is not", PatroniShape.self)])
    }

    private static func own(_ view: ClusterView) -> NodeView? { view.node(named: view.node) }

    /// Only while the node holds the lease: its remaining time is known on the holder's node alone.
    private static func isPrimary(_ view: ClusterView) -> Bool {
        guard let primary = view.primary, primary.name == view.node, primary.phase == "serving", !view.splitBrain else {
            return false
        }
        return (primary.leaseRemainingSeconds ?? 0) > 0
    }

    /// A running, undrained replica, with `?replication_state=streaming` one that streams.
    private static func isReplica(_ view: ClusterView, _ target: RequestTarget) -> Bool {
        guard let node = own(view), node.role == .replica, node.standing != "fenced", node.inRotation,
            ["running", "streaming", "catching_up"].contains(node.state)
        else { return false }
        guard let wanted = target.value("replication_state") else { return true }
        return wanted == node.state || (wanted == "streaming" && node.streaming == true)
    }

    /// `?lag=SIZE`: a replica further behind is out; of no known position as well.
    private static func isWithinLag(_ view: ClusterView, _ target: RequestTarget) throws(BastionError) -> Bool {
        guard let text = target.value("lag") else { return true }
        guard let limit = SizeValue(text) else {
            throw BastionError(.invalidRequest, "query field \"lag\" must be a size such as 10MiB")
        }
        guard let node = own(view), node.role == .replica else { return true }
        return node.lagBytes.map { $0 <= limit.bytes } ?? false
    }

    /// X10: lease holder, streaming replica, or a witness with leader contact.
    private static func isReady(_ view: ClusterView, _ target: RequestTarget) -> Bool {
        if isPrimary(view) { return true }
        guard let node = own(view) else { return false }
        if node.kind == .witness { return view.raft.leader != nil && view.staleSeconds == 0 }
        return node.role == .replica && node.streaming == true
    }
}

import ClusterModel
import Operations

/// One route: methods, a template such as `/raft/directives/{id}`, what is said of it, and what answers it.
struct Route: Sendable {
    enum Access: Sendable {
        /// Open, unless `api.protect_reads` is set (Q05).
        case read
        /// Needs a token of at least this role.
        case change(TokenRole)
        /// Always open: load balancers and supervisors carry no token (X09, X10, `/health`).
        case probe
        /// As the operation in the path asks for: its risk decides.
        case operation
    }

    var methods: [String]
    var template: String
    var access: Access
    var about: RouteAbout
    var respond: @Sendable (RouteCall) async throws(BastionError) -> APIResponse

    init(
        _ methods: [String], _ template: String, _ access: Access, about: RouteAbout = RouteAbout(""),
        _ respond: @escaping @Sendable (RouteCall) async throws(BastionError) -> APIResponse
    ) {
        self.methods = methods
        self.template = template
        self.access = access
        self.about = about
        self.respond = respond
    }

    static func get(
        _ template: String, _ access: Access = .read, about: RouteAbout = RouteAbout(""),
        _ respond: @escaping @Sendable (RouteCall) async throws(BastionError) -> APIResponse
    ) -> Route {
        Route(["GET", "HEAD"], template, access, about: about, respond)
    }

    static func post(
        _ template: String, _ role: TokenRole = .operate, about: RouteAbout = RouteAbout(""),
        _ respond: @escaping @Sendable (RouteCall) async throws(BastionError) -> APIResponse
    ) -> Route {
        Route(["POST"], template, .change(role), about: about, respond)
    }

    /// The values of `{…}` in the template; nil when the path is another one.
    func match(_ segments: [String]) -> [String: String]? {
        let parts = template.split(separator: "/")
        guard parts.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (part, segment) in zip(parts, segments) {
            if part.hasPrefix("{") {
                values[String(part.dropFirst().dropLast())] = segment
            } else if part != segment {
                return nil
            }
        }
        return values
    }
}

/// A request that was let in, as a route sees it.
struct RouteCall: Sendable {
    var request: APIRequest
    var target: RequestTarget
    var parameters: [String: String]
    /// The fields of the query that the route knows, checked.
    var query = JSONValue.object([])
    var requestID: RequestID
    var admission: AccessControl.Admission
    var node: APINode

    var gateway: any ClusterGateway { node.gateway }
    var actor: String { admission.actor }
    /// False when the node shall answer itself (Q06).
    var forward: Bool { request.header("x-pgbastion-forward")?.lowercased() != "never" }

    /// Refuses what the token's role does not cover once it is known which fields are given.
    func require(_ definition: OperationDefinition, given: [String], overrides: [String] = []) throws(BastionError) {
        try admission.require(definition.requiredRole(given: given, overrides: overrides))
    }

    /// Q10: the same key within 7 days returns the first outcome.
    func metadata() throws(BastionError) -> RequestMetadata {
        var key: RequestID?
        if let text = request.header("idempotency-key") {
            guard let valid = RequestID(text) else {
                throw BastionError(
                    .invalidRequest, "header Idempotency-Key must be 1 to 128 of the characters A-Z a-z 0-9 . _ -")
            }
            key = valid
        }
        var metadata = RequestMetadata(requestID: requestID, idempotencyKey: key, actor: actor)
        try readRun(into: &metadata)
        return metadata
    }

    /// `X-Run-ID` and `X-Fencing`: on behalf of which run of a runbook, under which lock.
    private func readRun(into metadata: inout RequestMetadata) throws(BastionError) {
        guard let text = request.header("x-run-id") else { return }
        guard let run = RequestID(text) else {
            throw BastionError(.invalidRequest, "header X-Run-ID must be 1 to 128 of the characters A-Z a-z 0-9 . _ -")
        }
        metadata.runID = run.rawValue
        guard let number = request.header("x-fencing") else { return }
        guard let fencing = UInt64(number) else {
            throw BastionError(.invalidRequest, "header X-Fencing must be a whole number")
        }
        metadata.fencing = fencing
    }

    /// `?wait=30s`; nil when absent.
    func waitLimit() throws(BastionError) -> Duration? {
        guard let text = target.value("wait") else { return nil }
        guard let value = DurationValue(text), value.duration <= RouteCall.longestWait else {
            throw BastionError(.invalidRequest, "query field \"wait\" must be a duration of at most 12h, such as 30s")
        }
        return value.duration
    }

    /// Limit: how long a client may have an answer kept back; a clone of a big database takes hours.
    static let longestWait: Duration = .seconds(43_200)

    static let waitField = ParameterDefinition(
        name: "wait", kind: .duration, help: "answer with the outcome, waited for this long", example: "30s",
        limits: ParameterLimits(latest: longestWait))

    func context(waitLimit: Duration?, forward: Bool? = nil, dryRun: Bool = false) throws(BastionError)
        -> OperationContext
    {
        OperationContext(
            gateway: gateway, metadata: try metadata(), waitLimit: waitLimit, dryRun: dryRun,
            forward: forward ?? self.forward)
    }
}

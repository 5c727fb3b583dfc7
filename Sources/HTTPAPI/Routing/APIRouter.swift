import ClusterModel
import Logging
import Operations

/// From a request to its answer, without any I/O of its own: access, route, method, errors.
package struct APIRouter: Sendable {
    private let routes: [Route]
    private let node: APINode
    private let access: AccessControl
    private let logger: Logger
    private let makeRequestID: @Sendable () -> RequestID

    package init(
        node: APINode, access: AccessControl, logger: Logger,
        makeRequestID: @escaping @Sendable () -> RequestID = RequestIDs.random
    ) {
        self.node = node
        self.access = access
        self.logger = logger
        self.makeRequestID = makeRequestID
        routes = RouteTable.all
    }

    /// `GET /raft/state`, ...: what is served, for documentation and tests.
    package var served: [String] { RouteTable.served }

    /// Every request is answered; the answer carries its request id (H05).
    package func respond(to request: APIRequest) async -> APIResponse {
        // H05: what does not match is replaced.
        let requestID = request.header("x-request-id").flatMap { RequestID($0) } ?? makeRequestID()
        let clock = ContinuousClock()
        let start = clock.now
        var (response, template) = await answer(request, requestID)
        response.headers.append((name: "X-Request-ID", value: requestID.rawValue))
        node.recordRequest(request.method, template, response.status, start.duration(to: clock.now).inSeconds)
        return response
    }

    private func answer(_ request: APIRequest, _ requestID: RequestID) async -> (APIResponse, template: String) {
        var template = "unknown"
        var operation: OperationDefinition?
        var allowed: [String] = []
        do throws(BastionError) {
            let target = try RequestTarget(request.target)
            let matches = routes.compactMap { route in route.match(target.segments).map { (route: route, values: $0) } }
            if let first = matches.first { template = first.route.template }
            operation = OperationRoutes.definition(target.segments)
            allowed = matches.flatMap(\.route.methods)
            guard let match = matches.first(where: { $0.route.methods.contains(request.method) }) else {
                throw try await wrongRoute(request, isKnown: !matches.isEmpty)
            }
            let isChange = isChange(match.route.access, request, operation)
            let admission = try await access.admit(
                request, as: need(match.route.access, operation), isChange: isChange)
            let call = RouteCall(
                request: request, target: target, parameters: match.values, query: try query(target, match.route),
                requestID: requestID, admission: admission, node: node)
            if isChange { logChange(match.route, call, operation) }
            return (try await match.route.respond(call), template)
        } catch {
            logRefusal(error, request, requestID)
            return (await refusal(error, request, requestID, operation, allowed), template)
        }
    }

    /// H06: only `/v1` answers with the envelope.
    private func refusal(
        _ error: BastionError, _ request: APIRequest, _ requestID: RequestID, _ operation: OperationDefinition?,
        _ allowed: [String]
    ) async -> APIResponse {
        var response: APIResponse
        if request.target.hasPrefix("/v1/") {
            let kind = operation?.resultKind ?? "ErrorResult"
            response = await OperationRoutes.failure(error, kind: kind, requestID, node: node)
        } else {
            response = APIResponse.failure(error, requestID: requestID.rawValue)
        }
        switch error.code {
        case .methodNotAllowed:
            // A read of the catalogue takes GET; a change only POST, which the route itself cannot know.
            let methods = operation.map { $0.risk == .reads ? allowed : ["POST"] } ?? allowed
            response.headers.append((name: "Allow", value: Set(methods).sorted().joined(separator: ", ")))
        case .rateLimited: response.headers.append((name: "Retry-After", value: "1"))
        case .unauthenticated: response.headers.append((name: "WWW-Authenticate", value: "Bearer"))
        default: break
        }
        return response
    }

    /// The fields of the query that the route knows, checked; a probe forgives what it does not understand of others.
    private func query(_ target: RequestTarget, _ route: Route) throws(BastionError) -> JSONValue {
        guard !route.about.query.isEmpty else { return .object([]) }
        let given = try QueryInput.read(target, route.about.query)
        let fields = OperationDefinition(name: "query", summary: "", parameters: route.about.query)
        return try JSONParser.parse(try InputValidation.check(given.bytes, against: fields))
    }

    private func need(_ access: Route.Access, _ operation: OperationDefinition?) -> AccessControl.Need {
        switch access {
        case .read: return .read
        case .change(let role): return .role(role)
        case .probe: return .probe
        case .operation:
            let role = operation?.requiredRole() ?? .read
            return role == .read ? .read : .role(role)
        }
    }

    private func isChange(_ access: Route.Access, _ request: APIRequest, _ operation: OperationDefinition?) -> Bool {
        switch access {
        case .read, .probe: false
        case .change: true
        case .operation: operation.map { $0.risk != .reads } ?? false
        }
    }

    /// H01: wrong method or unknown route. A wrong token is refused here as well (Q04).
    private func wrongRoute(_ request: APIRequest, isKnown: Bool) async throws(BastionError) -> BastionError {
        _ = try await access.admit(request, as: .probe)
        let path = request.target.prefix { $0 != "?" }.prefix(200)
        guard isKnown else { return BastionError(.notFound, "there is no route \(path)") }
        return BastionError(.methodNotAllowed, "method \(request.method.prefix(20)) is not allowed on \(path)")
    }

    /// L05: the receiving node logs every change with its request id.
    private func logChange(_ route: Route, _ call: RouteCall, _ operation: OperationDefinition?) {
        logger.info(
            "API change requested",
            metadata: [
                "event": "api.change", "request_id": "\(call.requestID)", "actor": "\(call.actor)",
                "operation": "\(operation?.name ?? route.template)",
            ])
    }

    private func logRefusal(_ error: BastionError, _ request: APIRequest, _ requestID: RequestID) {
        guard error.code == .forbidden else { return }
        guard error.detail == nil else {
            logger.warning(
                "API request refused: \(error.message)",
                metadata: [
                    "event": "api.refused_role", "remote": "\(request.peer.text)", "request_id": "\(requestID)",
                ])
            return
        }
        // L04: the phrase the guide greps for; never the token.
        logger.warning(
            "invalid auth token",
            metadata: [
                "event": "api.invalid_token", "remote": "\(request.peer.text)", "request_id": "\(requestID)",
            ])
    }
}

/// H05: 16 hexadecimal digits.
package enum RequestIDs {
    package static func random() -> RequestID {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        let text = String(repeating: "0", count: 16 - digits.count) + digits
        guard let id = RequestID(text) else { preconditionFailure("hexadecimal digits are a request id: \(text)") }
        return id
    }
}

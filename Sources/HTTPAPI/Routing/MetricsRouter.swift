import ClusterModel

/// The metrics listener: one page, no token, no rate limit (E17).
struct MetricsRouter: Sendable {
    let node: APINode

    func respond(to request: APIRequest) async -> APIResponse {
        let id = request.header("x-request-id").flatMap { RequestID($0) } ?? RequestIDs.random()
        var response: APIResponse
        do throws(BastionError) {
            response = try await answer(request, id)
        } catch {
            response = .failure(error, requestID: id.rawValue)
            if error.code == .methodNotAllowed { response.headers.append((name: "Allow", value: "GET, HEAD")) }
        }
        response.headers.append((name: "X-Request-ID", value: id.rawValue))
        return response
    }

    private func answer(_ request: APIRequest, _ id: RequestID) async throws(BastionError) -> APIResponse {
        let route = NodeRoutes.metrics
        let target = try RequestTarget(request.target)
        guard let values = route.match(target.segments) else {
            throw BastionError(.notFound, "there is no route \(request.target.prefix(200)); the page is /metrics")
        }
        guard route.methods.contains(request.method) else {
            throw BastionError(.methodNotAllowed, "method \(request.method.prefix(20)) is not allowed on /metrics")
        }
        return try await route.respond(
            RouteCall(
                request: request, target: target, parameters: values, requestID: id,
                admission: .init(actor: request.peer.text, role: .read), node: node))
    }
}

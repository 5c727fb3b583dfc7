import ClusterModel
import Operations

/// Asks daemons over HTTP: the endpoints in the order given, until one answers.
package struct HTTPOperationInvoker: OperationInvoker {
    private let settings: ClientSettings

    package init(settings: ClientSettings) { self.settings = settings }

    package func invoke(_ call: OperationCall) async throws(BastionError) -> [UInt8] {
        var query: [String] = []
        if let wait = call.waitLimit { query.append("wait=\(DurationValue(wait))") }
        if call.dryRun { query.append("dry_run=true") }
        query += RequestNotes.query(of: call)
        var request = ClientRequest(
            method: "POST",
            path: "/v1/operations/\(call.operation)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")),
            headers: [(name: "X-Request-ID", value: call.requestID.rawValue)], body: call.input)
        if let key = call.idempotencyKey { request.headers.append((name: "Idempotency-Key", value: key.rawValue)) }
        if let run = call.runID { request.headers.append((name: "X-Run-ID", value: run)) }
        if let fencing = call.fencing { request.headers.append((name: "X-Fencing", value: "\(fencing)")) }
        if !call.forward { request.headers.append((name: "X-Pgbastion-Forward", value: "never")) }
        let isRead = Catalogue.operation(named: call.operation)?.definition.risk == .reads
        // The daemon's own "not finished yet" arrives before this side gives up.
        let timeout = max(call.timeout, call.waitLimit.map { $0 + .seconds(5) } ?? .zero)
        let (answer, _) = try await send(
            request, timeout: timeout, mayRepeat: isRead || call.dryRun || call.idempotencyKey != nil)
        return answer.body
    }

    /// A plain read, such as `/metrics` or `/health`.
    package func get(_ path: String, timeout: Duration) async throws(BastionError) -> ClientAnswer {
        try await send(ClientRequest(method: "GET", path: path), timeout: timeout, mayRepeat: true).answer
    }

    /// The first endpoint's answer.
    ///
    /// - Parameter mayRepeat: False: a request that may have arrived is not sent again.
    /// - Throws: `unavailable` listing what was tried, `timeout`, or `unauthenticated` and `forbidden` naming the token's
    ///   source.
    func send(
        _ request: ClientRequest, timeout: Duration, mayRepeat: Bool
    ) async throws(BastionError) -> (answer: ClientAnswer, endpoint: Endpoint) {
        guard !settings.endpoints.isEmpty else {
            throw BastionError(
                .unavailable, "no daemon's address is known", hint: "give one with --addr or in the configuration file")
        }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: timeout)
        var tried: [String] = []
        for endpoint in settings.endpoints {
            do throws(ExchangeFailure) {
                let began = clock.now
                let answer = try await exchange(request, endpoint, deadline: deadline)
                trace(endpoint, "answered \(answer.status) in \(began.duration(to: clock.now).inMilliseconds) ms")
                try refuse(answer, endpoint)
                return (answer, endpoint)
            } catch {
                if let refusal = error.refusal { throw refusal }
                tried.append("\(endpoint): \(error.reason)")
                trace(endpoint, error.reason)
                if error.wasSent, !mayRepeat { throw unknownOutcome(endpoint, error) }
                if error.isDeadline, clock.now >= deadline { throw deadlinePassed(timeout, tried) }
            }
        }
        throw BastionError(
            .unavailable, "no daemon answered", detail: tried.joined(separator: "\n"),
            hint: "is it running? look with `systemctl status pgbastion`, or name another node with --addr")
    }

    private func trace(_ endpoint: Endpoint, _ text: String) { settings.trace?("\(endpoint): \(text)") }

    private func exchange(
        _ request: ClientRequest, _ endpoint: Endpoint, deadline: ContinuousClock.Instant
    ) async throws(ExchangeFailure) -> ClientAnswer {
        var request = request
        let plain = PlainExchange(
            deadline: deadline, connectTimeout: settings.connectTimeout, maximumAnswer: settings.maximumAnswer)
        switch endpoint {
        case .unixSocket:
            // The socket needs no token, so it gets none.
            if let user = settings.sudoUser.flatMap({ RequestID($0) }) {
                request.headers.append((name: "X-Pgbastion-Sudo-User", value: user.rawValue))
            }
            return try await plain.run(request, to: endpoint)
        case .http:
            try authorize(&request)
            return try await plain.run(request, to: endpoint)
        case .https:
            try authorize(&request)
            let tls = TLSExchange(deadline: deadline, settings: settings)
            return try await tls.run(request, to: endpoint)
        }
    }

    private func authorize(_ request: inout ClientRequest) throws(ExchangeFailure) {
        guard let token = settings.token else { return }
        guard let text = String(validating: token.value, as: UTF8.self),
            text.utf8.allSatisfy({ $0 > 0x1F && $0 < 0x7F })
        else {
            throw ExchangeFailure(
                reason: "the token from \(token.source) has characters a header cannot carry", wasSent: false)
        }
        request.headers.append((name: "Authorization", value: "Bearer \(text)"))
    }

    /// Exit 4 names the source of the token, never the token.
    private func refuse(_ answer: ClientAnswer, _ endpoint: Endpoint) throws(ExchangeFailure) {
        guard answer.status == 401 || answer.status == 403 else { return }
        let code: ErrorCode = answer.status == 401 ? .unauthenticated : .forbidden
        let message =
            roleRefusal(answer) ?? settings.token.map { "the token from \($0.source) was rejected" }
            ?? "\(endpoint) asks for a token and none is known"
        let refusal = BastionError(
            code, message, detail: "\(endpoint) answered \(answer.status).",
            hint: "give the token of api.auth_token with --token-file")
        throw ExchangeFailure(reason: message, wasSent: false, refusal: refusal)
    }

    /// A token that is known and may not do this: what the daemon says, and where the token came from.
    private func roleRefusal(_ answer: ClientAnswer) -> String? {
        guard answer.status == 403, let source = settings.token?.source else { return nil }
        do {
            let told = try OperationEnvelope(parsing: answer.body).error?.message
            return told == nil || told == "invalid token" ? nil : told.map { "\($0) (the token from \(source))" }
        } catch {
            return nil
        }
    }

    private func unknownOutcome(_ endpoint: Endpoint, _ failure: ExchangeFailure) -> BastionError {
        BastionError(
            .timeout, "the answer of \(endpoint) was lost: \(failure.reason)",
            detail: "The change may have been accepted; it was not sent again.",
            hint: "look with `pgbastion op list` and `pgbastion status`")
    }

    private func deadlinePassed(_ timeout: Duration, _ tried: [String]) -> BastionError {
        BastionError(
            .timeout, "no answer within \(DurationValue(timeout))", detail: tried.joined(separator: "\n"),
            hint: "give more time with --timeout")
    }
}

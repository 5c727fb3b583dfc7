import ClusterModel

/// One request to a service that is no daemon of ours: no token goes with it.
package enum OutgoingCall {
    /// - Throws: `unavailable` saying what went wrong, never the address.
    package static func send(_ request: ClientRequest, to endpoint: Endpoint, limit: Duration) async throws(BastionError) -> ClientAnswer {
        var settings = ClientSettings(endpoints: [endpoint])
        settings.connectTimeout = limit
        settings.maximumAnswer = 1 << 20
        let deadline = ContinuousClock().now.advanced(by: limit)
        do throws(ExchangeFailure) {
            if case .https = endpoint { return try await TLSExchange(deadline: deadline, settings: settings).run(request, to: endpoint) }
            return try await PlainExchange(
                deadline: deadline, connectTimeout: limit, maximumAnswer: settings.maximumAnswer
            ).run(request, to: endpoint)
        } catch {
            throw BastionError(.unavailable, error.reason)
        }
    }
}

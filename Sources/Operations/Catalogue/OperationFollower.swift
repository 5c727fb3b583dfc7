import ClusterModel

/// Follows a change from its acceptance to its outcome.
enum OperationFollower {
    /// The finished operation; nil when nobody wants to wait.
    ///
    /// - Throws: `timeout` when it still runs after `limit`, `failed` or `incomplete` when it did not succeed.
    static func outcome(of id: String, in context: OperationContext) async throws(BastionError) -> OperationView? {
        guard let limit = context.waitLimit else { return nil }
        let finished = await ViewWatch.first(of: context.gateway, limit: limit) { view in
            view.operation(id: id).flatMap { $0.result == .running ? nil : $0 }
        }
        guard let finished else { throw timeout(id, limit: limit) }
        if let error = finished.failure { throw error }
        return finished
    }

    static func timeout(_ id: String, limit: Duration) -> BastionError {
        BastionError(
            .timeout, "operation \"\(id)\" did not finish within \(DurationValue(limit))",
            detail: "It was accepted and goes on in the cluster.", hint: "run `pgbastion op wait \(id)`",
            operationID: id)
    }
}

extension ClusterView {
    /// The running or finished operation with this id.
    package func operation(id: String) -> OperationView? {
        if let operation, operation.id == id { return operation }
        return recentOperations.first { $0.id == id }
    }

    package func node(named name: NodeName) -> NodeView? { nodes.first { $0.name == name } }
    package func peer(named name: NodeName) -> PeerView? { peers.first { $0.name == name } }
    /// The primary's row in the list of nodes.
    package var primaryNode: NodeView? { primary.flatMap { node(named: $0.name) } }
}

extension OperationView {
    /// What a finished operation is answered with when it did not succeed; nil otherwise.
    var failure: BastionError? {
        switch result {
        case .running, .succeeded: nil
        case .undone:
            BastionError(
                .failed, "\(kind) failed and was undone: \(message)", detail: "The cluster is as it was before.",
                operationID: id)
        case .failed:
            // Past the promotion something has changed for good (exit 7).
            BastionError(
                newTimeline == nil ? .failed : .incomplete, "\(kind) failed: \(message)",
                detail: "It ended in phase \"\(phase)\".", hint: "run `pgbastion op show \(id)`", operationID: id)
        }
    }
}

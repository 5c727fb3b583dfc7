import ClusterModel
import FailoverCore

/// Q10: what became of a request whose sender did not hear the answer.
extension BastionNode {
    /// - Parameter id: Its idempotency key, or its request id.
    /// - Returns: nil when nothing of it was ever applied here.
    package func outcome(of id: RequestID) -> RequestOutcome? {
        let known = state.idempotency.last { $0.requestID == id }?.result
        let operation = operation(begunBy: id)
        switch known {
        case .rejected(let rule, let reason): return RequestOutcome(isApplied: false, message: "\(reason) (\(rule))", operation: operation)
        case .applied: return RequestOutcome(isApplied: true, message: operation?.message ?? "applied", operation: operation)
        case nil: return operation.map { RequestOutcome(isApplied: true, message: $0.message, operation: $0) }
        }
    }

    private func operation(begunBy id: RequestID) -> OperationView? {
        let all = state.finished + [state.operation].compactMap { $0 }
        if let found = all.last(where: { $0.idempotencyKey == id || $0.requestID == id }) { return operationView(found) }
        let directive = state.directives.last { $0.idempotencyKey == id || $0.requestID == id }
        return directive.flatMap(reinitializeView)
    }
}

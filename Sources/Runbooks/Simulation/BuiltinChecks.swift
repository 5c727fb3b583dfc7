import ClusterModel
import Operations

/// The checks an operation itself refuses with, judged on a state document.
package enum BuiltinChecks {
    package static func judge(_ checks: [CheckInvocation], state: JSONValue) -> [JudgedEntry] {
        checks.compactMap { check in
            guard let named = NamedCheck.named(check.check) else { return nil }
            return RunEngine.entry(named.judge(state, check.arguments), id: check.check)
        }
    }

    /// What the operation would be refused with; nil when nothing stands against it.
    static func refusal(_ checks: [CheckInvocation], state: JSONValue, _ request: StepRequest) -> BastionError? {
        let failed = judge(checks, state: state).filter { $0.status == "fail" && !request.overrides.contains($0.id) }
        guard let first = failed.first else { return nil }
        let code: ErrorCode =
            switch first.id {
            case "cluster.has_quorum": .noLeader
            case "no_operation_in_progress": .locked
            default: .preconditionFailed
            }
        return BastionError(
            code, "\(request.invocation.operation) refused: \(first.message)",
            checks: failed.map { FailedCheck(id: $0.id, status: $0.status, path: $0.path, actual: $0.actual, expected: $0.expected) })
    }
}

import ClusterModel

/// `op.cancel`: ends an operation before its point of no return.
package enum OpCancelOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var id: String
    }

    package struct Output: OperationOutput {
        package var operation: OperationRow
        package var alreadySo: Bool
        @Nullable package var plan: OperationPlan?
        package var text: String { plan?.text ?? operation.text }
        package var names: [String] { [operation.id] }
    }

    package static let definition = OperationDefinition(
        name: "op.cancel", summary: "end an operation before its point of no return",
        discussion: """
            A switchover ends with the old primary writable. A failover that waits for proof is given up; unless automatic failover \
            is paused, the leader begins another one by itself while no primary serves.
            """,
        parameters: [
            ParameterDefinition(
                name: "id", kind: .text, help: "id of the operation", isRequired: true, position: 0, example: "op-48231")
        ],
        risk: .disruptive, scope: .leader, checks: ["operation.cancellable"], isIdempotent: false,
        errorCodes: [.preconditionFailed, .notFound, .noLeader, .timeout], examples: ["pgbastion op cancel op-48231 --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let before = try await context.gateway.view().requireOperation(input.id)
        if context.dryRun {
            let isEarly = before.result == .running && !["promote", "settle"].contains(before.phase)
            let check = PlanCheck(
                "operation.cancellable", isEarly,
                or: before.result == .running ? "phase \(before.phase) is past the point of no return" : "it has ended: \(before.message)")
            let plan = try OperationPlan(operation: "cancellation", checks: [check], steps: ["end \(input.id) in phase \(before.phase)"])
            return Output(operation: OperationRow(before), alreadySo: false, plan: plan)
        }
        let reply = try await context.submit(.cancelOperation(id: input.id))
        let ended = await ViewWatch.first(of: context.gateway, limit: context.waitLimit ?? .seconds(2)) { view in
            view.operation(id: input.id).flatMap { $0.result == .running ? nil : $0 }
        }
        if ended == nil, let limit = context.waitLimit { throw OperationFollower.timeout(input.id, limit: limit) }
        return Output(operation: OperationRow(ended ?? before), alreadySo: reply.alreadySo, plan: nil)
    }
}

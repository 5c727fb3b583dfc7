import ClusterModel

/// `op.wait`: waits for an operation and ends as it ended.
package enum OpWaitOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var id: String
    }

    package static let definition = OperationDefinition(
        name: "op.wait", summary: "wait for an operation and return its outcome",
        parameters: [
            ParameterDefinition(
                name: "id", kind: .text, help: "id of the operation", isRequired: true, position: 0, example: "op-48231"
            )
        ],
        errorCodes: [.notFound, .timeout, .failed, .incomplete], examples: ["pgbastion op wait op-48231"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> OperationRow {
        _ = try await context.gateway.view().requireOperation(input.id)
        var waiting = context
        waiting.waitLimit = context.waitLimit ?? .seconds(60)
        guard let finished = try await OperationFollower.outcome(of: input.id, in: waiting) else {
            throw OperationFollower.timeout(input.id, limit: .seconds(60))
        }
        return OperationRow(finished)
    }
}

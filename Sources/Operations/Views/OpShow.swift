import ClusterModel

/// `op.show`: one operation with its phases.
package enum OpShowOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var id: String
    }

    package static let definition = OperationDefinition(
        name: "op.show", summary: "show one operation with its phases",
        parameters: [
            ParameterDefinition(
                name: "id", kind: .text, help: "id of the operation", isRequired: true, position: 0, example: "op-48231"
            )
        ],
        errorCodes: [.notFound], examples: ["pgbastion op show op-48231"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> OperationRow {
        OperationRow(try await context.gateway.view().requireOperation(input.id))
    }
}

import ClusterModel

/// `directive.list`: orders of the leader to single nodes.
package enum DirectiveListOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package var status: String?
    }

    package static let definition = OperationDefinition(
        name: "directive.list", summary: "list the leader's orders to nodes",
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "only orders to this node", example: "node1"),
            ParameterDefinition(name: "status", kind: .text, help: "only orders in this status", example: "pending"),
        ],
        examples: ["pgbastion directive list", "pgbastion directive list --status pending"], aliases: ["directives"])

    package static func perform(
        _ input: Input, in context: OperationContext
    ) async throws(BastionError) -> DirectiveListOutput {
        DirectiveListOutput(await context.gateway.view(), node: input.node?.rawValue, status: input.status)
    }
}

/// The fields of `GET /raft/directives` (E05).
package struct DirectiveListOutput: OperationOutput {
    package var directives: [DirectiveRow]
    package var capturedAt: String

    package init(_ view: ClusterView, node: String?, status: String?) {
        capturedAt = view.capturedAt
        directives = view.directives
            .filter { node == nil || $0.targetNode.rawValue == node }
            .filter { status == nil || $0.status == status }
            .map(DirectiveRow.init)
    }

    package var text: String {
        guard !directives.isEmpty else { return "no directives" }
        var table = TextTable("ID", "TYPE", "NODE", "STATUS", "AGE", "EXPIRES")
        for row in directives {
            let age = Timestamp.seconds(from: row.createdAt, to: capturedAt).map(DecimalText.age) ?? "-"
            table.add(row.id, row.type, row.targetNode.rawValue, row.status, age, row.expiresAt.orDash)
        }
        return table.text
    }
    package var names: [String] { directives.map(\.id) }
}

package struct DirectiveRow: Codable, Sendable, Hashable {
    package var id: String
    package var type: String
    package var targetNode: NodeName
    package var params: [String: String]
    package var status: String
    package var createdAt: String
    @Nullable package var completedAt: String?
    @Nullable package var error: String?
    package var term: UInt64
    @Nullable package var expiresAt: String?

    package init(_ view: DirectiveView) {
        id = view.id
        type = view.type
        targetNode = view.targetNode
        params = view.params
        status = view.status
        createdAt = view.createdAt
        completedAt = view.completedAt
        error = view.error
        term = view.term
        expiresAt = view.expiresAt
    }
}

import ClusterModel

/// `node.show`: one node in full.
package enum NodeShowOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
    }

    package struct Output: OperationOutput {
        package var node: NodeRow
        package var text: String { node.detailText }
        package var names: [String] { [node.name] }
    }

    package static let definition = OperationDefinition(
        name: "node.show", summary: "show everything known of one node",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node; default is the one that answers", position: 0,
                example: "node2")
        ],
        errorCodes: [.notFound], examples: ["pgbastion node show node2"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let name = input.node ?? view.node
        if let row = NodeRow.all(in: view).first(where: { $0.name == name.rawValue }) { return Output(node: row) }
        _ = try view.requireNode(name)
        throw BastionError(.notFound, "node \"\(name)\" is not known")
    }
}

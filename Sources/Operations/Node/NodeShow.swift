import ClusterModel

/// `node.show`: one node in full.
package enum NodeShowOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
    }

    package struct Output: OperationOutput {
        package var node: NodeRow
        /// Every reason that would keep it from being promoted now, each with its rule.
        package var promotableReasons: [String]
        package var drained: Bool
        package var pendingRestartSettings: [String]
        package var slots: [ReplicationOutput.Slot]
        package var text: String {
            var lines = [node.detailText]
            func add(_ name: String, _ values: [String]) {
                if !values.isEmpty { lines.append("\(name): \(values.joined(separator: "; "))") }
            }
            if drained { lines.append("drained: out of rotation until `pgbastion node undrain \(node.name)`") }
            add("not promotable", promotableReasons)
            add("restart needed for", pendingRestartSettings)
            add("slots", slots.map { "\($0.name) (\($0.type), \($0.active ? "active" : "inactive"))" })
            return lines.joined(separator: "\n")
        }
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
        if let row = NodeRow.all(in: view).first(where: { $0.name == name.rawValue }) {
            let node = view.node(named: name)
            return Output(
                node: row, promotableReasons: node?.promotableReasons ?? [], drained: node?.drained ?? false,
                pendingRestartSettings: node?.pendingRestartSettings ?? [], slots: view.slots.filter { $0.node == name })
        }
        _ = try view.requireNode(name)
        throw BastionError(.notFound, "node \"\(name)\" is not known")
    }
}

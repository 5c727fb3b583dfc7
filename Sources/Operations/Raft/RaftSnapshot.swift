import ClusterModel

/// `raft.snapshot`: the applied state is written to a snapshot file now.
package enum RaftSnapshotOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package struct Node: Codable, Sendable {
            package var name: NodeName
            package var term: UInt64
            package var index: UInt64
        }
        package var nodes: [Node]
        @Nullable package var plan: OperationPlan?
        package var text: String {
            if let plan { return plan.text }
            var table = TextTable("NODE", "TERM", "INDEX")
            for node in nodes { table.add(node.name.rawValue, "\(node.term)", "\(node.index)") }
            return table.text
        }
        package var names: [String] { nodes.map(\.name.rawValue) }
    }

    package static let definition = OperationDefinition(
        name: "raft.snapshot", summary: "write a snapshot of the cluster state now",
        discussion: "On the node that receives the request.", risk: .reversible, scope: .thisNode,
        errorCodes: [.io, .busy], examples: ["pgbastion raft snapshot"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        if context.dryRun {
            let plan = try OperationPlan(
                operation: "snapshot", checks: [], steps: ["write a snapshot at index \(view.raft.appliedIndex)"])
            return Output(nodes: [], plan: plan)
        }
        _ = try await context.submit(.snapshot)
        let after = await context.gateway.view()
        return Output(
            nodes: [.init(name: after.node, term: after.raft.term, index: after.raft.appliedIndex)], plan: nil)
    }
}

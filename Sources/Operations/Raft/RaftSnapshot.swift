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
        /// Members that do not answer, and why.
        package var failed: [Failure]
        @Nullable package var plan: OperationPlan?
        package struct Failure: Codable, Sendable {
            package var name: NodeName
            package var reason: String
        }
        package var warnings: [String] { failed.map { "no snapshot on \($0.name): \($0.reason)" } }
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
        discussion: "On every member that answers.", risk: .reversible, scope: .anyNode,
        errorCodes: [.io, .unavailable], examples: ["pgbastion raft snapshot"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let names = view.nodes.map(\.name)
        if context.dryRun {
            let plan = try OperationPlan(
                operation: "snapshot", checks: [],
                steps: names.map { "write a snapshot on \($0) at index \(view.raft.appliedIndex) or later" })
            return Output(nodes: [], failed: [], plan: plan)
        }
        var nodes: [Output.Node] = []
        var failed: [Output.Failure] = []
        for (node, answer) in await context.askAll(names, .inspect(.snapshot), limit: .seconds(20)) {
            switch answer {
            case .success(.inspected(.snapshot(let term, let index))): nodes.append(.init(name: node, term: term, index: index))
            case .success: failed.append(.init(name: node, reason: "its release cannot"))
            case .failure(let error): failed.append(.init(name: node, reason: error.message))
            }
        }
        if nodes.isEmpty, let first = failed.first {
            throw BastionError(.unavailable, "no member wrote a snapshot", detail: "\(first.name): \(first.reason)")
        }
        return Output(nodes: nodes, failed: failed, plan: nil)
    }
}

import ClusterModel

/// `topology`: who streams from whom.
package enum TopologyOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package struct Node: Codable, Sendable {
            package var name: NodeName
            /// null for the primary, a witness, and a node that streams from nobody.
            @Nullable package var upstream: NodeName?
            @Nullable package var upstreamReason: String?
            package var role: NodeRole
            package var state: String
            package var sync: String
            @Nullable package var streaming: Bool?
            @Nullable package var lagBytes: UInt64?
            @Nullable package var timeline: TimelineID?
            package var address: String
        }
        package var nodes: [Node]
        package var names: [String] { nodes.map(\.name.rawValue) }

        package var text: String {
            var table = TextTable("NODE", "ROLE", "STATE", "SYNC", "LAG", "TL", "ADDRESS")
            let known = Set(nodes.map(\.name))
            for root in nodes where root.upstream.map({ !known.contains($0) }) ?? true {
                add(root, prefix: "", branch: "", to: &table, seen: [])
            }
            return table.text
        }

        private func add(_ node: Node, prefix: String, branch: String, to table: inout TextTable, seen: Set<NodeName>) {
            table.add(
                prefix + branch + node.name.rawValue, node.role.rawValue, node.state, node.sync,
                node.lagBytes.map { SizeValue(bytes: $0).description } ?? "-", node.timeline.orDash, node.address)
            guard !seen.contains(node.name) else { return }
            let below = nodes.filter { $0.upstream == node.name }
            let deeper = branch.isEmpty ? "" : prefix + (branch == "└─ " ? "   " : "│  ")
            for (position, child) in below.enumerated() {
                let isLast = position == below.count - 1
                add(child, prefix: deeper, branch: isLast ? "└─ " : "├─ ", to: &table, seen: seen.union([node.name]))
            }
        }
    }

    package static let definition = OperationDefinition(
        name: "topology", summary: "show the replication tree",
        examples: ["pgbastion topology", "pgbastion topology -o json"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let ordered = view.nodes.filter { $0.role == .primary } + view.nodes.filter { $0.role != .primary }
        return Output(
            nodes: ordered.map { node in
                Output.Node(
                    name: node.name, upstream: node.upstream, upstreamReason: reason(node), role: node.role, state: node.state,
                    sync: node.sync, streaming: node.streaming, lagBytes: node.lagBytes, timeline: node.timeline,
                    address: node.kind == .data ? node.backendAddress : node.host)
            })
    }

    private static func reason(_ node: NodeView) -> String? {
        guard node.upstream == nil else { return nil }
        switch node.role {
        case .primary: return "this is the primary"
        case .witness: return "a witness has no data"
        case .replica, .unknown: return "it does not stream now (\(node.state))"
        }
    }
}

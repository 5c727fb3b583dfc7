import ClusterModel

/// `routes`: where client sessions go now, and why a node is left out.
package enum RoutesOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package struct Backend: Codable, Sendable {
            package var name: NodeName
            package var address: String
            package var role: NodeRole
            package var inRotation: Bool
            @Nullable package var reason: String?
            @Nullable package var lagBytes: UInt64?
        }
        @Nullable package var primary: Backend?
        @Nullable package var primaryReason: String?
        package var replicas: [Backend]
        package var splitBrain: Bool

        package var text: String {
            var table = TextTable("PORT", "NODE", "ADDRESS", "IN", "LAG", "REASON")
            if let primary {
                table.add(cells("primary", primary))
            } else {
                table.add("primary", "-", "-", "no", "-", primaryReason.orDash)
            }
            for replica in replicas { table.add(cells("replica", replica)) }
            return (splitBrain ? "SPLIT BRAIN: nothing is routed to the primary port\n" : "") + table.text
        }

        private func cells(_ port: String, _ backend: Backend) -> [String] {
            [
                port, backend.name.rawValue, backend.address, backend.inRotation ? "yes" : "no",
                backend.lagBytes.map { SizeValue(bytes: $0).description } ?? "-", backend.reason ?? "",
            ]
        }
        package var names: [String] { (primary.map { [$0.name.rawValue] } ?? []) + replicas.map(\.name.rawValue) }
    }

    package static let definition = OperationDefinition(
        name: "routes", summary: "show the backend of each proxy port, and why a node is out",
        examples: ["pgbastion routes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let backends = view.nodes.filter { $0.kind == .data }.map { node in
            Output.Backend(
                name: node.name, address: node.backendAddress, role: node.role,
                inRotation: node.role == .primary ? view.routedPrimary == node.name : node.inRotation,
                reason: node.rotationReason, lagBytes: node.lagBytes)
        }
        let primary = view.routedPrimary
        return Output(
            primary: backends.first { $0.name == primary },
            primaryReason: primary == nil ? view.primaryReason : nil,
            replicas: backends.filter { $0.name != primary }, splitBrain: view.splitBrain)
    }
}

extension NodeView {
    /// `host:port` of PostgreSQL, as clients of other products write it.
    package var backendAddress: String { host.contains(":") ? "[\(host)]:\(postgresPort)" : "\(host):\(postgresPort)" }
}

extension ClusterView {
    /// The node to which the primary port leads; nil while nobody serves or two claim to (P23).
    package var routedPrimary: NodeName? {
        guard let primary, primary.phase == "serving", !splitBrain, node(named: primary.name) != nil else { return nil }
        return primary.name
    }

    /// Why `routedPrimary` is nil.
    package var primaryReason: String {
        if splitBrain { return "two writable servers were seen" }
        guard let primary else { return "no node is assigned as primary" }
        return "the appointment of \(primary.name) is \(primary.phase)"
    }
}

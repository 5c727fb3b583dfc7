import ClusterModel

/// `connections`: client sessions through the proxies.
package enum ConnectionsOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
    }

    package struct Output: OperationOutput {
        package struct Row: Codable, Sendable {
            /// The node whose proxy carries them.
            package var proxy: NodeName
            package var backend: NodeName
            /// `primary replica`
            package var portType: String
            package var active: Int
        }
        package struct Backend: Codable, Sendable {
            package var backend: NodeName
            package var portType: String
            package var active: Int
        }
        package var active: Int
        package var byBackend: [Backend]
        package var byProxy: [Row]
        package var unreachable: [NodeName]

        package var warnings: [String] { unreachable.map { "\($0) does not answer; its sessions are not counted" } }
        package var names: [String] { byBackend.map { "\($0.backend)/\($0.portType)" } }
        package var text: String {
            var table = TextTable("BACKEND", "PORT", "ACTIVE")
            for row in byBackend { table.add(row.backend.rawValue, row.portType, "\(row.active)") }
            return "\(active) sessions" + (byBackend.isEmpty ? "" : "\n" + table.text)
        }
        package var wideText: String {
            var table = TextTable("PROXY", "BACKEND", "PORT", "ACTIVE")
            for row in byProxy { table.add(row.proxy.rawValue, row.backend.rawValue, row.portType, "\(row.active)") }
            return "\(active) sessions" + (byProxy.isEmpty ? "" : "\n" + table.text)
        }
    }

    package static let definition = OperationDefinition(
        name: "connections", summary: "count client sessions per backend and port",
        discussion: "Over the proxies of all nodes that answer; wide output has one row per proxy.",
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "only the proxy of this node", example: "node2")
        ],
        errorCodes: [.notFound], examples: ["pgbastion connections", "pgbastion connections -o wide"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        var asked = view.nodes.map(\.name)
        if let node = input.node { asked = [try view.requireNode(node).name] }
        var rows: [Output.Row] = []
        var unreachable: [NodeName] = []
        for (node, answer) in await context.askAll(asked, .connections) {
            guard case .success(.connections(let sessions)) = answer else {
                unreachable.append(node)
                continue
            }
            rows += sessions.map { Output.Row(proxy: node, backend: $0.backend, portType: $0.portType, active: $0.active) }
        }
        rows = rows.filter { $0.active > 0 }
        var sums: [[String]: Int] = [:]
        for row in rows { sums[[row.backend.rawValue, row.portType], default: 0] += row.active }
        let backends = sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }.compactMap { key, active in
            NodeName(key[0]).map { Output.Backend(backend: $0, portType: key[1], active: active) }
        }
        return Output(
            active: rows.reduce(0) { $0 + $1.active }, byBackend: backends, byProxy: rows, unreachable: unreachable)
    }
}

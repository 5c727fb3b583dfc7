import ClusterModel

/// One key and the values it has on the nodes.
package struct ConfigurationDifference: Codable, Sendable, Hashable {
    package struct Value: Codable, Sendable, Hashable {
        package var node: NodeName
        /// nil: the node gives the key no value.
        @Nullable package var value: String?
    }
    package var key: String
    /// Whether all nodes should agree on it.
    package var clusterWide: Bool
    package var values: [Value]

    package var agrees: Bool { Set(values.map { $0.value ?? "" }).count <= 1 }
    package var text: String {
        "\(key): " + values.map { "\($0.node) \($0.value ?? "(none)")" }.joined(separator: ", ")
    }

    /// Never compared: each node has its own by nature.
    private static let ownKeys: Set<String> = ["node.name", "node.address", "raft.bootstrap", "api.auth_token", "cluster.peers"]

    /// Every key on which the nodes do not agree, sorted. A witness has no `postgresql.*` and is not held against the others.
    package static func find(in nodes: [(NodeName, ConfigurationFacts)]) -> [ConfigurationDifference] {
        let shared = Set(nodes.flatMap { $0.1.clusterWide.map(\.key) })
        let keys = Set(nodes.flatMap { $0.1.values.map(\.key) }).subtracting(ownKeys).sorted()
        return keys.compactMap { key in
            let relevant = nodes.filter { !key.hasPrefix("postgresql.") || $0.1.values.contains { $0.key.hasPrefix("postgresql.") } }
            let values = relevant.map { Value(node: $0.0, value: $0.1[key]) }
            let difference = ConfigurationDifference(key: key, clusterWide: shared.contains(key), values: values)
            return difference.agrees ? nil : difference
        }
    }
}

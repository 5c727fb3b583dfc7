import ClusterModel

/// `version`: what runs here, or on every node.
package enum VersionOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var cluster: Bool?
    }

    package static let definition = OperationDefinition(
        name: "version", summary: "print the version of this binary, or of every node",
        discussion: "Without --cluster it needs neither configuration nor daemon.",
        parameters: [
            ParameterDefinition(
                name: "cluster", kind: .flag, help: "a table of all nodes; exit 2 when one is unreachable")
        ],
        examples: ["pgbastion version", "pgbastion version --cluster"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError)
        -> VersionOutput
    {
        guard input.cluster == true else { return VersionOutput.local }
        var output = VersionOutput.local
        output.nodes = NodeRow.all(in: await context.gateway.view()).map { row in
            VersionOutput.Node(
                name: row.name, version: row.version, postgresVersion: row.postgresVersion, reachable: row.reachable)
        }
        return output
    }
}

package struct VersionOutput: OperationOutput {
    package struct Node: Codable, Sendable {
        package var name: String
        @Nullable package var version: String?
        @Nullable package var postgresVersion: Int?
        package var reachable: Bool
    }

    package var version: String
    package var commit: String
    package var built: String
    package var configVersion: Int
    package var stateSchema: BuildInformation.SchemaRange
    package var `protocol`: BuildInformation.ProtocolRange
    /// Left out without `--cluster`.
    package var nodes: [Node]?

    /// Of this binary.
    package static let local = VersionOutput(
        version: BuildInformation.version, commit: BuildInformation.commit, built: BuildInformation.built,
        configVersion: BuildInformation.configurationVersion, stateSchema: BuildInformation.stateSchema,
        protocol: BuildInformation.protocolRange, nodes: nil)

    package var text: String {
        guard let nodes else { return "pgbastion \(version) (commit \(commit), built \(built))" }
        var table = TextTable("NODE", "VERSION", "PG")
        for node in nodes {
            table.add(node.name, node.reachable ? node.version.orDash : "unreachable", node.postgresVersion.orDash)
        }
        return table.text
    }
    package var names: [String] { nodes?.map(\.name) ?? [version] }
    package var exitStatus: Int32 { nodes?.contains { !$0.reachable } == true ? 2 : 0 }
}

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
        let view = await context.gateway.view()
        var output = VersionOutput.local
        var releases: [String: (version: String, commit: String)] = [:]
        for (node, answer) in await context.askAll(view.nodes.map(\.name), .inspect(.release)) {
            if case .success(.inspected(.release(let version, let commit))) = answer { releases[node.rawValue] = (version, commit) }
        }
        output.nodes = NodeRow.all(in: view).map { row in
            let release = releases[row.name]
            return VersionOutput.Node(
                name: row.name, version: release?.version ?? row.version, commit: release?.commit,
                postgresVersion: row.postgresVersion, reachable: release != nil && row.reachable)
        }
        return output
    }
}

package struct VersionOutput: OperationOutput {
    package struct Node: Codable, Sendable {
        package var name: String
        @Nullable package var version: String?
        @Nullable package var commit: String?
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
        var table = TextTable("NODE", "VERSION", "COMMIT", "PG")
        for node in nodes {
            table.add(
                node.name, node.reachable ? node.version.orDash : "unreachable", node.commit.orDash,
                node.postgresVersion.map(VersionOutput.postgresText) ?? "-")
        }
        return table.text
    }
    /// `16.4` of 160004.
    private static func postgresText(_ number: Int) -> String { "\(number / 10_000).\(number % 10_000)" }
    package var names: [String] { nodes?.map(\.name) ?? [version] }
    package var exitStatus: Int32 { nodes?.contains { !$0.reachable } == true ? 2 : 0 }
}

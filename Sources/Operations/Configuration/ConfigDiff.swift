import ClusterModel

/// `config diff`: the configuration in effect on every node, compared.
package enum ConfigDiffOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var all: Bool?
    }

    package struct Setting: Codable, Sendable {
        package var key: String
        package var value: String
    }

    package struct Output: OperationOutput {
        package struct Silent: Codable, Sendable {
            package var node: NodeName
            package var message: String
        }
        /// Keys that concern the whole cluster and differ; with `all` every key that differs.
        package var differences: [ConfigurationDifference]
        package var nodes: [NodeName]
        package var unreachable: [Silent]
        /// The cluster-wide values of the answering node: what a new node starts from (`config init --join`).
        package var cluster: [Setting]

        package var text: String {
            var lines: [String] = []
            if differences.isEmpty {
                lines.append("no difference among \(nodes.map(\.rawValue).joined(separator: ", "))")
            } else {
                var table = TextTable("KEY", "SCOPE", "NODE", "VALUE")
                for difference in differences {
                    for value in difference.values {
                        table.add(difference.key, difference.clusterWide ? "cluster" : "node", value.node.rawValue, value.value.orDash)
                    }
                }
                lines.append(table.text)
            }
            return (lines + unreachable.map { "\($0.node) was not compared: \($0.message)" }).joined(separator: "\n")
        }
        package var names: [String] { differences.map(\.key) }
        package var warnings: [String] { unreachable.map { "\($0.node) was not compared: \($0.message)" } }
        package var exitStatus: Int32 { differences.contains(where: \.clusterWide) || !unreachable.isEmpty ? 2 : 0 }
    }

    package static let definition = OperationDefinition(
        name: "config.diff", summary: "compare the configuration in effect on all nodes",
        discussion: """
            Keys that concern the whole cluster and differ are findings (exit 2), as is a node that does not answer. Secrets \
            are not compared.
            """,
        parameters: [
            ParameterDefinition(name: "all", kind: .flag, help: "also keys that are each node's own: paths, ports, addresses")
        ],
        examples: ["pgbastion config diff", "pgbastion config diff --all -o json"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let members = await context.gateway.view()
        let answers = await DiagnosisRequest(topics: [], of: members.memberNames).ask(in: context)
        let known = answers.compactMap { node, answer -> (NodeName, ConfigurationFacts)? in
            if case .success(let diagnosis) = answer { (node, diagnosis.configuration) } else { nil }
        }
        let silent = answers.compactMap { node, answer -> Output.Silent? in
            if case .failure(let error) = answer { Output.Silent(node: node, message: error.message) } else { nil }
        }
        let own = known.first { $0.0 == members.node }?.1
        let differences = ConfigurationDifference.find(in: known).filter { $0.clusterWide || input.all == true }
        return Output(
            differences: differences, nodes: known.map(\.0), unreachable: silent,
            cluster: (own?.clusterWide ?? []).map { Setting(key: $0.key, value: $0.value) })
    }
}

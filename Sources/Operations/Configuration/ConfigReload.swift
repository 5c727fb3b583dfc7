import ClusterModel

/// `config reload`: the daemon reads its configuration file again, as on SIGHUP.
package enum ConfigReloadOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package var all: Bool?
    }

    package struct Output: OperationOutput {
        package struct Node: Codable, Sendable {
            package var node: NodeName
            package var applied: [String]
            package var needsRestart: [String]
            @Nullable package var error: String?
        }
        /// Keys that differ from before and hold now, on any of the nodes.
        package var applied: [String]
        package var needsRestart: [String]
        package var nodes: [Node]

        /// Only with `--dry-run`.
        package var plan: OperationPlan?

        package var text: String {
            if let plan { return plan.text }
            return nodes.map { node in
                if let error = node.error { return "\(node.node): not reloaded: \(error)" }
                var lines = [
                    "\(node.node): " + (node.applied.isEmpty ? "nothing to apply" : "applied \(node.applied.joined(separator: ", "))")
                ]
                if !node.needsRestart.isEmpty { lines.append("  needs a restart: \(node.needsRestart.joined(separator: ", "))") }
                return lines.joined(separator: "\n")
            }.joined(separator: "\n")
        }
        package var names: [String] { applied }
        package var exitStatus: Int32 { nodes.contains { $0.error != nil } ? ErrorCode.incomplete.exitStatus : 0 }
    }

    package static let definition = OperationDefinition(
        name: "config.reload", summary: "read the configuration file again",
        discussion: """
            As SIGHUP: applies log.*, api.auth_token, certificates, failover.*, postgresql.health_* and backup.*, and lists what \
            waits for a restart. An invalid file leaves everything as it was. Without a node it is the one that answers.
            """,
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "the node", position: 0, example: "node2"),
            ParameterDefinition(name: "all", kind: .flag, help: "every node"),
        ],
        risk: .reversible, errorCodes: [.invalidConfiguration, .notFound, .incomplete],
        examples: ["pgbastion config reload", "pgbastion config reload node2", "pgbastion config reload --all"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        guard input.node == nil || input.all != true else { throw BastionError(.usage, "a node and --all exclude each other") }
        let view = await context.gateway.view()
        let wanted = input.all == true ? view.memberNames : [input.node ?? view.node]
        if context.dryRun {
            var planned = output([])
            planned.plan = try OperationPlan(
                operation: "config reload", checks: [], steps: wanted.map { "read the configuration file of \"\($0)\" again" })
            return planned
        }
        var nodes: [Output.Node] = []
        for (node, answer) in await context.askAll(wanted, .reload, limit: .seconds(10)) {
            switch answer {
            case .success(.reloaded(let report)):
                nodes.append(Output.Node(node: node, applied: report.applied, needsRestart: report.needsRestart, error: nil))
            case .success: throw NodeReply.mismatch(.reload)
            case .failure(let error):
                // The only node asked: its own error, with the places in the file.
                guard wanted.count > 1 else { throw error }
                nodes.append(Output.Node(node: node, applied: [], needsRestart: [], error: error.message))
            }
        }
        return output(nodes)
    }

    private static func output(_ nodes: [Output.Node]) -> Output {
        Output(
            applied: Set(nodes.flatMap(\.applied)).sorted(), needsRestart: Set(nodes.flatMap(\.needsRestart)).sorted(), nodes: nodes)
    }
}

extension ClusterView {
    /// Every registered node; the answering one when it knows of none yet.
    package var memberNames: [NodeName] { nodes.isEmpty ? [node] : nodes.map(\.name) }
}

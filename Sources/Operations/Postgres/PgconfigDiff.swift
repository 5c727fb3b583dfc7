import ClusterModel

/// `pgconfig.diff`: where a running server differs from the managed settings.
package enum PgconfigDiffOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package struct Difference: Codable, Sendable {
            package var node: NodeName
            package var setting: String
            package var wanted: String
            @Nullable package var actual: String?
            package var reason: String
        }
        package var differences: [Difference]
        package var unreachable: [NodeName]
        package var warnings: [String] { unreachable.map { "\($0) does not answer" } }
        package var names: [String] { differences.map { "\($0.node)/\($0.setting)" } }
        package var text: String {
            guard !differences.isEmpty else { return "every server that answers runs with the managed settings" }
            var table = TextTable("NODE", "SETTING", "WANTED", "RUNNING", "WHY")
            for row in differences { table.add(row.node.rawValue, row.setting, row.wanted, row.actual ?? "-", row.reason) }
            return table.text
        }
    }

    package static let definition = OperationDefinition(
        name: "pgconfig.diff", summary: "compare the managed settings with every running server",
        examples: ["pgbastion pgconfig diff"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let wanted = view.postgresParameters?.values ?? [:]
        let nodes = view.nodes.filter { $0.kind == .data }.map(\.name)
        guard !wanted.isEmpty else { return Output(differences: [], unreachable: []) }
        var output = Output(differences: [], unreachable: [])
        for (node, answer) in await context.askAll(nodes, .inspect(.settings(wanted.keys.sorted()))) {
            guard case .success(.inspected(.settings(let facts))) = answer else {
                output.unreachable.append(node)
                continue
            }
            for (name, value) in wanted.sorted(by: { $0.key < $1.key }) {
                let fact = facts.first { $0.name == name }
                guard let reason = reason(name, value, fact) else { continue }
                output.differences.append(.init(node: node, setting: name, wanted: value, actual: fact?.value, reason: reason))
            }
        }
        return output
    }

    /// nil: as wanted. PostgreSQL prints values in its own units, so what the file says is compared.
    private static func reason(_ name: String, _ wanted: String, _ fact: SettingFacts?) -> String? {
        guard let fact else { return "this server does not know the setting" }
        if PostgresParameterRules.commandLine.contains(name) { return fact.value == wanted ? nil : "needs a restart" }
        if fact.pendingRestart { return "needs a restart" }
        if fact.fileValue == wanted || fact.value == wanted { return nil }
        return fact.fileValue == nil ? "the settings file was not read yet" : "another file overrides it"
    }
}

/// `pgconfig.pending-restart`: which server needs a restart for what.
package enum PgconfigPendingRestartOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package var pending: [PgconfigOutput.Pending]
        package var names: [String] { Set(pending.map(\.node.rawValue)).sorted() }
        package var text: String {
            guard !pending.isEmpty else { return "no server needs a restart" }
            var table = TextTable("NODE", "SETTING", "RESTART AFTER")
            for row in pending { table.add(row.node.rawValue, row.setting, row.restartAfter ?? "-") }
            return table.text
        }
    }

    package static let definition = OperationDefinition(
        name: "pgconfig.pending-restart", summary: "list settings that wait for a restart of a server",
        examples: ["pgbastion pgconfig pending-restart"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        Output(pending: await context.gateway.view().pendingRestarts)
    }
}

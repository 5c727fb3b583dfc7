import ClusterModel

/// Managed settings of PostgreSQL and what still waits for a restart (X07).
package struct PgconfigOutput: OperationOutput {
    package struct Pending: Codable, Sendable, Hashable {
        package var node: NodeName
        package var setting: String
        /// What must be restarted before, when the order matters (D58).
        @Nullable package var restartAfter: String?
    }
    package var parameters: [String: String]
    /// Counts the changes; 0: nothing was ever set.
    package var version: UInt64
    @Nullable package var updatedAt: String? = nil
    @Nullable package var updatedBy: String? = nil
    package var pendingRestart: [Pending]
    /// Node -> the version its server has taken; unknown nodes are left out.
    package var applied: [String: UInt64]
    package var changed: Bool
    package var notes: [String]
    @Nullable package var plan: OperationPlan? = nil

    package init(_ view: ClusterView, only names: [String] = [], changed: Bool = false) {
        let record = view.postgresParameters
        parameters = (record?.values ?? [:]).filter { names.isEmpty || names.contains($0.key) }
        version = record?.version ?? 0
        updatedAt = record?.updatedAt
        updatedBy = record?.updatedBy
        pendingRestart = view.pendingRestarts.filter { names.isEmpty || names.contains($0.setting) }
        var applied: [String: UInt64] = [:]
        for node in view.nodes { if let version = node.parametersVersion { applied[node.name.rawValue] = version } }
        self.applied = applied
        self.changed = changed
        notes = []
    }

    package var warnings: [String] { notes }
    package var names: [String] { parameters.keys.sorted() }
    package var text: String {
        if let plan { return plan.text }
        var lines: [String] = []
        if parameters.isEmpty {
            lines.append(version == 0 ? "no settings are managed" : "no such settings are managed (version \(version))")
        } else {
            var table = TextTable("SETTING", "VALUE")
            for (name, value) in parameters.sorted(by: { $0.key < $1.key }) { table.add(name, value) }
            lines.append(table.text)
            lines.append("version \(version), by \(updatedBy ?? "-") at \(updatedAt ?? "-")")
        }
        for row in pendingRestart {
            lines.append("\(row.node) needs a restart for \(row.setting)\(row.restartAfter.map { ", after \($0)" } ?? "")")
        }
        return lines.joined(separator: "\n")
    }
}

extension ClusterView {
    /// Every setting that waits for a restart of a server, with the order of D58.
    package var pendingRestarts: [PgconfigOutput.Pending] {
        nodes.flatMap { node in
            node.pendingRestartSettings.map { setting in
                PgconfigOutput.Pending(node: node.name, setting: setting, restartAfter: mustFollow(node, setting))
            }
        }
    }

    /// Raised: replicas first. Lowered: the primary first.
    private func mustFollow(_ node: NodeView, _ setting: String) -> String? {
        guard PostgresParameterRules.replicaMinimum.contains(setting), let primary,
            let wanted = postgresParameters?.values[setting].flatMap({ Int($0) }),
            let running = primaryNode?.commandLineValues[setting]
        else { return nil }
        if wanted > running, node.name == primary.name {
            let replicas = nodes.filter { $0.name != primary.name && $0.pendingRestartSettings.contains(setting) }
            return replicas.isEmpty ? nil : replicas.map(\.name.rawValue).joined(separator: ", ")
        }
        return wanted < running && node.name != primary.name ? primary.name.rawValue : nil
    }
}

import ClusterModel

/// The managed settings of the cluster, as this node's server gets them.
extension NodeAgent {
    /// nil while it is not known what the server's file contains.
    func parametersVersion(_ c: AgentContext) -> UInt64? {
        guard let applied = memory.applied, applied.parameters == parameters(c) else { return nil }
        return c.state.postgresParameters?.version ?? 0
    }

    /// AG21, D58: what must not be smaller on a replica is raised there first. Until every ready replica runs with the new
    /// value, the primary starts with what it runs with now. (Lowered it is on the primary first: a standby never starts with
    /// less than what its WAL was written under.)
    func parameters(_ c: AgentContext) -> [String: String] {
        var values = c.state.postgresParameters?.values ?? [:]
        guard c.isAppointed else { return values }
        for name in PostgresParameterRules.replicaMinimum.sorted() {
            guard let wanted = values[name].flatMap({ Int($0) }) else { continue }
            guard let report = c.leaderReport else {
                values[name] = memory.applied?.parameters[name] ?? values[name]
                continue
            }
            let running = c.server?.commandLineValues?[name] ?? memory.applied?.parameters[name].flatMap { Int($0) }
            let isBehind = c.state.dataNodes.contains { node in
                guard node.name != c.me, node.standing == .ready else { return false }
                let theirs = report.items.first { $0.report.node == node.name }?.report.facts?.server?.commandLineValues?[name]
                return theirs.map { $0 < wanted } ?? false
            }
            if isBehind, let running, running < wanted { values[name] = "\(running)" }
        }
        return values
    }
}

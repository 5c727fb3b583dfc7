import ClusterModel
import FailoverCore

/// Managed settings of PostgreSQL: the request, and what a server still needs a restart for.
extension BastionNode {
    mutating func patchParameters(
        _ version: UInt64?, set: [String: String], unset: [String], _ id: UInt64, _ m: RequestMetadata
    ) {
        let present = state.postgresParameters?.values ?? [:]
        let changes = set.contains { present[$0.key] != $0.value } || unset.contains { present[$0] != nil }
        guard changes else {
            return effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: "the settings are so already"))))
        }
        propose(
            .patchPostgresParameters(expectedVersion: version, set: set, unset: unset), actor: m.actor,
            requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(summary: "the settings are changed", leader: identity.name)))
    }

    /// Settings of the files that wait for a restart, and those of the command line whose wanted value differs.
    func pendingRestart(_ server: ServerFacts?, isPrimary: Bool) -> [String] {
        guard let server else { return [] }
        var names = Set(server.pendingRestartSettings ?? [])
        let primary = state.primary.flatMap { reports[$0.node]?.report.facts?.server?.commandLineValues } ?? [:]
        for name in PostgresParameterRules.commandLine {
            guard let record = state.postgresParameters else { break }
            // One that is not managed any more goes back to what the node itself starts with.
            let managed = record.values[name].flatMap { Int($0) }
            guard let wanted = managed ?? server.commandLineWanted?[name], let running = server.commandLineValues?[name] else { continue }
            // D58: a replica keeps what its primary still runs with.
            let least = isPrimary || !PostgresParameterRules.replicaMinimum.contains(name) ? 0 : primary[name] ?? 0
            if running != max(wanted, least) { names.insert(name) }
        }
        return names.sorted()
    }

    /// What would keep a node from being promoted.
    func forecast(_ view: inout NodeView, _ node: NodeRecord, _ now: ClockStamp) {
        guard state.primary?.node != node.name || state.primary?.phase != .serving else { return }
        let timed = reports[node.name]
        let isFresh = timed.map { now.since($0.at) <= .seconds(2) } ?? false
        view.promotableReasons = CandidateForecast.objections(to: node, state, report: timed?.report, isFresh: isFresh)
        view.promotable = view.promotableReasons.isEmpty
        view.promotableReason = view.promotableReasons.first
    }
}

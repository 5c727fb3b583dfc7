import ClusterModel

/// What a change would do, and the checks that can be decided on the view of one node (`--dry-run`).
package struct OperationPlan: Codable, Sendable, Hashable {
    package var checks: [PlanCheck]
    package var steps: [String]

    /// Throws what the first failed check would be refused with.
    ///
    /// - Parameter overrides: Checks that shall not refuse (`--override`); only overridable ones count.
    init(operation: String, checks: [PlanCheck], steps: [String], overrides: Set<String> = []) throws(BastionError) {
        self.checks = checks
        self.steps = steps
        let failed = checks.filter { !$0.ok && !($0.overridable && overrides.contains($0.id)) }
        guard let first = failed.first else { return }
        throw BastionError(
            first.code, "\(operation) refused: \(first.message)",
            detail: failed.map { "check \($0.id): \($0.message)." }.joined(separator: "\n") + " Nothing was changed.",
            checks: failed.map { FailedCheck(id: $0.id, overridable: $0.overridable) })
    }

    var text: String {
        (checks.map { $0.ok ? "ok    \($0.id)" : "pass  \($0.id): \($0.message)" } + steps.map { "plan  \($0)" } + ["nothing was changed"])
            .joined(
                separator: "\n")
    }
}

/// One named check and how it ended.
package struct PlanCheck: Codable, Sendable, Hashable {
    package var id: String
    package var ok: Bool
    package var message: String
    package var overridable: Bool
    var code: ErrorCode

    init(_ id: String, _ ok: Bool, code: ErrorCode = .preconditionFailed, overridable: Bool = false, or message: String) {
        self.id = id
        self.ok = ok
        self.code = code
        self.overridable = overridable
        self.message = ok ? "" : message
    }
}

extension ClusterView {
    func checkQuorum() -> PlanCheck {
        PlanCheck("cluster.has_quorum", raft.leader != nil, code: .noLeader, or: "the cluster has no leader")
    }

    func checkIdle() -> PlanCheck {
        PlanCheck(
            "no_operation_in_progress", operation == nil, code: .locked,
            or: "operation \"\(operation?.id ?? "")\" (\(operation?.kind ?? "")) is in progress")
    }

    func checkIsReplica(_ name: NodeName) -> PlanCheck {
        let role = node(named: name)?.role ?? .unknown
        return PlanCheck("node.is_replica", role == .replica, or: "\"\(name)\" is \(role.rawValue), not a replica")
    }

    func checkHealthy(_ name: NodeName) -> PlanCheck {
        let node = node(named: name)
        return PlanCheck(
            "node.healthy", node?.healthy ?? false, or: "node \"\(name)\" is not healthy: \(node?.state ?? "unknown")")
    }

    func checkNotPrimary(_ name: NodeName, overridable: Bool = false) -> PlanCheck {
        PlanCheck(
            "node.not_primary", primary?.name != name, overridable: overridable, or: "node \"\(name)\" is the primary")
    }

    func checkCaughtUp(_ name: NodeName, limit: SizeValue) -> PlanCheck {
        let node = node(named: name)
        let message: String
        if node?.streaming != true {
            message = "replica \"\(name)\" does not stream"
        } else if let lag = node?.lagBytes {
            message = "replica \"\(name)\" is \(SizeValue(bytes: lag)) behind, the limit is \(limit)"
        } else {
            message = "the lag of replica \"\(name)\" is not known"
        }
        let ok = node?.streaming == true && (node?.lagBytes).map { $0 <= limit.bytes } ?? false
        return PlanCheck("replica.caught_up", ok, overridable: true, or: message)
    }

    func checkTransactions(limit: DurationValue) -> PlanCheck {
        let longest = primaryNode?.longestTransactionSeconds ?? 0
        return PlanCheck(
            "no_long_transaction", longest <= limit.seconds, overridable: true,
            or: "a transaction has run for \(DecimalText.age(longest)), the limit is \(limit)")
    }

    /// The node or `not_found` with the names there are.
    func requireNode(_ name: NodeName) throws(BastionError) -> NodeView {
        if let node = node(named: name) { return node }
        throw BastionError(
            .notFound, "node \"\(name)\" is not known",
            hint: NameSuggestion.hint(for: name.rawValue, among: nodes.map(\.name.rawValue)))
    }

    func requirePeer(_ name: NodeName) throws(BastionError) -> PeerView {
        if let peer = peer(named: name) { return peer }
        throw BastionError(
            .notFound, "peer \"\(name)\" is not a member",
            hint: NameSuggestion.hint(for: name.rawValue, among: peers.map(\.name.rawValue)))
    }
}

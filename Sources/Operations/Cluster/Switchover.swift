import ClusterModel

/// `switchover`: a planned change of the primary, without loss.
package enum SwitchoverOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package var to: NodeName?
        package var maxLag: SizeValue?
        package var maxTransaction: DurationValue?
        package init(to: NodeName?, maxLag: SizeValue? = nil, maxTransaction: DurationValue? = nil) {
            self.to = to
            self.maxLag = maxLag
            self.maxTransaction = maxTransaction
        }
    }

    package static let definition = OperationDefinition(
        name: "switchover", summary: "make a replica the primary, without loss",
        discussion: """
            Checkpoint, hold new transactions, stop, confirm that the target has the last record, promote, re-attach the \
            old primary. Without a target the best candidate is taken. Works while paused.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the new primary", position: 0, example: "node2"),
            ParameterDefinition(name: "to", kind: .nodeName, help: "the new primary", example: "node2"),
            ParameterDefinition(
                name: "max_lag", kind: .size, help: "refuse when the target is further behind", defaultText: "10MiB"),
            ParameterDefinition(
                name: "max_transaction", kind: .duration, help: "refuse when a transaction has run longer",
                defaultText: "15s"),
        ],
        risk: .disruptive, scope: .leader,
        checks: [
            "node.is_replica", "node.healthy", "replica.caught_up*", "no_long_transaction*", "no_base_backup*",
            "replay_running",
        ],
        isIdempotent: false,
        errorCodes: [.preconditionFailed, .noLeader, .locked, .notFound, .timeout, .failed, .incomplete],
        examples: ["pgbastion switchover node2 --yes", "pgbastion switchover --to node2 --max-lag 1MiB --yes"])

    package static func perform(
        _ input: Input, in context: OperationContext
    ) async throws(BastionError) -> RoleChangeOutput {
        let target = try RoleChangeOutput.target(input.node, input.to)
        if context.dryRun { return try plan(target, input, await context.gateway.view(), context.overrides) }
        let request = ClusterRequest.switchover(
            to: target, maxLagBytes: input.maxLag?.bytes, maxTransactionSeconds: input.maxTransaction?.seconds)
        return try await RoleChangeOutput.change(request, to: target, in: context)
    }

    private static func plan(
        _ given: NodeName?, _ input: Input, _ view: ClusterView, _ overrides: Set<String>
    ) throws(BastionError) -> RoleChangeOutput {
        var checks = [
            view.checkQuorum(), view.checkIdle(),
            PlanCheck("primary.writable", view.routedPrimary != nil, or: view.primaryReason),
        ]
        let target = given ?? view.likelyTarget
        if let target {
            _ = try view.requireNode(target)
            checks += [
                view.checkIsReplica(target), view.checkHealthy(target),
                view.checkCaughtUp(target, limit: input.maxLag ?? SizeValue(bytes: 10 << 20)),
            ]
        } else {
            checks.append(PlanCheck("node.is_replica", false, or: "no replica can be promoted"))
        }
        if let target { checks.append(.replayRunning(target, isPaused: view.node(named: target)?.isReplayPaused == true)) }
        checks.append(view.checkTransactions(limit: input.maxTransaction ?? DurationValue(.seconds(15))))
        checks.append(
            PlanCheck(
                "no_base_backup", view.primaryNode?.isBaseBackupRunning != true, overridable: true,
                or: "a base backup is running on the primary"))
        let old = view.primary?.name
        let steps = [
            "checkpoint on \(old.orDash)", "hold new transactions", "stop \(old.orDash)",
            "confirm that \(target.orDash) has the last record", "promote \(target.orDash)",
            "release the held transactions", "re-attach \(old.orDash) as a replica",
        ]
        return RoleChangeOutput(
            plan: try OperationPlan(operation: "switchover", checks: checks, steps: steps, overrides: overrides), from: old, to: target)
    }
}

import ClusterModel

/// `failover`: the old primary is fenced, then a replica is promoted.
package enum FailoverOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package var to: NodeName?
        package var allowDataLoss: SizeValue?
        package init(to: NodeName?, allowDataLoss: SizeValue? = nil) {
            self.to = to
            self.allowDataLoss = allowDataLoss
        }
    }

    package static let definition = OperationDefinition(
        name: "failover", summary: "fence the old primary and promote a replica",
        discussion: """
            Works while paused, with a dead or a live primary. The old primary is proven fenced before the promotion \
            starts. With a live primary, `switchover` is the better choice.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the new primary", position: 0, example: "node2"),
            ParameterDefinition(name: "to", kind: .nodeName, help: "the new primary", example: "node2"),
            ParameterDefinition(
                name: "allow_data_loss", kind: .size, help: "promote although so much may be lost (destructive)",
                example: "1MiB", raisesRiskTo: .destructive),
        ],
        risk: .disruptive, scope: .leader, checks: ["node.is_replica", "node.healthy", "loss_within_limit"],
        isIdempotent: false,
        errorCodes: [.preconditionFailed, .noLeader, .locked, .notFound, .timeout, .failed, .incomplete],
        examples: ["pgbastion failover node2 --yes", "pgbastion failover --to node2 --yes"])

    package static func perform(
        _ input: Input, in context: OperationContext
    ) async throws(BastionError) -> RoleChangeOutput {
        let target = try RoleChangeOutput.target(input.node, input.to)
        if context.dryRun { return try plan(target, input, await context.gateway.view()) }
        let request = ClusterRequest.failover(to: target, allowDataLossBytes: input.allowDataLoss?.bytes)
        return try await RoleChangeOutput.change(request, to: target, in: context)
    }

    private static func plan(
        _ given: NodeName?, _ input: Input, _ view: ClusterView
    ) throws(BastionError) -> RoleChangeOutput {
        var checks = [view.checkQuorum(), view.checkIdle()]
        let target = given ?? view.likelyTarget
        if let target {
            _ = try view.requireNode(target)
            checks += [view.checkIsReplica(target), view.checkHealthy(target)]
        } else {
            checks.append(PlanCheck("node.is_replica", false, or: "no replica can be promoted"))
        }
        let old = view.primary?.name
        var steps = ["fence \(old.orDash) and prove it", "promote \(target.orDash)", "send writes to \(target.orDash)"]
        if view.routedPrimary != nil {
            steps.append("note: \(old.orDash) serves; `pgbastion switchover` moves without cutting sessions")
        }
        return RoleChangeOutput(
            plan: try OperationPlan(operation: "failover", checks: checks, steps: steps), from: old, to: target)
    }
}

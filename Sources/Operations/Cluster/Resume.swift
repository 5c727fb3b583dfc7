import ClusterModel

/// `resume`: automatic failover is on again; after a restore, with the primary that counts.
package enum ResumeOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var acceptPrimary: NodeName?
        package var assumeDead: [NodeName]?
        package init(acceptPrimary: NodeName? = nil, assumeDead: [NodeName]? = nil) {
            self.acceptPrimary = acceptPrimary
            self.assumeDead = assumeDead
        }
    }

    package static let definition = OperationDefinition(
        name: "resume", summary: "switch automatic failover on again",
        discussion: """
            A cluster that was restored or recovered stays paused until it is known which node is its primary: the one that runs \
            a writable PostgreSQL of this cluster, or the one named with --accept-primary. With that option the other former \
            nodes count as off; those that come back have to be reset and added again.
            """,
        parameters: [
            ParameterDefinition(
                name: "accept_primary", kind: .nodeName, help: "after a restore: the node whose PostgreSQL counts", example: "node1",
                raisesRiskTo: .disruptive),
            ParameterDefinition(
                name: "assume_dead", kind: .textList, help: "with --accept-primary: former nodes that will not come back writable",
                example: "node2"),
        ],
        risk: .reversible, scope: .leader, checks: ["one_primary", "not_most_recent*"],
        errorCodes: [.noLeader, .preconditionFailed, .notFound],
        examples: ["pgbastion resume", "pgbastion resume --accept-primary node1"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PauseOutput {
        if context.dryRun {
            let step = input.acceptPrimary.map { "accept \($0) as the primary, and switch automatic failover on" }
            return try PauseOutput.planned(
                active: false, await context.gateway.view(), step: step ?? "switch automatic failover on")
        }
        if let primary = input.acceptPrimary {
            return try await PauseOutput.change(
                .acceptPrimary(primary, assumeDead: input.assumeDead ?? []), active: false, in: context)
        }
        guard input.assumeDead == nil else {
            throw BastionError(.invalidRequest, "assume_dead needs accept_primary", hint: "`pgbastion resume --accept-primary NODE`")
        }
        return try await PauseOutput.change(.resume, active: false, in: context)
    }
}

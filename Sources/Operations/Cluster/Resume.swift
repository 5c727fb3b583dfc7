import ClusterModel

/// `resume`: automatic failover is on again.
package enum ResumeOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package init() {}
    }

    package static let definition = OperationDefinition(
        name: "resume", summary: "switch automatic failover on again", risk: .reversible, scope: .leader,
        errorCodes: [.noLeader, .preconditionFailed], examples: ["pgbastion resume"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PauseOutput {
        if context.dryRun {
            return try PauseOutput.planned(
                active: false, await context.gateway.view(), step: "switch automatic failover on")
        }
        return try await PauseOutput.change(.resume, active: false, in: context)
    }
}

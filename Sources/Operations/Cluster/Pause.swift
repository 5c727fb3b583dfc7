import ClusterModel

/// `pause`: no automatic failover, on all nodes.
package enum PauseOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var `for`: DurationValue?
        package var reason: String?
        package init(for duration: DurationValue?, reason: String?) {
            self.for = duration
            self.reason = reason
        }
    }

    package static let definition = OperationDefinition(
        name: "pause", summary: "switch automatic failover off, on all nodes",
        discussion: "Until `resume`, or for the time given. Manual operations work while paused.",
        parameters: [
            ParameterDefinition(
                name: "for", kind: .duration, help: "end by itself after this time", example: "2h",
                limits: ParameterLimits(shortest: .seconds(1))),
            ParameterDefinition(
                name: "reason", kind: .text, help: "kept in the state and shown by status", example: "maintenance",
                limits: ParameterLimits(longest: 500)),
        ],
        risk: .reversible, scope: .leader, errorCodes: [.noLeader, .invalidRequest],
        examples: ["pgbastion pause", "pgbastion pause --for 2h --reason maintenance"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PauseOutput {
        let reason = input.reason ?? context.metadata.reason ?? ""
        if context.dryRun {
            return try PauseOutput.planned(
                active: true, await context.gateway.view(), step: "switch automatic failover off")
        }
        return try await PauseOutput.change(
            .pause(forSeconds: input.for?.seconds, reason: reason), active: true, in: context)
    }
}

import ClusterModel

/// `token.revoke`: a named token is refused from now on.
package enum TokenRevokeOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: String
        package init(name: String) { self.name = name }
    }

    package static let definition = OperationDefinition(
        name: "token.revoke", summary: "remove a named token",
        discussion: "Its value is refused at once, on every node.",
        parameters: [
            ParameterDefinition(
                name: "name", kind: .name, help: "name of the token", isRequired: true, position: 0, example: "deploy")
        ],
        risk: .disruptive, scope: .leader, isIdempotent: false, errorCodes: [.notFound, .noLeader, .invalidRequest],
        examples: ["pgbastion token revoke deploy --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> TokenOutput {
        let view = await context.gateway.view()
        if context.dryRun {
            let token = try view.requireToken(input.name)
            return TokenOutput(
                plan: try OperationPlan(
                    operation: "token revoke", checks: [view.checkQuorum()],
                    steps: ["refuse token \"\(input.name)\" from now on"]), name: input.name, role: token.role)
        }
        let known = view.tokens.first { $0.name == input.name }
        let reply = try await context.submit(.revokeToken(name: input.name))
        _ = await ViewWatch.first(of: context.gateway, limit: TokenOutput.ownViewLimit) { view in
            view.tokens.contains { $0.name == input.name } ? nil : view
        }
        return TokenOutput(name: input.name, role: known?.role, createdAt: known?.createdAt, summary: reply.summary)
    }
}

import ClusterModel

/// `token.revoke`: a named token is refused from now on.
package enum TokenRevokeOperation: CatalogueOperation {
    package static let definition = OperationDefinition(
        name: "token.revoke", summary: "remove a named token",
        discussion: "Its value is refused at once, on every node.",
        parameters: [TokenName.parameter],
        risk: .disruptive, scope: .leader, isIdempotent: false, errorCodes: [.notFound, .noLeader, .invalidRequest],
        examples: ["pgbastion token revoke deploy --yes"])

    package static func perform(_ input: TokenName, in context: OperationContext) async throws(BastionError) -> TokenOutput {
        let view = await context.gateway.view()
        if context.dryRun {
            return try input.planned("token revoke", ["refuse token \"\(input.name)\" from now on"], in: view)
        }
        let known = view.tokens.first { $0.name == input.name }
        let reply = try await context.submit(.revokeToken(name: input.name))
        _ = await ViewWatch.first(of: context.gateway, limit: TokenOutput.ownViewLimit) { view in
            view.tokens.contains { $0.name == input.name } ? nil : view
        }
        return TokenOutput(name: input.name, role: known?.role, createdAt: known?.createdAt, summary: reply.summary)
    }
}

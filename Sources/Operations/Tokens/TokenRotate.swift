import ClusterModel

/// `token.rotate`: a new value for a named token; the old one is refused from then on.
package enum TokenRotateOperation: CatalogueOperation {
    package static let definition = OperationDefinition(
        name: "token.rotate", summary: "give a named token a new value",
        discussion: "The old value is refused at once, on every node. The new one is printed once.",
        parameters: [TokenName.parameter],
        risk: .disruptive, scope: .leader, isIdempotent: false, errorCodes: [.notFound, .noLeader, .invalidRequest],
        examples: ["pgbastion token rotate deploy --yes"])

    package static func perform(_ input: TokenName, in context: OperationContext) async throws(BastionError) -> TokenOutput {
        let view = await context.gateway.view()
        if context.dryRun {
            return try input.planned(
                "token rotate", ["refuse the old value of token \"\(input.name)\"", "print a new one"], in: view)
        }
        let minted = try await TokenOutput.mint(in: context)
        let reply = try await context.submit(.rotateToken(name: input.name, digest: minted.digest))
        return await TokenOutput.shown(input.name, minted, reply, in: context)
    }
}

import ClusterModel

/// `token.rotate`: a new value for a named token; the old one is refused from then on.
package enum TokenRotateOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: String
        package init(name: String) { self.name = name }
    }

    package static let definition = OperationDefinition(
        name: "token.rotate", summary: "give a named token a new value",
        discussion: "The old value is refused at once, on every node. The new one is printed once.",
        parameters: [
            ParameterDefinition(
                name: "name", kind: .name, help: "name of the token", isRequired: true, position: 0, example: "deploy")
        ],
        risk: .disruptive, scope: .leader, isIdempotent: false, errorCodes: [.notFound, .noLeader, .invalidRequest],
        examples: ["pgbastion token rotate deploy --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> TokenOutput {
        let view = await context.gateway.view()
        if context.dryRun {
            let token = try view.requireToken(input.name)
            return TokenOutput(
                plan: try OperationPlan(
                    operation: "token rotate", checks: [view.checkQuorum()],
                    steps: ["refuse the old value of token \"\(input.name)\"", "print a new one"]),
                name: input.name, role: token.role)
        }
        let minted = try await TokenOutput.mint(in: context)
        let reply = try await context.submit(.rotateToken(name: input.name, digest: minted.digest))
        return await TokenOutput.shown(input.name, minted, reply, in: context)
    }
}

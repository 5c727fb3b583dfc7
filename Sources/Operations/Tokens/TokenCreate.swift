import ClusterModel

/// `token.create`: a named bearer token with a role; its value is shown once.
package enum TokenCreateOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: String
        package var role: TokenRole
        package init(name: String, role: TokenRole) {
            self.name = name
            self.role = role
        }
    }

    package static let definition = OperationDefinition(
        name: "token.create", summary: "make a named token for the API",
        discussion: """
            The value is printed once and kept nowhere: the cluster keeps a digest. `read` may read what \
            `api.protect_reads` closes, `operate` may do everything that is not destructive, `admin` everything. Only an \
            admin token, or the unix socket, may manage tokens.
            """,
        parameters: [
            ParameterDefinition(
                name: "name", kind: .name, help: "name of the token, seen in logs", isRequired: true, position: 0,
                example: "deploy"),
            ParameterDefinition(
                name: "role", kind: .choice, help: "what it may do", isRequired: true,
                choices: TokenRole.allCases.map(\.rawValue), example: "operate"),
        ],
        risk: .reversible, scope: .leader, checks: ["token.unused"],
        errorCodes: [.preconditionFailed, .noLeader, .invalidRequest], examples: ["pgbastion token create deploy --role operate"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> TokenOutput {
        if context.dryRun {
            let view = await context.gateway.view()
            let isUnused = !view.tokens.contains { $0.name == input.name }
            return TokenOutput(
                plan: try OperationPlan(
                    operation: "token create",
                    checks: [
                        view.checkQuorum(), PlanCheck("token.unused", isUnused, or: "token \"\(input.name)\" exists"),
                    ], steps: ["make token \"\(input.name)\" with role \(input.role.rawValue) and print its value"]),
                name: input.name, role: input.role)
        }
        let minted = try await TokenOutput.mint(in: context)
        let reply = try await context.submit(.createToken(name: input.name, role: input.role, digest: minted.digest))
        return await TokenOutput.shown(input.name, minted, reply, in: context)
    }
}

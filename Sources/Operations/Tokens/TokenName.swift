import ClusterModel

/// What `token.rotate` and `token.revoke` are told: the name of a token that exists.
package struct TokenName: Codable, Sendable {
    package var name: String
    package init(name: String) { self.name = name }

    static let parameter = ParameterDefinition(
        name: "name", kind: .name, help: "name of the token", isRequired: true, position: 0, example: "deploy")

    /// The dry run of a change to this token.
    ///
    /// - Throws: `not_found` for an unknown name, `no_leader`.
    func planned(_ operation: String, _ steps: [String], in view: ClusterView) throws(BastionError) -> TokenOutput {
        let token = try view.requireToken(name)
        let plan = try OperationPlan(operation: operation, checks: [view.checkQuorum()], steps: steps)
        return TokenOutput(plan: plan, name: name, role: token.role)
    }
}

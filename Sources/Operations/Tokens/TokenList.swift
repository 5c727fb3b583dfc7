import ClusterModel

/// `token.list`: the named tokens, without their values.
package enum TokenListOperation: CatalogueOperation {
    package struct Input: Codable, Sendable { package init() {} }

    package static let definition = OperationDefinition(
        name: "token.list", summary: "list the named tokens of the API",
        discussion: "Values are kept nowhere and cannot be shown. `api.auth_token` is not listed: it is each node's own.",
        examples: ["pgbastion token list"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> TokenListOutput {
        TokenListOutput(await context.gateway.view())
    }
}

package struct TokenListOutput: OperationOutput {
    package struct Row: Codable, Sendable, Hashable {
        package var name: String
        package var role: TokenRole
        package var createdAt: String
        package var createdBy: String
        @Nullable package var rotatedAt: String?
    }
    package var tokens: [Row]
    package var capturedAt: String

    package init(_ view: ClusterView) {
        tokens = view.tokens.map {
            Row(name: $0.name, role: $0.role, createdAt: $0.createdAt, createdBy: $0.createdBy, rotatedAt: $0.rotatedAt)
        }
        capturedAt = view.capturedAt
    }

    package var text: String {
        guard !tokens.isEmpty else { return "no named tokens" }
        var table = TextTable("NAME", "ROLE", "AGE", "CREATED BY", "ROTATED")
        for row in tokens {
            let age = Timestamp.seconds(from: row.createdAt, to: capturedAt).map(DecimalText.age) ?? "-"
            table.add(row.name, row.role.rawValue, age, row.createdBy, row.rotatedAt.orDash)
        }
        return table.text
    }
    package var names: [String] { tokens.map(\.name) }
}

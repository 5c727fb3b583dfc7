import ClusterModel

/// What `token.create`, `token.rotate` and `token.revoke` answer.
package struct TokenOutput: OperationOutput {
    package var name: String
    @Nullable package var role: TokenRole?
    @Nullable package var createdAt: String?
    /// Shown this once; nil when there is none to show.
    @Nullable package var value: String?
    @Nullable package var valueReason: String?
    package var summary: String
    @Nullable package var plan: OperationPlan?

    init(
        name: String, role: TokenRole?, createdAt: String? = nil, value: String? = nil,
        valueReason: String? = "a value is shown once, when it is made", summary: String
    ) {
        self.name = name
        self.role = role
        self.createdAt = createdAt
        self.value = value
        self.valueReason = value == nil ? valueReason : nil
        self.summary = summary
    }

    init(plan: OperationPlan, name: String, role: TokenRole?) {
        self.init(name: name, role: role, summary: "")
        self.plan = plan
    }

    package var text: String {
        if let plan { return plan.text }
        guard let value else { return summary }
        return "\(summary); its value is shown this once:\n\(value)"
    }
    package var names: [String] { [name] }

    /// Limit: how long this node's own view is waited for after the leader accepted.
    static let ownViewLimit: Duration = .seconds(5)

    static func mint(in context: OperationContext) async throws(BastionError) -> MintedToken {
        let own = await context.gateway.view().node
        let reply = try await context.gateway.ask(own, .mintToken, metadata: context.metadata, limit: .seconds(5))
        guard case .token(let minted) = reply else { throw NodeReply.mismatch(.mintToken) }
        return minted
    }

    /// Q10: a repetition did nothing, so the value drawn now is not the cluster's; it is not shown.
    static func shown(
        _ name: String, _ minted: MintedToken, _ reply: ClusterReply, in context: OperationContext
    ) async -> TokenOutput {
        let fingerprint = String(minted.digest.prefix(8))
        let seen = await ViewWatch.first(of: context.gateway, limit: ownViewLimit) { view in
            view.tokens.first { $0.name == name && ($0.fingerprint == fingerprint || context.metadata.idempotencyKey != nil) }
        }
        let isRepeated = seen.map { $0.fingerprint != fingerprint } ?? false
        return TokenOutput(
            name: name, role: seen?.role, createdAt: seen?.createdAt, value: isRepeated ? nil : minted.value,
            valueReason: "this request was carried out before; a value is shown once", summary: reply.summary)
    }
}

extension ClusterView {
    func requireToken(_ name: String) throws(BastionError) -> TokenView {
        if let token = tokens.first(where: { $0.name == name }) { return token }
        throw BastionError(
            .notFound, "there is no token \"\(name)\"", hint: NameSuggestion.hint(for: name, among: tokens.map(\.name)))
    }
}

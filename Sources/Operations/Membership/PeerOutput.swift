import ClusterModel

/// What `peer.add` and `peer.promote` answer.
package struct PeerOutput: OperationOutput {
    package var name: NodeName
    package var address: String
    package var suffrage: PeerView.Suffrage
    @Nullable package var matchIndex: UInt64?
    package var alreadySo: Bool
    package var summary: String
    @Nullable package var operationID: String?
    @Nullable package var plan: OperationPlan?
    package var text: String { plan?.text ?? summary }
    package var names: [String] { [name.rawValue] }
}

extension PeerOutput {
    /// Follows the member until it has `suffrage`, when somebody wants to wait.
    ///
    /// - Throws: `timeout` when it is not there after the wait limit.
    static func following(
        _ reply: ClusterReply, name: NodeName, address: String, until suffrage: PeerView.Suffrage,
        in context: OperationContext
    ) async throws(BastionError) -> PeerOutput {
        var output = PeerOutput(
            name: name, address: address, suffrage: .learner, matchIndex: nil, alreadySo: reply.alreadySo,
            summary: reply.summary, operationID: reply.operationID, plan: nil)
        let reached: PeerView?
        if let limit = context.waitLimit {
            reached = await ViewWatch.first(of: context.gateway, limit: limit) { view in
                view.peer(named: name).flatMap { $0.suffrage == suffrage || $0.suffrage == .voter ? $0 : nil }
            }
            guard reached != nil else {
                throw BastionError(
                    .timeout, "\"\(name)\" is not a \(suffrage.rawValue) within \(DurationValue(limit))",
                    detail: "It was added as a learner and becomes a voter by itself when it caught up.",
                    hint: "look with `pgbastion peer list`", operationID: reply.operationID)
            }
        } else {
            reached = await context.gateway.view().peer(named: name)
        }
        guard let reached else { return output }
        output.suffrage = reached.suffrage
        output.matchIndex = reached.matchIndex
        output.address = reached.address
        if context.waitLimit != nil, !reply.alreadySo {
            output.summary = "\(name) is a \(reached.suffrage.rawValue) at \(reached.address)"
        }
        return output
    }
}

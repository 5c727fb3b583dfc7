import ClusterModel

/// `peer.promote`: a learner becomes a voter.
package enum PeerPromoteOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: NodeName
    }

    package static let definition = OperationDefinition(
        name: "peer.promote", summary: "make a learner a voter",
        parameters: [
            ParameterDefinition(
                name: "name", kind: .nodeName, help: "name of the learner", isRequired: true, position: 0,
                example: "node4")
        ],
        risk: .reversible, scope: .leader, checks: ["peer.caught_up"],
        errorCodes: [.preconditionFailed, .notFound, .noLeader, .timeout], examples: ["pgbastion peer promote node4"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> PeerOutput {
        let view = await context.gateway.view()
        if context.dryRun {
            let peer = try view.requirePeer(input.name)
            let checks = [
                view.checkQuorum(),
                PlanCheck("peer.caught_up", peer.reachable, or: "\"\(input.name)\" does not answer"),
            ]
            return PeerOutput(
                name: input.name, address: peer.address, suffrage: peer.suffrage, matchIndex: peer.matchIndex,
                alreadySo: peer.suffrage == .voter, summary: "", operationID: nil,
                plan: try OperationPlan(operation: "promotion", checks: checks, steps: ["make \(input.name) a voter"]))
        }
        let reply = try await context.submit(.promotePeer(name: input.name))
        return try await PeerOutput.following(
            reply, name: input.name, address: view.peer(named: input.name)?.address ?? "", until: .voter, in: context)
    }
}

import ClusterModel

/// `raft.transfer`: another node leads; the primary stays where it is (GD6).
package enum RaftTransferOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package init(node: NodeName?) { self.node = node }
    }

    package struct Output: OperationOutput {
        @Nullable package var from: NodeName?
        @Nullable package var to: NodeName?
        package var term: UInt64
        package var alreadySo: Bool
        package var summary: String
        package var vipMoved: Bool
        @Nullable package var plan: OperationPlan?
        package var text: String { plan?.text ?? summary }
        package var names: [String] { to.map { [$0.rawValue] } ?? [] }
        package var warnings: [String] {
            vipMoved ? ["the virtual IP address moves with the leadership; clients connect again"] : []
        }
    }

    package static let definition = OperationDefinition(
        name: "raft.transfer", summary: "move leadership to another voter",
        discussion: "Without NODE the best caught-up voter is taken. The primary stays where it is.",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the voter that shall lead", position: 0, example: "node2")
        ],
        risk: .disruptive, scope: .leader, checks: ["peer.caught_up", "peer.is_voter"],
        errorCodes: [.preconditionFailed, .notLeader, .noLeader, .notFound, .timeout],
        examples: ["pgbastion raft transfer", "pgbastion raft transfer node2 --yes"], aliases: ["transfer"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let before = await context.gateway.view()
        let old = before.raft.leader
        if context.dryRun { return try plan(input, before) }
        let reply = try await context.submit(.transferLeadership(to: input.node))
        if reply.alreadySo {
            return Output(
                from: old, to: reply.leader ?? input.node, term: before.raft.term, alreadySo: true,
                summary: reply.summary, vipMoved: false, plan: nil)
        }
        guard let limit = context.waitLimit else {
            return Output(
                from: old, to: input.node, term: before.raft.term, alreadySo: false, summary: reply.summary,
                vipMoved: false, plan: nil)
        }
        let moved = await ViewWatch.first(of: context.gateway, limit: limit) { view -> ClusterView? in
            guard let leader = view.raft.leader, leader != old || view.raft.term > before.raft.term else { return nil }
            return input.node == nil || input.node == leader ? view : nil
        }
        guard let moved, let leader = moved.raft.leader else {
            throw BastionError(
                .timeout, "leadership did not move within \(DurationValue(limit))",
                hint: "look with `pgbastion raft status`")
        }
        return Output(
            from: old, to: leader, term: moved.raft.term, alreadySo: false,
            summary: "\(leader) leads (term \(moved.raft.term)); the primary is unchanged",
            vipMoved: addressMoves(before, to: leader, moved), plan: nil)
    }

    /// GD6: with `vip.follows: leader` the address goes with the lead, though the new leader may not have it yet.
    private static func addressMoves(_ before: ClusterView, to leader: NodeName, _ after: ClusterView) -> Bool {
        guard let owner = before.vipOwner, owner != leader else { return false }
        return before.virtualAddress?.follows == .leader || owner != after.vipOwner
    }

    private static func plan(_ input: Input, _ view: ClusterView) throws(BastionError) -> Output {
        var checks = [view.checkQuorum()]
        if let name = input.node {
            let peer = try view.requirePeer(name)
            checks.append(PlanCheck("peer.is_voter", peer.suffrage == .voter, or: "\"\(name)\" is a learner"))
            checks.append(PlanCheck("peer.caught_up", peer.reachable, or: "\"\(name)\" does not answer"))
        }
        let target = input.node?.rawValue ?? "the best caught-up voter"
        let plan = try OperationPlan(
            operation: "transfer", checks: checks,
            steps: ["move leadership from \(view.raft.leader.orDash) to \(target)"])
        return Output(
            from: view.raft.leader, to: input.node, term: view.raft.term, alreadySo: false, summary: "",
            vipMoved: false, plan: plan)
    }
}

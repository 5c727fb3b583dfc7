import ClusterModel

/// `peer.remove`: a node leaves the cluster for good.
package enum PeerRemoveOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var name: NodeName
        package var force: Bool?
        package init(name: NodeName, force: Bool? = nil) {
            self.name = name
            self.force = force
        }
    }

    package struct Output: OperationOutput {
        package var name: NodeName
        package var voters: Int
        package var droppedSlots: [String]
        package var alreadySo: Bool
        package var summary: String
        @Nullable package var operationID: String?
        @Nullable package var plan: OperationPlan?
        package var text: String { plan?.text ?? summary }
        package var names: [String] { [name.rawValue] }
    }

    package static let definition = OperationDefinition(
        name: "peer.remove", summary: "remove a node from the cluster",
        discussion: """
            Leadership moves away first when the node leads. Its replication slots are dropped; its old state is refused \
            when it comes back.
            """,
        parameters: [
            ParameterDefinition(
                name: "name", kind: .nodeName, help: "name of the node", isRequired: true, position: 0, example: "node3"
            ),
            ParameterDefinition(
                name: "force", kind: .flag, help: "remove the primary's node, or give up quorum",
                raisesRiskTo: .destructive),
        ],
        risk: .disruptive, scope: .leader, checks: ["node.not_primary*", "membership.removal_safe*"],
        errorCodes: [.preconditionFailed, .onlyVoter, .notFound, .noLeader, .timeout],
        examples: ["pgbastion peer remove node3 --yes"], aliases: ["remove-node"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let before = await context.gateway.view()
        let force = input.force ?? false
        var output = Output(
            name: input.name, voters: before.peers.count { $0.suffrage == .voter }, droppedSlots: [], alreadySo: false,
            summary: "", operationID: nil, plan: nil)
        if context.dryRun {
            output.plan = try plan(input.name, force, before, context.overrides)
            return output
        }
        let mayMovePrimary = force || context.overrides.contains("node.not_primary")
        if mayMovePrimary, before.primary?.name == input.name, before.primary?.phase == "serving", context.waitLimit != nil {
            // RemoveNode refuses the primary in every case: somebody else has to be it first.
            _ = try await RoleChangeOutput.change(.failover(to: nil, allowDataLossBytes: nil), to: nil, in: context.detached)
        }
        let reply = try await context.submit(.removePeer(name: input.name, force: force))
        output.alreadySo = reply.alreadySo
        output.summary = reply.summary
        output.operationID = reply.operationID
        output.droppedSlots = memberSlots(of: input.name, in: before)
        guard let limit = context.waitLimit, !reply.alreadySo else { return output }
        let left = await ViewWatch.first(of: context.gateway, limit: limit) { view in
            view.peer(named: input.name) == nil ? view.peers.count { $0.suffrage == .voter } : nil
        }
        guard let left else {
            throw BastionError(
                .timeout, "\"\(input.name)\" is still a member after \(DurationValue(limit))",
                hint: "look with `pgbastion peer list`", operationID: reply.operationID)
        }
        output.voters = left
        output.summary = "\(input.name) was removed; \(left) voters are left"
        return output
    }

    /// Slots that exist for the node on others; the leader orders them dropped.
    private static func memberSlots(of name: NodeName, in view: ClusterView) -> [String] {
        Set(view.nodes.filter { $0.name != name }.flatMap(\.slots).filter { $0.name == name.slotName }.map(\.name))
            .sorted()
    }

    private static func plan(
        _ name: NodeName, _ force: Bool, _ view: ClusterView, _ overrides: Set<String>
    ) throws(BastionError) -> OperationPlan {
        let peer = try view.requirePeer(name)
        let others = view.peers.filter { $0.suffrage == .voter && $0.name != name }
        guard peer.suffrage != .voter || !others.isEmpty else {
            throw BastionError(.onlyVoter, "\"\(name)\" is the only voter and cannot be removed")
        }
        let reachable = others.count { $0.reachable }
        var checks = [view.checkQuorum()]
        if !force {
            checks.append(view.checkNotPrimary(name, overridable: true))
            checks.append(
                PlanCheck(
                    "membership.removal_safe", reachable * 2 > others.count, overridable: true,
                    or: "only \(reachable) of the \(others.count) voters left can be reached"))
        }
        var move = peer.isLeader ? ["move leadership away from \(name)"] : []
        if view.primary?.name == name { move.insert("fail over to another node: \(name) is the primary", at: 0) }
        let drop = memberSlots(of: name, in: view).map { "drop replication slot \($0)" }
        return try OperationPlan(
            operation: "removal", checks: checks, steps: move + ["remove \(name)"] + drop, overrides: overrides)
    }
}

import ClusterModel

/// `node.fence`: a node may not be writable until `node.unfence`, and that is proven.
package enum NodeFenceOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
        package init(node: NodeName) { self.node = node }
    }

    package static let definition = OperationDefinition(
        name: "node.fence", summary: "forbid a node to be writable, and prove it",
        discussion: """
            If it is the primary its lease and its writable server end, and another node is promoted when one can be proven and \
            automatic failover is on. A fenced node follows as a replica, is never promoted, and stays fenced over restarts until \
            `node unfence`.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node", isRequired: true, position: 0, example: "node1")
        ],
        risk: .disruptive, scope: .leader, checks: ["node.has_data"],
        errorCodes: [.preconditionFailed, .notFound, .locked, .noLeader, .timeout],
        examples: ["pgbastion node fence node1 --yes"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> NodeFenceOutput {
        let view = await context.gateway.view()
        if context.dryRun { return try plan(input.node, view) }
        let reply = try await context.submit(.fence(node: input.node))
        var output = NodeFenceOutput(
            node: input.node, fenced: true, method: nil, alreadySo: reply.alreadySo, summary: reply.summary, plan: nil)
        guard let limit = context.waitLimit else { return output }
        output.method = await ViewWatch.first(of: context.gateway, limit: limit) { $0.node(named: input.node)?.fenceMethod }
        guard let method = output.method else {
            throw BastionError(
                .timeout, "it is not proven within \(DurationValue(limit)) that \"\(input.node)\" is not writable",
                detail: "The fence stays; nobody else is promoted before the proof.", hint: "look with `pgbastion node show \(input.node)`")
        }
        output.summary = "\(input.node) is fenced (\(method.replacing("_", with: " ")))"
        return output
    }

    private static func plan(_ name: NodeName, _ view: ClusterView) throws(BastionError) -> NodeFenceOutput {
        let node = try view.requireNode(name)
        let isFenced = node.standing == "fenced"
        let checks = [
            view.checkQuorum(), PlanCheck("node.has_data", node.kind == .data, or: "\"\(name)\" is a witness and never writable"),
        ]
        var steps = ["forbid \(name) to be writable, until `pgbastion node unfence \(name)`"]
        if view.primary?.name == name, view.primary?.phase != "ended" {
            steps += ["end the lease and the server of \(name), and prove it; sessions are cut"]
            steps.append(
                view.paused == nil
                    ? "promote another node when one can be proven" : "promote nobody: automatic failover is paused")
        }
        return NodeFenceOutput(
            node: name, fenced: isFenced, method: node.fenceMethod, alreadySo: isFenced, summary: "",
            plan: try OperationPlan(
                operation: "fence", checks: checks, steps: isFenced ? ["nothing: it is so already"] : steps))
    }
}

/// `node.unfence`: lifts the fence of a node that follows the primary again.
package enum NodeUnfenceOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
    }

    package static let definition = OperationDefinition(
        name: "node.unfence", summary: "lift the fence of a node that follows the primary again",
        discussion: "A fenced node that was the last primary may be unfenced without following: nobody was promoted since.",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node", isRequired: true, position: 0, example: "node1")
        ],
        risk: .reversible, scope: .leader, checks: ["node.follows_primary"],
        errorCodes: [.preconditionFailed, .notFound, .noLeader], examples: ["pgbastion node unfence node1"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> NodeFenceOutput {
        var output = NodeFenceOutput(node: input.node, fenced: false, method: nil, alreadySo: false, summary: "", plan: nil)
        if context.dryRun {
            let view = await context.gateway.view()
            let node = try view.requireNode(input.node)
            output.fenced = node.standing == "fenced"
            output.method = node.fenceMethod
            output.alreadySo = !output.fenced
            let isLast = view.primary?.name == input.node && view.primary?.phase == "ended"
            let follows = PlanCheck(
                "node.follows_primary", !output.fenced || isLast || node.streaming == true,
                or: "\"\(input.node)\" does not follow the primary")
            output.plan = try OperationPlan(
                operation: "unfence", checks: [view.checkQuorum(), follows],
                steps: [output.fenced ? "let \(input.node) be a candidate again" : "nothing: it is so already"])
            return output
        }
        let reply = try await context.submit(.unfence(node: input.node))
        output.alreadySo = reply.alreadySo
        output.summary = reply.summary
        _ = await ViewWatch.first(of: context.gateway, limit: .seconds(5)) { $0.node(named: input.node)?.standing != "fenced" ? true : nil }
        return output
    }
}

/// What `node.fence` and `node.unfence` answer.
package struct NodeFenceOutput: OperationOutput {
    package var node: NodeName
    package var fenced: Bool
    /// `guard_confirmation` or `lease_end`; null while it is not proven.
    @Nullable package var method: String?
    package var alreadySo: Bool
    package var summary: String
    @Nullable package var plan: OperationPlan?
    package var text: String { plan?.text ?? summary }
    package var names: [String] { [node.rawValue] }
}

import ClusterModel

/// `node.drain`: a node leaves routing, and the sessions to its server end.
package enum NodeDrainOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
        package var timeout: DurationValue?
        package init(node: NodeName, timeout: DurationValue? = nil) {
            self.node = node
            self.timeout = timeout
        }
    }

    package static let definition = OperationDefinition(
        name: "node.drain", summary: "take a node out of routing and let its sessions end",
        discussion: """
            No proxy leads new sessions to the node from now on, and it is no candidate. Idle sessions end at once, others when \
            they become idle, all of them after --timeout. It lasts until `node undrain`.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node, not that of the primary", isRequired: true, position: 0,
                example: "node2"),
            ParameterDefinition(
                name: "timeout", kind: .duration, help: "how long sessions may go on; default is proxy.drain_timeout", example: "1m",
                limits: ParameterLimits(latest: .seconds(86_400))),
        ],
        risk: .reversible, scope: .leader, checks: ["node.not_primary"],
        errorCodes: [.preconditionFailed, .notFound, .locked, .noLeader, .timeout],
        examples: ["pgbastion node drain node2", "pgbastion drain node2 --timeout 1m"], aliases: ["drain"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> NodeDrainOutput {
        let view = await context.gateway.view()
        if context.dryRun { return try await plan(input, view, in: context) }
        let reply = try await context.submit(.drain(node: input.node, timeoutSeconds: input.timeout?.seconds))
        _ = await ViewWatch.first(of: context.gateway, limit: .seconds(5)) { $0.node(named: input.node)?.drained == true ? true : nil }
        var output = NodeDrainOutput(
            node: input.node, drained: true, remainingSessions: nil, alreadySo: reply.alreadySo, summary: reply.summary, plan: nil)
        guard let limit = context.waitLimit else {
            let counted = await SessionCount(of: input.node, in: context)
            output.note(counted)
            return output
        }
        let counted = await SessionCount.whenEnded(of: input.node, in: context, limit: limit)
        output.note(counted)
        guard counted.known == 0 else {
            throw BastionError(
                .timeout, "\(counted.known) sessions to \"\(input.node)\" have not ended within \(DurationValue(limit))",
                detail: "The node is drained; its sessions are closed when the time to end them is over.",
                hint: "look with `pgbastion connections`")
        }
        output.summary = "\(input.node) is drained; no session is left"
        return output
    }

    private static func plan(
        _ input: Input, _ view: ClusterView, in context: OperationContext
    ) async throws(BastionError) -> NodeDrainOutput {
        let node = try view.requireNode(input.node)
        let counted = await SessionCount(of: input.node, in: context)
        let limit = input.timeout.map { "\($0)" } ?? "proxy.drain_timeout"
        let steps =
            node.drained
            ? ["nothing: it is so already"]
            : ["take \(input.node) out of routing on every proxy", "let \(counted.known) sessions end for \(limit), then close them"]
        let plan = try OperationPlan(
            operation: "drain", checks: [view.checkQuorum(), view.checkNotPrimary(input.node)], steps: steps)
        return NodeDrainOutput(
            node: input.node, drained: node.drained, remainingSessions: counted.known, alreadySo: node.drained, summary: "", plan: plan)
    }
}

/// `node.undrain`: a drained node is back in routing.
package enum NodeUndrainOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
    }

    package static let definition = OperationDefinition(
        name: "node.undrain", summary: "put a drained node back into routing",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node", isRequired: true, position: 0, example: "node2")
        ],
        risk: .reversible, scope: .leader, errorCodes: [.notFound, .noLeader],
        examples: ["pgbastion node undrain node2", "pgbastion undrain node2"], aliases: ["undrain"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> NodeDrainOutput {
        let view = await context.gateway.view()
        var output = NodeDrainOutput(
            node: input.node, drained: false, remainingSessions: nil, alreadySo: false, summary: "", plan: nil)
        if context.dryRun {
            let node = try view.requireNode(input.node)
            output.drained = node.drained
            output.alreadySo = !node.drained
            output.plan = try OperationPlan(
                operation: "undrain", checks: [view.checkQuorum()],
                steps: [node.drained ? "lead sessions to \(input.node) again" : "nothing: it is so already"])
        } else {
            let reply = try await context.submit(.undrain(node: input.node))
            output.alreadySo = reply.alreadySo
            output.summary = reply.summary
            _ = await ViewWatch.first(of: context.gateway, limit: .seconds(5)) { $0.node(named: input.node)?.drained == false ? true : nil }
        }
        let counted = await SessionCount(of: input.node, in: context)
        output.note(counted)
        return output
    }
}

/// What `node.drain` and `node.undrain` answer.
package struct NodeDrainOutput: OperationOutput {
    package var node: NodeName
    package var drained: Bool
    /// From the proxies of all nodes that answered.
    @Nullable package var remainingSessions: Int?
    @Nullable package var remainingSessionsReason: String?
    package var alreadySo: Bool
    package var summary: String
    @Nullable package var plan: OperationPlan?

    init(node: NodeName, drained: Bool, remainingSessions: Int?, alreadySo: Bool, summary: String, plan: OperationPlan?) {
        self.node = node
        self.drained = drained
        self.remainingSessions = remainingSessions
        self.alreadySo = alreadySo
        self.summary = summary
        self.plan = plan
    }

    package var text: String { plan?.text ?? summary }
    package var names: [String] { [node.rawValue] }
    package var warnings: [String] { remainingSessionsReason.map { [$0] } ?? [] }

    mutating func note(_ count: SessionCount) {
        remainingSessions = count.known
        if !count.silent.isEmpty {
            remainingSessionsReason = "the proxy of \(count.silent.map(\.rawValue).joined(separator: ", ")) did not answer"
        }
    }
}

/// Sessions to one node's server through the proxies of all nodes.
struct SessionCount: Sendable {
    var known: Int
    var silent: [NodeName]

    init(of node: NodeName, in context: OperationContext) async {
        let nodes = await context.gateway.view().nodes.map(\.name)
        (known, silent) = (0, [])
        for (name, answer) in await context.askAll(nodes, .connections, limit: .seconds(2)) {
            switch answer {
            case .success(.connections(let sessions)):
                known += sessions.filter { $0.backend == node }.reduce(0) { $0 + $1.active }
            case .success, .failure: silent.append(name)
            }
        }
    }

    /// Counted until there are none. Twice, since a proxy may have led a session there a moment before it knew of the drain.
    static func whenEnded(of node: NodeName, in context: OperationContext, limit: Duration) async -> SessionCount {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit)
        var empty = 0
        while true {
            let count = await SessionCount(of: node, in: context)
            empty = count.known == 0 ? empty + 1 : 0
            guard empty < 2, clock.now < deadline else { return count }
            do { try await clock.sleep(for: .milliseconds(200)) } catch { return count }
        }
    }
}

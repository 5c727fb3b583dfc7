import ClusterModel

/// `node.restart-hold`: nobody is promoted for a while, although the primary's node may be away.
package enum NodeRestartHoldOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
        package var `for`: DurationValue?
        package init(node: NodeName, for duration: DurationValue? = nil) {
            self.node = node
            self.for = duration
        }
    }

    package static let definition = OperationDefinition(
        name: "node.restart-hold", summary: "promote nobody for a while although the primary's node may be away",
        discussion: """
            For work on the network or on the daemon of the primary's node. A real failure of that node is failed over only after \
            the hold. If the node is still cut off 10 s before its end, PostgreSQL is stopped there first. Stopping the daemon with \
            systemd takes a hold by itself.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the primary's node", isRequired: true, position: 0, example: "node1"),
            ParameterDefinition(
                name: "for", kind: .duration, help: "how long, at most 10m", defaultText: "60s", example: "5m",
                limits: ParameterLimits(shortest: .seconds(1), latest: .seconds(600))),
        ],
        risk: .reversible, scope: .leader, checks: ["node.is_primary", "no_operation_in_progress"],
        errorCodes: [.preconditionFailed, .notFound, .locked, .noLeader, .unavailable, .timeout],
        examples: ["pgbastion node restart-hold node1 --for 5m"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> NodeHoldOutput {
        let view = await context.gateway.view()
        let duration = input.for ?? NodeRestartOperation.defaultHold
        var output = NodeHoldOutput(node: input.node, active: true, until: nil, alreadySo: false, summary: "", plan: nil)
        _ = try view.requireNode(input.node)
        let check = PlanCheck(
            "node.is_primary", view.primary?.name == input.node && view.primary?.phase == "serving",
            or: "node \"\(input.node)\" does not serve as the primary")
        if context.dryRun {
            output.active = view.hold?.node == input.node
            output.until = view.hold?.until
            output.plan = try OperationPlan(
                operation: "restart hold", checks: [view.checkQuorum(), view.checkIdle(), check],
                steps: ["promote nobody for \(duration) although \(input.node) may be away"])
            return output
        }
        guard view.raft.leader != nil else {
            throw BastionError(.noLeader, "the cluster has no leader", hint: "wait with `pgbastion wait leader`")
        }
        let reply = try await context.ask(input.node, .takeHold(seconds: duration.seconds), limit: .seconds(8))
        guard case .changed(let changed) = reply else { throw NodeReply.mismatch(.takeHold(seconds: duration.seconds)) }
        output.alreadySo = changed.alreadySo
        output.summary = changed.summary
        output.until = await ViewWatch.first(of: context.gateway, limit: .seconds(3)) { $0.hold?.until }
        if let until = output.until { output.summary += ", until \(until)" }
        return output
    }
}

/// `node.restart-release`: ends a restart hold before its time.
package enum NodeRestartReleaseOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
    }

    package static let definition = OperationDefinition(
        name: "node.restart-release", summary: "end a restart hold before its time",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the primary's node", isRequired: true, position: 0, example: "node1")
        ],
        risk: .reversible, scope: .leader, errorCodes: [.notFound, .noLeader, .timeout],
        examples: ["pgbastion node restart-release node1"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> NodeHoldOutput {
        var output = NodeHoldOutput(node: input.node, active: false, until: nil, alreadySo: false, summary: "", plan: nil)
        if context.dryRun {
            let view = await context.gateway.view()
            _ = try view.requireNode(input.node)
            let isActive = view.hold?.node == input.node
            output.active = isActive
            output.until = view.hold?.until
            output.alreadySo = !isActive
            output.plan = try OperationPlan(
                operation: "release", checks: [view.checkQuorum()],
                steps: [isActive ? "end the restart hold on \(input.node)" : "nothing: it is so already"])
            return output
        }
        let reply = try await context.submit(.releaseHold(node: input.node))
        output.alreadySo = reply.alreadySo
        output.summary = reply.summary
        guard !reply.alreadySo, let limit = context.waitLimit else { return output }
        // LE12: the guard is lowered first.
        let isOver = await ViewWatch.first(of: context.gateway, limit: min(limit, .seconds(30))) { $0.hold == nil ? true : nil }
        guard isOver != nil else {
            throw BastionError(
                .timeout, "the restart hold on \"\(input.node)\" has not ended yet", detail: "The guard there has to confirm it (LE12).",
                hint: "look with `pgbastion status`")
        }
        output.summary = "no restart hold is in force"
        return output
    }
}

/// What `node.restart-hold` and `node.restart-release` answer.
package struct NodeHoldOutput: OperationOutput {
    package var node: NodeName
    package var active: Bool
    @Nullable package var until: String?
    package var alreadySo: Bool
    package var summary: String
    @Nullable package var plan: OperationPlan?
    package var text: String { plan?.text ?? summary }
    package var names: [String] { [node.rawValue] }
}

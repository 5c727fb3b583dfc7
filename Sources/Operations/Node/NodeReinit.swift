import ClusterModel

/// `node.reinit`: a node's PostgreSQL data is replaced by a rewind or a clone.
package enum NodeReinitOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName
        package var from: NodeName?
        package var method: ReinitializeMethod?
        package var keepOld: DurationValue?
        package init(node: NodeName, from: NodeName? = nil, method: ReinitializeMethod? = nil) {
            self.node = node
            self.from = from
            self.method = method
        }
    }

    package struct Output: OperationOutput {
        @Nullable package var operationID: String?
        package var node: NodeName
        package var method: String
        @Nullable package var source: NodeName?
        @Nullable package var bytesCopied: UInt64?
        package var alreadySo: Bool
        package var summary: String
        @Nullable package var plan: OperationPlan?
        package var text: String { plan?.text ?? summary }
        package var names: [String] { [node.rawValue] }
    }

    package static let definition = OperationDefinition(
        name: "node.reinit", summary: "replace a node's PostgreSQL data by a rewind or a clone",
        discussion: """
            A clone is made beside the old data directory, which then stays as <data_dir>.quarantine-TIME until the new one streams,
            and for the time of --keep-old; it goes earlier when less than 10 % of the disk is free. A rewind works in place.
            """,
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node whose data is replaced", isRequired: true, position: 0,
                example: "node3"),
            ParameterDefinition(name: "from", kind: .nodeName, help: "copy from this node; default is the primary"),
            ParameterDefinition(
                name: "method", kind: .choice, help: "how the data comes", defaultText: "auto",
                choices: ReinitializeMethod.allCases.map(\.rawValue)),
            ParameterDefinition(
                name: "keep_old", kind: .duration, help: "how long the replaced data directory is kept", defaultText: "7d", example: "0"),
        ],
        risk: .disruptive, scope: .leader, checks: ["node.not_primary", "node.healthy"], isIdempotent: false,
        errorCodes: [.preconditionFailed, .locked, .notFound, .noLeader, .timeout, .failed],
        examples: ["pgbastion node reinit node3 --yes", "pgbastion reinit node3 --method basebackup --yes"],
        aliases: ["reinit", "reinitialize"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let method = input.method ?? .auto
        var output = Output(
            operationID: nil, node: input.node, method: method.rawValue, source: input.from ?? view.primary?.name,
            bytesCopied: nil, alreadySo: false, summary: "", plan: nil)
        if context.dryRun {
            output.plan = try plan(input, method, view)
            return output
        }
        let reply = try await context.submit(
            .reinitialize(
                node: input.node, from: input.from, method: method, keepOldSeconds: input.keepOld.map { UInt64($0.seconds.rounded(.up)) }))
        output.operationID = reply.operationID
        output.alreadySo = reply.alreadySo
        output.summary = reply.summary
        guard let id = reply.operationID, let finished = try await OperationFollower.outcome(of: id, in: context) else {
            return output
        }
        output.bytesCopied = await context.gateway.view().node(named: input.node)?.job.bytesCopied
        output.source = finished.from ?? output.source
        output.summary = finished.message.isEmpty ? "\(input.node) was reinitialized" : finished.message
        return output
    }

    private static func plan(
        _ input: Input, _ method: ReinitializeMethod, _ view: ClusterView
    ) throws(BastionError) -> OperationPlan {
        _ = try view.requireNode(input.node)
        var checks = [view.checkQuorum(), view.checkIdle(), view.checkNotPrimary(input.node)]
        let source = input.from ?? view.primary?.name
        if let source { checks.append(view.checkHealthy(source)) }
        return try OperationPlan(
            operation: "reinitialization", checks: checks,
            steps: [
                "take \(input.node) out of routing and stop its server",
                "replace its data by method \(method.rawValue) from \(source.orDash)",
                "start it and wait until it streams",
                "keep the old data for \(input.keepOld.map { "\($0)" } ?? "7d")",
            ])
    }
}

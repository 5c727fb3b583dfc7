import ClusterModel

/// `postgres.checkpoint`: a checkpoint now, so that the next stop or promotion is short.
package enum PostgresCheckpointOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
    }

    package struct Output: OperationOutput {
        package var node: NodeName
        /// Where the checkpoint's record lies.
        @Nullable package var lsn: LSN?
        @Nullable package var lsnReason: String?
        package var durationSeconds: Double
        @Nullable package var plan: OperationPlan?
        package var names: [String] { [node.rawValue] }
        package var text: String {
            plan?.text ?? "\(node) made a checkpoint in \(DecimalText.oneDigit(durationSeconds)) s" + (lsn.map { " at \($0)" } ?? "")
        }
    }

    package static let definition = OperationDefinition(
        name: "postgres.checkpoint", summary: "run a checkpoint, by default on the primary",
        discussion: "On a replica it is a restart point.",
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "on this node", position: 0, example: "node2")
        ],
        risk: .reversible, errorCodes: [.notFound, .unavailable, .preconditionFailed, .failed],
        examples: ["pgbastion postgres checkpoint"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        guard let node = input.node ?? view.primary?.name else {
            throw BastionError(.unavailable, "the cluster has no primary now", hint: "name a node, or see `pgbastion status`")
        }
        let found = try view.requireNode(node)
        guard found.kind == .data else {
            throw BastionError(.preconditionFailed, "node \"\(node)\" is a witness: it has no PostgreSQL", detail: "Nothing was changed.")
        }
        if context.dryRun {
            let plan = try OperationPlan(operation: "checkpoint", checks: [], steps: ["run a checkpoint on \(node)"])
            return Output(node: node, lsn: nil, lsnReason: "nothing was done", durationSeconds: 0, plan: plan)
        }
        // Limit: as long as the adapter gives a checkpoint.
        let request = NodeRequest.inspect(.checkpoint)
        let limit = context.waitLimit ?? .seconds(600)
        guard case .inspected(.checkpoint(let lsn, let seconds)) = try await context.ask(node, request, limit: limit) else {
            throw NodeReply.mismatch(request)
        }
        return Output(
            node: node, lsn: lsn, lsnReason: lsn == nil ? "the control file could not be read" : nil, durationSeconds: seconds,
            plan: nil)
    }
}

import ClusterModel

/// `raft.log`: the last entries of this node's log, without what they contain.
package enum RaftLogOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var tail: Int?
        package var node: NodeName?
    }

    package struct Output: OperationOutput {
        package struct Entry: Codable, Sendable {
            package var index: UInt64
            package var term: UInt64
            package var kind: String
            @Nullable package var command: String?
            @Nullable package var actor: String?
            @Nullable package var requestID: String?
            package var rules: [String]
            @Nullable package var at: String?
            package var bytes: Int
        }
        package var node: NodeName
        package var entries: [Entry]
        package var names: [String] { entries.map { "\($0.index)" } }
        package var text: String {
            var table = TextTable("INDEX", "TERM", "TIME", "WHAT", "BY", "RULES", "BYTES")
            for entry in entries {
                table.add(
                    "\(entry.index)", "\(entry.term)", entry.at ?? "-", entry.command ?? entry.kind, entry.actor ?? "-",
                    entry.rules.joined(separator: ","), "\(entry.bytes)")
            }
            return table.text
        }
    }

    package static let definition = OperationDefinition(
        name: "raft.log", summary: "list the last entries of the log, without their contents",
        discussion: "Older entries lie in a snapshot and are not listed.",
        parameters: [
            ParameterDefinition(
                name: "tail", kind: .integer, help: "at most so many", defaultText: "20", example: "100", limits: ListLimit.limits),
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the log of this node; default is the one that answers", example: "node2"),
        ],
        errorCodes: [.notFound, .unavailable], examples: ["pgbastion raft log --tail 50"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        let count = try ListLimit.check(input.tail, default: 20)
        var node = view.node
        if let name = input.node { node = try view.requireNode(name).name }
        let request = NodeRequest.inspect(.entries(last: count))
        guard case .inspected(.entries(let entries)) = try await context.ask(node, request) else { throw NodeReply.mismatch(request) }
        return Output(
            node: node,
            entries: entries.map {
                Output.Entry(
                    index: $0.index, term: $0.term, kind: $0.kind, command: $0.command, actor: $0.actor,
                    requestID: $0.requestID?.rawValue, rules: $0.rules, at: $0.at, bytes: $0.bytes)
            })
    }
}

import ClusterModel

/// `raft.digest`: whether all members have the same state (CS6).
package enum RaftDigestOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package struct Node: Codable, Sendable {
            package var name: NodeName
            @Nullable package var sha256: String?
            @Nullable package var index: UInt64?
            @Nullable package var reason: String?
        }
        /// The entry after which the digests were taken; null when the members were not at one entry.
        @Nullable package var index: UInt64?
        @Nullable package var indexReason: String?
        /// `agree disagree unknown`
        package var agreement: String
        package var nodes: [Node]

        package var exitStatus: Int32 { agreement == "disagree" ? ErrorCode.integrity.exitStatus : 0 }
        package var warnings: [String] {
            nodes.compactMap { node in node.reason.map { "\(node.name): \($0)" } }
        }
        package var names: [String] { nodes.map(\.name.rawValue) }
        package var text: String {
            var table = TextTable("NODE", "INDEX", "SHA256")
            for node in nodes { table.add(node.name.rawValue, node.index.orDash, node.sha256 ?? "-") }
            switch agreement {
            case "agree": return "the members agree at index \(index.orDash)\n" + table.text
            case "disagree": return "THE MEMBERS DIFFER at index \(index.orDash)\n" + table.text
            default: return "not known: \(indexReason ?? "too few members answered")\n" + table.text
            }
        }
    }

    package static let definition = OperationDefinition(
        name: "raft.digest", summary: "compare the replicated state of all members",
        discussion: "Asks every member for the digest of its state after the same entry of the log.",
        errorCodes: [.integrity], examples: ["pgbastion raft digest"])

    /// Limit: while entries are being applied the members are asked again, so often.
    private static let attempts = 20

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let names = await context.gateway.view().nodes.map(\.name)
        var rows: [Output.Node] = []
        for attempt in 1...attempts {
            rows = await context.askAll(names, .inspect(.digest)).map { Output.Node($0.node, $0.answer) }
            let indexes = Set(rows.compactMap(\.index))
            if indexes.count == 1, let index = indexes.first { return output(rows, at: index) }
            guard indexes.count > 1, attempt < attempts else { break }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { break }
        }
        return Output(
            index: nil, indexReason: rows.allSatisfy { $0.index == nil } ? "no member answered" : "the members were never at one entry",
            agreement: "unknown", nodes: rows)
    }

    private static func output(_ rows: [Output.Node], at index: UInt64) -> Output {
        let digests = rows.compactMap(\.sha256)
        let agreement = Set(digests).count > 1 ? "disagree" : digests.count > 1 || rows.count == 1 ? "agree" : "unknown"
        return Output(index: index, indexReason: nil, agreement: agreement, nodes: rows)
    }
}

extension RaftDigestOperation.Output.Node {
    fileprivate init(_ name: NodeName, _ answer: Result<NodeReply, BastionError>) {
        switch answer {
        case .success(.inspected(.digest(let mark))): self.init(name: name, sha256: mark.sha256, index: mark.index, reason: nil)
        case .success: self.init(name: name, sha256: nil, index: nil, reason: "its release cannot say")
        case .failure(let error): self.init(name: name, sha256: nil, index: nil, reason: error.message)
        }
    }
}

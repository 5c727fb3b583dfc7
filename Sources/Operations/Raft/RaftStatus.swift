import ClusterModel

/// `raft.status`: consensus as this node sees it.
package enum RaftStatusOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package static let definition = OperationDefinition(
        name: "raft.status", summary: "show state, leader, term, indexes and quorum of Raft",
        examples: ["pgbastion raft status"], aliases: ["raft"])

    package static func perform(
        _ input: Input, in context: OperationContext
    ) async throws(BastionError) -> RaftStatusOutput {
        RaftStatusOutput(await context.gateway.view())
    }
}

/// The fields of `GET /raft/state` (E01), and the quorum.
package struct RaftStatusOutput: OperationOutput {
    package var state: String
    package var isLeader: Bool
    /// `""` when unknown (E01).
    package var leaderID: String
    package var leaderAddr: String
    package var term: UInt64
    package var commitIndex: UInt64
    package var appliedIndex: UInt64
    package var lastLogIndex: UInt64
    @Nullable package var lastContactMs: Int64?
    @Nullable package var lastContactMsReason: String?
    package var voters: Int
    package var votersReachable: Int
    package var hasQuorum: Bool
    package var failuresTolerated: Int
    package var node: NodeName
    package var capturedAt: String
    package var stale: Bool
    package var staleSeconds: Double

    package init(_ view: ClusterView) {
        let raft = view.raft
        state = raft.state
        isLeader = raft.isLeader
        leaderID = raft.leader?.rawValue ?? ""
        leaderAddr = raft.leaderAddress ?? ""
        term = raft.term
        commitIndex = raft.commitIndex
        appliedIndex = raft.appliedIndex
        lastLogIndex = raft.lastLogIndex
        lastContactMs = raft.lastContactMilliseconds
        lastContactMsReason = raft.lastContactMilliseconds == nil ? "no leader was heard yet" : nil
        voters = raft.voters
        votersReachable = raft.votersReachable
        hasQuorum = raft.hasQuorum
        failuresTolerated = raft.failuresTolerated
        node = view.node
        capturedAt = view.capturedAt
        stale = view.staleSeconds > 0
        staleSeconds = view.staleSeconds
    }

    package var text: String {
        var table = TextTable("FIELD", "VALUE")
        table.add("node", node.rawValue)
        table.add("state", state)
        table.add("leader", leaderID.isEmpty ? "none" : "\(leaderID) (\(leaderAddr))")
        table.add("term", "\(term)")
        table.add("commit index", "\(commitIndex)")
        table.add("applied index", "\(appliedIndex)")
        table.add("last log index", "\(lastLogIndex)")
        table.add("last contact", lastContactMs.map { "\($0)ms" } ?? "never")
        table.add("quorum", "\(hasQuorum ? "yes" : "NO"), \(votersReachable) of \(voters) voters")
        table.add("failures tolerated", "\(failuresTolerated)")
        return table.text
    }
    package var names: [String] { leaderID.isEmpty ? [] : [leaderID] }
}

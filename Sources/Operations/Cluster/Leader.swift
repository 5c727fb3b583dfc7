import ClusterModel

/// `leader`: the name of the node that leads, for scripts.
package enum LeaderOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {}

    package struct Output: OperationOutput {
        package var name: NodeName
        @Nullable package var address: String?
        package var term: UInt64
        package var text: String { name.rawValue }
        package var names: [String] { [name.rawValue] }
    }

    package static let definition = OperationDefinition(
        name: "leader", summary: "print the name of the leader", errorCodes: [.noLeader],
        examples: ["pgbastion leader"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        guard let leader = view.raft.leader else {
            throw BastionError(
                .noLeader, "the cluster has no leader",
                detail: "\(view.raft.votersReachable) of \(view.raft.voters) voters can be reached.",
                hint: "wait with `pgbastion wait leader`")
        }
        return Output(name: leader, address: view.raft.leaderAddress, term: view.raft.term)
    }
}

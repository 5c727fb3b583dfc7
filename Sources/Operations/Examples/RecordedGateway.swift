import ClusterModel

/// A gateway over a value: what documentation, golden tests and rehearsals talk to instead of a cluster.
package actor RecordedGateway: ClusterGateway {
    package struct Submission: Sendable, Hashable {
        package var request: ClusterRequest
        package var metadata: RequestMetadata
        package var forward: Bool
    }

    /// Changes the view as the cluster would, and answers.
    package typealias Behaviour =
        @Sendable (ClusterRequest, inout ClusterView) throws(BastionError) -> ClusterReply

    /// What one node answers.
    package typealias NodeBehaviour =
        @Sendable (NodeName, NodeRequest, ClusterView) throws(BastionError) -> NodeReply

    package private(set) var submissions: [Submission] = []
    package private(set) var questions: [(node: NodeName, request: NodeRequest)] = []
    private let nodeBehaviour: NodeBehaviour
    private var current: ClusterView
    private let behaviour: Behaviour
    private var watchers: [Int: AsyncStream<ClusterView>.Continuation] = [:]
    private var nextWatcher = 0

    package init(
        _ view: ClusterView,
        behaviour: @escaping Behaviour = { _, view throws(BastionError) in
            ClusterReply(operationID: "op-1", summary: "accepted", leader: view.raft.leader)
        },
        nodeBehaviour: @escaping NodeBehaviour = { node, request, view throws(BastionError) in
            switch request {
            case .view: .view(view)
            case .mintToken: .token(MintedToken(value: "pgb_example", digest: String(repeating: "0", count: 64)))
            case .diagnose: .diagnosis(ExampleDiagnosis.healthy(node))
            case .inspect(let inspection): .inspected(ExampleInspection.answer(inspection, view))
            case .metrics: .text("pgbastion_raft_term{cluster=\"prod\"} 7\n")
            case .logs(let query): .logs(ExampleLog.records(node).filter(query.matches))
            case .reload: .reloaded(ReloadReport(applied: ["log.level"], needsRestart: []))
            default: .done("done")
            }
        }
    ) {
        current = view
        self.behaviour = behaviour
        self.nodeBehaviour = nodeBehaviour
    }

    /// Changes the view; everybody who watches sees it.
    package func update(_ change: @Sendable (inout ClusterView) -> Void) {
        change(&current)
        tellWatchers()
    }

    package func view() async -> ClusterView { current }

    package func submit(
        _ request: ClusterRequest, metadata: RequestMetadata, forward: Bool
    ) async throws(BastionError) -> ClusterReply {
        submissions.append(Submission(request: request, metadata: metadata, forward: forward))
        guard forward || current.raft.isLeader else {
            throw BastionError(
                .notLeader, "this node does not lead", hint: "send it without X-Pgbastion-Forward: never")
        }
        let reply = try behaviour(request, &current)
        tellWatchers()
        return reply
    }

    package func ask(
        _ node: NodeName, _ request: NodeRequest, metadata: RequestMetadata, limit: Duration
    ) async throws(BastionError) -> NodeReply {
        questions.append((node, request))
        guard current.nodes.contains(where: { $0.name == node }) else {
            throw BastionError(.notFound, "node \"\(node)\" is not a member of the cluster")
        }
        return try nodeBehaviour(node, request, current)
    }

    package nonisolated func views(minimumInterval: Duration) -> AsyncStream<ClusterView> {
        let (stream, continuation) = AsyncStream.makeStream(of: ClusterView.self, bufferingPolicy: .bufferingNewest(1))
        Task { await watch(continuation) }
        return stream
    }

    private func watch(_ continuation: AsyncStream<ClusterView>.Continuation) {
        nextWatcher += 1
        let id = nextWatcher
        watchers[id] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.forget(id) } }
        continuation.yield(current)
    }

    private func forget(_ id: Int) { watchers[id] = nil }

    private func tellWatchers() {
        for watcher in watchers.values { watcher.yield(current) }
    }
}

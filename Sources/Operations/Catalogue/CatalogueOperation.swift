import ClusterModel

/// A verb that a person, a cron job, an HTTP client or a runbook can ask for, defined once.
///
/// The command line, the HTTP routes, OpenAPI, completions, manual pages and `docs/reference/` are projections of it.
package protocol CatalogueOperation: Sendable {
    associatedtype Input: Codable & Sendable
    associatedtype Output: OperationOutput
    static var definition: OperationDefinition { get }
    static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output
}

/// What an operation returns: `data` of the JSON envelope, and its text form for people.
package protocol OperationOutput: Codable, Sendable {
    /// The text a terminal shows: lines without a trailing newline.
    var text: String { get }
    /// The same with more columns, for `-o wide`.
    var wideText: String { get }
    /// Bare names, one a line, for `-o name`.
    var names: [String] { get }
    /// What somebody should know although the operation succeeded: `warnings` of the envelope.
    var warnings: [String] { get }
    /// Exit status of a read that has findings (2, 5, ...); 0 for ok.
    var exitStatus: Int32 { get }
}

extension OperationOutput {
    package var wideText: String { text }
    package var warnings: [String] { [] }
    package var names: [String] { [] }
    package var exitStatus: Int32 { 0 }
}

/// What an operation may use: the cluster through a port, and who asked.
package struct OperationContext: Sendable {
    package var gateway: any ClusterGateway
    package var metadata: RequestMetadata
    /// nil: do not wait for the outcome.
    package var waitLimit: Duration?
    package var dryRun: Bool
    /// false: the receiving node answers itself and refuses a change when it is not the leader (`--no-forward`).
    package var forward: Bool
    package init(
        gateway: any ClusterGateway, metadata: RequestMetadata, waitLimit: Duration?, dryRun: Bool = false,
        forward: Bool = true
    ) {
        self.gateway = gateway
        self.metadata = metadata
        self.waitLimit = waitLimit
        self.dryRun = dryRun
        self.forward = forward
    }

    /// Ids of the overridable checks that shall not refuse (`--override`).
    package var overrides: Set<String> { Set(metadata.overrides) }

    /// For a change that another one needs first: the idempotency key belongs to the one that was asked for.
    var detached: OperationContext {
        var context = self
        context.metadata.idempotencyKey = nil
        return context
    }

    /// Hands a change to the leader.
    func submit(_ request: ClusterRequest) async throws(BastionError) -> ClusterReply {
        try await gateway.submit(request, metadata: metadata, forward: forward)
    }

    /// Asks one node, outside the log.
    func ask(_ node: NodeName, _ request: NodeRequest, limit: Duration = .seconds(5)) async throws(BastionError) -> NodeReply {
        try await gateway.ask(node, request, metadata: metadata, limit: limit)
    }

    /// Asks every one of `nodes` at the same time; the answers in the order of the names.
    func askAll(
        _ nodes: [NodeName], _ request: NodeRequest, limit: Duration = .seconds(5)
    ) async -> [(node: NodeName, answer: Result<NodeReply, BastionError>)] {
        await withTaskGroup(of: (NodeName, Result<NodeReply, BastionError>).self) { group in
            for node in nodes {
                group.addTask {
                    do throws(BastionError) { return (node, .success(try await ask(node, request, limit: limit))) } catch {
                        return (node, .failure(error))
                    }
                }
            }
            var answers: [(node: NodeName, answer: Result<NodeReply, BastionError>)] = []
            for await (node, answer) in group { answers.append((node, answer)) }
            return answers.sorted { $0.node < $1.node }
        }
    }
}

/// The cluster as operations see it; the daemon implements it over its node, tests over a value.
package protocol ClusterGateway: Sendable {
    /// This node's present view.
    func view() async -> ClusterView
    /// Carried out by the leader, whichever node receives it; throws `not_leader` only when forwarding is forbidden.
    func submit(_ request: ClusterRequest, metadata: RequestMetadata, forward: Bool) async throws(BastionError)
        -> ClusterReply
    /// Carried out by this one node, whichever node receives it.
    ///
    /// - Throws: `not_found` for a node that is no member, `unavailable` when it does not answer within `limit`.
    func ask(_ node: NodeName, _ request: NodeRequest, metadata: RequestMetadata, limit: Duration)
        async throws(BastionError) -> NodeReply
    /// A view for every change, at most every `minimumInterval`, the present one first; ends when the caller stops.
    func views(minimumInterval: Duration) -> AsyncStream<ClusterView>
}

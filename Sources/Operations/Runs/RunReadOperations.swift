import ClusterModel

/// `run.list`: runs and locks as the cluster knows them.
package enum RunListOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package init() {}
    }

    package struct Output: OperationOutput {
        package struct Lock: Codable, Sendable {
            package var runID: String
            package var runbook: String
            @Nullable package var node: NodeName?
            package var holder: String
            package var fencing: UInt64
            package var startedAt: String
            package var heartbeatAgeSeconds: Double
            package var live: Bool
        }
        package var locks: [Lock]
        /// Newest first.
        package var runs: [RunSummary]
        package var text: String { "\(runs.count) runs, \(locks.count) locks" }
        package var names: [String] { runs.map(\.id) }
    }

    package static let definition = OperationDefinition(name: "run.list", summary: "list runs of runbooks and their locks")

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let view = await context.gateway.view()
        return Output(locks: view.locks.map { Output.Lock($0, at: view.capturedAt) }, runs: view.runs.reversed())
    }
}

extension RunListOperation.Output.Lock {
    init(_ lock: RunLock, at capturedAt: String) {
        let age = max(0, (Timestamp.seconds(capturedAt) ?? 0) - Double(lock.heartbeatAt) / 1000)
        self.init(
            runID: lock.runID, runbook: lock.runbook, node: lock.node, holder: lock.holder, fencing: lock.fencing,
            startedAt: Timestamp.text(milliseconds: lock.startedAt), heartbeatAgeSeconds: age,
            live: age * 1000 <= Double(RunLock.liveMilliseconds))
    }
}

/// `run.outcome`: what became of the call with an idempotency key.
package enum RunOutcomeOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var key: String
        package init(key: String) { self.key = key }
    }

    package struct Output: OperationOutput {
        /// False: the leader never heard of it; nothing was done.
        package var known: Bool
        /// `running succeeded failed incomplete rejected`
        package var state: String
        package var message: String
        /// The operation it began, as `op show` prints it.
        @Nullable package var operation: OperationRow?
        package var text: String { known ? "\(state): \(message)" : "never heard of" }
    }

    package static let definition = OperationDefinition(
        name: "run.outcome", summary: "tell what became of a call",
        parameters: [
            ParameterDefinition(
                name: "key", kind: .text, help: "its idempotency key", isRequired: true, limits: ParameterLimits(longest: 128))
        ],
        errorCodes: [.noLeader, .unavailable])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        guard let key = RequestID(input.key) else {
            throw BastionError(.invalidRequest, "field \"key\" must be 1 to 128 of the characters A-Z a-z 0-9 . _ -")
        }
        // Only the leader has certainly applied everything that was acknowledged.
        guard let leader = await context.gateway.view().raft.leader else { throw BastionError(.noLeader, "the cluster has no leader") }
        guard case .inspected(.outcome(let outcome)) = try await context.ask(leader, .inspect(.outcome(key))) else {
            throw BastionError(.unavailable, "node \"\(leader)\" cannot say what became of a call")
        }
        guard let outcome else { return Output(known: false, state: "unknown", message: "never heard of", operation: nil) }
        return Output(known: true, state: state(outcome), message: outcome.message, operation: outcome.operation.map { OperationRow($0) })
    }

    private static func state(_ outcome: RequestOutcome) -> String {
        guard let operation = outcome.operation else { return outcome.isApplied ? "succeeded" : "rejected" }
        switch operation.result {
        case .running: return "running"
        case .succeeded: return "succeeded"
        case .undone: return "failed"
        case .failed: return operation.newTimeline == nil ? "failed" : "incomplete"
        }
    }
}

extension Timestamp {
    /// RFC 3339 of a wall clock's milliseconds.
    package static func text(milliseconds: Int64) -> String {
        adding(Double(milliseconds) / 1000, to: "1970-01-01T00:00:00Z") ?? "1970-01-01T00:00:00Z"
    }
}

import ClusterModel

/// `run.lock`: the lock of a runbook's run, taken or taken again. Runners call it; it is no command.
package enum RunLockOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var runID: String
        package var runbook: String
        package var holder: String
        /// The whole cluster when left out.
        package var node: NodeName?
        package init(runID: String, runbook: String, holder: String, node: NodeName?) {
            self.runID = runID
            self.runbook = runbook
            self.holder = holder
            self.node = node
        }
    }

    package struct Output: OperationOutput {
        package var runID: String
        /// Every mutating call of the run carries it; smaller ones are rejected.
        package var fencing: UInt64
        package var text: String { "run \(runID) has the lock" }
    }

    package static let definition = OperationDefinition(
        name: "run.lock", summary: "take the lock of a run",
        parameters: [
            RunParameters.id,
            ParameterDefinition(name: "runbook", kind: .text, help: "name of the runbook", isRequired: true),
            ParameterDefinition(name: "holder", kind: .text, help: "user@host", isRequired: true),
            ParameterDefinition(name: "node", kind: .nodeName, help: "lock only this node"),
        ],
        risk: .reversible, scope: .leader, errorCodes: [.locked, .noLeader, .timeout])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        let before = await context.gateway.view().lock(ofRun: input.runID)?.fencing
        let now = Int64((Timestamp.seconds(await context.gateway.view().capturedAt) ?? 0) * 1000)
        _ = try await context.submit(
            .acquireLock(RunLock(runID: input.runID, runbook: input.runbook, node: input.node, holder: input.holder, at: now)))
        // The number is the entry's index, which this node knows as soon as it has applied it.
        let lock = await ViewWatch.first(of: context.gateway, limit: .seconds(10)) { view in
            view.lock(ofRun: input.runID).flatMap { $0.fencing == before ? nil : $0 }
        }
        guard let lock else { throw BastionError(.timeout, "the lock was asked for, but is not seen on this node") }
        return Output(runID: input.runID, fencing: lock.fencing)
    }
}

/// `run.beat`: the runner lives.
package enum RunBeatOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var runID: String
        package init(runID: String) { self.runID = runID }
    }
    package static let definition = OperationDefinition(
        name: "run.beat", summary: "keep the lock of a run alive", parameters: [RunParameters.id], risk: .reversible, scope: .leader,
        errorCodes: [.locked, .noLeader])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> RunNote {
        RunNote(try await context.submit(.beatLock(runID: input.runID)))
    }
}

/// `run.release`: the lock of a run is given back.
package enum RunReleaseOperation: CatalogueOperation {
    package static let definition = OperationDefinition(
        name: "run.release", summary: "give the lock of a run back", parameters: [RunParameters.id], risk: .reversible, scope: .leader,
        errorCodes: [.noLeader])

    package static func perform(_ input: RunBeatOperation.Input, in context: OperationContext) async throws(BastionError) -> RunNote {
        RunNote(try await context.submit(.releaseLock(runID: input.runID)))
    }
}

/// `run.record`: the compact copy of a run that every node can show.
package enum RunRecordOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        /// A `RunSummary` as JSON.
        package var summary: String
        package init(summary: String) { self.summary = summary }
    }
    package static let definition = OperationDefinition(
        name: "run.record", summary: "note how far a run is",
        parameters: [
            ParameterDefinition(
                name: "summary", kind: .text, help: "the run as JSON", isRequired: true, limits: ParameterLimits(longest: 65_536))
        ],
        risk: .reversible, scope: .leader, errorCodes: [.noLeader, .invalidRequest])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> RunNote {
        let summary = try JSONText.decode(RunSummary.self, from: Array(input.summary.utf8))
        return RunNote(try await context.submit(.recordRun(summary)))
    }
}

/// What a note about a run answers.
package struct RunNote: OperationOutput {
    package var alreadySo: Bool
    package var summary: String
    package var text: String { summary }

    init(_ reply: ClusterReply) {
        alreadySo = reply.alreadySo
        summary = reply.summary
    }
}

enum RunParameters {
    static let id = ParameterDefinition(
        name: "run_id", kind: .text, help: "id of the run", isRequired: true, limits: ParameterLimits(longest: 128, allowsEmpty: false))
}

extension ClusterView {
    package func lock(ofRun id: String) -> RunLock? { locks.first { $0.runID == id } }
}

import ClusterModel
import FailoverCore
import RaftCore

/// What is counted for the metrics page.
extension BastionNode {
    mutating func measure(_ measurement: NodeMeasurement) { effects.append(.measured(measurement)) }

    /// A leader that comes back as leader is no change.
    mutating func measureLeader() {
        guard let leader = raft.leader, leader != lastLeader else { return }
        if lastLeader != nil { measure(.leaderChanged) }
        lastLeader = leader
    }

    mutating func measureApplied(_ entry: LogEntry, _ command: ClusterCommand, _ result: ApplyResult, before: ClusterState) {
        if let proposedAt = proposedAt.removeValue(forKey: entry.index), raft.role == .leader, entry.term == raft.term {
            measure(.applied(now.since(proposedAt)))
        }
        guard entry.index > replayTarget, result == .applied else { return }
        switch command {
        case .startOperation(let record):
            if let change = record.change { measure(.operationStarted(change)) }
        case .finishOperation(let id, _, _):
            if let ended = state.finished.last(where: { $0.id == id }) { measureEnd(of: ended) }
        default: break
        }
        measureDirectives(before)
    }

    private mutating func measureEnd(of record: OperationRecord) {
        guard let change = record.change, let ending = record.ending, let finishedAt = record.finishedAt else { return }
        measure(.operationEnded(change, ending, .milliseconds(max(0, finishedAt - record.startedAt))))
    }

    /// New directives are at the end of the list, whatever was dropped at its beginning.
    private mutating func measureDirectives(_ before: ClusterState) {
        guard state.directives.last?.id != before.directives.last?.id else { return }
        let known = Set(before.directives.map(\.id))
        for directive in state.directives where !known.contains(directive.id) {
            measure(.directivePublished(directive.type.rawValue))
        }
    }
}

extension OperationRecord {
    /// nil for what is neither a failover nor a switchover.
    var change: NodeMeasurement.Change? {
        switch kind {
        case .failover: .failover
        case .switchover: .switchover
        case .bootstrap, .standbyPromote: nil
        }
    }

    /// nil while it runs.
    var ending: NodeMeasurement.Ending? {
        switch result {
        case nil: nil
        case .succeeded: .success
        case .failed, .undone, .cancelled: OperationRecord.saysTooLate(message) ? .timeout : .failed
        }
    }

    /// The policy's own words for a phase that passed its deadline (section 7).
    static func saysTooLate(_ message: String) -> Bool {
        message.contains(" in time") || message.contains("took longer than")
    }
}

extension ClusterCommand {
    /// A step of the operation that runs, whoever proposed it.
    var isPartOfOperation: Bool {
        switch self {
        case .advanceOperation, .finishOperation, .assignPrimary, .recordPromotion, .abandonAssignment: true
        default: false
        }
    }
}

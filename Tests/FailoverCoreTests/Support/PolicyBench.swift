import ClusterModel
import FailoverCore
import Testing

/// A leader's policy over a cluster state: reports and time go in, decisions come out.
final class PolicyBench {
    let cluster: StateBench
    var policy = FailoverPolicy(settings: PolicySettings())
    var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
    var reports: [NodeName: NodeReport] = [:]
    /// Nodes that report nothing new; the last report stays.
    var silent: Set<NodeName> = []
    private var heardAt: [NodeName: ClockStamp] = [:]
    private(set) var now: Int64 = 0
    private var sequence: UInt64 = 0

    /// `a` serves, `b` and `c` stream; the leader is the witness.
    init(_ cluster: StateBench = StateBench.synchronous()) {
        self.cluster = cluster
        reports[name("a")] = report("a", .primary, lsn: 900)
        for node in ["b", "c"] { reports[name(node)] = report(node, .replica, lsn: 900) }
        renew()
    }

    /// The primary's lease request is accepted now.
    func renew() {
        guard let primary = cluster.state.primary else { return }
        sequence += 1
        _ = ledger.accept(
            LeaseRequest(
                clusterID: clusterID, epoch: 1, memberID: primary.memberID, token: primary.token,
                guardIncarnation: primary.guardIncarnation, daemon: DaemonIncarnation(rawValue: 1), sequence: sequence),
            from: primary.memberID, context: sequence, state: cluster.state, now: stamp(now))
    }

    func wait(_ milliseconds: Int64) { now += milliseconds }

    func set(_ node: String, _ condition: Condition, lsn: UInt64 = 900, timeline: UInt32 = 2, token: UInt64 = 1) {
        reports[name(node)] = report(node, condition, lsn: lsn, timeline: timeline, token: token)
    }

    /// `node` answers the ballot of the running operation.
    func pledge(_ node: String, _ position: WALPosition, stopped: Bool = false) {
        let ballot = cluster.state.operation?.ballot.rawValue ?? 0
        policy.receive(answer(node, position, stopped: stopped, ballot: ballot), now: stamp(now))
    }

    func decide() -> PolicyDecision {
        var timed: [NodeName: TimedReport] = [:]
        for (node, found) in reports {
            if !silent.contains(node) || heardAt[node] == nil { heardAt[node] = stamp(now) }
            timed[node] = TimedReport(report: found, at: heardAt[node] ?? stamp(now))
        }
        return policy.evaluate(
            PolicyContext(
                state: cluster.state, reports: timed, ledger: ledger, now: stamp(now), leader: name("w"), nextIndex: 50,
                reportMaxAge: policy.settings.reportMaxAge))
    }

    /// Decides and applies the command, which must be legal.
    @discardableResult
    func step(sourceLocation: SourceLocation = #_sourceLocation) -> PolicyDecision {
        let decision = decide()
        if let command = decision.command { cluster.must(command, sourceLocation: sourceLocation) }
        return decision
    }

    var operation: OperationRecord? { cluster.state.operation }
    var primary: PrimaryRecord? { cluster.state.primary }
}

extension PolicyDecision {
    var started: OperationRecord? {
        guard case .startOperation(let record) = command else { return nil }
        return record
    }
    var assigned: Assignment? {
        guard case .assignPrimary(let assignment) = command else { return nil }
        return assignment
    }
    var finished: OperationRecord.Result? {
        guard case .finishOperation(_, let result, _) = command else { return nil }
        return result
    }
    var advancedTo: OperationRecord.Phase? {
        guard case .advanceOperation(_, _, let to, _) = command else { return nil }
        return to
    }
    var abandoned: FencingToken? {
        guard case .abandonAssignment(let token, _) = command else { return nil }
        return token
    }
}

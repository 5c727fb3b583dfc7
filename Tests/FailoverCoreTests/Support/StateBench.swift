import ClusterModel
import FailoverCore
import Testing

/// A cluster state and the commands that changed it; time is the number of commands.
final class StateBench {
    var state = ClusterState()
    private(set) var wallTime: Int64 = 0

    /// No cluster yet.
    init() {}

    /// Data nodes `a`, `b`, `c` and witness `w`; `a` serves token 1 on timeline 2; everybody is ready.
    static func serving() -> StateBench {
        let bench = StateBench()
        bench.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000))
        for node in ["a", "b", "c"] { bench.must(.registerNode(record(node))) }
        bench.must(.registerNode(record("w", kind: .witness)))
        bench.must(.setSystemIdentifier(systemID, timeline: TimelineID(1)))
        bench.must(.startOperation(operation("first", .bootstrap, to: "a", fromToken: 0, ballot: 1)))
        bench.must(.assignPrimary(assignment(1, "a", timeline: 2, parent: 1, .never, operation: "first")))
        bench.must(.recordPromotion(token: FencingToken(1), timeline: TimelineID(2), forkLSN: LSN(100)))
        bench.must(.finishOperation(id: "first", result: .succeeded, message: ""))
        for node in ["a", "b", "c"] { bench.stand(node, .ready) }
        return bench
    }

    /// As `serving`, in mode `quorum` with the set `b`, `c`, one of which every commit waits for.
    static func synchronous() -> StateBench {
        let bench = serving()
        bench.must(
            .beginSyncChange(token: FencingToken(1), generation: 2, mode: .quorum, rule: rule(1, "a", ["b", "c"], 1)))
        bench.must(.settleSync(token: FencingToken(1), generation: 2))
        return bench
    }

    @discardableResult
    func apply(
        _ command: ClusterCommand, id: String? = nil, term: UInt64 = 1, proposedTerm: UInt64 = 1
    ) -> ApplyResult {
        wallTime += 1
        let entry = ClusterEntry(
            requestID: id.map(request), actor: "test", proposedTerm: proposedTerm, wallTime: wallTime, command: command)
        return state.apply(entry, term: term)
    }

    /// Applies a command that is legal here.
    func must(_ command: ClusterCommand, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(apply(command) == .applied, sourceLocation: sourceLocation)
    }

    /// CS4: the command is refused for `rule` and changes nothing.
    func refuses(_ command: ClusterCommand, _ rule: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let before = state
        switch apply(command) {
        case .applied: Issue.record("was applied", sourceLocation: sourceLocation)
        case .rejected(let found, let reason): #expect(found == rule, "\(reason)", sourceLocation: sourceLocation)
        }
        #expect(state == before, "CS4: a refusal changes nothing", sourceLocation: sourceLocation)
    }

    func stand(_ node: String, _ standing: Standing) {
        must(
            .setStanding(
                node: name(node), memberID: member(node), from: state.nodes[name(node)]?.standing ?? .joining,
                to: standing,
                dataID: dataOf(node), reason: "test"))
    }

    /// `a` lost its lease, a failover asks for pledges; the lease is proven to have ended only when `released`.
    func failover(_ id: String = "op", to: String? = nil, released: Bool = false, automatic: Bool = true) {
        let token = state.primary?.token.rawValue ?? 0
        must(
            .startOperation(
                operation(
                    id, .failover, from: state.primary?.node.rawValue, to: to, fromToken: token,
                    ballot: state.lastToken.next.rawValue, automatic: automatic)))
        if released { release() }
    }

    func release(_ manner: ReleaseEvidence.Manner = .crash) {
        guard let primary = state.primary else { return }
        must(
            .recordRelease(
                token: primary.token, guardIncarnation: primary.guardIncarnation,
                evidence: ReleaseEvidence(manner: manner, endOfWAL: nil)))
    }
}

func record(_ node: String, kind: NodeKind = .data, life: Int = 1) -> NodeRecord {
    NodeRecord(
        name: name(node), memberID: member(node, life: life), host: "127.0.0.1", raftPort: 7000, postgresPort: 5432,
        kind: kind)
}

func operation(
    _ id: String, _ kind: OperationRecord.Kind, from: String? = nil, to: String? = nil, fromToken: UInt64,
    ballot: UInt64,
    automatic: Bool = true
) -> OperationRecord {
    OperationRecord(
        id: id, kind: kind, phase: kind == .switchover ? .checkpoint : .pledge, from: from.map(name), to: to.map(name),
        fromToken: FencingToken(fromToken), ballot: FencingToken(ballot), isAutomatic: automatic)
}

func rule(_ token: UInt64, _ primary: String, _ members: [String], _ required: Int) -> AckRule {
    AckRule(
        token: FencingToken(token), primary: .init(node: name(primary), dataID: dataOf(primary)),
        members: members.map { .init(node: name($0), dataID: dataOf($0)) }, required: required)
}

func assignment(
    _ token: UInt64, _ node: String, timeline: UInt32, parent: UInt32, _ basis: AssignmentBasis, operation: String,
    rule given: AckRule? = nil, mode: SynchronousMode = .off, dropsOlderRules: Bool = false
) -> Assignment {
    Assignment(
        token: FencingToken(token), node: name(node), memberID: member(node), guardIncarnation: guardOf(node),
        timeline: TimelineID(timeline), parent: TimelineID(parent), basis: basis,
        rule: given ?? rule(token, node, [], 0),
        mode: mode, dropsOlderRules: dropsOlderRules, certificate: nil, operationID: operation)
}

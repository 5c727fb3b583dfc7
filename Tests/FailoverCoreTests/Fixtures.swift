import ClusterModel

@testable import FailoverCore

/// Short ways to states and facts that tests need.
enum Fixture {
    static let cluster = ClusterID(rawValue: 7)

    static func name(_ number: Int) -> NodeName {
        guard let name = NodeName("node\(number)") else { preconditionFailure("node\(number) is no name") }
        return name
    }
    static func member(_ number: Int) -> MemberID { MemberID(rawValue: UInt128(number)) }
    static func guardID(_ number: Int) -> GuardIncarnation { GuardIncarnation(rawValue: UInt128(number)) }
    static func data(_ number: Int) -> DataID { DataID(rawValue: UInt128(100 + number)) }
    static func at(_ timeline: UInt32, _ lsn: UInt64) -> WALPosition { WALPosition(timeline: TimelineID(timeline), lsn: LSN(lsn)) }
    static func stamp(_ milliseconds: Int64) -> ClockStamp { ClockStamp(raw: milliseconds * 1_000_000) }

    static func record(_ number: Int) -> NodeRecord {
        NodeRecord(
            name: name(number), memberID: member(number), host: "host\(number)", raftPort: 7400, postgresPort: 5432, kind: .data)
    }

    /// A cluster of `count` ready data nodes; node 1 serves with token 1 on timeline 2.
    static func serving(_ count: Int = 3, mode: SynchronousMode = .off, members: [Int] = [], required: Int = 0) -> ClusterState {
        var state = ClusterState()
        state.cluster = ClusterIdentity(id: cluster, epoch: 1, name: "test")
        state.systemIdentifier = 42
        for number in 1...count {
            var node = record(number)
            node.standing = .ready
            node.dataID = data(number)
            state.nodes[node.name] = node
        }
        state.primary = PrimaryRecord(
            token: FencingToken(1), node: name(1), memberID: member(1), guardIncarnation: guardID(1), timeline: TimelineID(2),
            phase: .serving, basis: .never)
        state.lastToken = FencingToken(1)
        state.lastTimeline = TimelineID(2)
        var first = TimelineRecord(
            token: FencingToken(1), timeline: TimelineID(2), parent: TimelineID(1), node: name(1), reason: "bootstrap", at: 0)
        first.forkLSN = LSN(100)
        state.timelines = [first]
        state.synchronous.mode = mode
        state.synchronous.rules = [rule(token: 1, primary: 1, members: members, required: required)]
        return state
    }

    static func rule(token: UInt64, primary: Int, members: [Int], required: Int) -> AckRule {
        AckRule(
            token: FencingToken(token), primary: .init(node: name(primary), dataID: data(primary)),
            members: members.map { .init(node: name($0), dataID: data($0)) }, required: required)
    }

    static func pledge(_ number: Int, _ position: WALPosition, stopped: Bool = false, ballot: UInt64 = 2) -> Pledge {
        Pledge(
            ballot: FencingToken(ballot), node: name(number), memberID: member(number), dataID: data(number), position: position,
            replayed: position.lsn, history: [], isStopped: stopped, storage: .healthy, isReplayPaused: false)
    }

    /// A replica's report: a guard without lease and a server in recovery.
    static func report(_ number: Int, _ position: WALPosition, streams: Bool = true) -> NodeReport {
        var report = NodeReport(node: name(number), memberID: member(number), version: "1")
        var status = GuardStatus(incarnation: guardID(number))
        status.state = .standby
        status.postmasterPID = 10
        report.guardStatus = status
        var facts = PostgresFacts(dataDirectory: .present)
        facts.dataID = data(number)
        var server = ServerFacts(versionNumber: 170_000, systemIdentifier: 42, isInRecovery: true, timeline: position.timeline)
        server.receivedLSN = position.lsn
        server.replayedLSN = position.lsn
        if streams { server.receiver = ReceiverFacts(status: "streaming") }
        facts.server = server
        report.facts = facts
        return report
    }

    /// The primary's report, with these nodes streaming from it.
    static func primaryReport(_ number: Int, end: UInt64, replicas: [Int]) -> NodeReport {
        var report = report(number, at(2, end), streams: false)
        report.guardStatus?.state = .primary
        report.guardStatus?.token = FencingToken(1)
        report.facts?.server?.isInRecovery = false
        report.facts?.server?.flushLSN = LSN(end)
        report.facts?.server?.replicas = replicas.map { replica in
            var row = StreamingReplica(
                applicationName: applicationName(cluster: cluster, node: name(replica)), state: "streaming", syncState: "quorum")
            row.flushLSN = LSN(end)
            return row
        }
        return report
    }

    static func failover(_ state: ClusterState, automatic: Bool = true) -> OperationRecord {
        OperationRecord(
            id: "op-9", kind: .failover, phase: .pledge, from: state.primary?.node, to: nil,
            fromToken: state.primary?.token ?? .never, ballot: state.lastToken.next, isAutomatic: automatic)
    }

    static func assignment(_ state: ClusterState, to number: Int, basis: AssignmentBasis = .expired) -> Assignment {
        Assignment(
            token: state.lastToken.next, node: name(number), memberID: member(number), guardIncarnation: guardID(number),
            timeline: state.lastTimeline.next, parent: state.primary?.timeline ?? TimelineID(1), basis: basis,
            rule: rule(token: state.lastToken.next.rawValue, primary: number, members: [], required: 0), mode: .off,
            dropsOlderRules: false, certificate: nil, operationID: "op-9")
    }
}

extension ClusterState {
    /// Applies a command in term 1.
    mutating func run(_ command: ClusterCommand) -> ApplyResult {
        apply(ClusterEntry(actor: "test", proposedTerm: 1, wallTime: 0, command: command), term: 1)
    }
}

extension ApplyResult {
    var rule: String? { if case .rejected(let rule, _) = self { rule } else { nil } }
}

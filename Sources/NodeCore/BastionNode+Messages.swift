import ClusterModel
import FailoverCore
import RaftCore

/// What other nodes say, and what this node tells them.
extension BastionNode {
    mutating func receive(_ message: PeerMessage, from: MemberID) {
        switch message {
        case .raft(let raftMessage):
            if raftMessage.from == raft.leader { lastLeaderContact = now }
            if isStranger(from, raftMessage) {
                send(.removed(from), to: from)
                return
            }
            raft.step(raftMessage)
            if raftMessage.from == raft.leader { lastLeaderContact = now }
        case .node(let nodeMessage): receive(nodeMessage, from: from)
        }
    }

    /// RA11, D67: a removed member that still campaigns is told, and changes nothing here.
    private func isStranger(_ member: MemberID, _ message: RaftMessage) -> Bool {
        guard state.tombstones.contains(member), !raft.membership.contains(message.from) else { return false }
        if case .voteRequest = message.body { return true }
        return false
    }

    private mutating func receive(_ message: NodeMessage, from: MemberID) {
        switch message {
        case .leaseRequest(let request, let relayed):
            if relayed, raft.role != .leader, let leader = raft.leader, leader.rawValue != from.rawValue {
                send(.leaseRequest(request, relayed: false), to: MemberID(rawValue: leader.rawValue))
            } else {
                accept(request, from: from)
            }
        case .leaseGrant(let grant): granted(grant)
        case .leaseDenial(let denial):
            guard denial.daemon == identity.daemon else { return }
            log(.debug, "lease.denied", "lease request denied", ["reason": denial.reason.rawValue])
        case .release(let term, let token, let incarnation, let evidence):
            guard isReadyLeader, term == raft.term.rawValue else { return }
            released(token, incarnation, evidence)
        case .pledgeRequest(let term, let ballot):
            guard term == raft.term.rawValue, from.rawValue == raft.leader?.rawValue else { return }
            agent.received(pledgeRequest: ballot)
        case .pledge(let pledge):
            guard isReadyLeader, state.nodes[pledge.node]?.memberID == pledge.memberID else { return }
            policy.receive(pledge, now: now)
        case .report(let report): received(report, from: from)
        case .clusterReport(let report): received(report, from: from)
        case .holdRequest(let id, let token, let incarnation, let milliseconds, let isOrdered):
            holdRequested(id: id, token, incarnation, milliseconds, isOrdered: isOrdered == true, from: from)
        case .holdGranted(let id, let token): holdGranted(id: id, token)
        case .addressGivenUp(let term, let index): addressGivenUp(term: term, index: index, from: from)
        case .removed(let member):
            guard member == identity.memberID, !raft.membership.voters.isEmpty else { return }
            guard raft.role != .leader, ticksWithoutLeader else { return }
            isRemoved = true
            effects.append(.halt(.removed, "D67: this member was removed from the cluster; `pgbastion node reset` gives it a new identity"))
        }
    }

    private var ticksWithoutLeader: Bool { raft.leader == nil }

    private mutating func released(_ token: FencingToken, _ incarnation: GuardIncarnation, _ evidence: ReleaseEvidence) {
        guard let primary = state.primary, primary.token == token, primary.guardIncarnation == incarnation,
            primary.released == nil, policyIndex == nil
        else { return }
        policyIndex = propose(.recordRelease(token: token, guardIncarnation: incarnation, evidence: evidence), rules: ["LE10", "LE11"])
    }

    private mutating func received(_ report: NodeReport, from: MemberID) {
        guard report.memberID == from, state.nodes[report.node]?.memberID == from else { return }
        let before = reports[report.node]?.report
        reports[report.node] = TimedReport(report: report, at: now)
        if before.map(ReportKey.init) != ReportKey(report) { broadcastDue = true }
    }

    private mutating func received(_ report: ClusterReport, from: MemberID) {
        guard report.term == raft.term.rawValue, raft.role != .leader,
            from.rawValue == raft.leader?.rawValue || raft.leader == nil
        else { return }
        if let last = leaderReport, last.term == report.term, last.sequence >= report.sequence { return }
        leaderReport = report
        leaderReportAt = now
        for item in report.items where item.report.node != identity.name {
            let at = now.advanced(by: .milliseconds(-item.ageMilliseconds))
            reports[item.report.node] = TimedReport(report: item.report, at: at)
        }
    }

    mutating func send(_ message: NodeMessage, to member: MemberID, lane: NodeEffect.Lane = .urgent) {
        guard member != identity.memberID else { return }
        effects.append(.send(to: member, .node(message), lane: lane))
    }

    /// Every member but this one, sorted.
    var otherMembers: [MemberID] {
        raft.membership.members.map { MemberID(rawValue: $0.rawValue) }.filter { $0 != identity.memberID }
    }

    // MARK: Reports

    /// The leader's report of the present term, if it is recent enough to act on (CS8).
    var freshLeaderReport: ClusterReport? {
        guard let leaderReport, let at = leaderReportAt, leaderReport.term == raft.term.rawValue,
            now.since(at) <= .milliseconds(1500)
        else { return nil }
        return leaderReport
    }

    /// This node's report: to the leader every 500 ms and when something important changed.
    mutating func report() {
        guard state.cluster != nil, identity.kind == .data || raft.role == .leader else { return reportWitness() }
        var own = agent.report(agentContext, version: identity.version)
        own.isStopping = stopping != nil
        own.stateMark = stateMark
        own.address = address?.view
        let key = ReportKey(own)
        let isDue = sentReportAt.map { now.since($0) >= .milliseconds(500) } ?? true
        let changed = key != sentReportKey
        guard isDue || changed else { return broadcast() }
        sentReportAt = now
        sentReportKey = key
        reports[identity.name] = TimedReport(report: own, at: now)
        if changed { broadcastDue = true }
        if raft.role != .leader, let leader = raft.leader {
            send(.report(own), to: MemberID(rawValue: leader.rawValue), lane: changed ? .urgent : .report)
        }
        broadcast()
    }

    private mutating func reportWitness() {
        guard state.cluster != nil else { return }
        var own = NodeReport(node: identity.name, memberID: identity.memberID, version: identity.version)
        own.apiURL = identity.apiURL
        own.agentState = "running"
        own.stateMark = stateMark
        own.address = address?.view
        let key = ReportKey(own)
        let isDue = sentReportAt.map { now.since($0) >= .milliseconds(500) } ?? true
        guard isDue || key != sentReportKey else { return }
        sentReportAt = now
        sentReportKey = key
        reports[identity.name] = TimedReport(report: own, at: now)
        if let leader = raft.leader { send(.report(own), to: MemberID(rawValue: leader.rawValue), lane: .report) }
    }

    /// The leader's report to everybody.
    private mutating func broadcast() {
        guard isReadyLeader else { return }
        let isDue = broadcastAt.map { now.since($0) >= .milliseconds(500) } ?? true
        let mayHurry = broadcastAt.map { now.since($0) >= .milliseconds(10) } ?? true
        guard isDue || (broadcastDue && mayHurry) else { return }
        broadcastAt = now
        broadcastDue = false
        reportSequence += 1
        let items = reports.values.sorted { $0.report.node < $1.report.node }
            .filter { state.nodes[$0.report.node] != nil && now.since($0.at) < .seconds(600) }
            .map { ClusterReport.Item(report: $0.report, ageMilliseconds: now.since($0.at).inMilliseconds) }
        let report = ClusterReport(
            term: raft.term.rawValue, sequence: reportSequence, items: items, orders: ordersInForce, peers: peerViews,
            votersReachable: raft.votersInContact, splitBrain: decision.splitBrain)
        leaderReport = report
        leaderReportAt = now
        for member in otherMembers { send(.clusterReport(report), to: member, lane: .report) }
    }
}

/// The part of a report whose change is told at once.
struct ReportKey: Hashable, Sendable {
    private var guardState: GuardState?
    private var guardIncarnation: GuardIncarnation?
    private var token: FencingToken?
    private var pid: Int32?
    private var gone: Bool?
    private var lowered: [GuardLowering]?
    private var isUp: Bool
    private var inRecovery: Bool?
    private var timeline: TimelineID?
    private var receiver: String?
    private var received: LSN?
    private var stopped: StoppedServer?
    private var agentState: String
    private var promoted: PromotionReport?
    private var failed: FencingToken?
    private var settled: UInt64?
    private var results: [String: String?]
    private var replicas: Int
    private var dataID: DataID?
    private var isStopping: Bool
    private var address: VirtualAddressView?

    init(_ r: NodeReport) {
        guardState = r.guardStatus?.state
        guardIncarnation = r.guardStatus?.incarnation
        token = r.guardStatus?.token
        pid = r.guardStatus?.postmasterPID
        gone = r.guardStatus?.allProcessesGone
        lowered = r.guardStatus?.lowered
        isUp = r.facts?.server != nil
        inRecovery = r.facts?.server?.isInRecovery
        timeline = r.facts?.server?.timeline
        receiver = r.facts?.server?.receiver?.status
        // While nothing is received, where reception ended is what a switchover waits for.
        received = r.facts?.server?.receiver == nil ? r.facts?.server?.receivedLSN : nil
        stopped = r.stopped
        agentState = r.agentState
        promoted = r.promoted
        failed = r.failedToken
        settled = r.settledGeneration
        results = r.directiveResults
        replicas = r.facts?.server?.replicas.filter { $0.state == "streaming" }.count ?? 0
        dataID = r.facts?.dataID
        isStopping = r.isStopping
        address = r.address
    }
}

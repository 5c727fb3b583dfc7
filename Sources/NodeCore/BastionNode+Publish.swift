import ClusterModel
import FailoverCore
import RaftCore

/// What a node shows to its proxy and its transport.
extension BastionNode {
    mutating func route() {
        let table = routingView.table
        if table != publishedRoute {
            publishedRoute = table
            effects.append(.route(table))
        }
        publishPeers()
    }

    /// No leader was heard for `leases.wait` (PX2).
    var isCutOff: Bool {
        guard raft.role != .leader else { return false }
        guard let lastLeaderContact else { return true }
        return now.since(lastLeaderContact) > .milliseconds(state.leases.waitMilliseconds)
    }

    var isSplitBrain: Bool { raft.role == .leader ? decision.splitBrain : freshLeaderReport?.splitBrain ?? false }

    var routingView: RoutingView {
        RoutingView(
            state: state, reports: reports, me: identity.name, holdsLease: agentContext.holdsLease, isCutOff: isCutOff,
            splitBrain: isSplitBrain, settings: policy.settings, now: now)
    }

    private mutating func publishPeers() {
        let peers = state.memberNodes.filter { $0.memberID != identity.memberID }
            .map { PeerEndpoint(memberID: $0.memberID, name: $0.name, host: $0.host, port: $0.raftPort) }
        guard peers != publishedPeers else { return }
        // 4.12: access rules of a server that was only just restored follow the membership when there is somebody to let in.
        if peers.isEmpty, state.barrier != nil, publishedPeers == nil { return }
        publishedPeers = peers
        effects.append(.peers(peers))
    }

    mutating func membershipCommitted(_ entry: LogEntry) {
        do {
            let membership = try Membership(decoding: entry.payload)
            appliedMembership = (entry.index, membership)
            let names = membership.voters.map { state.node(MemberID(rawValue: $0.rawValue))?.name.rawValue ?? $0.description }
            log(.info, "membership.changed", "the voters are \(names.joined(separator: ", "))", ["index": "\(entry.index)"])
        } catch {
            effects.append(.halt(.internal, "membership entry \(entry.index) cannot be read: \(error)"))
        }
    }

    /// The leader as this node knows it.
    package struct LeaderMember: Sendable {
        package var member: MemberID
        package var name: NodeName?
        package var isSelf: Bool
    }

    package var leaderMember: LeaderMember? {
        guard let leader = raft.leader else { return nil }
        let member = MemberID(rawValue: leader.rawValue)
        return LeaderMember(member: member, name: leaderName, isSelf: leader == raft.id)
    }

    /// Whether a member id is registered now: it may be told the service roles' passwords.
    package func isRegistered(_ member: MemberID) -> Bool { state.node(member) != nil }

    /// This node waits to be added, or knows a leader: it can answer for its cluster.
    package var isSettled: Bool { state.cluster == nil ? raft.membership.voters.isEmpty : raft.leader != nil }
}

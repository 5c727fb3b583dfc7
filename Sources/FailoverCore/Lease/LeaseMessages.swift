import ClusterModel

/// The messages of section 4.2 of failover.md.
package struct LeaseRequest: Sendable, Codable, Hashable {
    package var clusterID: ClusterID
    package var epoch: UInt32
    package var memberID: MemberID
    package var token: FencingToken
    package var guardIncarnation: GuardIncarnation
    package var daemon: DaemonIncarnation
    package var sequence: UInt64

    package init(
        clusterID: ClusterID, epoch: UInt32, memberID: MemberID, token: FencingToken, guardIncarnation: GuardIncarnation,
        daemon: DaemonIncarnation, sequence: UInt64
    ) {
        self.clusterID = clusterID
        self.epoch = epoch
        self.memberID = memberID
        self.token = token
        self.guardIncarnation = guardIncarnation
        self.daemon = daemon
        self.sequence = sequence
    }
}

package struct LeaseGrant: Sendable, Codable, Hashable {
    package var clusterID: ClusterID
    package var term: UInt64
    package var token: FencingToken
    package var guardIncarnation: GuardIncarnation
    package var daemon: DaemonIncarnation
    package var sequence: UInt64
    package var durationMilliseconds: Int64
    package var mode: LeaseMode

    package init(
        clusterID: ClusterID, term: UInt64, token: FencingToken, guardIncarnation: GuardIncarnation, daemon: DaemonIncarnation,
        sequence: UInt64, durationMilliseconds: Int64, mode: LeaseMode
    ) {
        self.clusterID = clusterID
        self.term = term
        self.token = token
        self.guardIncarnation = guardIncarnation
        self.daemon = daemon
        self.sequence = sequence
        self.durationMilliseconds = durationMilliseconds
        self.mode = mode
    }
}

package enum LeaseDenialReason: String, Sendable, Codable, Hashable {
    case notLeader, notReady, wrongCluster, wrongToken, wrongGuard, ended, stale, noQuorum
}

package struct LeaseDenial: Sendable, Codable, Hashable {
    package var daemon: DaemonIncarnation
    package var sequence: UInt64
    package var reason: LeaseDenialReason

    package init(
        daemon: DaemonIncarnation, sequence: UInt64, reason: LeaseDenialReason
    ) {
        self.daemon = daemon
        self.sequence = sequence
        self.reason = reason
    }
}

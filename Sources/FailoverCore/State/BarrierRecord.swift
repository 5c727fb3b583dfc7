import ClusterModel

/// 4.12: what a restored or recovered cluster waits for before anybody may be its primary.
///
/// - Safety: Quorums of the old and the new cluster do not overlap, so the proof of 4.5 does not hold between them. It is
///   replaced by: every former data node is known to be harmless, and the longest lease of before has passed.
package struct BarrierRecord: Sendable, Codable, Hashable {
    /// The former data nodes.
    package var nodes: [NodeName: BarrierView.Mark]
    /// The larger of the saved lease wait and hold; counted from the start of the leader's daemon.
    package var waitMilliseconds: Int64
    /// What the restored state says the primary was: a claim (D68).
    package var claimed: NodeName?
    /// The node that an operator accepted as primary, or that was verified when the pause was ended.
    package var accepted: NodeName?
    package init(nodes: [NodeName: BarrierView.Mark], waitMilliseconds: Int64, claimed: NodeName?) {
        self.nodes = nodes
        self.waitMilliseconds = waitMilliseconds
        self.claimed = claimed
    }

    /// Former data nodes that may still be writable, sorted.
    package var open: [NodeName] { nodes.filter { $0.value == .unknown }.keys.sorted() }
}

extension NodeRecord {
    /// An operator's fence outlives a restore (D15), and data of another system are nobody's (D60). Other standings speak of the
    /// former cluster's primary.
    var mayBeAccepted: Bool { standing != .fenced && standing != .refused }
}

extension ClusterState {
    /// AG1's exception: the cluster waits for a primary to be accepted, or this node was, and has no token yet.
    package func mayRunUnleased(_ node: NodeName) -> Bool {
        barrier.map { $0.accepted == nil || $0.accepted == node } ?? false
    }

    mutating func clearBarrier(_ node: NodeName, _ mark: BarrierView.Mark) throws(Rejection) {
        guard barrier?.nodes[node] == .unknown, mark != .unknown else {
            throw Rejection("D68", "the barrier does not wait for node \"\(node)\"")
        }
        barrier?.nodes[node] = mark
    }

    /// The operator's word: the other listed nodes are former members that have to be reset before they come back.
    mutating func acceptPrimary(_ node: NodeName, _ memberID: MemberID, at time: Int64) throws(Rejection) {
        guard !isStandby else { throw Rejection("standby.active", "this cluster follows another one") }
        guard let waiting = barrier else { throw Rejection("one_primary", "this cluster does not wait for a primary to be accepted") }
        guard let record = nodes[node], record.memberID == memberID, record.kind == .data, !record.isFormerMember else {
            throw Rejection("node.exists", "node \"\(node)\" is not a data node of this cluster")
        }
        try endBootstrap(besides: node, at: time)
        for listed in waiting.open { barrier?.nodes[listed] = listed == node ? .confirmed : .attested }
        barrier?.accepted = node
        paused = nil
    }
}

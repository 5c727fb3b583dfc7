import ClusterModel

/// A cluster that follows another one has no primary of its own until an operator ends that.
package struct StandbyRecord: Sendable, Codable, Hashable {
    package var upstream: StandbyUpstream
    /// The node that streams from the other cluster; the others stream from it.
    package var source: NodeName?
    /// The token of the first own primary; nil while this cluster follows.
    package var endedBy: FencingToken?
    package init(upstream: StandbyUpstream) { self.upstream = upstream }
}

extension ClusterState {
    /// This cluster follows another one: nobody is appointed, whatever happens.
    package var isStandby: Bool { standby.map { $0.endedBy == nil } ?? false }

    /// Begins to follow, or follows from now on at another address.
    mutating func followCluster(_ upstream: StandbyUpstream) throws(Rejection) {
        if isStandby {
            standby?.upstream = upstream
            return
        }
        guard standby == nil, primary == nil, lastToken == .never, operation == nil else {
            throw Rejection("D1", "the cluster has a primary of its own, or had one")
        }
        standby = StandbyRecord(upstream: upstream)
    }

    mutating func setStandbySource(_ node: NodeName) throws(Rejection) {
        guard isStandby else { throw Rejection("CS4", "the cluster follows no other one") }
        guard nodes[node]?.kind == .data else { throw Rejection("CS4", "node \"\(node)\" is not a registered data node") }
        standby?.source = node
    }

    /// While the cluster follows, only an operator's promotion may lead to a primary.
    func checkStandby(_ record: OperationRecord) throws(Rejection) {
        guard isStandby || record.kind == .standbyPromote else { return }
        guard isStandby else { throw Rejection("standby.active", "the cluster follows no other one") }
        guard record.kind == .standbyPromote, !record.isAutomatic else {
            throw Rejection("standby.active", "the cluster follows \(standby?.upstream.address ?? "another one")")
        }
    }
}

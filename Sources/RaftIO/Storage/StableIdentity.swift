import ClusterModel

/// Who a Raft directory belongs to, and which life of it this is; stored in `stable.db`.
package struct StableIdentity: Sendable, Hashable, Codable {
    /// nil: a new directory that waits for the cluster that adds it (RA19).
    package var clusterID: ClusterID?
    /// +1 for every restore or recovery of the cluster.
    package var epoch: UInt32
    /// Drawn when the directory was made; never used again after a wipe.
    package var memberID: MemberID
    /// +1 for every start (ST11).
    package var generation: UInt64
    /// Drawn for every start: two copies of a directory with equal generations differ in it (ST11).
    package var startID: UInt64

    package init(clusterID: ClusterID?, epoch: UInt32, memberID: MemberID, generation: UInt64, startID: UInt64) {
        self.clusterID = clusterID
        self.epoch = epoch
        self.memberID = memberID
        self.generation = generation
        self.startID = startID
    }
}

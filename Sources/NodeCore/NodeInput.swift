import ClusterModel
import FailoverCore
import RaftCore

/// Everything that can happen to a node. Only an input moves time: each `step` carries a stamp read after the input was
/// read from its source and before the step, so what is sent is stamped early and what is received late (LE2).
package enum NodeInput: Sendable {
    /// Time passed; at least every 100 ms.
    case tick
    case message(from: MemberID, PeerMessage)
    /// The batch with this number and all before it are durable.
    case persisted(through: UInt64)
    case observed(PostgresFacts)
    case guardReported(GuardReport)
    /// The connection to the guard is gone.
    case guardLost
    /// The adapter of the virtual address: what it found, and the answer to every order to drop it.
    case addressReported(VirtualAddressStatus)
    case effectFinished(id: UInt64, PostgresOutcome)
    case jobProgressed(JobProgress)
    case pledgePersisted(FencingToken)
    /// A client's change; answered by `NodeEffect.reply` with the same number.
    case request(id: UInt64, ClusterRequest, RequestMetadata, peer: PeerIdentity?)
    /// A linearizable read; answered by `NodeEffect.readConfirmed`.
    case read(id: UInt64)
    /// The daemon is to stop; it may when `NodeEffect.mayStop` comes.
    case stop
    /// As `stop`, with a restart hold of this length where the node has the primary; nil: as configured.
    case restart(holdMilliseconds: Int64?)
    case settingsChanged(PolicySettings)
    case stateDigested(StateMark)
    /// When `digestMark` with this id is applied here, `NodeEffect.archive` comes.
    case awaitArchive(id: String)
    /// `NodeEffect.archive` of the applied state comes at once, whatever its age (`--stale`).
    case archiveNow(id: String)
}

/// What a node answered to a probe before it was added (E03).
package struct PeerIdentity: Sendable, Codable, Hashable {
    package var name: NodeName
    package var memberID: MemberID
    package var clusterID: ClusterID?
    package var kind: NodeKind
    package var postgresPort: Int
    package var version: String
    package var tags: NodeTags
    package init(
        name: NodeName, memberID: MemberID, clusterID: ClusterID?, kind: NodeKind, postgresPort: Int, version: String,
        tags: NodeTags = NodeTags()
    ) {
        self.name = name
        self.memberID = memberID
        self.clusterID = clusterID
        self.kind = kind
        self.postgresPort = postgresPort
        self.version = version
        self.tags = tags
    }
}

import ClusterModel
import FailoverCore
import RaftCore

/// What a node wants done. The shell carries the array out front to back: persist, then send, then act, then publish.
/// A message that depends on a write is not in the same array: it comes after `NodeInput.persisted`.
package enum NodeEffect: Sendable {
    case persist(PersistBatch)
    case send(to: MemberID, PeerMessage, lane: Lane)
    case act(id: UInt64, PostgresAction)
    case startStandby
    case startInPlace(FencingToken)
    /// Have the guard take over the server that runs in the data directory (AG5).
    case adopt(AdoptionRequest.Role)
    case orderGuard(GuardOrder)
    case persistPledge(FencingToken)
    /// Read facts at this interval from now on.
    case observeEvery(Duration)
    /// Who is to be dialled, without this node.
    case peers([PeerEndpoint])
    /// A snapshot of the state machine to be written, and the log before `compactBefore` to be dropped.
    case saveSnapshot(Snapshot, compactBefore: LogIndex)
    case reply(id: UInt64, Result<ClusterReply, BastionError>)
    case readConfirmed(id: UInt64, Bool)
    case route(RoutingTable)
    /// VI1: whether this node may have the virtual address, and until when.
    case virtualAddress(VirtualAddressOrder)
    case log(NodeEvent)
    /// CS6: digest this state beside the core and come back with `NodeInput.stateDigested`.
    case digest(ClusterState, index: UInt64)
    /// For the metrics page.
    case measured(NodeMeasurement)
    /// The daemon may end now without harm to the running server.
    case mayStop(String)
    /// The state at one index, for an archive that somebody waits for (backup-restore.md, 3).
    case archive(ArchivedSnapshot)
    /// End the process with this message: a broken invariant (`internal`), or this member was `removed`.
    case halt(ErrorCode, String)

    package enum Lane: Sendable, Hashable { case urgent, bulk, report }
}

package struct PeerEndpoint: Sendable, Hashable {
    package var memberID: MemberID
    package var name: NodeName
    package var host: String
    package var port: Int
    package init(memberID: MemberID, name: NodeName, host: String, port: Int) {
        self.memberID = memberID
        self.name = name
        self.host = host
        self.port = port
    }
}

/// A fact for the log, returned by the core and written by the shell.
package struct NodeEvent: Sendable, Hashable {
    package enum Level: String, Sendable, Hashable { case debug, info, warning, error }
    package var level: Level
    /// Stable: `raft.became_leader`.
    package var name: String
    package var message: String
    package var fields: [String: String]
    package init(_ level: Level = .info, _ name: String, _ message: String, _ fields: [String: String] = [:]) {
        self.level = level
        self.name = name
        self.message = message
        self.fields = fields
    }
}

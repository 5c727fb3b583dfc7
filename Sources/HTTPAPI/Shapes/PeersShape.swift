import ClusterModel
import Operations

/// `GET /raft/peers` and `/members` (E02).
struct PeersShape: Codable, Sendable {
    struct Peer: Codable, Sendable {
        var id: NodeName
        var address: String
        var suffrage: PeerView.Suffrage
        var voter: Bool
        var isLeader: Bool
        var reachable: Bool
        @Nullable var lastContactMs: Int64?
        @Nullable var lastContactMsReason: String?
        @Nullable var matchIndex: UInt64?
        @Nullable var matchIndexReason: String?
    }
    var peers: [Peer]
    var capturedAt: String
    var stale: Bool
    var staleSeconds: Double

    init(_ view: ClusterView) {
        peers = view.peers.map { peer in
            Peer(
                id: peer.name, address: peer.address, suffrage: peer.suffrage, voter: peer.suffrage == .voter,
                isLeader: peer.isLeader, reachable: peer.reachable, lastContactMs: peer.lastContactMilliseconds,
                lastContactMsReason: peer.lastContactMilliseconds == nil ? "no contact was seen from here" : nil,
                matchIndex: peer.matchIndex, matchIndexReason: peer.matchIndex == nil ? "only the leader knows it" : nil
            )
        }
        capturedAt = view.capturedAt
        stale = view.staleSeconds > 0
        staleSeconds = view.staleSeconds
    }
}

import ClusterModel
import Operations

/// The answer of a change that goes on by itself (E12, E13, E16).
struct StartedShape: Codable, Sendable {
    var status: String
    @Nullable var operationID: String?
    @Nullable var href: String?
    var summary: String
    var alreadySo: Bool

    init(status: String, operationID: String?, summary: String, alreadySo: Bool) {
        self.status = status
        self.operationID = operationID
        href = operationID.map { "/v1/ops/\($0)" }
        self.summary = summary
        self.alreadySo = alreadySo
    }
}

/// The answer of a change whose outcome was waited for (`?wait=`).
struct FinishedShape<Result: Codable & Sendable>: Codable, Sendable {
    var status: String
    @Nullable var operationID: String?
    var result: Result
}

/// E03
struct PeerAddedShape: Codable, Sendable {
    var status: String
    @Nullable var operationID: String?
    var id: NodeName
    var address: String
    var suffrage: PeerView.Suffrage
    var alreadySo: Bool
}

/// E04
struct PeerRemovedShape: Codable, Sendable {
    var status: String
    @Nullable var operationID: String?
    var id: NodeName
    var voters: Int
    var droppedSlots: [String]
}

/// E06
struct LeadershipShape: Codable, Sendable {
    var status: String
    var leaderID: String
    var term: UInt64
    var vipMoved: Bool
}

/// E14, E15
struct PausedShape: Codable, Sendable {
    var status: String
    var paused: Bool
    @Nullable var since: String?
    @Nullable var until: String?
    @Nullable var reason: String?
    @Nullable var by: String?
    var alreadySo: Bool
}

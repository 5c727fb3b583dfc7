/// A change an operator asks of the cluster; carried out by the leader, accepted by any node.
package enum ClusterRequest: Sendable, Codable, Hashable {
    /// The address was probed already; `identity` is what the node answered in the handshake.
    case addPeer(name: NodeName, host: String, port: Int, learnerOnly: Bool)
    case promotePeer(name: NodeName)
    case removePeer(name: NodeName, force: Bool)
    case transferLeadership(to: NodeName?)
    case failover(to: NodeName?, allowDataLossBytes: UInt64?)
    case switchover(to: NodeName?, maxLagBytes: UInt64?, maxTransactionSeconds: Double?)
    case pause(forSeconds: Double?, reason: String)
    case resume
    case reinitialize(node: NodeName, from: NodeName?, method: ReinitializeMethod)
    /// Write a snapshot of the state machine now, on the node that receives this.
    case snapshot
}

package enum ReinitializeMethod: String, Sendable, Codable, Hashable, CaseIterable { case auto, rewind, basebackup }

/// Who asked, and how the request is recognised again.
package struct RequestMetadata: Sendable, Codable, Hashable {
    package var requestID: RequestID
    /// The same key within 7 days returns the first outcome (Q10).
    package var idempotencyKey: RequestID?
    /// `uid 0 over unix socket`, `token admin from 127.0.0.1`, ...
    package var actor: String
    package init(requestID: RequestID, idempotencyKey: RequestID? = nil, actor: String) {
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
        self.actor = actor
    }
}

/// The answer to a `ClusterRequest` that was accepted.
package struct ClusterReply: Sendable, Codable, Hashable {
    /// True when the state was already as asked and nothing was done.
    package var alreadySo: Bool
    /// The operation that was started: follow it in `ClusterView.operation` and `recentOperations`.
    package var operationID: String?
    /// One sentence for people.
    package var summary: String
    package var leader: NodeName?
    package init(alreadySo: Bool = false, operationID: String? = nil, summary: String, leader: NodeName? = nil) {
        self.alreadySo = alreadySo
        self.operationID = operationID
        self.summary = summary
        self.leader = leader
    }
}

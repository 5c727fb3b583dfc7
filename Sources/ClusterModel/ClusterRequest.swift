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
    /// `keepOldSeconds`: how long the replaced data directory stays; nil: the usual time.
    case reinitialize(node: NodeName, from: NodeName?, method: ReinitializeMethod, keepOldSeconds: UInt64? = nil)
    /// Values were checked against a running server before (3.2, PatchPostgresParameters).
    case patchPostgresParameters(expectedVersion: UInt64?, set: [String: String], unset: [String])
    /// Write a snapshot of the state machine now, on the node that receives this.
    case snapshot
    /// Out of routing; sessions may go on for `timeoutSeconds` (nil: as each proxy is configured).
    case drain(node: NodeName, timeoutSeconds: Double?)
    case undrain(node: NodeName)
    /// Forbid the node to be writable, until `unfence`.
    case fence(node: NodeName)
    case unfence(node: NodeName)
    /// Restart the node's PostgreSQL.
    case restart(node: NodeName)
    /// Take a restart hold for the lease that the node that receives this has.
    case takeHold(seconds: Double)
    case releaseHold(node: NodeName)
    case cancelOperation(id: String)
    case cancelDirective(id: String)
    /// `digest`: of the value, which itself never enters the log.
    case createToken(name: String, role: TokenRole, digest: String)
    case rotateToken(name: String, digest: String)
    case revokeToken(name: String)
    /// Ends the pause after a restore: `primary` is the one that counts, whatever the others were (4.12). `assumeDead` are
    /// former nodes that the operator says will not come back writable.
    case acceptPrimary(NodeName, assumeDead: [NodeName])
    case recordBackup(BackupRecord)
    /// End following another cluster: the most advanced node becomes the first primary, if it lacks at most so much of what the
    /// other cluster is known to have had (nil: nothing).
    case promoteStandby(maxLagBytes: UInt64?)
    /// Rejected when the window of the series is claimed already.
    case claimBackup(BackupClaim)
    /// Rejected while another run has the lock of the cluster or of the same node.
    case acquireLock(RunLock)
    case beatLock(runID: String)
    case releaseLock(runID: String)
    case recordRun(RunSummary)
    /// An entry whose commit proves leadership and quorum, and at whose index every node digests its state; the node that
    /// waits for `id` hands its state out (backup-restore.md, 3).
    case digestMark(id: String)
}

package enum ReinitializeMethod: String, Sendable, Codable, Hashable, CaseIterable { case auto, rewind, basebackup }

/// Who asked, and how the request is recognised again.
package struct RequestMetadata: Sendable, Codable, Hashable {
    package var requestID: RequestID
    /// The same key within 7 days returns the first outcome (Q10).
    package var idempotencyKey: RequestID?
    /// `uid 0 over unix socket`, `token admin from 127.0.0.1`, ...
    package var actor: String
    /// Why, in the words of whoever asked (`--reason`): kept in the audit log and the event.
    package var reason: String?
    /// Ids of the overridable checks that shall not refuse (`--override`); surfaces have checked that they are.
    package var overrides: [String]
    /// The run of a runbook that asks.
    package var runID: String?
    /// The fencing number of that run's lock: an older one is rejected (runbooks.md, 7.2).
    package var fencing: UInt64?
    package init(
        requestID: RequestID, idempotencyKey: RequestID? = nil, actor: String, reason: String? = nil,
        overrides: [String] = [], runID: String? = nil, fencing: UInt64? = nil
    ) {
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
        self.actor = actor
        self.reason = reason
        self.overrides = overrides
        self.runID = runID
        self.fencing = fencing
    }

    /// A member of an older release sends neither reason nor overrides.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        requestID = try container.decode(RequestID.self, forKey: .requestID)
        idempotencyKey = try container.decodeIfPresent(RequestID.self, forKey: .idempotencyKey)
        actor = try container.decode(String.self, forKey: .actor)
        reason = try container.decodeIfPresent(String.self, forKey: .reason)
        overrides = try container.decodeIfPresent([String].self, forKey: .overrides) ?? []
        runID = try container.decodeIfPresent(String.self, forKey: .runID)
        fencing = try container.decodeIfPresent(UInt64.self, forKey: .fencing)
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

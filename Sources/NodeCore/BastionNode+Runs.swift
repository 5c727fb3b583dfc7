import ClusterModel
import FailoverCore

/// Locks and records of runbooks' runs and of backups, on the leader (runbooks.md, 7.2; backup-restore.md, 4).
extension BastionNode {
    /// Nothing but a record in the state changes.
    mutating func keepRecord(_ request: ClusterRequest, _ id: UInt64, _ m: RequestMetadata) {
        let command: ClusterCommand
        let summary: String
        switch request {
        case .recordBackup(let record): (command, summary) = (.recordBackup(record), "recorded")
        case .claimBackup(let claim):
            (command, summary) = (.claimBackup(claim), "the window of series \"\(claim.series)\" is claimed")
        case .acquireLock(let lock): (command, summary) = (.acquireLock(lock), "run \(lock.runID) has the lock")
        case .beatLock(let run): (command, summary) = (.beatLock(runID: run), "the lock of run \(run) is alive")
        case .releaseLock(let run):
            guard state.lock(ofRun: run) != nil else {
                let reply = ClusterReply(alreadySo: true, summary: "run \(run) has no lock", leader: identity.name)
                return effects.append(.reply(id: id, .success(reply)))
            }
            (command, summary) = (.releaseLock(runID: run), "run \(run) has no lock any more")
        case .recordRun(let run): (command, summary) = (.recordRun(run), "recorded")
        case .digestMark(let mark): (command, summary) = (.digestMark(id: mark), "marked")
        default: return
        }
        propose(
            command, actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(summary: summary, leader: identity.name)))
    }

    /// 7.2: while a run has the lock, what others ask for is refused.
    func lockRefusal(of request: ClusterRequest, _ m: RequestMetadata) -> BastionError? {
        guard let target = request.lockedNodes(primary: state.primary?.node),
            let lock = state.lockAgainst(m.claim, target: target)
        else { return nil }
        return lockedByRun(lock.refusal(of: m.claim))
    }

    func lockedByRun(_ reason: String) -> BastionError {
        BastionError(
            .locked, "refused: \(reason)", detail: "Nothing was changed",
            hint: "look at it with `pgbastion runbook status`; `pgbastion runbook unlock` takes the lock of a run that is gone",
            checks: [FailedCheck(id: "locked", actual: reason)])
    }
}

extension RequestMetadata {
    var claim: RunClaim? { runID.map { RunClaim(runID: $0, fencing: fencing) } }
}

extension ClusterRequest {
    /// The nodes it changes, empty: the cluster; nil: no lock excludes it. What only notes something is never kept waiting,
    /// nor is taking a token back, which may have leaked.
    fileprivate func lockedNodes(primary: NodeName?) -> Set<NodeName>? {
        switch self {
        case .snapshot, .recordBackup, .claimBackup, .acquireLock, .beatLock, .releaseLock, .recordRun, .digestMark, .revokeToken:
            nil
        case .addPeer(let name, _, _, _), .promotePeer(let name), .removePeer(let name, _), .drain(let name, _), .undrain(let name),
            .fence(let name), .unfence(let name), .restart(let name), .releaseHold(let name), .reinitialize(let name, _, _, _),
            .acceptPrimary(let name, _):
            [name]
        case .failover(let to, _), .switchover(let to, _, _): Set([to, primary].compactMap { $0 })
        case .takeHold: Set([primary].compactMap { $0 })
        case .promoteStandby, .transferLeadership, .pause, .resume, .patchPostgresParameters, .cancelOperation, .cancelDirective,
            .createToken,
            .rotateToken:
            []
        }
    }
}

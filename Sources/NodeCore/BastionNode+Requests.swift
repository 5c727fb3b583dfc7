import ClusterModel
import FailoverCore
import RaftCore

struct PendingAdd: Sendable {
    var id: UInt64
    var record: NodeRecord
    var trace: RequestID
    var actor: String
    var isUpdate: Bool
    /// The wiped predecessor of the same name, to be removed first (P16).
    var replaces: NodeRecord?
    var proposed: LogIndex?
    var memberIndex: LogIndex?
    var since: ClockStamp
}

struct PendingRemoval: Sendable {
    var id: UInt64
    var record: NodeRecord
    var trace: RequestID
    var actor: String
    var proposed: LogIndex?
    var since: ClockStamp
}

/// Changes that operators ask for, on the leader. Everything that can be refused is refused before anything changes.
extension BastionNode {
    mutating func handle(_ request: ClusterRequest, id: UInt64, _ m: RequestMetadata, _ peer: PeerIdentity?) {
        if case .snapshot = request {
            snapshotWanted = true
            takeSnapshot()
            effects.append(.reply(id: id, .success(ClusterReply(summary: "snapshot written at index \(raft.appliedIndex)"))))
            return
        }
        if case .takeHold(let seconds) = request {
            if let locked = lockRefusal(of: request, m) { return refuse(id, locked) }
            return takeHold(seconds, id, m)
        }
        guard raft.role == .leader else {
            return refuse(id, ProposalRefusal.notLeader(leader: raft.leader).asError(leader: leaderName))
        }
        guard isReadyLeader, state.cluster != nil else {
            return refuse(id, BastionError(.busy, "the leader is not ready yet", hint: "try again in a second"))
        }
        log(.info, "request.received", "request received", ["request_id": m.requestID.rawValue, "request": request.name, "actor": m.actor])
        note(request, id: id, m)
        if let objection = lockRefusal(of: request, m) ?? restoredRefusal(of: request) { return refuse(id, objection) }
        switch request {
        case .addPeer(let name, let host, let port, let learnerOnly):
            addPeer(name, host, port, learnerOnly, id, m, peer)
        case .promotePeer(let name): promotePeer(name, id, m)
        case .removePeer(let name, let force): removePeer(name, force, id, m)
        case .transferLeadership(let to): transfer(to, id, m)
        case .failover(let to, let loss): failover(to, loss, id, m)
        case .switchover(let to, let lag, let transaction): switchover(to, lag, transaction, id, m)
        case .pause(let seconds, let reason): pause(seconds, reason, id, m)
        case .promoteStandby(let lag): promoteStandby(lag, id, m)
        case .resume: resume(id, m)
        case .acceptPrimary(let node, let dead): acceptPrimary(node, assumeDead: dead, id, m)
        case .recordBackup, .claimBackup, .acquireLock, .beatLock, .releaseLock, .recordRun, .digestMark: keepRecord(request, id, m)
        case .reinitialize(let node, let from, let method, let keepOld): reinitialize(node, from, method, keepOld, id, m)
        case .patchPostgresParameters(let version, let set, let unset): patchParameters(version, set: set, unset: unset, id, m)
        case .snapshot, .takeHold: break
        case .drain, .undrain, .fence, .unfence, .restart, .releaseHold: changeNode(request, id, m)
        case .cancelOperation(let operation): cancelOperation(operation, id, m)
        case .cancelDirective(let directive): cancelDirective(directive, id, m)
        case .createToken, .rotateToken, .revokeToken: changeToken(request, id, m)
        }
    }

    private mutating func pause(_ seconds: Double?, _ reason: String, _ id: UInt64, _ m: RequestMetadata) {
        let record = PauseRecord(
            id: "pause-\(raft.lastIndex.next)", reason: reason, by: m.actor, since: wallTime,
            durationMilliseconds: seconds.map { Int64($0 * 1000) }, byRun: m.runID)
        propose(
            .pause(record), actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(summary: "automatic failover paused"), rejectionMeansAlreadySo: true))
    }

    // MARK: Membership

    private mutating func addPeer(
        _ name: NodeName, _ host: String, _ port: Int, _ learnerOnly: Bool, _ id: UInt64, _ m: RequestMetadata, _ peer: PeerIdentity?
    ) {
        guard let peer else {
            return refuse(
                id,
                precondition(
                    "peer.reachable", "node \"\(name)\" at \(host):\(port) does not answer",
                    "start pgbastion there with bootstrap: false, then try again"))
        }
        guard peer.name == name else {
            return refuse(
                id, precondition("peer.reachable", "the node at \(host):\(port) is called \"\(peer.name)\", not \"\(name)\"", nil))
        }
        guard peer.clusterID == nil || peer.clusterID == state.cluster?.id else {
            return refuse(
                id,
                BastionError(
                    .foreignState, "node \"\(name)\" holds the state of another cluster",
                    detail:
                        "its cluster id is \(peer.clusterID?.short ?? ""), this cluster's is \(state.cluster?.id.short ?? ""). Nothing was changed",
                    hint: "run `pgbastion node reset` on \(name), then add it again"))
        }
        guard !state.tombstones.contains(peer.memberID) else {
            return refuse(
                id,
                BastionError(
                    .removed, "node \"\(name)\" was removed and still has its old state",
                    hint: "run `pgbastion node reset` on \(name), then add it again"))
        }
        var record = NodeRecord(
            name: name, memberID: peer.memberID, host: host, raftPort: port, postgresPort: peer.postgresPort,
            kind: peer.kind, tags: peer.tags, learnerOnly: learnerOnly)
        let known = state.nodes[name]
        let server = ServerID(rawValue: peer.memberID.rawValue)
        if let known, known.memberID == peer.memberID {
            let same = known.host == host && known.raftPort == port && raft.membership.contains(server)
            if same {
                return effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: "\"\(name)\" is already a member"))))
            }
            record.learnerOnly = known.learnerOnly
        } else if let known {
            let contact = raft.progress[ServerID(rawValue: known.memberID.rawValue)]?.ticksSinceContact ?? .max
            guard contact > 100 else {
                return refuse(
                    id, precondition("node.unused", "a node \"\(name)\" is a member and answers", "choose another name, or stop it first"))
            }
            if let objection = removalObjection(known) { return refuse(id, objection) }
        } else if state.nodes.count >= ClusterState.Caps.nodes {
            return refuse(id, precondition("node.unused", "the cluster has \(ClusterState.Caps.nodes) nodes already", nil))
        }
        pendingAdds.append(
            PendingAdd(
                id: id, record: record, trace: m.requestID, actor: m.actor, isUpdate: known != nil,
                replaces: known?.memberID == peer.memberID ? nil : known, since: now))
        progressAdds()
    }

    mutating func progressAdds() {
        guard var add = pendingAdds.first else { return }
        if now.since(add.since) > .seconds(30) {
            pendingAdds.removeFirst()
            return refuse(
                add.id,
                BastionError(.timeout, "adding \"\(add.record.name)\" did not finish in 30 s", hint: "look at `pgbastion peer list`"))
        }
        let server = ServerID(rawValue: add.record.memberID.rawValue)
        if let old = add.replaces {
            replace(old, &add)
        } else if state.nodes[add.record.name]?.memberID != add.record.memberID || isOutdated(add.record) {
            if add.record.kind == .data, state.leases.mode == .sole, !state.dataNodes.isEmpty {
                policy.requireTimedLease()
            } else if add.proposed.map({ $0 <= raft.appliedIndex }) ?? true {
                add.proposed = propose(.registerNode(add.record), rules: ["RA9"], actor: add.actor, trace: add.trace)
            }
        } else if !raft.membership.contains(server) {
            if case .success(let receipt) = raft.changeMembership(.addLearner(server)) { add.memberIndex = receipt.index }
        } else if raft.commitIndex >= raft.lastMembershipIndex {
            pendingAdds.removeFirst()
            log(.info, "membership.added", "node \(add.record.name) is added as a learner", ["request_id": add.trace.rawValue])
            return effects.append(.reply(id: add.id, .success(ClusterReply(summary: "peer added", leader: identity.name))))
        }
        pendingAdds[0] = add
    }

    private func isOutdated(_ record: NodeRecord) -> Bool {
        guard let known = state.nodes[record.name] else { return true }
        return known.host != record.host || known.raftPort != record.raftPort
    }

    /// P16: the old member id of a wiped node leaves first; its vote and log cannot count twice.
    private mutating func replace(_ old: NodeRecord, _ add: inout PendingAdd) {
        let server = ServerID(rawValue: old.memberID.rawValue)
        if raft.membership.contains(server), state.nodes[old.name]?.memberID != old.memberID {
            _ = raft.changeMembership(.remove(server))
        } else if state.nodes[old.name]?.memberID == old.memberID {
            guard add.proposed.map({ $0 <= raft.appliedIndex }) ?? true else { return }
            add.proposed = propose(.removeNode(name: old.name, memberID: old.memberID), rules: ["RA10"], actor: add.actor, trace: add.trace)
        } else {
            add.replaces = nil
            add.proposed = nil
        }
    }

    private mutating func promotePeer(_ name: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard let node = state.nodes[name], !node.isFormerMember else { return refuse(id, notFound(name)) }
        let server = ServerID(rawValue: node.memberID.rawValue)
        switch raft.changeMembership(.addVoter(server)) {
        case .success:
            recordChange("node.voter", "\(name) becomes a voter", m, node: name)
            effects.append(.reply(id: id, .success(ClusterReply(summary: "\"\(name)\" becomes a voter"))))
        case .failure(.alreadySo):
            effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: "\"\(name)\" is a voter"))))
        case .failure(let refusal): refuse(id, precondition("peer.caught_up", "cannot promote \"\(name)\": \(refusal)", nil))
        }
    }

    private mutating func removePeer(_ name: NodeName, _ force: Bool, _ id: UInt64, _ m: RequestMetadata) {
        guard let node = state.nodes[name] else { return refuse(id, notFound(name)) }
        if let objection = removalObjection(node) { return refuse(id, objection) }
        let server = ServerID(rawValue: node.memberID.rawValue)
        let isVoter = raft.membership.voters.contains(server)
        if isVoter, raft.membership.voters.count == 1 {
            return refuse(id, BastionError(.onlyVoter, "node \"\(name)\" is the last voter", detail: "Nothing was changed"))
        }
        let remaining = raft.membership.voters.filter { $0 != server }
        let reachable = remaining.filter { $0 == raft.id || (raft.progress[$0]?.ticksSinceContact ?? .max) < 100 }
        let mayLoseQuorum = force || m.overrides.contains("membership.removal_safe")
        if isVoter, !mayLoseQuorum, reachable.count * 2 <= remaining.count {
            return refuse(
                id,
                overridable(
                    "membership.removal_safe", "without \"\(name)\" only \(reachable.count) of \(remaining.count) voters answer",
                    "bring the others back first"))
        }
        pendingRemovals.append(PendingRemoval(id: id, record: node, trace: m.requestID, actor: m.actor, since: now))
        progressRemovals()
    }

    /// What `RemoveNode` would refuse, found before the membership changes.
    private func removalObjection(_ node: NodeRecord) -> BastionError? {
        if state.primary?.memberID == node.memberID, state.primary?.phase != .ended {
            return precondition("node.not_primary", "node \"\(node.name)\" is the primary", "run `pgbastion switchover` first")
        }
        let isNamed = state.operation?.from == node.name || (state.operation?.to == node.name && state.operation?.phase != .settle)
        return isNamed ? operationInProgress : nil
    }

    mutating func progressRemovals() {
        guard var removal = pendingRemovals.first else { return }
        if now.since(removal.since) > .seconds(30) {
            pendingRemovals.removeFirst()
            return refuse(
                removal.id,
                BastionError(.timeout, "removing \"\(removal.record.name)\" did not finish in 30 s", hint: "look at `pgbastion peer list`"))
        }
        let server = ServerID(rawValue: removal.record.memberID.rawValue)
        if server == raft.id, raft.membership.voters.count > 1 {
            // Leadership moves away first; the new leader takes the repeated request.
            pendingRemovals.removeFirst()
            handOver(to: nil)
            return refuse(
                removal.id,
                BastionError(.notLeader, "leadership moves away from \"\(removal.record.name)\" first", hint: "repeat the request"))
        }
        if state.nodes[removal.record.name]?.memberID == removal.record.memberID {
            if let proposed = removal.proposed, proposed <= raft.appliedIndex {
                pendingRemovals.removeFirst()
                return refuse(
                    removal.id, precondition("node.removable", "\"\(removal.record.name)\" cannot be removed now", "see `pgbastion status`")
                )
            }
            guard removal.proposed == nil else { return }
            removal.proposed = propose(
                .removeNode(name: removal.record.name, memberID: removal.record.memberID), rules: ["RA11"],
                actor: removal.actor, trace: removal.trace)
            pendingRemovals[0] = removal
        } else if raft.membership.contains(server) {
            _ = raft.changeMembership(.remove(server))
        } else if raft.commitIndex >= raft.lastMembershipIndex {
            pendingRemovals.removeFirst()
            effects.append(.reply(id: removal.id, .success(ClusterReply(summary: "peer removed"))))
        }
    }

    /// The replicated state says who belongs; a change that an earlier leader left half done is completed.
    mutating func reconcileMembership() {
        guard pendingAdds.isEmpty, pendingRemovals.isEmpty, raft.commitIndex >= raft.lastMembershipIndex else { return }
        if let node = state.memberNodes.first(where: { !raft.membership.contains(ServerID(rawValue: $0.memberID.rawValue)) }) {
            _ = raft.changeMembership(.addLearner(ServerID(rawValue: node.memberID.rawValue)))
        } else if let gone = raft.membership.members.first(where: { state.tombstones.contains(MemberID(rawValue: $0.rawValue)) }) {
            if gone == raft.id { handOver(to: nil) } else { _ = raft.changeMembership(.remove(gone)) }
        }
    }

    private mutating func transfer(_ to: NodeName?, _ id: UInt64, _ m: RequestMetadata) {
        var target: ServerID?
        if let to {
            guard let node = state.nodes[to] else { return refuse(id, notFound(to)) }
            target = ServerID(rawValue: node.memberID.rawValue)
            guard raft.membership.voters.contains(ServerID(rawValue: node.memberID.rawValue)) else {
                return refuse(id, precondition("peer.is_voter", "node \"\(to)\" is not a voter", nil))
            }
            if target == raft.id {
                return effects.append(
                    .reply(id: id, .success(ClusterReply(alreadySo: true, summary: "\"\(to)\" is the leader", leader: to))))
            }
        }
        guard state.operation == nil || state.operation?.phase == .settle else { return refuse(id, operationInProgress) }
        // Before the transfer: a leader that transfers proposes nothing.
        recordChange("raft.transfer", "leadership is to move to \(to?.rawValue ?? "the best voter")", m, node: to)
        handOver(to: target, reply: id)
    }

    // MARK: Errors

    func precondition(_ check: String, _ message: String, _ hint: String?) -> BastionError {
        BastionError(
            .preconditionFailed, "refused: \(message)", detail: "check \(check). Nothing was changed", hint: hint,
            checks: [FailedCheck(id: check, actual: message)])
    }
    /// A check that `--override` may pass.
    func overridable(_ check: String, _ message: String, _ hint: String) -> BastionError {
        var error = precondition(check, message, "\(hint), or pass it with `--override \(check)`")
        error.checks = [FailedCheck(id: check, actual: message, overridable: true)]
        return error
    }
    func notFound(_ name: NodeName) -> BastionError {
        BastionError(
            .notFound, "node \"\(name)\" is not a member of the cluster",
            detail: "members: \(state.memberNodes.map(\.name.rawValue).joined(separator: ", "))", hint: "see `pgbastion peer list`")
    }
    var operationInProgress: BastionError {
        BastionError(
            .locked, "operation \(state.operation?.id ?? "") (\(state.operation?.kind.rawValue ?? "")) is in progress",
            hint: "wait with `pgbastion op wait \(state.operation?.id ?? "")`", operationID: state.operation?.id)
    }
}

extension ClusterRequest {
    /// The operation's name in the catalogue, for logs.
    package var name: String {
        switch self {
        case .addPeer: "peer.add"
        case .promotePeer: "peer.promote"
        case .removePeer: "peer.remove"
        case .transferLeadership: "raft.transfer"
        case .failover: "failover"
        case .switchover: "switchover"
        case .pause: "pause"
        case .resume: "resume"
        case .reinitialize: "node.reinit"
        case .patchPostgresParameters: "pgconfig.set"
        case .snapshot: "raft.snapshot"
        case .drain: "node.drain"
        case .undrain: "node.undrain"
        case .fence: "node.fence"
        case .unfence: "node.unfence"
        case .restart: "node.restart"
        case .takeHold: "node.restart-hold"
        case .releaseHold: "node.restart-release"
        case .cancelOperation: "op.cancel"
        case .cancelDirective: "directive.cancel"
        case .createToken: "token.create"
        case .rotateToken: "token.rotate"
        case .revokeToken: "token.revoke"
        case .promoteStandby: "standby.promote"
        case .acceptPrimary: "resume"
        case .recordBackup: "backup.record"
        case .claimBackup: "backup.claim"
        case .acquireLock: "runbook.lock"
        case .beatLock: "runbook.beat"
        case .releaseLock: "runbook.unlock"
        case .recordRun: "runbook.record"
        case .digestMark: "raft.digest_mark"
        }
    }
}

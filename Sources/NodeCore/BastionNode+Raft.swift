import ClusterModel
import FailoverCore
import RaftCore

/// Consensus inside the node: effects of Raft, applying entries, leadership.
extension BastionNode {
    /// This node leads and has applied an entry of its own term (RA5): only then may it grant, confirm and decide.
    package var isReadyLeader: Bool { raft.role == .leader && raft.hasCommittedInTerm && appliedTerm == raft.term }

    mutating func drainRaft() {
        // Limit: each round makes progress; the bound only guards against a defect.
        for _ in 0..<10_000 {
            noteRole()
            let ready = raft.ready()
            if ready.isEmpty { return }
            if let batch = ready.persist {
                if waitingWrite == nil { waitingWrite = (batch.number, now) }
                effects.append(.persist(batch))
            }
            for message in ready.messages { sendRaft(message) }
            if let snapshot = ready.installedSnapshot { install(snapshot) }
            for entry in ready.committed { apply(entry) }
            for read in ready.reads { finish(read) }
            if isRemoved { return }
        }
        effects.append(.halt(.internal, "the consensus core did not come to rest in 10,000 rounds"))
    }

    private mutating func sendRaft(_ message: RaftMessage) {
        let isBulk: Bool
        switch message.body {
        case .append(let append): isBulk = !append.entries.isEmpty
        case .snapshot: isBulk = true
        default: isBulk = false
        }
        effects.append(
            .send(to: MemberID(rawValue: message.to.rawValue), .raft(message), lane: isBulk ? .bulk : .urgent))
    }

    private mutating func noteRole() {
        if raft.leader != knownLeader {
            knownLeader = raft.leader
            // A new leader is asked at once and told everything at once.
            holder.retrySoon(now: now)
            sentReportAt = nil
            measureLeader()
        }
        let leads = raft.role == .leader
        if leads { lastLeaderContact = now }
        guard leads != wasLeader || (leads && ledger?.term != raft.term.rawValue) else { return }
        wasLeader = leads
        policyIndex = nil
        if leads {
            ledger = LeaseLedger(term: raft.term.rawValue, becameLeaderAt: now)
            policy = FailoverPolicy(settings: policy.settings)
            ledSince = now
            addressLeadershipBegan()
            refusals = RefusalMemory()
            log(.info, "raft.became_leader", "became leader", ["term": "\(raft.term)"])
        } else {
            ledger = nil
            ordersInForce = [:]
            addressLeadershipEnded()
            failPending()
            // Only a leader compares.
            if knownDisagreement { measure(.digestMismatch(false)) }
            knownDisagreement = false
            log(.warning, "raft.lost_leader", "lost leader", ["term": "\(raft.term)"])
        }
    }

    private mutating func install(_ snapshot: Snapshot) {
        do {
            state = try StateCodec.decode(ClusterState.self, snapshot.data)
            appliedTerm = snapshot.term
            appliedMembership = (snapshot.index, snapshot.membership)
            appliedSinceSnapshot = 0
            bytesSinceSnapshot = 0
            log(.info, "raft.snapshot_installed", "installed a snapshot", ["index": "\(snapshot.index)"])
        } catch {
            effects.append(.halt(.internal, "snapshot \(snapshot.index) cannot be read: \(error)"))
        }
    }

    private mutating func apply(_ entry: LogEntry) {
        appliedTerm = entry.term
        appliedSinceSnapshot += 1
        bytesSinceSnapshot += entry.payload.count
        switch entry.kind {
        case .empty: break
        case .membership: membershipCommitted(entry)
        case .command:
            do {
                let command = try StateCodec.decode(ClusterEntry.self, entry.payload)
                let before = state
                let result = state.apply(command, term: entry.term.rawValue, index: entry.index.rawValue)
                noteApplied(command, result, before: before)
                measureApplied(entry, command.command, result, before: before)
                if case .digestMark(let id) = command.command, result == .applied { passMark(id, at: entry.index) }
                answerProposal(at: entry.index, term: entry.term, result)
            } catch {
                effects.append(.halt(.internal, "entry \(entry.index) cannot be read by this version: \(error)"))  // RA20
            }
        }
        for i in confirmedReads.indices.reversed() where confirmedReads[i].index <= raft.appliedIndex {
            effects.append(.readConfirmed(id: confirmedReads.remove(at: i).id, true))
        }
        if let policyIndex, entry.index >= policyIndex { self.policyIndex = nil }
        markState(at: entry.index)
        if appliedSinceSnapshot >= 4096 || bytesSinceSnapshot >= 8 << 20 { snapshotWanted = true }
        takeSnapshot()
    }

    /// ST6: due every 4,096 entries or 8 MiB, or when asked for.
    mutating func takeSnapshot() {
        guard snapshotWanted, raft.appliedIndex > .zero else { return }
        snapshotWanted = false
        do {
            let data = try StateCodec.encode(state)
            guard let snapshot = raft.compact(through: raft.appliedIndex, data: data) else { return }
            appliedSinceSnapshot = 0
            bytesSinceSnapshot = 0
            effects.append(.saveSnapshot(snapshot, compactBefore: raft.firstIndex))
        } catch {
            log(.error, "raft.snapshot_failed", "could not encode the state: \(error)")
        }
    }

    private mutating func finish(_ read: ReadResult) {
        if let id = linearReads.removeValue(forKey: read.context) {
            guard let index = read.index else {
                effects.append(.readConfirmed(id: id, false))
                return
            }
            if index <= raft.appliedIndex {
                effects.append(.readConfirmed(id: id, true))
            } else {
                confirmedReads.append((id, index))
            }
            return
        }
        if finishAddressRound(context: read.context, confirmed: read.index != nil) { return }
        finishLease(context: read.context, confirmed: read.index != nil)
    }

    // MARK: Proposals

    /// Proposes a command of this leader; the answer comes with `PendingProposal.reply` or not at all.
    @discardableResult
    mutating func propose(
        _ command: ClusterCommand, rules: [String] = [], evidence: DecisionEvidence? = nil, actor: String = DecisionRecord.policy,
        requestID: RequestID? = nil, trace: RequestID? = nil, reason: String? = nil, reply: PendingProposal.Reply? = nil
    ) -> LogIndex? {
        let entry = ClusterEntry(
            requestID: requestID, trace: trace, actor: actor, proposedTerm: raft.term.rawValue, wallTime: wallTime,
            rules: rules, evidence: evidence, reason: reason ?? askedReason(trace), run: askedRun(trace), command: command)
        do {
            switch raft.propose(try StateCodec.encode(entry)) {
            case .success(let receipt):
                proposedAt[receipt.index] = now
                if let reply { proposals[receipt.index] = PendingProposal(term: receipt.term, reply: reply) }
                return receipt.index
            case .failure(let refusal):
                if let reply { refuse(reply.id, refusal.asError(leader: leaderName)) }
                return nil
            }
        } catch {
            effects.append(.halt(.internal, "a command cannot be encoded: \(error)"))
            return nil
        }
    }

    private mutating func answerProposal(at index: LogIndex, term: Term, _ result: ApplyResult) {
        guard let pending = proposals.removeValue(forKey: index) else { return }
        guard pending.term == term else {
            refuse(pending.reply.id, BastionError(.unavailable, "the request was lost in a change of leader", hint: "try again"))
            return
        }
        switch result {
        case .applied: effects.append(.reply(id: pending.reply.id, .success(pending.reply.success)))
        case .rejected(let rule, let reason):
            if pending.reply.rejectionMeansAlreadySo {
                var success = pending.reply.success
                success.alreadySo = true
                effects.append(.reply(id: pending.reply.id, .success(success)))
            } else {
                refuse(pending.reply.id, rejection(rule, reason))
            }
        }
    }

    private func rejection(_ rule: String, _ reason: String) -> BastionError {
        if rule == "locked" { return lockedByRun(reason) }
        let code: ErrorCode = rule == "no_operation_in_progress" ? .locked : .preconditionFailed
        return BastionError(
            code, "refused: \(reason)", detail: "rule \(rule). Nothing was changed",
            checks: [FailedCheck(id: rule, actual: reason)])
    }

    mutating func refuse(_ id: UInt64, _ error: BastionError) {
        recordRefusal(of: id, error)
        effects.append(.reply(id: id, .failure(error)))
    }

    private mutating func failPending() {
        let lost = BastionError(
            .unavailable, "this node is no longer the leader; the outcome of the request is not known",
            hint: "look at the status, then try again")
        for (_, pending) in proposals.sorted(by: { $0.key < $1.key }) { refuse(pending.reply.id, lost) }
        proposals = [:]
        proposedAt = [:]
        for add in pendingAdds { refuse(add.id, lost) }
        for removal in pendingRemovals { refuse(removal.id, lost) }
        pendingAdds = []
        pendingRemovals = []
    }

    package var leaderName: NodeName? {
        raft.leader.flatMap { state.node(MemberID(rawValue: $0.rawValue))?.name }
    }
}

/// A proposal somebody waits for.
struct PendingProposal: Sendable {
    struct Reply: Sendable {
        var id: UInt64
        var success: ClusterReply
        /// Pausing a paused cluster is success.
        var rejectionMeansAlreadySo = false
    }
    var term: Term
    var reply: Reply
}

extension ProposalRefusal {
    func asError(leader: NodeName?) -> BastionError {
        switch self {
        case .notLeader:
            BastionError(
                .notLeader, "this node is not the leader",
                hint: leader.map { "ask \"\($0)\", the leader" } ?? "wait with `pgbastion wait leader`")
        case .busy: BastionError(.busy, "the leader has too many uncommitted entries", hint: "try again in a second")
        case .tooLarge: BastionError(.tooLarge, "the request is larger than one entry may be (256 KiB)")
        case .transferring:
            BastionError(.busy, "leadership is being transferred", hint: "try again in a second")
        }
    }
}

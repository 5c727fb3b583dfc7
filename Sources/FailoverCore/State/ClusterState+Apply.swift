import ClusterModel

/// A precondition of a command that did not hold: the rule and the fact.
struct Rejection: Error {
    var rule: String
    var reason: String
    init(_ rule: String, _ reason: String) {
        self.rule = rule
        self.reason = reason
    }
}

extension ClusterState {
    /// Applies one committed entry.
    ///
    /// - Parameters:
    ///   - term: The term of the log entry.
    ///   - index: Its index.
    /// - Returns: What became of it; a repeated request id gives the first result again and changes nothing (CS5).
    /// - Invariant: Total and deterministic (CS1).
    package mutating func apply(_ entry: ClusterEntry, term: UInt64, index: UInt64 = 0) -> ApplyResult {
        if let id = entry.requestID, let known = idempotency.last(where: { $0.requestID == id }) { return known.result }
        let result: ApplyResult
        if entry.proposedTerm != term {
            result = .rejected(rule: "CS2", reason: "proposed in term \(entry.proposedTerm), committed in term \(term)")
        } else {
            var next = self
            do throws(Rejection) {
                try next.carryOut(entry, term: term, index: index)
                if let record = DecisionRecord(entry, before: self, after: next) {
                    next.decisions.chain(record, keeping: Caps.decisions)
                }
                self = next
                result = .applied
            } catch {
                result = .rejected(rule: error.rule, reason: error.reason)
            }
        }
        if let id = entry.requestID { remember(id, result) }
        return result
    }

    private mutating func remember(_ id: RequestID, _ result: ApplyResult) {
        idempotency.append(IdempotencyRecord(requestID: id, result: result))
        idempotency.keepNewest(Caps.idempotency)
    }

    private mutating func carryOut(_ entry: ClusterEntry, term: UInt64, index: UInt64) throws(Rejection) {
        if cluster == nil {
            guard case .initCluster = entry.command else { throw Rejection("CS4", "there is no cluster yet") }
        }
        if let held = lockAgainst(entry) { throw held }
        switch entry.command {
        case .initCluster(let id, let epoch, let name, let lease):
            try initCluster(id: id, epoch: epoch, name: name, leaseMilliseconds: lease)
        case .registerNode(let record): try registerNode(record)
        case .removeNode(let name, let memberID): try removeNode(name, memberID)
        case .setSystemIdentifier(let id, let timeline): try setSystemIdentifier(id, timeline)
        case .setStanding(let node, let memberID, let from, let to, let dataID, let reason):
            try setStanding(node, memberID, from: from, to: to, dataID: dataID, reason: reason)
        case .setDrained(let node, let drained, let milliseconds): try setDrained(node, drained, milliseconds)
        case .fenceNode(let node, let memberID, let reason): try fenceNode(node, memberID, reason)
        case .proveFence(let node, let method): try proveFence(node, method)
        case .unfenceNode(let node, let memberID, let dataID): try unfenceNode(node, memberID, dataID)
        case .startOperation(let record): try startOperation(record, entry, term)
        case .advanceOperation(let id, let from, let to, let detail):
            try advanceOperation(id, from: from, to: to, detail: detail, entry, term)
        case .cancelOperation(let id, let phase, let message):
            try cancelOperation(id, phase, message, at: entry.wallTime)
        case .finishOperation(let id, let result, let message):
            try finishOperation(id, result, message, at: entry.wallTime)
        case .recordRelease(let token, let incarnation, let evidence):
            try recordRelease(token, incarnation, evidence, at: entry.wallTime)
        case .assignPrimary(let assignment): try assignPrimary(assignment, entry, term)
        case .recordPromotion(let token, let timeline, let fork):
            try recordPromotion(token, timeline, fork, at: entry.wallTime)
        case .abandonAssignment(let token, let reason): try abandonAssignment(token, reason, at: entry.wallTime)
        case .setLeaseTerms(let milliseconds):
            // 2.3: longer only while paused (4.11).
            guard (1000...(paused == nil ? 60_000 : 600_000)).contains(milliseconds) else {
                throw Rejection("LE12", "a lease lasts 1 s to 60 s, while paused to 10 min")
            }
            leases.durationMilliseconds = milliseconds
            leases.waitMilliseconds = max(leases.waitMilliseconds, milliseconds)
            leases.generation = (leases.generation ?? 0) + 1
        case .settleLeaseWait(let milliseconds):
            guard leases.durationMilliseconds == milliseconds else { throw Rejection("LE12", "the duration differs") }
            leases.waitMilliseconds = milliseconds
            if paused == nil, leases.usualMilliseconds == milliseconds { leases.usualMilliseconds = nil }
        case .setLeaseMode(let mode, let token, let confirmed): try setLeaseMode(mode, token, confirmed)
        case .setHold(let record): try setHold(record)
        case .clearHold(let id):
            guard hold?.id == id else { throw Rejection("LE12", "hold \(id) is not active") }
            hold = nil
        case .releaseHold(let id):
            guard hold?.id == id, hold?.isOrdered == true else { throw Rejection("LE12", "hold \(id) is not an operator's") }
            hold?.isOrdered = false
        case .beginSyncChange(let token, let generation, let mode, let rule):
            try beginSyncChange(token, generation, mode, rule)
        case .settleSync(let token, let generation):
            guard primary?.token == token, primary?.phase == .serving, synchronous.generation == generation else {
                throw Rejection("SE9", "token or generation is not current")
            }
            synchronous.settle()
        case .setSyncPolicy(let mode, let wanted):
            guard wanted >= 1 else { throw Rejection("SE1", "wanted is at least 1") }
            synchronous.configured = mode
            synchronous.wanted = wanted
        case .pause(let record):
            guard paused == nil else { throw Rejection("CS4", "already paused") }
            paused = record
            leases.usualMilliseconds = leases.usualMilliseconds ?? leases.durationMilliseconds
        case .resume(let id):
            guard let active = paused, id == nil || active.id == id else { throw Rejection("CS4", "not paused") }
            // A cluster that follows another one has no primary to accept.
            guard barrier == nil || barrier?.accepted != nil || (isStandby && barrier?.open.isEmpty == true) else {
                throw Rejection("one_primary", "no primary was accepted since the restore")
            }
            if isStandby { barrier = nil }
            paused = nil
        case .publishDirective(let record):
            guard nodes[record.targetNode] != nil else { throw Rejection("CS4", "the target is not registered") }
            guard primary?.token ?? .never == record.token else { throw Rejection("D36", "the token is not current") }
            var published = record
            published.idempotencyKey = entry.requestID
            append(published)
        case .cancelDirective(let id, let message): try cancelDirective(id, message, at: entry.wallTime)
        case .completeDirective(let id, let status, let error, let seconds):
            try completeDirective(id, status, error, seconds, at: entry.wallTime)
        case .appendDecision: break  // Recorded with every other decision, in `apply`.
        case .patchPostgresParameters(let expected, let set, let unset):
            try patchPostgresParameters(expected, set: set, unset: unset, by: entry.actor, at: entry.wallTime)
        case .createToken(let record): try createToken(record)
        case .rotateToken(let name, let digest): try rotateToken(name, digest, at: entry.wallTime)
        case .revokeToken(let name): try revokeToken(name)
        case .followCluster(let upstream): try followCluster(upstream)
        case .setStandbySource(let node): try setStandbySource(node)
        case .recordBackup(let record): recordBackup(record)
        case .claimBackup(let claim): try claimBackup(claim)
        case .acquireLock(let lock): try acquireLock(lock, index: index, at: entry.wallTime)
        case .beatLock(let run): try beatLock(run, at: entry.wallTime)
        case .releaseLock(let run): locks?.removeAll { $0.runID == run }
        case .recordRun(let summary): recordRun(summary)
        case .digestMark: break
        case .clearBarrier(let node, let mark): try clearBarrier(node, mark)
        case .acceptPrimary(let node, let memberID): try acceptPrimary(node, memberID, at: entry.wallTime)
        }
    }

    // MARK: Cluster and nodes

    private mutating func initCluster(
        id: ClusterID, epoch: UInt32, name: String, leaseMilliseconds: Int64
    ) throws(Rejection) {
        guard cluster == nil else { throw Rejection("CS4", "the cluster exists") }
        cluster = ClusterIdentity(id: id, epoch: epoch, name: name)
        leases.durationMilliseconds = min(max(leaseMilliseconds, 1000), 60_000)
        leases.waitMilliseconds = leases.durationMilliseconds
    }

    private mutating func registerNode(_ record: NodeRecord) throws(Rejection) {
        guard !tombstones.contains(record.memberID) else {
            throw Rejection("D67", "member \(record.memberID.short) was removed")
        }
        let others = dataNodes.filter { $0.name != record.name }
        let isNewDataNode = record.kind == .data && (nodes[record.name].map { $0.isFormerMember || $0.kind != .data } ?? true)
        guard !isNewDataNode || others.isEmpty || leases.mode == .timed else {
            throw Rejection("LE12", "the lease has no end while there is one data node; it must be timed first")
        }
        if let known = nodes[record.name] {
            try update(known, with: record)
            return
        }
        guard nodes.count < Caps.nodes else { throw Rejection("CS4", "at most \(Caps.nodes) nodes") }
        guard node(record.memberID) == nil else { throw Rejection("CS4", "the member id belongs to another name") }
        nodes[record.name] = record
    }

    /// The same member with new addresses, or a wiped node that comes back under its name (P16).
    private mutating func update(_ known: NodeRecord, with record: NodeRecord) throws(Rejection) {
        var merged = record
        if known.memberID == record.memberID {
            merged.standing = known.standing
            merged.standingReason = known.standingReason
            merged.dataID = known.dataID
            merged.drained = known.drained
            merged.drainMilliseconds = known.drainMilliseconds
            merged.fence = known.fence
        } else {
            guard tombstones.contains(known.memberID) else {
                throw Rejection("CS4", "node \"\(record.name)\" is registered with another member id")
            }
            guard primary?.memberID != known.memberID || primary?.phase == .ended else {
                throw Rejection("CS4", "node \"\(record.name)\" is the primary")
            }
        }
        nodes[record.name] = merged
    }

    private mutating func removeNode(_ name: NodeName, _ memberID: MemberID) throws(Rejection) {
        guard let record = nodes[name], record.memberID == memberID else {
            throw Rejection("CS4", "node \"\(name)\" is not registered with this member id")
        }
        guard primary?.memberID != memberID || primary?.phase == .ended else {
            throw Rejection("node.not_primary", "node \"\(name)\" is the primary")
        }
        guard operation?.from != name, operation?.to != name || operation?.phase == .settle else {
            throw Rejection("no_operation_in_progress", "operation \(operation?.id ?? "") names it")
        }
        nodes[name] = nil
        tombstones.append(memberID)
        tombstones.keepNewest(Caps.tombstones)
        for i in directives.indices where directives[i].targetNode == name && directives[i].isOpen {
            directives[i].status = .cancelled
        }
    }

    private mutating func setSystemIdentifier(_ id: UInt64, _ timeline: TimelineID) throws(Rejection) {
        guard systemIdentifier == nil || systemIdentifier == id else {
            throw Rejection("D60", "the cluster has system identifier \(systemIdentifier ?? 0)")
        }
        systemIdentifier = id
        if lastToken == .never { lastTimeline = max(lastTimeline, timeline) }
    }

    private mutating func setStanding(
        _ node: NodeName, _ memberID: MemberID, from: Standing, to: Standing, dataID: DataID?, reason: String
    ) throws(Rejection) {
        guard let record = nodes[node], record.memberID == memberID, record.standing == from else {
            throw Rejection("CS4", "node \"\(node)\" does not stand at \(from.rawValue)")
        }
        nodes[node]?.standing = to
        nodes[node]?.standingReason = reason
        nodes[node]?.dataID = dataID
    }

    // MARK: Lease terms

    private mutating func setLeaseMode(_ mode: LeaseMode, _ token: FencingToken, _ confirmed: Bool) throws(Rejection) {
        switch mode {
        case .timed:
            let nobodyHolds = primary == nil || primary?.released != nil
            guard nobodyHolds || (primary?.token == token && confirmed) else {
                throw Rejection("LE12", "the guard of the current token has not confirmed")
            }
        case .sole:
            guard dataNodes.count == 1 else { throw Rejection("LE12", "there is not exactly one data node") }
        }
        leases.mode = mode
    }

    private mutating func setHold(_ record: HoldRecord) throws(Rejection) {
        guard let current = primary, current.token == record.token, current.phase == .serving,
            current.guardIncarnation == record.guardIncarnation
        else { throw Rejection("LE12", "the token is not serving") }
        guard operation == nil else { throw Rejection("no_operation_in_progress", "an operation is in progress") }
        guard record.durationMilliseconds <= 600_000 else { throw Rejection("LE12", "a hold lasts at most 10 min") }
        guard hold.map({ record.durationMilliseconds >= $0.durationMilliseconds }) ?? true else {
            throw Rejection("LE12", "a longer hold is active")
        }
        // A restart of the daemon inside an operator's hold does not end it.
        let wasOrdered = hold?.isOrdered == true
        hold = record
        if wasOrdered { hold?.isOrdered = true }
    }

    private mutating func beginSyncChange(
        _ token: FencingToken, _ generation: UInt64, _ mode: SynchronousMode, _ rule: AckRule
    ) throws(Rejection) {
        guard primary?.token == token, primary?.phase == .serving, rule.token == token else {
            throw Rejection("D17", "the token is not serving")
        }
        guard generation == synchronous.generation + 1 else { throw Rejection("D17", "the generation is not the next") }
        guard synchronous.rules.count < Caps.ackRules else { throw Rejection("D17", "too many unsettled rules") }
        guard mode != .strict || rule.required >= synchronous.wanted else { throw Rejection("D20", "strict never degrades") }
        synchronous.turn(mode, waitingFor: rule.required)
        synchronous.rules.append(rule)
        synchronous.generation = generation
    }
}

extension Array {
    /// Drops the oldest elements beyond `limit`.
    mutating func keepNewest(_ limit: Int) {
        if count > limit { removeFirst(count - limit) }
    }
}

import ClusterModel

/// The commands of failover and switchover (section 3.2 of failover.md).
extension ClusterState {
    mutating func startOperation(_ record: OperationRecord, _ entry: ClusterEntry, _ term: UInt64) throws(Rejection) {
        try checkStandby(record)
        try replaceable(by: record, at: entry.wallTime)
        guard record.fromToken == primary?.token ?? .never else { throw Rejection("D36", "the token is not current") }
        guard record.ballot == lastToken.next else { throw Rejection("D36", "the ballot is not the next token") }
        guard !record.isAutomatic || paused == nil else { throw Rejection("D65", "automatic failover is paused") }
        var started = record
        started.startedAt = entry.wallTime
        started.requestID = entry.trace
        started.idempotencyKey = entry.requestID
        started.oldTimeline = primary?.timeline
        started.phases = [.init(name: record.phase.rawValue, detail: record.detail, at: entry.wallTime)]
        operation = started
        if record.kind == .failover {
            if let unserved = primary, unserved.phase == .assigned { takeBackRules(of: unserved.token) }
            // A hold stays: its guard counts it, so whoever is appointed next must wait for its end (LE8, LE12).
            primary?.phase = .ended
            directive(.fence, for: record, at: entry, term, target: record.from)
        } else if record.kind == .switchover {
            directive(.checkpoint, for: record, at: entry, term, target: record.from)
        }
    }

    /// Only a switchover before its promotion gives way, and only to a failover.
    private mutating func replaceable(by record: OperationRecord, at time: Int64) throws(Rejection) {
        guard let running = operation else { return }
        let mayReplace =
            record.kind == .failover && running.kind == .switchover && running.phase != .promote
            && running.phase != .settle
        guard mayReplace || running.phase == .settle else {
            throw Rejection("no_operation_in_progress", "operation \(running.id) is in progress")
        }
        finish(running.phase == .settle ? .succeeded : .failed, message: "replaced by \(record.id)", at: time)
    }

    mutating func advanceOperation(
        _ id: String, from: OperationRecord.Phase, to: OperationRecord.Phase, detail: String, _ entry: ClusterEntry,
        _ term: UInt64
    ) throws(Rejection) {
        guard let running = operation, running.id == id, running.phase == from else {
            throw Rejection("D37", "the operation is not in phase \(from.rawValue)")
        }
        guard OperationRecord.transitions[from]?.contains(to) == true, to != .promote, to != .settle else {
            throw Rejection("D37", "\(from.rawValue) does not lead to \(to.rawValue)")
        }
        enter(to, detail: detail, at: entry.wallTime)
        switch to {
        case .hold: complete(.checkpoint, of: id, at: entry.wallTime)
        case .stop: directive(.demote, for: running, at: entry, term, target: running.from)
        case .undo: cancelOpen(of: id, at: entry.wallTime, error: detail)
        case .pledge:
            operation?.ballot = lastToken.next
            operation?.kind = .failover
            operation?.toIsFixed = false
            primary?.phase = .ended
        default: break
        }
    }

    /// Before `AssignPrimary`, the point of no return. After the stop of a switchover the old primary is started again first.
    mutating func cancelOperation(
        _ id: String, _ phase: OperationRecord.Phase, _ message: String, at time: Int64
    ) throws(Rejection) {
        guard let running = operation, running.id == id else { throw Rejection("CS4", "operation \(id) is not in progress") }
        guard running.phase == phase else {
            throw Rejection("operation.cancellable", "it has reached phase \(running.phase.rawValue) meanwhile")
        }
        switch phase {
        case .checkpoint, .hold: finish(.undone, message: message, at: time)
        case .stop where primary?.phase == .serving:
            enter(.undo, detail: message, at: time)
            cancelOpen(of: id, at: time, error: message)
        case .pledge where running.kind == .failover || running.kind == .standbyPromote: finish(.failed, message: message, at: time)
        case .stop, .pledge, .undo, .promote, .settle:
            throw Rejection("operation.cancellable", "phase \(phase.rawValue) is past the point of no return")
        }
    }

    mutating func finishOperation(
        _ id: String, _ result: OperationRecord.Result, _ message: String, at time: Int64
    ) throws(Rejection) {
        guard operation?.id == id else { throw Rejection("CS4", "operation \(id) is not in progress") }
        finish(result, message: message, at: time)
    }

    private mutating func finish(_ result: OperationRecord.Result, message: String, at time: Int64) {
        guard var done = operation else { return }
        done.result = result
        done.message = message
        done.finishedAt = time
        cancelOpen(of: done.id, at: time, error: result == .succeeded ? nil : message)
        finished.append(done)
        finished.keepNewest(Caps.finished)
        operation = nil
    }

    /// Another node is accepted after the restore: the attempt with the former choice ends, unless it is being promoted.
    mutating func endBootstrap(besides node: NodeName, at time: Int64) throws(Rejection) {
        guard let running = operation, running.to != node else { return }
        guard running.kind == .bootstrap, running.phase == .pledge else {
            throw Rejection("no_operation_in_progress", "operation \(running.id) is in progress")
        }
        finish(.failed, message: "\(node) was accepted instead", at: time)
    }

    mutating func recordRelease(
        _ token: FencingToken, _ incarnation: GuardIncarnation, _ evidence: ReleaseEvidence, at time: Int64
    ) throws(Rejection) {
        guard primary?.token == token, primary?.guardIncarnation == incarnation else {
            throw Rejection("LE8", "not the guard that holds token \(token)")
        }
        primary?.released = evidence
        primary?.phase = .ended
        hold = nil
        if let id = operation?.id {
            complete(.demote, of: id, at: time)
            complete(.fence, of: id, at: time)
        }
    }

    mutating func assignPrimary(_ a: Assignment, _ entry: ClusterEntry, _ term: UInt64) throws(Rejection) {
        try checkAssignment(a)
        primary = PrimaryRecord(
            token: a.token, node: a.node, memberID: a.memberID, guardIncarnation: a.guardIncarnation,
            timeline: a.timeline, phase: .assigned, basis: a.basis)
        lastToken = a.token
        lastTimeline = max(lastTimeline, a.timeline)
        if barrier != nil { lastTimeline = TimelineID(lastTimeline.rawValue + ClusterState.restoredTimelineGap) }
        if isStandby { standby?.endedBy = a.token }
        hold = nil
        if a.dropsOlderRules { primary?.rulesSetAside = synchronous.rules }
        synchronous.mode = a.mode
        // A mode that is not in force yet stays so: a promotion that is given up brings the older rules back (SE10).
        if a.mode == .off { synchronous.modeUntilSettled = nil }
        synchronous.appoint(a.rule, dropsOlderRules: a.dropsOlderRules)
        synchronous.generation += 1
        let reason = operation?.kind.rawValue ?? "failover"
        if let known = timelines.lastIndex(where: { $0.timeline == a.timeline }) {
            // 4.12: the server that runs is taken over on a timeline of the former cluster.
            timelines[known].token = a.token
            timelines[known].node = a.node
        } else {
            timelines.append(
                TimelineRecord(
                    token: a.token, timeline: a.timeline, parent: a.parent, node: a.node, reason: reason,
                    at: entry.wallTime))
            timelines.keepNewest(Caps.timelines)
        }
        if let certificate = a.certificate {
            certificates.append(certificate)
            certificates.keepNewest(Caps.certificates)
        }
        operation?.to = a.node
        operation?.newTimeline = a.timeline
        if operation?.kind == .standbyPromote { operation?.oldTimeline = a.parent }
        enter(.promote, detail: "\(a.node), timeline \(a.timeline), basis \(a.basis.rawValue)", at: entry.wallTime)
        if let running = operation {
            complete(.fence, of: running.id, at: entry.wallTime)
            directive(.promote, for: running, at: entry, term, target: a.node, token: a.token)
        }
    }

    private func checkAssignment(_ a: Assignment) throws(Rejection) {
        guard a.token == lastToken.next else { throw Rejection("D1", "token \(a.token) is not the next") }
        guard let running = operation, running.id == a.operationID, running.ballot == a.token else {
            throw Rejection("D36", "no operation with this ballot")
        }
        guard OperationRecord.transitions[running.phase]?.contains(.promote) == true else {
            throw Rejection("D37", "phase \(running.phase.rawValue) does not lead to a promotion")
        }
        guard let record = nodes[a.node], record.memberID == a.memberID, record.kind == .data else {
            throw Rejection("D26", "node \"\(a.node)\" is not a registered data node")
        }
        let hasNeverServed = !timelines.contains { $0.forkLSN != nil }
        let isAccepted = barrier?.accepted == a.node && barrier?.open.isEmpty == true
        guard barrier == nil || isAccepted else {
            throw Rejection("D68", "after the restore not every former node is accounted for, or another one was accepted")
        }
        let standingFits =
            record.standing == .ready || (record.standing == .joining && hasNeverServed) || (isAccepted && record.mayBeAccepted)
        guard standingFits else { throw Rejection("SE5", "node \"\(a.node)\" stands at \(record.standing.rawValue)") }
        let isAdoption = a.basis == .never && running.kind == .bootstrap && a.timeline == lastTimeline
        // The lost part of the history may have used numbers that only the data directory knows (4.12).
        let isFromData = isAccepted && a.timeline.rawValue > 0
        guard a.timeline == lastTimeline.next || isAdoption || isFromData else {
            throw Rejection("D59", "timeline \(a.timeline) is not the next")
        }
        switch a.basis {
        case .never: guard lastToken == .never else { throw Rejection("LE8", "a token was assigned before") }
        case .released:
            guard primary?.released != nil else { throw Rejection("LE8", "token \(lastToken) is not released") }
        case .expired:
            guard leases.mode == .timed else { throw Rejection("LE8", "the lease has no end") }
        case .sameNode:
            guard primary?.node == a.node, primary?.memberID == a.memberID else {
                throw Rejection("LE8", "not the node of token \(lastToken)")
            }
        case .attested: break
        }
        guard a.dropsOlderRules || synchronous.rules.count < Caps.ackRules else {
            throw Rejection("SE2", "too many unsettled rules")
        }
        guard primary == nil || primary?.phase == .ended else {
            throw Rejection("LE6", "token \(lastToken) has not ended")
        }
    }

    mutating func recordPromotion(
        _ token: FencingToken, _ timeline: TimelineID, _ fork: LSN, at time: Int64
    ) throws(Rejection) {
        guard let current = primary, current.token == token, current.phase == .assigned, current.timeline == timeline
        else { throw Rejection("D32", "token \(token) is not being promoted") }
        primary?.phase = .serving
        primary?.rulesSetAside = nil
        barrier = nil
        standReady(current.node, as: token)
        if let i = timelines.lastIndex(where: { $0.token == token }) { timelines[i].forkLSN = fork }
        if let i = certificates.lastIndex(where: { $0.newToken == token }) { certificates[i].forkLSN = fork }
        if synchronous.current?.required == 0 || synchronous.isSettled { synchronous.settle() }
        operation?.lsn = fork
        if let id = operation?.id { complete(.promote, of: id, at: time) }
        enter(.settle, detail: "writes go to \(current.node)", at: time)
    }

    /// Who serves is ready with the data it serves: a failover that begins at once must find it among its candidates (SE5, 4.12).
    private mutating func standReady(_ node: NodeName, as token: FencingToken) {
        guard let record = nodes[node], record.mayBeAccepted,
            let data = synchronous.rules.last(where: { $0.token == token })?.primary.dataID
        else { return }
        if record.standing != .ready { nodes[node]?.standingReason = "primary" }
        nodes[node]?.standing = .ready
        nodes[node]?.dataID = data
    }

    mutating func abandonAssignment(_ token: FencingToken, _ reason: String, at time: Int64) throws(Rejection) {
        // A release may have ended it before (LE10).
        guard primary?.token == token, primary?.phase == .assigned || operation?.phase == .promote else {
            throw Rejection("SE10", "token \(token) is not being promoted")
        }
        primary?.phase = .ended
        takeBackRules(of: token)
        if let id = operation?.id { cancelOpen(of: id, at: time, error: reason) }
        operation?.ballot = lastToken.next
        // SE10: the next candidate may be anybody; a bootstrap has only its own node.
        if operation?.kind != .bootstrap {
            operation?.kind = .failover
            operation?.toIsFixed = false
        }
        enter(.pledge, detail: "promotion given up: \(reason)", at: time)
    }

    /// The assignment never served, so nothing was acknowledged under its rules, and those before it hold again.
    private mutating func takeBackRules(of token: FencingToken) {
        synchronous.rules.removeAll { $0.token == token }
        if let older = primary?.rulesSetAside { synchronous.rules = older + synchronous.rules }
        primary?.rulesSetAside = nil
    }

    private mutating func enter(_ phase: OperationRecord.Phase, detail: String, at time: Int64) {
        operation?.phase = phase
        operation?.detail = detail
        operation?.phases.append(.init(name: phase.rawValue, detail: detail, at: time))
        operation?.phases.keepNewest(32)
    }

    // MARK: Directives

    mutating func append(_ record: DirectiveRecord) {
        directives.append(record)
        guard directives.count > Caps.directives else { return }
        let oldest = directives.firstIndex { !$0.isOpen } ?? directives.startIndex
        directives.remove(at: oldest)
    }

    private mutating func directive(
        _ type: DirectiveRecord.Kind, for operation: OperationRecord, at entry: ClusterEntry, _ term: UInt64,
        target: NodeName?, token: FencingToken? = nil
    ) {
        guard let target, nodes[target] != nil else { return }
        append(
            DirectiveRecord(
                id: "\(operation.id)-\(type.rawValue.lowercased())-\(token ?? operation.fromToken)", type: type,
                targetNode: target, params: ["operation_id": operation.id], token: token ?? operation.fromToken,
                status: .running, createdAt: entry.wallTime, ttlMilliseconds: 60_000, term: term,
                requestID: entry.trace ?? operation.requestID))
    }

    mutating func completeDirective(
        _ id: String, _ status: DirectiveRecord.Status, _ error: String?, _ seconds: Double?, at time: Int64
    ) throws(Rejection) {
        guard let i = directives.lastIndex(where: { $0.id == id }) else { throw Rejection("CS4", "no such directive") }
        guard directives[i].isOpen, status != .pending else { throw Rejection("CS4", "the directive is finished") }
        directives[i].status = status
        directives[i].error = error
        directives[i].seconds = seconds
        if status != .running { directives[i].completedAt = time }
    }

    mutating func cancelDirective(_ id: String, _ message: String, at time: Int64) throws(Rejection) {
        guard let directive = directives.last(where: { $0.id == id }), directive.status == .pending else {
            throw Rejection("directive.pending", "directive \(id) is not pending")
        }
        close(at: time, as: .cancelled, error: message) { $0.id == id }
    }

    private mutating func complete(_ type: DirectiveRecord.Kind, of operationID: String, at time: Int64) {
        close(at: time, as: .completed, error: nil) { $0.type == type && $0.params["operation_id"] == operationID }
    }

    private mutating func cancelOpen(of operationID: String, at time: Int64, error: String?) {
        close(at: time, as: .cancelled, error: error) { $0.params["operation_id"] == operationID }
    }

    private mutating func close(
        at time: Int64, as status: DirectiveRecord.Status, error: String?, where matches: (DirectiveRecord) -> Bool
    ) {
        for i in directives.indices where directives[i].isOpen && matches(directives[i]) {
            directives[i].status = status
            directives[i].error = error
            directives[i].completedAt = time
        }
    }
}

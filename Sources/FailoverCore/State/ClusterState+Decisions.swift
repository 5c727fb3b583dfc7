import ClusterModel

/// PR8: what of a committed command belongs into the decision record. Nothing is written to the log for it: every member
/// makes the same line from the same entry.
extension DecisionRecord {
    /// nil for commands that decide nothing.
    init?(_ entry: ClusterEntry, before: ClusterState, after: ClusterState) {
        if case .appendDecision(let record) = entry.command {
            self = record
            return
        }
        guard !entry.command.isNote, let line = DecisionLine(entry, before: before, after: after) else { return nil }
        self.init(at: entry.wallTime, kind: line.kind, rules: entry.rules, text: line.text)
        actor = entry.actor
        requestID = entry.trace
        reason = entry.reason
        operationID = line.operationID ?? entry.command.operationID
        node = line.node
        inputs = entry.evidence?.inputs
        candidates = entry.evidence?.candidates ?? []
    }
}

extension ClusterCommand {
    /// The operation it belongs to.
    fileprivate var operationID: String? {
        switch self {
        case .startOperation(let record): record.id
        case .advanceOperation(let id, _, _, _), .finishOperation(let id, _, _): id
        case .assignPrimary(let assignment): assignment.operationID
        default: nil
        }
    }

    /// Book-keeping of runs and backups, which decides nothing.
    fileprivate var isNote: Bool {
        switch self {
        case .recordBackup, .claimBackup, .beatLock, .recordRun, .digestMark: true
        default: false
        }
    }

    /// The name of the case: `setDrained`. Never its contents, which may be secret.
    package var caseName: String { String(String(describing: self).prefix { $0.isLetter || $0.isNumber }) }
}

/// Kind and sentence of one decision.
private struct DecisionLine {
    var kind: String
    var text: String
    var node: NodeName?
    var operationID: String?

    init(_ kind: String, _ text: String, node: NodeName? = nil, operation: String? = nil) {
        self.kind = kind
        self.text = text
        self.node = node
        operationID = operation
    }

    init?(_ entry: ClusterEntry, before: ClusterState, after: ClusterState) {
        let line =
            DecisionLine.ofOperation(entry.command, before) ?? DecisionLine.ofMembership(entry.command, before)
            ?? DecisionLine.ofTerms(entry.command, before, after)
        if let line {
            self = line
        } else if entry.actor != DecisionRecord.policy {
            self.init("cluster.changed", "\(entry.command.caseName) was carried out")
        } else {
            return nil
        }
    }

    private static func ofOperation(_ command: ClusterCommand, _ before: ClusterState) -> DecisionLine? {
        switch command {
        case .startOperation(let o):
            let way = [o.from?.rawValue, o.to?.rawValue].compactMap { $0 }.joined(separator: " -> ")
            return DecisionLine(
                "operation.started", "\(o.kind.rawValue) \(way): \(o.detail)", node: o.to ?? o.from)
        case .advanceOperation(let id, let from, let to, let detail):
            return DecisionLine(
                "operation.advanced", "\(id): \(from.rawValue) -> \(to.rawValue): \(detail)")
        case .finishOperation(_, let result, let message):
            let kind = before.operation?.kind.rawValue ?? "operation"
            return DecisionLine(
                "operation.finished", "\(kind) \(result.rawValue): \(message)", node: before.operation?.to)
        case .recordRelease(let token, _, let evidence):
            let end = evidence.endOfWAL.map { ", its WAL ends at \($0.timeline)/\($0.lsn)" } ?? ""
            return DecisionLine(
                "primary.released", "token \(token) is given up (\(evidence.manner.rawValue))\(end)",
                node: before.primary?.node, operation: before.operation?.id)
        case .assignPrimary(let a):
            let loss =
                a.certificate.map {
                    $0.provenZero
                        ? ", nothing is lost" : ", at most \($0.bytesMax.map { "\($0)" } ?? "an unknown number of") bytes are lost"
                }
            return DecisionLine(
                "primary.assigned",
                "\(a.node) is appointed with token \(a.token), timeline \(a.timeline), basis \(a.basis.rawValue)\(loss ?? "")",
                node: a.node)
        case .recordPromotion(let token, let timeline, let fork):
            return DecisionLine(
                "primary.promoted", "token \(token) serves on timeline \(timeline) from \(fork)", node: before.primary?.node,
                operation: before.operation?.id)
        case .abandonAssignment(let token, let reason):
            return DecisionLine(
                "primary.abandoned", "the promotion of token \(token) is given up: \(reason)", node: before.primary?.node,
                operation: before.operation?.id)
        case .publishDirective(let d):
            return DecisionLine(
                "directive.published", "\(d.type.rawValue) for \(d.targetNode)", node: d.targetNode, operation: d.id)
        case .completeDirective(let id, let status, let error, _):
            guard let directive = before.directives.last(where: { $0.id == id }) else { return nil }
            return DecisionLine(
                "directive.\(status.rawValue)",
                "\(directive.type.rawValue) for \(directive.targetNode) is \(status.rawValue)\(error.map { ": \($0)" } ?? "")",
                node: directive.targetNode, operation: id)
        default: return nil
        }
    }

    private static func ofMembership(_ command: ClusterCommand, _ before: ClusterState) -> DecisionLine? {
        switch command {
        case .initCluster(let id, let epoch, let name, _):
            return DecisionLine("cluster.founded", "cluster \"\(name)\" is founded with id \(id.short), epoch \(epoch)")
        case .registerNode(let record):
            let known = before.nodes[record.name] != nil
            return DecisionLine(
                "node.registered", "\(record.name) is \(known ? "updated" : "registered") at \(record.host):\(record.raftPort)",
                node: record.name)
        case .removeNode(let name, _): return DecisionLine("node.removed", "\(name) is removed", node: name)
        case .setSystemIdentifier(let id, _): return DecisionLine("cluster.data", "the cluster's data has system identifier \(id)")
        case .setStanding(let node, _, let from, let to, _, let reason):
            return DecisionLine(
                "node.standing", "\(node) is \(to.rawValue), was \(from.rawValue)\(reason.isEmpty ? "" : ": \(reason)")", node: node)
        case .setDrained(let node, let drained, _):
            return DecisionLine(
                drained ? "node.drained" : "node.undrained", "\(node) is \(drained ? "out of" : "back in") rotation", node: node)
        case .fenceNode(let node, _, let reason): return DecisionLine("node.fenced", "\(node) is fenced: \(reason)", node: node)
        case .proveFence(let node, let method):
            return DecisionLine("node.fence_proven", "\(node) cannot be writable (\(method.rawValue))", node: node)
        case .unfenceNode(let node, _, _): return DecisionLine("node.unfenced", "the fence of \(node) is lifted", node: node)
        case .followCluster(let upstream): return DecisionLine("standby.follows", "the cluster follows \(upstream.address)")
        case .setStandbySource(let node):
            return DecisionLine("standby.source", "\(node) streams from the followed cluster, the others from \(node)", node: node)
        case .clearBarrier(let node, let mark):
            return DecisionLine("barrier.cleared", "\(node) cannot be writable under the former cluster (\(mark.rawValue))", node: node)
        case .acceptPrimary(let node, _):
            let attested = before.barrier?.open.filter { $0 != node }.map(\.rawValue).joined(separator: ", ") ?? ""
            return DecisionLine(
                "barrier.accepted", "\(node) is accepted as the primary\(attested.isEmpty ? "" : "; attested: \(attested)")", node: node)
        case .acquireLock(let lock): return DecisionLine("lock.acquired", lock.sentence, node: lock.node)
        case .releaseLock(let run):
            guard let lock = before.lock(ofRun: run) else { return nil }
            return DecisionLine("lock.released", "run \(run) (\(lock.runbook)) has no lock any more", node: lock.node)
        default: return nil
        }
    }

    private static func ofTerms(_ command: ClusterCommand, _ before: ClusterState, _ after: ClusterState) -> DecisionLine? {
        let primary = before.primary?.node
        switch command {
        case .setLeaseTerms(let milliseconds): return DecisionLine("lease.changed", "leases last \(milliseconds) ms")
        case .settleLeaseWait(let milliseconds): return DecisionLine("lease.settled", "expiry waits for \(milliseconds) ms")
        case .setLeaseMode(let mode, _, _):
            return DecisionLine("lease.mode", mode == .sole ? "the lease has no end: there is one data node" : "leases have an end")
        case .setHold(let hold):
            return DecisionLine("hold.set", "restart hold of \(hold.durationMilliseconds / 1000) s: \(hold.reason)", node: primary)
        case .clearHold, .releaseHold: return DecisionLine("hold.cleared", "the restart hold is over", node: primary)
        case .beginSyncChange(_, let generation, let mode, let rule):
            let names = rule.members.map(\.node.rawValue).joined(separator: ", ")
            return DecisionLine(
                "synchronous.changed",
                "\(mode.rawValue), \(rule.required) of [\(names)] (change \(generation))", node: primary)
        case .settleSync(_, let generation):
            return DecisionLine("synchronous.settled", "change \(generation) is settled", node: primary)
        case .setSyncPolicy(let mode, let wanted):
            return DecisionLine("synchronous.policy", "mode \(mode?.rawValue ?? "automatic"), \(wanted) wanted")
        case .pause(let record):
            return DecisionLine("failover.paused", "automatic failover is paused\(record.reason.isEmpty ? "" : ": \(record.reason)")")
        case .resume: return DecisionLine("failover.resumed", "automatic failover is on again")
        case .patchPostgresParameters(_, let set, let unset):
            let names = set.keys.sorted().map { "set \($0)" } + unset.sorted().map { "unset \($0)" }
            let version = after.postgresParameters?.version ?? 0
            return DecisionLine("postgresql.parameters", "\(names.joined(separator: ", ")) (version \(version))")
        default: return nil
        }
    }
}

import ClusterModel
import FailoverCore
import RaftCore

/// What operators ask of single nodes, on the leader: drain, fence, restart, and taking these back.
extension BastionNode {
    mutating func changeNode(_ request: ClusterRequest, _ id: UInt64, _ m: RequestMetadata) {
        switch request {
        case .drain(let node, let timeout): drain(node, timeout, id, m)
        case .undrain(let node): undrain(node, id, m)
        case .fence(let node): fence(node, id, m)
        case .unfence(let node): unfence(node, id, m)
        case .restart(let node): restart(node, id, m)
        case .releaseHold(let node): releaseHold(node, id, m)
        default: break
        }
    }

    private mutating func alreadySo(_ id: UInt64, _ summary: String) {
        effects.append(.reply(id: id, .success(ClusterReply(alreadySo: true, summary: summary, leader: identity.name))))
    }

    private mutating func change(_ command: ClusterCommand, _ rules: [String], _ summary: String, _ id: UInt64, _ m: RequestMetadata) {
        propose(
            command, rules: rules, actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(id: id, success: ClusterReply(summary: summary, leader: identity.name)))
    }

    private func isPrimaryNode(_ node: NodeName) -> Bool { state.primary?.node == node && state.primary?.phase != .ended }

    private func fresh(_ node: NodeName) -> NodeReport? {
        reports[node].flatMap { now.since($0.at) <= policy.settings.reportMaxAge ? $0.report : nil }
    }

    // MARK: drain

    private mutating func drain(_ node: NodeName, _ timeout: Double?, _ id: UInt64, _ m: RequestMetadata) {
        guard let record = state.nodes[node] else { return refuse(id, notFound(node)) }
        if record.drained { return alreadySo(id, "\(node) is drained") }
        if isPrimaryNode(node) {
            return refuse(id, precondition("node.not_primary", "node \"\(node)\" is the primary", "run `pgbastion switchover` first"))
        }
        if state.operation?.to == node, state.operation?.phase != .settle { return refuse(id, operationInProgress) }
        let command = ClusterCommand.setDrained(
            node: node, drained: true, milliseconds: timeout.map { Int64(max(0, $0) * 1000) })
        change(command, ["PX3"], "\(node) is drained", id, m)
    }

    private mutating func undrain(_ node: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard let record = state.nodes[node] else { return refuse(id, notFound(node)) }
        guard record.drained else { return alreadySo(id, "\(node) is not drained") }
        change(.setDrained(node: node, drained: false), ["PX3"], "\(node) is back in routing", id, m)
    }

    // MARK: fence

    private mutating func fence(_ node: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard let record = state.nodes[node] else { return refuse(id, notFound(node)) }
        guard record.kind == .data else {
            return refuse(id, precondition("node.has_data", "node \"\(node)\" is a witness and never writable", nil))
        }
        if record.standing == .fenced { return alreadySo(id, "\(node) is fenced") }
        let why = m.reason.map { ": \($0)" } ?? ""
        change(
            .fenceNode(node: node, memberID: record.memberID, reason: "fenced by \(m.actor)\(why)"), ["D15", "LE10"],
            "\(node) is fenced", id, m)
    }

    private mutating func unfence(_ node: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard let record = state.nodes[node] else { return refuse(id, notFound(node)) }
        guard record.standing == .fenced else { return alreadySo(id, "\(node) is not fenced") }
        let report = fresh(node)
        let primary = state.primary
        // Nobody was appointed since it was fenced: it has the newest data, and is the way out when nobody else can be primary.
        let isLastPrimary = primary?.memberID == record.memberID && primary?.phase == .ended
        let follows =
            primary?.phase == .serving && primary?.node != node && report?.isStreaming == true
            && report?.facts?.server?.timeline == primary?.timeline
        // After a restore the operator says which node counts, and nobody can be followed before (4.12).
        guard follows || isLastPrimary || state.barrier != nil else {
            return refuse(
                id,
                precondition(
                    "node.follows_primary", "node \"\(node)\" does not follow the primary",
                    "wait with `pgbastion wait streaming,node=\(node)`, or replace its data with `pgbastion node reinit \(node)`"))
        }
        let dataID = isLastPrimary ? record.dataID : report?.facts?.dataID ?? record.dataID
        change(
            .unfenceNode(node: node, memberID: record.memberID, dataID: dataID), ["D15"], "the fence of \(node) is lifted", id, m)
    }

    // MARK: restart

    private mutating func restart(_ node: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard let record = state.nodes[node] else { return refuse(id, notFound(node)) }
        guard record.kind == .data else {
            return refuse(id, precondition("node.has_data", "node \"\(node)\" is a witness and has no PostgreSQL", nil))
        }
        if let running = state.operation, running.phase != .settle { return refuse(id, operationInProgress) }
        if let running = state.openJob(on: node) {
            return refuse(
                id,
                BastionError(
                    .locked, "node \"\(node)\" is busy with \(running.type.rawValue)", hint: "wait with `pgbastion op wait \(running.id)`",
                    operationID: running.id))
        }
        guard let report = fresh(node), let status = report.guardStatus else {
            return refuse(id, precondition("node.healthy", "node \"\(node)\" does not report", "see `pgbastion status`"))
        }
        let params = status.postmasterPID.map { ["pid": "\($0)"] } ?? [:]
        let directive = DirectiveRecord(
            id: "op-\(raft.lastIndex.next)", type: .restart, targetNode: node, params: params,
            token: state.primary?.token ?? .never, createdAt: wallTime, ttlMilliseconds: 120_000, term: raft.term.rawValue,
            requestID: m.requestID)
        propose(
            .publishDirective(directive), actor: m.actor, requestID: m.idempotencyKey, trace: m.requestID,
            reply: .init(
                id: id, success: ClusterReply(operationID: directive.id, summary: "restart of \(node) started", leader: identity.name)))
    }

    private mutating func releaseHold(_ node: NodeName, _ id: UInt64, _ m: RequestMetadata) {
        guard state.nodes[node] != nil else { return refuse(id, notFound(node)) }
        guard let hold = state.hold, state.primary?.node == node else { return alreadySo(id, "no restart hold is in force on \(node)") }
        guard hold.isOrdered == true else { return alreadySo(id, "the restart hold on \(node) ends by itself") }
        change(.releaseHold(id: hold.id), ["LE12"], "the restart hold on \(node) ends", id, m)
    }

    // MARK: cancel

    mutating func cancelOperation(_ operation: String, _ id: UInt64, _ m: RequestMetadata) {
        let message = "cancelled by \(m.actor)" + (m.reason.map { ": \($0)" } ?? "")
        if let running = state.operation, running.id == operation {
            return change(
                .cancelOperation(id: operation, phase: running.phase, message: message), ["D40"], "\(operation) is cancelled", id, m)
        }
        if state.directives.contains(where: { $0.id == operation && $0.params["operation_id"] == nil }) {
            return cancelDirective(operation, id, m)
        }
        if let ended = state.finished.last(where: { $0.id == operation }) {
            if ended.message == message { return alreadySo(id, "\(operation) was cancelled") }
            return refuse(
                id, precondition("operation.cancellable", "operation \(operation) has ended: \(ended.message)", nil))
        }
        refuse(id, BastionError(.notFound, "operation \"\(operation)\" is not known", hint: "list operations with `pgbastion op list`"))
    }

    mutating func cancelDirective(_ directive: String, _ id: UInt64, _ m: RequestMetadata) {
        guard let found = state.directives.last(where: { $0.id == directive }) else {
            return refuse(
                id, BastionError(.notFound, "directive \"\(directive)\" is not known", hint: "see `pgbastion directive list`"))
        }
        if found.status == .cancelled { return alreadySo(id, "directive \(directive) was cancelled") }
        guard found.status == .pending else {
            let operation = found.params["operation_id"].map { "cancel the operation with `pgbastion op cancel \($0)`" }
            return refuse(
                id, precondition("directive.pending", "directive \(directive) is \(found.status.rawValue), not pending", operation))
        }
        let message = "cancelled by \(m.actor)" + (m.reason.map { ": \($0)" } ?? "")
        change(.cancelDirective(id: directive, message: message), ["CS8"], "directive \(directive) is cancelled", id, m)
    }
}

extension ClusterState {
    /// A restart, rewind or clone of this node's PostgreSQL that an operator ordered and that has not ended.
    func openJob(on node: NodeName) -> DirectiveRecord? {
        directives.first {
            $0.targetNode == node && $0.isOpen && ($0.type == .basebackup || $0.type == .rewind || $0.type == .restart)
        }
    }
}

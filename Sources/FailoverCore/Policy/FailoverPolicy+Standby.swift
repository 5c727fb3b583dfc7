import ClusterModel

/// A cluster that follows another one (`standby_cluster`): who streams from there, and how the first own primary is chosen.
///
/// Nobody here is writable and everybody has the same history, so the choice of the source needs no proof. The promotion needs
/// one thing: nobody receives any more when positions are compared.
extension FailoverPolicy {
    func keepFollowing(_ standby: StandbyRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        if let source = memory.newSource(standby, c, settings) {
            return d.propose(.setStandbySource(source), ["D26"])
        }
        if let server = c.fresh(standby.source)?.streamingServer {
            // PostgreSQL streams only between servers with one identifier: it is the upstream's.
            if c.state.systemIdentifier == nil
                || (c.state.systemIdentifier == server.systemIdentifier && server.timeline > c.state.lastTimeline)
            {
                return d.propose(.setSystemIdentifier(server.systemIdentifier, timeline: server.timeline), ["D60", "AG5"])
            }
        }
        readyFollowers(standby, c, &d)
    }

    private func readyFollowers(_ standby: StandbyRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        for node in c.state.dataNodes where node.standing != .fenced {
            guard let report = c.fresh(node.name), let server = report.streamingServer, report.facts?.unfinishedJob == nil,
                server.systemIdentifier == c.state.systemIdentifier
            else { continue }
            let dataID = report.facts?.dataID
            guard node.standing != .ready || node.dataID != dataID else { continue }
            let upstream = node.name == standby.source ? standby.upstream.address : standby.source?.rawValue ?? "the source"
            d.propose(
                .setStanding(
                    node: node.name, memberID: node.memberID, from: node.standing, to: .ready, dataID: dataID,
                    reason: "streams from \(upstream)"), ["SE5"])
        }
    }

    // MARK: The first own primary

    /// Nobody receives any more; the most advanced node is appointed.
    mutating func promoteStandby(_ operation: OperationRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        let waited = memory.timeInPhase(c.now)
        let receiving = c.state.dataNodes.map(\.name).filter { c.fresh($0)?.facts?.server?.receiver != nil }
        guard receiving.isEmpty else {
            memory.explanation = "\(names(receiving)) still receive from the cluster that is followed"
            return
        }
        let silent = c.state.dataNodes.map(\.name).filter { c.fresh($0)?.position == nil && !memory.excluded.contains($0) }
        guard silent.isEmpty || waited >= settings.standbyAnswers else {
            memory.explanation = "waits for the position of \(names(silent))"
            return
        }
        let fit = c.state.dataNodes.compactMap { node -> (node: NodeRecord, report: NodeReport)? in
            guard let report = c.fresh(node.name), objection(to: node, report, c) == nil else { return nil }
            return (node, report)
        }
        guard let best = fit.max(by: isBehind), let position = best.report.position else {
            memory.explanation = explanation(c)
            return
        }
        if let ahead = ahead(of: position, by: operation.allowDataLossBytes ?? 0, c) {
            memory.explanation = "D30: \"\(ahead)\" had more than \"\(best.node.name)\", which would become the primary"
            return
        }
        guard position.timeline <= c.state.lastTimeline, c.state.systemIdentifier != nil else {
            guard let system = best.report.facts?.systemIdentifier else { return }
            return d.propose(.setSystemIdentifier(system, timeline: position.timeline), ["D60", "AG9"])
        }
        appoint(best.node, best.report, at: position, operation, &d, c)
    }

    private func appoint(
        _ node: NodeRecord, _ report: NodeReport, at position: WALPosition, _ operation: OperationRecord,
        _ d: inout PolicyDecision, _ c: PolicyContext
    ) {
        guard let incarnation = report.guardStatus?.incarnation, let basis = basis(for: node, c) else { return }
        let primary = AckRule.Member(node: node.name, dataID: report.facts?.dataID)
        d.propose(
            .assignPrimary(
                Assignment(
                    token: operation.ballot, node: node.name, memberID: node.memberID, guardIncarnation: incarnation,
                    timeline: c.state.lastTimeline.next, parent: position.timeline, basis: basis,
                    rule: AckRule(token: operation.ballot, primary: primary, members: [], required: 0), mode: .off,
                    dropsOlderRules: true, certificate: nil, operationID: operation.id)), ["LE8", "D26", "D27"])
    }

    /// SE5, as far as it applies to a cluster that never had a primary; nil: it may be appointed.
    private func objection(to node: NodeRecord, _ report: NodeReport, _ c: PolicyContext) -> String? {
        guard let server = report.facts?.server, server.isInRecovery else { return "its server does not run as a standby" }
        if node.standing != .ready { return "it is \(node.standing.rawValue)" }
        if node.tags.nofailover { return "tagged nofailover" }
        if node.drained { return "drained" }
        if server.isReplayPaused { return "replay is paused" }
        if report.guardStatus?.state != .standby { return "its guard does not hold a standby" }
        if report.facts?.storage != .healthy { return "its disk is not healthy" }
        if memory.excluded.contains(node.name) { return "its promotion failed" }
        return server.systemIdentifier == c.state.systemIdentifier ? nil : "D60: it has the data of another cluster"
    }

    /// Whether the first is the worse choice.
    private func isBehind(_ a: (node: NodeRecord, report: NodeReport), _ b: (node: NodeRecord, report: NodeReport)) -> Bool {
        if let x = a.report.position, let y = b.report.position, x != y { return x < y }
        if a.node.tags.priority != b.node.tags.priority { return a.node.tags.priority < b.node.tags.priority }
        return a.node.name > b.node.name
    }

    /// A node, also a silent one, that is known to have had more than is allowed to be missing.
    private func ahead(of position: WALPosition, by allowed: UInt64, _ c: PolicyContext) -> NodeName? {
        c.state.dataNodes.map(\.name).first { name in
            guard let other = c.reports[name]?.report.position?.lsn, other > position.lsn else { return false }
            return other - position.lsn > allowed
        }
    }

    private func explanation(_ c: PolicyContext) -> String {
        let reasons = c.state.dataNodes.map { node in
            "\"\(node.name)\": \(c.fresh(node.name).map { objection(to: node, $0, c) ?? "" } ?? "silent")"
        }
        return "no node can become the primary: \(reasons.joined(separator: "; "))"
    }

    private func names(_ nodes: [NodeName]) -> String { nodes.map { "\"\($0)\"" }.joined(separator: ", ") }
}

extension PolicyMemory {
    /// Who is to stream from the followed cluster from now on; nil: it stays as it is.
    func newSource(_ standby: StandbyRecord, _ c: PolicyContext, _ settings: PolicySettings) -> NodeName? {
        let usable = c.state.dataNodes.filter { $0.standing != .fenced && $0.standing != .refused && c.fresh($0.name) != nil }
        let running = usable.compactMap { node in
            c.fresh(node.name).flatMap { report in
                report.facts?.server?.isInRecovery == true ? report.position.map { (name: node.name, position: $0) } : nil
            }
        }
        let best = running.max { a, b in a.position == b.position ? a.name > b.name : a.position < b.position }?.name
        guard let present = standby.source, c.state.nodes[present] != nil else { return best ?? usable.first?.name }
        guard let lost = lostSource, lost.node == present, c.now.since(lost.since) >= settings.sourceLostAfter else { return nil }
        let isSilent = c.fresh(present) == nil
        let next = best ?? (isSilent ? usable.first?.name : nil)
        return next == present ? nil : next
    }

    /// The source does not report, or has no server although it does not make one.
    mutating func observeSource(_ c: PolicyContext) {
        guard c.state.isStandby, let source = c.state.standby?.source else {
            lostSource = nil
            return
        }
        let report = c.fresh(source)
        let isThere = report?.facts?.server?.isInRecovery == true || report?.agentState == "cloning"
        let isLost = !isThere || c.state.nodes[source]?.standing == .fenced
        if !isLost {
            lostSource = nil
        } else if lostSource?.node != source {
            lostSource = (source, c.now)
        }
    }
}

extension NodeReport {
    /// The server, while it streams.
    fileprivate var streamingServer: ServerFacts? { isStreaming ? facts?.server : nil }
}

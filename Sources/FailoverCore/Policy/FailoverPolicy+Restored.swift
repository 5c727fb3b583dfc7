import ClusterModel

/// 4.12: what the leader of a restored or recovered cluster does until a primary serves.
extension FailoverPolicy {
    /// D68: a node's guard, under the new cluster id, has nothing that can write.
    func clearBarrier(_ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let barrier = c.state.barrier else { return }
        for name in barrier.open {
            guard let report = c.fresh(name), c.state.nodes[name]?.isFormerMember == false, let status = report.guardStatus,
                status.clusterID == c.state.cluster?.id, report.facts != nil, isHarmless(status)
            else { continue }
            d.propose(.clearBarrier(node: name, mark: .confirmed), ["D68"])
            return
        }
    }

    private func isHarmless(_ status: GuardStatus) -> Bool {
        !status.mayBeWritable && status.state != .fencing && status.stranger?.mayBeWritable != true
            && (status.postmasterPID != nil || status.allProcessesGone || status.stranger != nil)
    }

    /// The node that an operator accepted is appointed once nothing of the former cluster can be writable any more.
    mutating func appointAccepted(_ barrier: BarrierRecord, _ c: PolicyContext, _ d: inout PolicyDecision) {
        guard let name = barrier.accepted else {
            memory.explanation = "D68: the cluster was restored; nobody is appointed before an operator accepts a primary"
            return
        }
        guard barrier.open.isEmpty else {
            memory.explanation = "D68: waits for \(barrier.open.map(\.rawValue).joined(separator: ", "))"
            return
        }
        // Counted by a waiter's clock, as LE8 does.
        let wait = Duration.nanoseconds(barrier.waitMilliseconds * 1_030_000)
        guard c.startedAt.map({ c.now.since($0) >= wait }) ?? true else {
            memory.explanation = "4.12: waits until the longest lease of the former cluster has passed"
            return
        }
        guard let report = c.fresh(name), let timeline = report.position?.timeline else {
            memory.explanation = "4.12: \"\(name)\" was accepted and does not say where its data end"
            return
        }
        if c.state.systemIdentifier == nil, let found = report.facts?.server?.systemIdentifier ?? report.facts?.systemIdentifier {
            return d.propose(.setSystemIdentifier(found, timeline: timeline), ["AG5"])
        }
        var record = OperationRecord(
            id: "op-\(c.nextIndex)", kind: .bootstrap, phase: .pledge, from: nil, to: name,
            fromToken: c.state.primary?.token ?? .never, ballot: c.state.lastToken.next, isAutomatic: false)
        record.detail = "the primary that was accepted after the restore"
        d.propose(.startOperation(record), ["D68", "LE8"])
    }
}

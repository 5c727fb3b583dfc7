import ClusterModel

/// The run of a runbook on whose behalf something is asked, with the fencing number of its lock.
package struct RunClaim: Sendable, Codable, Hashable {
    package var runID: String
    package var fencing: UInt64?
    package init(runID: String, fencing: UInt64?) {
        self.runID = runID
        self.fencing = fencing
    }
}

/// Locks and summaries of runbooks' runs (runbooks.md, 7.2 and 7.3).
extension ClusterState {
    package func lock(ofRun id: String) -> RunLock? { locks?.first { $0.runID == id } }

    mutating func acquireLock(_ lock: RunLock, index: UInt64, at time: Int64) throws(Rejection) {
        if let other = (locks ?? []).first(where: { $0.runID != lock.runID && $0.excludes(lock) }) {
            throw Rejection("locked", other.sentence)
        }
        guard (locks ?? []).count < Caps.locks || self.lock(ofRun: lock.runID) != nil else {
            throw Rejection("locked", "there are \(Caps.locks) locks already")
        }
        var taken = lock
        // Taken again by the same run: whatever its earlier process still sends has a smaller number.
        taken.fencing = index
        taken.heartbeatAt = time
        locks = (locks ?? []).filter { $0.runID != lock.runID } + [taken]
    }

    mutating func beatLock(_ run: String, at time: Int64) throws(Rejection) {
        guard let i = locks?.firstIndex(where: { $0.runID == run }) else {
            throw Rejection("lock.held", "run \(run) has no lock")
        }
        locks?[i].heartbeatAt = time
    }

    mutating func recordRun(_ summary: RunSummary) {
        var all = runs ?? []
        if let i = all.firstIndex(where: { $0.id == summary.id }) { all[i] = summary } else { all.append(summary) }
        all.keepNewest(Caps.runs)
        runs = all
    }

    /// Why a change that somebody asked for must wait for a run to end; nil: nothing is against it.
    ///
    /// - Parameter target: The node it changes; nil: the cluster.
    package func lockAgainst(_ run: RunClaim?, target: Set<NodeName>) -> RunLock? {
        (locks ?? []).first { lock in
            guard lock.node.map(target.contains) ?? true else { return false }
            guard run?.runID == lock.runID else { return true }
            return run?.fencing.map { $0 < lock.fencing } ?? false
        }
    }

    /// 7.2: the policy is never kept from anything; what an operator asked for was checked by the leader when it came, and
    /// here again, since a lock may have been taken in between.
    func lockAgainst(_ entry: ClusterEntry) -> Rejection? {
        guard locks?.isEmpty == false, entry.actor != DecisionRecord.policy, let target = entry.command.lockedNodes,
            let lock = lockAgainst(entry.run, target: target)
        else { return nil }
        return Rejection("locked", lock.refusal(of: entry.run))
    }
}

extension RunLock {
    fileprivate func excludes(_ other: RunLock) -> Bool { node == nil || other.node == nil || node == other.node }

    /// Who has it.
    package var sentence: String {
        "\(node.map { "node \"\($0)\"" } ?? "the cluster") is locked by run \(runID) (\(runbook)) of \(holder)"
    }

    package func refusal(of run: RunClaim?) -> String {
        guard run?.runID == runID else { return sentence }
        return "run \(runID) took its lock again: number \(run?.fencing ?? 0) is older than \(fencing)"
    }
}

extension ClusterCommand {
    /// The nodes that an operator's change is about, empty: the cluster; nil for what no lock excludes: notes about runs and
    /// backups, and taking a token back.
    var lockedNodes: Set<NodeName>? {
        switch self {
        case .recordBackup, .claimBackup, .acquireLock, .beatLock, .releaseLock, .recordRun, .digestMark, .appendDecision,
            .revokeToken, .initCluster:
            nil
        case .registerNode(let record): [record.name]
        case .removeNode(let name, _): [name]
        case .setDrained(let node, _, _), .fenceNode(let node, _, _), .unfenceNode(let node, _, _), .acceptPrimary(let node, _): [node]
        case .publishDirective(let directive): [directive.targetNode]
        case .startOperation(let operation): Set([operation.from, operation.to].compactMap { $0 })
        default: []
        }
    }
}

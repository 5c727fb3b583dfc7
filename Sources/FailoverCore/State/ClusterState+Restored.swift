import ClusterModel

/// Where a restored state comes from.
package struct RestoredFrom: Sendable, Codable, Hashable {
    package enum Manner: String, Sendable, Codable, Hashable { case restore, recover }
    package var archiveID: String
    /// Of the state that was loaded, hex.
    package var sha256: String
    /// Who did it: `root@host`.
    package var by: String
    package var manner: Manner
    package init(archiveID: String, sha256: String, by: String, manner: Manner) {
        self.archiveID = archiveID
        self.sha256 = sha256
        self.by = by
        self.manner = manner
    }
}

/// The one transformation of restore, drill and recover (backup-restore.md, 8).
///
/// - Safety: What comes out appoints nobody, routes to nobody and orders nothing: every claim about the present is gone or is
///   shown as a claim, and every number that must only grow goes on above all that the lost part can have used.
extension ClusterState {
    /// How far the tokens jump: more than the lost part of the history can have assigned.
    package static let restoredTokenGap: UInt64 = 1_000_000
    /// D59: so many promotions of the lost part of the history may have taken a number that nobody knows of.
    static let restoredTimelineGap: UInt32 = 16
    static let restored = "restored"

    /// - Parameters:
    ///   - node: The node that starts alone; need not be known (`--as-new-node`): then it registers itself.
    ///   - member: Its new member id.
    ///   - now: Milliseconds of the wall clock; display only (D9).
    package func restored(
        on node: NodeName, member: MemberID, newID: ClusterID, now: Int64, archive: RestoredFrom
    ) -> ClusterState {
        var next = self
        next.makeCluster(newID)
        next.raiseBarrier()
        next.keepAlone(node, member)
        next.endWhatRan(at: now)
        next.clearPermissions()
        next.paused = PauseRecord(
            id: "\(archive.manner.rawValue)-\(newID.short)",
            reason: archive.manner == .restore
                ? "restored from \(archive.archiveID)" : "recovered from the state of \(node) (\(archive.archiveID))",
            by: archive.manner.rawValue, since: now, durationMilliseconds: nil)
        next.recordRestore(from: self, newID, now: now, archive)
        return next
    }

    private mutating func makeCluster(_ newID: ClusterID) {
        let former = cluster
        cluster?.parentID = former?.id
        cluster?.id = newID
        cluster?.epoch = (former?.epoch ?? 0) + 1
    }

    /// A cluster that was restored before and still waits keeps what it waits for.
    private mutating func raiseBarrier() {
        let former = Set(dataNodes.map(\.name)).union(barrier.map { Set($0.nodes.keys) } ?? [])
        let wait = max(leases.waitMilliseconds, hold?.durationMilliseconds ?? 0, barrier?.waitMilliseconds ?? 0)
        barrier = BarrierRecord(
            nodes: Dictionary(uniqueKeysWithValues: former.sorted().map { ($0, .unknown) }), waitMilliseconds: wait,
            claimed: primary?.node ?? barrier?.claimed)
        primary = nil
        lastToken = FencingToken(lastToken.rawValue + ClusterState.restoredTokenGap)
    }

    private mutating func keepAlone(_ own: NodeName, _ member: MemberID) {
        for name in nodes.keys.sorted() {
            guard var record = nodes[name] else { continue }
            if !tombstones.contains(record.memberID) { tombstones.append(record.memberID) }
            if name == own {
                record.memberID = member
                record.isFormer = nil
                record.learnerOnly = false
            } else {
                record.isFormer = true
                record.standing = .joining
                record.standingReason = "a member of the former cluster; reset it and add it again"
                record.dataID = nil
                record.fence = nil
            }
            nodes[name] = record
        }
        tombstones.removeAll { $0 == member }
        tombstones.keepNewest(Caps.tombstones)
    }

    private mutating func endWhatRan(at now: Int64) {
        for i in directives.indices where directives[i].isOpen {
            directives[i].status = .cancelled
            directives[i].error = ClusterState.restored
            directives[i].completedAt = now
        }
        if var running = operation {
            running.result = .cancelled
            running.message = ClusterState.restored
            running.finishedAt = now
            finished.append(running)
            finished.keepNewest(Caps.finished)
            operation = nil
        }
        for i in (runs ?? []).indices where runs?[i].endedAt == nil {
            runs?[i].status = "cancelled"
            runs?[i].message = ClusterState.restored
            runs?[i].endedAt = now
        }
    }

    private mutating func clearPermissions() {
        locks = nil
        hold = nil
        backupClaims = nil
        idempotency = []
        // The length of a lease is a setting; what is waited for and what the guard confirmed is not.
        leases.durationMilliseconds = leases.usualMilliseconds ?? leases.durationMilliseconds
        leases.usualMilliseconds = nil
        leases.waitMilliseconds = leases.durationMilliseconds
        leases.mode = .timed
        leases.generation = leases.generation.map { $0 + 1 }
        // SE2: no commit was acknowledged under this cluster yet. The policy stays; the first primary brings the first rule.
        synchronous.rules = []
        synchronous.mode = .off
        synchronous.modeUntilSettled = nil
        synchronous.generation += 1
    }

    private mutating func recordRestore(from former: ClusterState, _ newID: ClusterID, now: Int64, _ archive: RestoredFrom) {
        let old = former.cluster?.id.description ?? "none"
        var record = DecisionRecord(
            at: now, kind: "cluster.restored", rules: ["D68"],
            text: "cluster \(old) is \(archive.manner == .restore ? "restored from" : "recovered from") \(archive.archiveID) "
                + "(sha256 \(archive.sha256)) as cluster \(newID), epoch \(cluster?.epoch ?? 0)")
        record.actor = archive.by
        decisions.chain(record, keeping: Caps.decisions)
    }
}

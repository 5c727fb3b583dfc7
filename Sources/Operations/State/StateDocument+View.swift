import ClusterModel

extension StateDocument {
    /// What one node's view says; the same view gives the same document.
    package init(_ view: ClusterView) {
        capturedAt = view.capturedAt
        seenBy = view.node
        cluster = Cluster(
            id: view.clusterID?.short, name: view.clusterName, epoch: view.epoch, healthy: StatusOutput.findings(view).isEmpty)
        raft = Raft(view)
        let pause = StatusOutput.Paused(view)
        paused = Paused(
            active: pause.active, since: pause.since, until: pause.until, reason: pause.reason, by: pause.by, byRun: view.paused?.byRun)
        restartHold = RestartHold(active: view.hold != nil, node: view.hold?.node, until: view.hold?.until)
        primary = Primary(view)
        synchronous = Synchronous(
            mode: view.synchronous.mode, degraded: view.synchronous.degraded, required: view.synchronous.required,
            members: view.synchronous.members)
        nodes = view.nodes.map { StateNode($0, in: view) }
        vip = Address(view)
        splitBrain = view.splitBrain
        directives = Directives(view)
        let active = [view.operation].compactMap { $0 } + view.recentOperations.filter { $0.result == .running }
        operations = Operations(
            active: active.map { .init(id: $0.id, name: OperationRow($0).name, by: view.actor(of: $0), startedAt: $0.startedAt) })
        backup = Backup(BackupStanding(view))
        versions = Versions(view)
        config = Configuration(drift: false, invalidNodes: [])
        standby = Standby(view)
        lock = view.locks.min { $0.startedAt < $1.startedAt }.map { Lock($0, at: view.capturedAt) }
    }
}

extension ClusterView {
    /// Who asked for an operation, from the decision record.
    fileprivate func actor(of operation: OperationView) -> String? {
        decisions.last { $0.operationID == operation.id && $0.actor != DecisionRecord.policy }?.actor
            ?? (decisions.contains { $0.operationID == operation.id } ? DecisionRecord.policy : nil)
    }

    func isReachable(_ node: NodeView) -> Bool { peer(named: node.name)?.reachable ?? (node.state != "unreachable") }
}

extension StateDocument.Lock {
    /// The oldest lock there is; a second one can only be that of another node.
    fileprivate init(_ lock: RunLock, at capturedAt: String) {
        let row = RunListOperation.Output.Lock(lock, at: capturedAt)
        self.init(
            runID: row.runID, runbook: row.runbook, holder: row.holder, startedAt: row.startedAt,
            heartbeatAgeSeconds: row.heartbeatAgeSeconds, live: row.live)
    }
}

extension StateDocument.Raft {
    fileprivate init(_ view: ClusterView) {
        let raft = view.raft
        self.init(
            leader: raft.leader, term: raft.term, commitIndex: raft.commitIndex, appliedIndex: raft.appliedIndex,
            voters: raft.voters, votersReachable: raft.votersReachable,
            learners: view.peers.filter { $0.suffrage == .learner }.count, failuresTolerated: raft.failuresTolerated,
            hasQuorum: raft.hasQuorum, digestAgreement: raft.digestAgreement)
    }
}

extension StateDocument.Primary {
    fileprivate init(_ view: ClusterView) {
        let primary = view.primary
        let node = view.primaryNode
        let isServing = primary?.phase == "serving"
        let accepts = primary == nil ? nil : isServing && node?.isInRecovery == false && node?.healthy == true && !view.splitBrain
        self.init(
            name: primary?.name, verified: isServing, acceptingWrites: accepts,
            since: view.history.last { $0.timeline == primary?.timeline }?.at, timeline: primary?.timeline,
            lsn: primary?.lsn ?? node?.lsn, systemIdentifier: view.systemIdentifier.map { "\($0)" },
            leaseHolder: primary.flatMap { $0.phase == "ended" ? nil : $0.name },
            leaseRemainingSeconds: primary?.leaseRemainingSeconds)
    }
}

extension StateDocument.Address {
    fileprivate init(_ view: ClusterView) {
        let known = view.virtualAddress
        let address = known.map { String($0.address.prefix { $0 != "/" }) }
        let follows = known?.follows.rawValue ?? "leader"
        let wanted = follows == "primary" ? view.primary?.name : view.raft.leader
        self.init(
            address: address, owner: view.vipOwner, follows: follows,
            consistent: known == nil || view.vipOwner == nil ? nil : view.vipOwner == wanted)
    }
}

extension StateDocument.Directives {
    fileprivate init(_ view: ClusterView) {
        let pending = view.directives.filter { $0.status == "pending" || $0.status == "running" }
        let ages = pending.compactMap { Timestamp.seconds(from: $0.createdAt, to: view.capturedAt) }
        self.init(pending: pending.count, oldestPendingSeconds: ages.max().map { max(0, $0) })
    }
}

extension StateDocument.Versions {
    fileprivate init(_ view: ClusterView) {
        let known = Set(view.nodes.compactMap(\.version)).sorted { VersionOrder.key($0).lexicographicallyPrecedes(VersionOrder.key($1)) }
        self.init(min: known.first, max: known.last, skew: known.count > 1)
    }
}

/// Versions in the order of their numbers.
private enum VersionOrder {
    static func key(_ text: String) -> [Int] { text.split(whereSeparator: { !$0.isNumber }).map { Int($0) ?? 0 } }
}

extension StateNode {
    fileprivate init(_ node: NodeView, in view: ClusterView) {
        let streams = node.streaming == true
        name = node.name
        address = node.host
        role = node.role
        state = node.state
        healthy = node.healthy
        reachable = view.isReachable(node)
        drained = node.drained
        fenced = node.standing == "fenced" || node.state == "fenced"
        promotable = node.promotable
        sync = node.sync
        job = Job(kind: node.job.kind, percent: node.job.percent.map { Int($0) })
        slots = node.slots.map {
            Slot(
                name: $0.name, kind: $0.isPhysical ? "physical" : "logical", active: $0.isActive,
                retainedBytes: $0.retainedBytes, walStatus: $0.walStatus)
        }
        raft = Member(node, in: view)
        promotableReason = node.promotableReason
        streaming = node.streaming
        upstream = node.upstream
        // A lag that is not measured any more is unknown here; `replication status` lets it grow.
        lagBytes = streams ? node.lagBytes : nil
        lagSeconds = streams ? node.lagSeconds : nil
        lagMeasuredAt = streams ? view.measuredAt(node) : nil
        lagAgeSeconds = streams ? node.lastSeenSeconds : nil
        timeline = node.timeline
        lsn = node.lsn
        systemIdentifier = node.systemIdentifier.map { "\($0)" }
        replayPaused = node.isInRecovery == true ? node.isReplayPaused : nil
        version = node.version
        pgVersion = node.postgresVersion
        schemaVersion = node.version == view.version ? BuildInformation.stateSchema.write : nil
        connections = node.connections
        longestTransactionSeconds = node.longestTransactionSeconds
        baseBackupRunning = node.isBaseBackupRunning
        pendingRestart = node.isInRecovery == nil ? nil : node.pendingRestart
        dataBytes = nil
        dataFreeBytes = nil
        clockOffsetSeconds = nil
        lastSeenSeconds = node.lastSeenSeconds
    }
}

extension StateNode.Member {
    fileprivate init(_ node: NodeView, in view: ClusterView) {
        let peer = view.peer(named: node.name)
        let isOwn = node.name == view.node
        let match = peer?.matchIndex
        self.init(
            suffrage: peer?.suffrage.rawValue ?? "none", reachable: peer?.reachable ?? false, matchIndex: match,
            lastTerm: isOwn ? view.raft.term : nil, lastIndex: isOwn ? view.raft.lastLogIndex : match,
            caughtUp: match.map { $0 + 64 >= view.raft.commitIndex }, clusterID: view.clusterID?.short)
    }
}

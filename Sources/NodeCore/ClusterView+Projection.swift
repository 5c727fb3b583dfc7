import ClusterModel
import FailoverCore
import RaftCore

/// The one value every read of every surface is answered from.
extension BastionNode {
    package func view(now: ClockStamp, wallTime: Int64) -> ClusterView {
        var v = ClusterView(node: identity.name, clusterName: state.cluster?.name ?? identity.clusterName, version: identity.version)
        v.clusterID = state.cluster?.id
        v.epoch = state.cluster?.epoch ?? 0
        v.capturedAt = WallTime.text(milliseconds: wallTime)
        v.systemIdentifier = state.systemIdentifier
        v.raft = raftView(now)
        v.staleSeconds = raft.leader == nil ? lastLeaderContact.map { now.since($0).inSeconds } ?? 0 : 0
        v.peers = raft.role == .leader ? peerViews : leaderReport?.peers ?? peersWithoutLeader
        v.splitBrain = isSplitBrain
        v.virtualAddress = address?.view
        v.vipOwner = addressOwner
        v.vipReason = addressReason
        let routing = routingView
        v.nodes = state.sortedNodes.map { nodeView($0, routing, now) }
        v.primary = state.primary.map { primaryView($0, now) }
        v.paused = state.paused.map {
            PauseView(
                reason: $0.reason, by: $0.by, since: WallTime.text(milliseconds: $0.since),
                forSeconds: $0.durationMilliseconds.map { Double($0) / 1000 })
        }
        v.paused?.byRun = state.paused?.byRun
        v.parentClusterID = state.cluster?.parentID
        v.barrier = barrierView
        v.backups = state.backups ?? []
        v.locks = state.locks ?? []
        v.runs = state.runs ?? []
        v.standby = standbyView
        v.hold = state.hold.flatMap { hold in
            state.primary.map {
                HoldView(
                    node: $0.node, seconds: Double(hold.durationMilliseconds) / 1000, reason: hold.reason,
                    isOrdered: hold.isOrdered == true,
                    until: hold.since.map { WallTime.text(milliseconds: $0 + hold.durationMilliseconds) })
            }
        }
        v.synchronous = synchronousView
        v.operation = state.operation.map(operationView)
        v.recentOperations = state.finished.reversed().map(operationView) + state.directives.compactMap(reinitializeView).reversed()
        v.directives = state.directives.map(directiveView)
        v.history = state.timelines.filter { $0.forkLSN != nil }.map {
            TimelineView(
                timeline: $0.timeline, forkLSN: $0.forkLSN, reason: $0.reason, at: WallTime.text(milliseconds: $0.at), node: $0.node)
        }
        v.tokens = tokenViews
        v.settings.leaseSeconds = Double(state.leases.durationMilliseconds) / 1000
        v.settings.restartHoldSeconds = Double(policy.settings.restartHoldMilliseconds) / 1000
        v.settings.maxLagBytes = policy.settings.maxLagBytes == 0 ? nil : policy.settings.maxLagBytes
        v.settings.synchronousWanted = state.synchronous.wanted
        v.job = reports[identity.name]?.report.job ?? JobProgress()
        v.decisions = state.decisions
        v.postgresParameters = state.postgresParameters.map(PostgresParametersView.init)
        v.health = health(v)
        return v
    }

    private func raftView(_ now: ClockStamp) -> RaftView {
        var r = RaftView()
        r.isLeader = raft.role == .leader
        switch raft.role {
        case .leader: r.state = "Leader"
        case .follower: r.state = "Follower"
        case .learner: r.state = "Learner"
        case .candidate, .precandidate: r.state = "Candidate"
        }
        let leader = raft.leader.flatMap { state.node(MemberID(rawValue: $0.rawValue)) }
        r.leader = leader?.name
        r.leaderAddress = leader.map { address($0.host, $0.raftPort) }
        r.term = raft.term.rawValue
        r.commitIndex = raft.commitIndex.rawValue
        r.appliedIndex = raft.appliedIndex.rawValue
        r.lastLogIndex = raft.lastIndex.rawValue
        r.lastContactMilliseconds = r.isLeader ? 0 : lastLeaderContact.map { now.since($0).inMilliseconds }
        r.voters = raft.membership.voters.count
        r.votersReachable = r.isLeader ? raft.votersInContact : freshLeaderReport?.votersReachable ?? (raft.leader == nil ? 1 : 0)
        r.hasQuorum = r.voters > 0 && raft.leader != nil && r.votersReachable * 2 > r.voters
        r.failuresTolerated = max(0, r.votersReachable - (r.voters / 2 + 1))
        r.digestAgreement = digestAgreement
        return r
    }

    func address(_ host: String, _ port: Int) -> String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The members as the leader sees them.
    var peerViews: [PeerView] {
        let progress = raft.progress
        return raft.membership.members.compactMap { server -> PeerView? in
            guard let node = state.node(MemberID(rawValue: server.rawValue)) else { return nil }
            let isVoter = raft.membership.voters.contains(server)
            let mine = server == raft.id
            let contact = progress[server].map { Int64($0.ticksSinceContact) * 10 }
            var peer = PeerView(
                name: node.name, address: address(node.host, node.raftPort), suffrage: isVoter ? .voter : .learner,
                isLeader: mine, reachable: mine || (contact ?? .max) < 1000)
            peer.lastContactMilliseconds = mine ? 0 : contact
            peer.matchIndex = mine ? raft.lastIndex.rawValue : progress[server]?.matchIndex.rawValue
            peer.version = reports[node.name]?.report.version
            return peer
        }.sorted { $0.name < $1.name }
    }

    private var peersWithoutLeader: [PeerView] {
        state.memberNodes.map { node in
            let server = ServerID(rawValue: node.memberID.rawValue)
            return PeerView(
                name: node.name, address: address(node.host, node.raftPort),
                suffrage: raft.membership.voters.contains(server) ? .voter : .learner, isLeader: false,
                reachable: node.memberID == identity.memberID)
        }
    }

    private func primaryView(_ primary: PrimaryRecord, _ now: ClockStamp) -> PrimaryView {
        var view = PrimaryView(
            name: primary.node, token: primary.token, timeline: primary.timeline, phase: primary.phase.rawValue)
        view.lsn = reports[primary.node]?.report.facts?.server?.flushLSN
        if agentContext.holdsLease, let deadline = guardStatus?.deadline {
            view.leaseRemainingSeconds = max(0, deadline.since(now).inSeconds)
        }
        return view
    }

    private var synchronousView: SynchronousView {
        var s = SynchronousView()
        s.mode = state.synchronous.mode.rawValue
        s.degraded = state.synchronous.degraded
        s.required = state.synchronous.current?.required ?? 0
        s.members = state.synchronous.current?.members.map(\.node) ?? []
        return s
    }

    private func nodeView(_ node: NodeRecord, _ routing: RoutingView, _ now: ClockStamp) -> NodeView {
        var v = NodeView(name: node.name, host: node.host, postgresPort: node.postgresPort, kind: node.kind)
        v.standing = node.standing.rawValue
        v.standingReason = node.standingReason.isEmpty ? nil : node.standingReason
        if node.kind == .witness { v.role = .witness }
        v.drained = node.drained
        v.fenceMethod = node.fence?.method?.rawValue
        if node.isFormerMember {
            v.role = .unknown
            v.state = "unknown"
            return v
        }
        forecast(&v, node, now)
        guard let timed = reports[node.name] else { return v }
        let report = timed.report
        let server = report.facts?.server
        let isPrimary = state.primary?.node == node.name && state.primary?.phase == .serving
        v.lastSeenSeconds = max(0, now.since(timed.at).inSeconds)
        let isFresh = now.since(timed.at) <= .seconds(2)
        v.state = isFresh ? report.agentState : "unreachable"
        v.version = report.version
        v.postgresVersion = server?.versionNumber
        v.systemIdentifier = server?.systemIdentifier ?? report.facts?.control?.systemIdentifier
        v.timeline = server?.timeline ?? report.stopped?.end.timeline
        v.lsn = report.position?.lsn
        v.isInRecovery = server?.isInRecovery
        v.apiURL = report.apiURL
        v.receivedLSN = server?.receivedLSN
        v.replayedLSN = server?.replayedLSN
        v.isReplayPaused = server?.isReplayPaused
        v.postmasterStartedAt = server?.postmasterStartedAt
        if node.kind == .data { v.role = isPrimary ? .primary : server?.isInRecovery == true ? .replica : isFresh ? .unknown : v.role }
        if isPrimary == false, node.kind == .data {
            v.lagBytes = routing.lagBytes(node.name) ?? lagOfStopped(report)
            v.streaming = isFresh && report.isStreaming
            v.upstream = report.isStreaming ? upstream(server) : nil
        }
        fillReplication(&v, node)
        v.healthy = isFresh && (node.kind == .witness || (server != nil && (isPrimary || report.isStreaming)))
        v.rotationReason = node.kind == .data ? routing.reasonOutOfRotation(node) : "witness"
        v.inRotation = isPrimary ? routing.table.primary?.node == node.name : v.rotationReason == nil
        if isPrimary { v.rotationReason = v.inRotation ? nil : "no lease is known" }
        v.pendingRestartSettings = pendingRestart(server, isPrimary: isPrimary)
        v.pendingRestart = !v.pendingRestartSettings.isEmpty
        v.isAdopted = report.guardStatus?.isAdopted == true
        v.isBaseBackupRunning = server?.isBaseBackupRunning
        v.commandLineValues = server?.commandLineValues ?? [:]
        v.parametersVersion = isFresh && server != nil ? report.parametersVersion : nil
        v.connections = server?.connections
        v.longestTransactionSeconds = server?.longestTransactionSeconds
        v.slots = server?.slots ?? []
        v.job = report.job
        v.virtualAddress = report.address
        return v
    }

    /// E10: from the end of a stopped server's own files it counts on.
    private func lagOfStopped(_ report: NodeReport) -> UInt64? {
        guard let end = report.stopped?.end, let primary = state.primary,
            let reached = reports[primary.node]?.report.facts?.server?.flushLSN, reached >= end.lsn
        else { return nil }
        return reached - end.lsn
    }

    private func upstream(_ server: ServerFacts?) -> NodeName? {
        guard let receiver = server?.receiver else { return nil }
        return state.dataNodes.first { $0.postgresPort == receiver.port && ($0.host == receiver.host || receiver.host == nil) }?.name
            ?? state.primary?.node
    }

    private func fillReplication(_ v: inout NodeView, _ node: NodeRecord) {
        guard let cluster = state.cluster, let primary = state.primary,
            let server = reports[primary.node]?.report.facts?.server
        else { return }
        let name = applicationName(cluster: cluster.id, node: node.name)
        guard let row = server.replicas.first(where: { $0.applicationName == name }) else { return }
        v.replication = row
        v.lagSeconds = row.replayLagSeconds ?? (row.state == "streaming" ? 0 : nil)
        v.sync = row.syncState == "quorum" || row.syncState == "sync" || row.syncState == "potential" ? row.syncState : "async"
    }

    func operationView(_ o: OperationRecord) -> OperationView {
        var v = OperationView(id: o.id, kind: o.kind.rawValue, phase: o.phase.rawValue, startedAt: WallTime.text(milliseconds: o.startedAt))
        let ends = o.phases.dropFirst().map(\.at) + [o.finishedAt ?? wallTime]
        v.phases = zip(o.phases, ends).map { phase, end in
            OperationView.Phase(name: phase.name, detail: phase.detail, elapsedSeconds: Double(max(0, end - phase.at)) / 1000)
        }
        v.from = o.from
        v.to = o.to
        v.requestID = o.requestID?.rawValue
        v.finishedAt = o.finishedAt.map(WallTime.text)
        switch o.result {
        case nil: v.result = .running
        case .succeeded: v.result = .succeeded
        case .failed: v.result = .failed
        case .undone: v.result = .undone
        case .cancelled: v.result = .failed
        }
        v.message = o.result == nil ? (raft.role == .leader && !policy.explanation.isEmpty ? policy.explanation : o.detail) : o.message
        v.oldTimeline = o.oldTimeline
        v.newTimeline = o.newTimeline
        v.lsn = o.lsn
        if let certificate = state.certificates.last(where: { $0.operationID == o.id }) {
            v.provenLossless = certificate.provenZero
            v.lostBytesMax = certificate.bytesMax
        }
        v.fenceMethod = state.primary?.basis.rawValue
        return v
    }

    func reinitializeView(_ d: DirectiveRecord) -> OperationView? {
        guard d.type == .basebackup || d.type == .rewind || d.type == .restart, d.params["operation_id"] == nil else { return nil }
        let isRestart = d.type == .restart
        var v = OperationView(
            id: d.id, kind: isRestart ? "restart" : "reinitialize", phase: d.status.rawValue,
            startedAt: WallTime.text(milliseconds: d.createdAt))
        v.to = d.targetNode
        let done = isRestart ? "restarted" : "reinitialized"
        v.message = d.error ?? "\(d.targetNode) is \(d.isOpen ? "being \(done)" : done)"
        v.outageSeconds = d.seconds
        v.finishedAt = d.completedAt.map(WallTime.text)
        v.requestID = d.requestID?.rawValue
        v.result = d.isOpen ? .running : d.status == .completed ? .succeeded : .failed
        return v
    }

    private func directiveView(_ d: DirectiveRecord) -> DirectiveView {
        var v = DirectiveView(
            id: d.id, type: d.type.rawValue, targetNode: d.targetNode, status: d.status.rawValue,
            createdAt: WallTime.text(milliseconds: d.createdAt), term: d.term)
        v.params = d.params
        v.completedAt = d.completedAt.map(WallTime.text)
        v.error = d.error
        v.expiresAt = WallTime.text(milliseconds: d.createdAt + d.ttlMilliseconds)
        return v
    }

    /// E07: the first status that applies.
    private func health(_ v: ClusterView) -> HealthView {
        var h = HealthView()
        h.proxyHealthy = publishedRoute?.primary != nil || (v.standby != nil && publishedRoute?.replicas.isEmpty == false)
        let mine = v.nodes.first { $0.name == identity.name }
        h.role = identity.kind == .witness ? .witness : mine?.role ?? .unknown
        let server = agentContext.server
        if v.splitBrain {
            h.status = "split_brain"
            h.reasons = ["a writable server without the current token was seen"]
        } else if guardStatus?.state == .fencing || (guardStatus?.state == .fenced && guardStatus?.postmasterPID == nil) {
            h.status = "fenced"
            h.reasons = [guardStatus?.fenceReason ?? "the guard fenced this node"]
        } else if state.cluster == nil {
            h.status = "starting"
            h.reasons = ["waiting to be added to a cluster"]
        } else if !v.raft.hasQuorum {
            h.status = "no_quorum"
            h.reasons = ["\(v.raft.votersReachable) of \(v.raft.voters) voters answer"]
        } else if identity.kind == .data, server == nil {
            h.status = guardStatus?.postmasterPID == nil && facts?.dataDirectory != .present ? "starting" : "postgres_down"
            h.reasons = [facts?.sqlError ?? "PostgreSQL does not run (\(mine?.state ?? "unknown"))"]
        } else if !h.proxyHealthy {
            h.status = "no_backends"
            let reason = state.barrier == nil ? "no primary to route to" : "the cluster was restored, and no primary serves yet"
            h.reasons = [v.standby.map { "no node streams from \($0.upstream.address), which this cluster follows" } ?? reason]
        } else {
            h.status = "ok"
        }
        return h
    }
}

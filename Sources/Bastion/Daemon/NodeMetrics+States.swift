import ClusterModel
import ConfigFiles
import HTTPAPI
import Operations
import ProxyServer
import Telemetry

/// The states of the metrics page, read from the view at the moment somebody asks.
extension NodeMetrics {
    func render(_ view: ClusterView, _ proxy: ProxyServer) -> String {
        setRaft(view.raft)
        setServer(view)
        setChanges(view)
        setReplicas(view)
        setBackends(view, proxy)
        setBackups(BackupStanding(view))
        for certificate in certificates {
            registry.gauge("tls_not_after_timestamp_seconds", certificate.name)
                .set(CertificateDates.notAfter(certificate.path) ?? 0)
        }
        return registry.render()
    }

    private func setRaft(_ raft: RaftView) {
        registry.setState("raft_state", raft.state.lowercased())
        registry.gauge("raft_term").set(Double(raft.term))
        registry.gauge("raft_commit_index").set(Double(raft.commitIndex))
        registry.gauge("raft_last_log_index").set(Double(raft.lastLogIndex))
        registry.gauge("raft_applied_index").set(Double(raft.appliedIndex))
        registry.gauge("raft_peers_count").set(Double(raft.votersReachable))
        registry.gauge("raft_peers_configured").set(Double(raft.voters))
        registry.gauge("raft_failures_tolerated").set(Double(raft.failuresTolerated))
        registry.gauge("raft_is_leader").set(raft.isLeader)
    }

    private func setServer(_ view: ClusterView) {
        let mine = view.node(named: view.node)
        let isHolder = view.primary?.name == view.node && (view.primary?.leaseRemainingSeconds ?? 0) > 0
        registry.gauge("postgres_up").set(mine?.isInRecovery != nil && mine?.state != "unreachable")
        registry.gauge("postgres_is_primary").set(mine?.role == .primary && isHolder)
        registry.gauge("primary_lease_remaining_seconds").set(isHolder ? view.primary?.leaseRemainingSeconds ?? 0 : 0)
    }

    private func setChanges(_ view: ClusterView) {
        registry.gauge("split_brain").set(view.splitBrain)
        registry.gauge("vip_owned").set(view.virtualAddress?.holds ?? false)
        registry.gauge("paused").set(view.paused != nil)
        registry.gauge("paused_since_timestamp_seconds").set(view.paused.flatMap { Timestamp.seconds($0.since) } ?? 0)
        registry.gauge("synchronous_degraded").set(view.synchronous.degraded)
        let open = view.directives.filter { $0.completedAt == nil && ["pending", "running"].contains($0.status) }
        let ages = open.compactMap { Timestamp.seconds(from: $0.createdAt, to: view.capturedAt) }
        registry.gauge("directive_oldest_pending_seconds").set(max(0, ages.max() ?? 0))
    }

    /// Row 38: from the catalogue, so every node says the same. A series that was never backed up has no sample, which is what
    /// the alert about a missing backup looks for.
    private func setBackups(_ standing: BackupStanding) {
        func set(
            _ name: String, _ records: [(series: String, record: BackupRecord)], _ value: (BackupRecord) -> Double
        ) {
            registry.replaceGauges(name, with: Dictionary(uniqueKeysWithValues: records.map { ([$0.series], value($0.record)) }))
        }
        set("backup_last_success_timestamp_seconds", standing.successes) { Double($0.at / 1_000) }
        set("backup_last_attempt_timestamp_seconds", standing.attempts) { Double($0.at) / 1_000 - $0.durationSeconds }
        set("backup_last_exit_code", standing.attempts) { Double($0.exitStatus) }
        set("backup_duration_seconds", standing.attempts, \.durationSeconds)
        set("backup_size_bytes", standing.successes) { Double($0.sizeBytes) }
        set("backup_raft_index", standing.successes) { Double($0.index) }
        set("backup_verified", standing.successes) { $0.isVerified ? 1 : 0 }
        set("backup_count", standing.successes) { Double($0.goodCount) }
        set("backup_copies_failed", standing.attempts) { Double($0.copiesFailed) }
        set("backup_drill_last_success_timestamp_seconds", standing.drills) { Double($0.at / 1_000) }
    }

    /// Row 10: by the primary's node for every registered replica, present or not; by each replica for itself.
    private func setReplicas(_ view: ClusterView) {
        let isPrimary = view.primary?.name == view.node
        var lag: [[String]: Double] = [:]
        var seconds: [[String]: Double] = [:]
        var streaming: [[String]: Double] = [:]
        for node in view.nodes where node.kind == .data && node.name != view.primary?.name {
            guard isPrimary || node.name == view.node else { continue }
            if let bytes = node.lagBytes ?? lagOfSilent(node, view) { lag[[node.name.rawValue]] = Double(bytes) }
            if let delay = node.lagSeconds { seconds[[node.name.rawValue]] = delay }
            streaming[[node.name.rawValue]] = node.streaming == true ? 1 : 0
        }
        registry.replaceGauges("replication_lag_bytes", with: lag)
        registry.replaceGauges("replication_lag_seconds", with: seconds)
        registry.replaceGauges("replica_streaming", with: streaming)
    }

    /// A replica whose server does not answer: measured from the position it last told, else from the beginning of the log.
    private func lagOfSilent(_ node: NodeView, _ view: ClusterView) -> UInt64? {
        guard let end = view.primary?.lsn else { return nil }
        return end - (node.lsn ?? .zero)
    }

    /// Label values that became known: each server of the cluster has its series from then on.
    private func setBackends(_ view: ClusterView, _ proxy: ProxyServer) {
        let backends = view.nodes.filter { $0.kind == .data }.map(\.name.rawValue)
        registry.introduce("proxy_backend_connections_active", each: backends, PortType.allCases.map(\.rawValue))
        for name in ["pool_connections_idle", "pool_connections_in_use", "pool_wait_duration_seconds"] {
            registry.introduce(name, each: backends)
        }
        registry.introduce("pool_connections_acquired_total", each: backends, ["pool", "new", "waiter"])
        registry.introduce("pool_connection_errors_total", each: backends, ["dial", "timeout"])
        registry.gauge("proxy_epoch").set(Double(proxy.table.epoch.rawValue))
    }
}

extension NodeConfiguration {
    /// The certificates this node presents, and the authority it trusts.
    var certificateFiles: [NodeMetrics.Certificate] {
        let files: [(name: String, path: String?)] = [
            ("raft", raft.tls?.certificateFile), ("raft_ca", raft.tls?.authorityFile), ("api", api.tls?.certificateFile),
        ]
        return files.compactMap { file in file.path.map { NodeMetrics.Certificate(name: file.name, path: $0) } }
    }
}

/// Every metric the product exports: the table of section 4 of `acceptance.md` as data, and PX10.
package enum MetricCatalogue {
    package static let prefix = "pgbastion_"

    package static let all: [MetricDefinition] =
        raft + replication + changes + rewind + api + proxy + pool + node + backup

    private static let ports = ["primary", "replica"]
    private static let fast = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    // Rows 1-9, 32
    static let raft: [MetricDefinition] = [
        .init(
            "raft_state", .gauge, "1 for the present Raft state, 0 for the others.", labels: ["state"],
            known: MetricDefinition.each(["leader", "follower", "candidate", "learner"])),
        .init("raft_term", .gauge, "Current Raft term."),
        .init("raft_commit_index", .gauge, "Highest committed log index."),
        .init("raft_last_log_index", .gauge, "Highest log index."),
        .init("raft_applied_index", .gauge, "Highest applied log index."),
        .init("raft_peers_count", .gauge, "Voters this node can reach now, itself included."),
        .init("raft_peers_configured", .gauge, "Voters of the present configuration."),
        .init("raft_failures_tolerated", .gauge, "Voters that may be lost before quorum is lost."),
        .init("raft_is_leader", .gauge, "1 on the leader."),
        .init("raft_leader_changes_total", .counter, "Times this node saw another node become leader than the one before."),
        .init("raft_apply_latency_seconds", .histogram(fast), "Time from proposal to applied."),
        .init("raft_snapshot_latency_seconds", .histogram(fast), "Time to make a snapshot."),
    ]

    // Rows 10-12, 33, 34
    static let replication: [MetricDefinition] = [
        .init(
            "replication_lag_bytes", .gauge, "The primary's position minus the replica's.", labels: ["node"]),
        .init("replication_lag_seconds", .gauge, "Age of the last replayed transaction.", labels: ["node"]),
        .init("replica_streaming", .gauge, "1 while the replica streams.", labels: ["node"]),
        .init(
            "health_check_duration_seconds",
            .histogram([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]),
            "Duration of local PostgreSQL checks."),
        .init(
            "health_check_total", .counter, "Local PostgreSQL checks by result.", labels: ["result"],
            known: MetricDefinition.each(["success", "error"])),
        .init("postgres_up", .gauge, "1 while the local PostgreSQL answers."),
        .init("postgres_is_primary", .gauge, "1 while the local PostgreSQL is primary and holds the lease."),
        .init("primary_lease_remaining_seconds", .gauge, "Time left on the lease this node holds."),
    ]

    // Rows 13-15
    static let changes: [MetricDefinition] = [
        .init(
            "failover_total", .counter, "Failovers and switchovers by result; every node counts each one, so take the maximum over nodes.",
            labels: ["type", "result"],
            known: MetricDefinition.each(
                ["failover", "switchover"], ["started", "success", "failed", "timeout"])),
        .init(
            "failover_duration_seconds", .histogram(MetricDefinition.doubling(from: 0.1, to: 128)),
            "Duration of failovers and switchovers.", labels: ["type"],
            known: MetricDefinition.each(["failover", "switchover"])),
        .init(
            "directives_published_total", .counter, "Directives committed, by type; every node counts each one.", labels: ["type"],
            known: MetricDefinition.each(
                ["FENCE", "PROMOTE", "DEMOTE", "CHECKPOINT", "REWIND", "BASEBACKUP", "RESTART"])),
    ]

    // Rows 16-20
    static let rewind: [MetricDefinition] = [
        .init("pg_rewind_progress_percent", .gauge, "Progress of the running or last pg_rewind."),
        .init("pg_rewind_bytes_total", .gauge, "Bytes the running or last pg_rewind has to copy."),
        .init("pg_rewind_bytes_copied", .gauge, "Bytes the running or last pg_rewind has copied."),
        .init(
            "pg_rewind_duration_seconds", .histogram(MetricDefinition.doubling(from: 1, to: 1_024)),
            "Duration of pg_rewind."),
        .init(
            "pg_rewind_total", .counter, "Runs of pg_rewind by result.", labels: ["result"],
            known: MetricDefinition.each(["success", "error"])),
    ]

    // Rows 21, 22
    static let api: [MetricDefinition] = [
        .init(
            "api_request_duration_seconds", .histogram(fast + [30]), "Duration of API requests.",
            labels: ["method", "path", "status"]),
        .init("api_requests_total", .counter, "API requests.", labels: ["method", "path", "status"]),
    ]

    // Rows 23-25, 35, PX10
    static let proxy: [MetricDefinition] = [
        .init(
            "proxy_connections_total", .counter, "Client connections accepted.", labels: ["port_type"],
            known: MetricDefinition.each(ports)),
        .init(
            "proxy_connections_active", .gauge, "Client connections now.", labels: ["port_type"],
            known: MetricDefinition.each(ports)),
        .init(
            "proxy_routing_errors_total", .counter, "Sessions that could not be led to a server.",
            labels: ["port_type", "reason"],
            known: MetricDefinition.each(ports, ["no_backend", "backend_connect_failed"])),
        .init(
            "proxy_backend_connections_active", .gauge, "Sessions by server.", labels: ["backend", "port_type"]),
        .init(
            "proxy_sessions_cut_total", .counter, "Sessions ended by the proxy.", labels: ["reason"],
            known: MetricDefinition.each(["epoch", "fence", "deadline", "drain", "stop", "server_lost"])),
        .init(
            "proxy_hold_seconds", .histogram([0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5]),
            "Time new sessions waited for the end of a switchover."),
        .init("proxy_epoch", .gauge, "Token of the primary the proxy leads to."),
    ]

    // Rows 26-30: 0 for each server while the pool is off.
    static let pool: [MetricDefinition] = [
        .init("pool_connections_idle", .gauge, "Server connections opened in advance.", labels: ["backend"]),
        .init("pool_connections_in_use", .gauge, "Server connections of the pool in use.", labels: ["backend"]),
        .init(
            "pool_connections_acquired_total", .counter, "Server connections given to clients.",
            labels: ["backend", "source"]),
        .init("pool_wait_duration_seconds", .histogram(fast), "Wait for a server connection.", labels: ["backend"]),
        .init(
            "pool_connection_errors_total", .counter, "Server connections that failed.", labels: ["backend", "type"]),
    ]

    // Rows 31, 36, 37, 39
    static let node: [MetricDefinition] = [
        .init(
            "vip_transitions_total", .counter, "Times the virtual address was taken or lost.", labels: ["direction"],
            known: MetricDefinition.each(["acquired", "lost"])),
        .init("vip_owned", .gauge, "1 while this node has the virtual address."),
        .init("split_brain", .gauge, "1 while two writable servers are seen."),
        .init("paused", .gauge, "1 while automatic actions are paused."),
        .init("paused_since_timestamp_seconds", .gauge, "When the pause began, 0 without one."),
        .init("synchronous_degraded", .gauge, "1 while commits do not wait for a replica although they should."),
        .init("directive_oldest_pending_seconds", .gauge, "Age of the oldest pending directive."),
        .init("runbook_lock_age_seconds", .gauge, "Age of the runbook lock."),
        .init("state_digest_mismatch", .gauge, "1 on the leader while the members' digests of the state differ."),
        .init("build_info", .gauge, "1, with the version.", labels: ["version", "commit"]),
        .init("tls_not_after_timestamp_seconds", .gauge, "End of a certificate.", labels: ["certificate"]),
    ]

    // Row 38
    package static let backup: [MetricDefinition] = [
        .init("backup_last_success_timestamp_seconds", .gauge, "End of the last good backup.", labels: ["series"]),
        .init("backup_last_attempt_timestamp_seconds", .gauge, "Start of the last backup.", labels: ["series"]),
        .init("backup_last_exit_code", .gauge, "Exit status of the last backup.", labels: ["series"]),
        .init("backup_duration_seconds", .gauge, "Duration of the last backup.", labels: ["series"]),
        .init("backup_size_bytes", .gauge, "Size of the last backup.", labels: ["series"]),
        .init("backup_raft_index", .gauge, "Log index of the last backup.", labels: ["series"]),
        .init("backup_verified", .gauge, "1 when the last backup was verified.", labels: ["series"]),
        .init("backup_count", .gauge, "Backups kept.", labels: ["series"]),
        .init("backup_copies_failed", .gauge, "Copies of the last backup that failed.", labels: ["series"]),
        .init(
            "backup_drill_last_success_timestamp_seconds", .gauge, "End of the last good drill.", labels: ["series"]),
    ]
}

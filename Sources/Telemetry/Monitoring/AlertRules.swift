/// Every alert that is shipped: `docs/monitoring/pgbastion.rules.yaml` and `pgbastion alerts export` are written from it.
package enum AlertRules {
    package static let groups = [
        AlertGroup(name: "pgbastion", rules: guide),
        AlertGroup(name: "pgbastion-cluster", rules: cluster),
        AlertGroup(name: "pgbastion-changes", rules: changes),
        AlertGroup(name: "pgbastion-replication", rules: replication),
        AlertGroup(name: "pgbastion-node", rules: node),
        AlertGroup(name: "pgbastion-upkeep", rules: upkeep),
    ]

    /// The operations guide's own rules, word by word.
    static let guide = [
        AlertRule(
            "PGBastionLeadershipChange", "changes(pgbastion_raft_is_leader[5m]) > 0", for: "0m", .warning,
            "Raft leadership changed", "",
            [
                .fires("3m", ["instance": "n1"], ["raft_is_leader{instance=\"n1\"}": "0 0 1 1 1 1"]),
                .quiet("9m", ["raft_is_leader{instance=\"n1\"}": "0 0 1x8"]),
            ]),
        AlertRule(
            "PGBastionNodeDown", "pgbastion_raft_peers_count < 3", for: "1m", .critical,
            "Cluster has fewer than expected nodes", "",
            [
                .fires("3m", ["instance": "n1"], ["raft_peers_count{instance=\"n1\"}": "3 2 2 2"]),
                .quiet("3m", ["raft_peers_count{instance=\"n1\"}": "3 3 2 3"]),
            ]),
        AlertRule(
            "PGBastionHighReplicationLag", "pgbastion_replication_lag_bytes > 10485760", for: "2m", .warning,
            "Replication lag exceeds 10MB", "",
            [
                .fires("4m", ["node": "node2"], ["replication_lag_bytes{node=\"node2\"}": "0 10485761x5"]),
                .quiet("4m", ["replication_lag_bytes{node=\"node2\"}": "0 10485760x5"]),
            ]),
    ]

    static let cluster = [
        AlertRule(
            "PGBastionNoLeader", "max by (cluster) (pgbastion_raft_is_leader) == 0", for: "30s", .critical,
            "Cluster {{ $labels.cluster }} has no Raft leader",
            "Nothing is decided: no failover, no change. Fewer than half of the voters reach each other. See `pgbastion doctor network`.",
            [
                .fires("3m", ["raft_is_leader{instance=\"n1\"}": "1 0x5", "raft_is_leader{instance=\"n2\"}": "0x6"]),
                .quiet("3m", ["raft_is_leader{instance=\"n1\"}": "1 0x5", "raft_is_leader{instance=\"n2\"}": "0 1x5"]),
            ]),
        AlertRule(
            "PGBastionNoPrimary", "max by (cluster) (pgbastion_postgres_is_primary) == 0", for: "30s", .critical,
            "Cluster {{ $labels.cluster }} has no primary",
            "Clients cannot write. `pgbastion explain` says what the next promotion waits for.",
            [
                .fires("3m", ["postgres_is_primary{instance=\"n1\"}": "1 0x5", "postgres_is_primary{instance=\"n2\"}": "0x6"]),
                .quiet("3m", ["postgres_is_primary{instance=\"n1\"}": "1 0x5", "postgres_is_primary{instance=\"n2\"}": "0 1x5"]),
            ]),
        AlertRule(
            "PGBastionSplitBrain", "max by (cluster) (pgbastion_split_brain) == 1", .critical,
            "Cluster {{ $labels.cluster }} has two writable servers",
            "Routing to both has stopped. Choose one: `pgbastion failover --to NODE` fences the other before it promotes.",
            [
                .fires("1m", ["split_brain{instance=\"n1\"}": "0 1", "split_brain{instance=\"n2\"}": "0 0"]),
                .quiet("1m", ["split_brain{instance=\"n1\"}": "0 0"]),
            ]),
        AlertRule(
            "PGBastionTwoPrimaries", "sum by (cluster) (pgbastion_postgres_is_primary) > 1", for: "1m", .critical,
            "Two nodes of cluster {{ $labels.cluster }} say that they are primary",
            "Each says it under a lease, which must not happen. See `pgbastion status` on both.",
            [
                .fires("3m", ["postgres_is_primary{instance=\"n1\"}": "1x5", "postgres_is_primary{instance=\"n2\"}": "0 1x5"]),
                .quiet("3m", ["postgres_is_primary{instance=\"n1\"}": "1x5", "postgres_is_primary{instance=\"n2\"}": "0x5"]),
            ]),
        AlertRule(
            "PGBastionQuorumDegraded",
            "min by (cluster) (pgbastion_raft_failures_tolerated) == 0 and max by (cluster) (pgbastion_raft_peers_configured) > 2",
            for: "1m", .warning, "Cluster {{ $labels.cluster }} cannot lose another voter",
            "One more loss stops every decision. See `pgbastion peer list` for the voter that is gone.",
            [
                .fires("3m", ["raft_failures_tolerated{instance=\"n1\"}": "1 0x5", "raft_peers_configured{instance=\"n1\"}": "3x6"]),
                .quiet("3m", ["raft_failures_tolerated{instance=\"n1\"}": "0x6", "raft_peers_configured{instance=\"n1\"}": "1x6"]),
            ]),
        AlertRule(
            "PGBastionVoterUnreachable", "max by (cluster) (pgbastion_raft_peers_configured - pgbastion_raft_peers_count) > 0",
            for: "1m", .warning, "A voter of cluster {{ $labels.cluster }} cannot be reached",
            "As PGBastionNodeDown, for clusters of every size. See `pgbastion peer list`.",
            [
                .fires("3m", ["raft_peers_configured{instance=\"n1\"}": "5x6", "raft_peers_count{instance=\"n1\"}": "5 4x5"]),
                .quiet("3m", ["raft_peers_configured{instance=\"n1\"}": "5x6", "raft_peers_count{instance=\"n1\"}": "5x6"]),
            ]),
        AlertRule(
            "PGBastionLeaderFlapping", "max by (cluster) (increase(pgbastion_raft_leader_changes_total[10m])) > 3", .warning,
            "The leader of cluster {{ $labels.cluster }} changes again and again",
            "Look at the network between the voters and at the latency of their disks.",
            [
                .fires("10m", ["raft_leader_changes_total{instance=\"n1\"}": "0+1x10"]),
                .quiet("10m", ["raft_leader_changes_total{instance=\"n1\"}": "0 1x9"]),
            ]),
        AlertRule(
            "PGBastionStateDigestMismatch", "max by (cluster) (pgbastion_state_digest_mismatch) == 1", .critical,
            "The nodes of cluster {{ $labels.cluster }} have different states",
            "Two nodes applied the same log with different results. `pgbastion raft digest` names them; keep their Raft directories.",
            [
                .fires("1m", ["state_digest_mismatch{instance=\"n2\"}": "0 1"]),
                .quiet("1m", ["state_digest_mismatch{instance=\"n2\"}": "0 0"]),
            ]),
    ]

    static let changes = [
        AlertRule(
            "PGBastionFailover",
            "max by (cluster) (increase(pgbastion_failover_total{type=\"failover\",result=\"started\"}[10m])) > 0", .warning,
            "A failover has begun in cluster {{ $labels.cluster }}",
            "`pgbastion history` and `pgbastion explain` say why, and who was not chosen.",
            [
                .fires("5m", ["failover_total{type=\"failover\",result=\"started\",instance=\"n1\"}": "0 0 1x5"]),
                .quiet("5m", ["failover_total{type=\"switchover\",result=\"started\",instance=\"n1\"}": "0 0 1x5"]),
            ]),
        AlertRule(
            "PGBastionChangeFailed",
            "max by (cluster, type) (increase(pgbastion_failover_total{result=~\"failed|timeout\"}[15m])) > 0", .warning,
            "A {{ $labels.type }} of cluster {{ $labels.cluster }} did not succeed", "`pgbastion op list` shows it with its reason.",
            [
                .fires("5m", ["type": "switchover"], ["failover_total{type=\"switchover\",result=\"timeout\",instance=\"n1\"}": "0 0 1x5"]),
                .quiet("5m", ["failover_total{type=\"switchover\",result=\"success\",instance=\"n1\"}": "0 0 1x5"]),
            ]),
        AlertRule(
            "PGBastionPausedLong",
            "time() - max by (cluster) (pgbastion_paused_since_timestamp_seconds) > 14400 and max by (cluster) (pgbastion_paused) == 1",
            .warning, "Automatic failover of cluster {{ $labels.cluster }} has been paused for more than four hours",
            "Resume it: `pgbastion resume`.",
            [
                .fires("1m", ["paused{instance=\"n1\"}": "1x3", "paused_since_timestamp_seconds{instance=\"n1\"}": "-14400x3"]),
                .quiet("1m", ["paused{instance=\"n1\"}": "1x3", "paused_since_timestamp_seconds{instance=\"n1\"}": "-14300x3"]),
                .quiet("1m", ["paused{instance=\"n1\"}": "0x3", "paused_since_timestamp_seconds{instance=\"n1\"}": "-20000x3"]),
            ]),
        AlertRule(
            "PGBastionDirectiveStuck", "max by (cluster) (pgbastion_directive_oldest_pending_seconds) > 3600", for: "5m", .warning,
            "A directive of cluster {{ $labels.cluster }} has been open for more than an hour",
            "A clone of a big database may take so long; `pgbastion directives` and `/cluster/progress` show whether it moves.",
            [
                .fires("80m", ["directive_oldest_pending_seconds{instance=\"n1\"}": "0+60x90"]),
                .quiet("50m", ["directive_oldest_pending_seconds{instance=\"n1\"}": "0+60x90"]),
            ]),
        AlertRule(
            "PGBastionRunbookLockOld", "max by (cluster) (pgbastion_runbook_lock_age_seconds) > 3600", for: "5m", .warning,
            "A runbook has held the lock of cluster {{ $labels.cluster }} for more than an hour",
            "See which one runs, and release the lock when nobody works on it.",
            [
                .fires("80m", ["runbook_lock_age_seconds{instance=\"n1\"}": "0+60x90"]),
                .quiet("50m", ["runbook_lock_age_seconds{instance=\"n1\"}": "0+60x90"]),
            ]),
        AlertRule(
            "PGBastionRewindFailed", "increase(pgbastion_pg_rewind_total{result=\"error\"}[1h]) > 0", .info,
            "pg_rewind failed on {{ $labels.instance }}", "The node is cloned instead, which takes longer. Its log has the cause.",
            [
                .fires("5m", ["instance": "n1", "result": "error"], ["pg_rewind_total{result=\"error\",instance=\"n1\"}": "0 0 1x5"]),
                .quiet("5m", ["pg_rewind_total{result=\"success\",instance=\"n1\"}": "0 0 1x5"]),
            ]),
    ]
}

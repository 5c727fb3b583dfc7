/// Alerts about single nodes, about replication, and about what needs upkeep.
extension AlertRules {
    static let replication = [
        AlertRule(
            "PGBastionReplicaNotStreaming", "max by (cluster, node) (pgbastion_replica_streaming) == 0", for: "2m", .warning,
            "Replica {{ $labels.node }} of cluster {{ $labels.cluster }} does not stream",
            "`pgbastion doctor replication` names the cause: an inactive slot, missing WAL, another timeline, the network.",
            [
                .fires("5m", ["node": "node2"], ["replica_streaming{node=\"node2\",instance=\"n1\"}": "1 0x6"]),
                .quiet(
                    "5m",
                    [
                        "replica_streaming{node=\"node2\",instance=\"n1\"}": "1 0x6",
                        "replica_streaming{node=\"node2\",instance=\"n2\"}": "1x7",
                    ]),
            ]),
        AlertRule(
            "PGBastionSynchronousDegraded", "max by (cluster) (pgbastion_synchronous_degraded) == 1", for: "5m", .warning,
            "Commits in cluster {{ $labels.cluster }} wait for no replica",
            "No replica is fit to confirm commits; a failover now may lose the latest ones.",
            [
                .fires("7m", ["synchronous_degraded{instance=\"n1\"}": "0 1x8"]),
                .quiet("7m", ["synchronous_degraded{instance=\"n1\"}": "0 1 1 0x6"]),
            ]),
    ]

    static let node = [
        AlertRule(
            "PGBastionDaemonDown", "up{job=\"pgbastion\"} == 0", for: "1m", .critical,
            "pgbastion on {{ $labels.instance }} does not answer",
            "The daemon or the machine is down. PostgreSQL there is stopped by its guard when its lease ends.",
            [
                AlertRule.Example(
                    series: [("up{job=\"pgbastion\",instance=\"n1\"}", "1 0x5")], at: "3m",
                    firing: [["job": "pgbastion", "instance": "n1"]]),
                .quiet("3m", ["up{job=\"pgbastion\",instance=\"n1\"}": "1 1 0 1"]),
            ]),
        AlertRule(
            "PGBastionPostgresDown",
            "pgbastion_postgres_up == 0 and on (cluster, instance) "
                + "sum by (cluster, instance) (increase(pgbastion_health_check_total[5m])) > 0", for: "1m", .critical,
            "PostgreSQL on {{ $labels.instance }} does not answer",
            "`pgbastion doctor postgres` says whether the server, the connection or pg_hba.conf is at fault. Witnesses have no checks.",
            [
                .fires(
                    "4m", ["instance": "n1"],
                    [
                        "postgres_up{instance=\"n1\"}": "1 0x6",
                        "health_check_total{instance=\"n1\",result=\"error\"}": "0 10 20 30 40",
                    ]),
                .quiet(
                    "4m",
                    ["postgres_up{instance=\"w\"}": "0x6", "health_check_total{instance=\"w\",result=\"error\"}": "0x6"]),
            ]),
        AlertRule(
            "PGBastionHealthCheckErrors", "increase(pgbastion_health_check_total{result=\"error\"}[1m]) > 3", .warning,
            "Checks of PostgreSQL fail on {{ $labels.instance }}", "`pgbastion health-history` on that node has the errors.",
            [
                .fires(
                    "4m", ["instance": "n1", "result": "error"],
                    ["health_check_total{instance=\"n1\",result=\"error\"}": "0 0 0 0 0 0 0 0 0 0 0 0 5 10 15 20 25"]),
                .quiet("4m", ["health_check_total{instance=\"n1\",result=\"success\"}": "0+10x20"]),
            ]),
        AlertRule(
            "PGBastionLeaseLow",
            "max_over_time(pgbastion_primary_lease_remaining_seconds[1m]) < 1 and pgbastion_postgres_is_primary == 1", for: "30s",
            .warning, "The primary on {{ $labels.instance }} hardly keeps its lease",
            "Renewals are late: look at the load of the machine and at the network to the leader. When the lease ends, the server stops.",
            [
                .fires(
                    "4m", ["instance": "n1"],
                    [
                        "primary_lease_remaining_seconds{instance=\"n1\"}": "2.5 0.5x30",
                        "postgres_is_primary{instance=\"n1\"}": "1x30",
                    ]),
                .quiet(
                    "4m",
                    [
                        "primary_lease_remaining_seconds{instance=\"n2\"}": "0x30", "postgres_is_primary{instance=\"n2\"}": "0x30",
                    ]),
            ]),
        AlertRule(
            "PGBastionApiSlow",
            "histogram_quantile(0.99, sum by (cluster, le) (rate(pgbastion_api_request_duration_seconds_bucket{path!~\".*/events\"}[5m]))) > 1",
            for: "2m", .warning, "The API of cluster {{ $labels.cluster }} is slow: the 99th percentile is over 1 s",
            "Requests that wait for a change (`?wait=`) count as well. Otherwise look at the load of the machines.",
            [
                .fires(
                    "8m",
                    [
                        "api_request_duration_seconds_bucket{path=\"/health\",le=\"1\"}": "0x20",
                        "api_request_duration_seconds_bucket{path=\"/health\",le=\"2.5\"}": "0+30x20",
                        "api_request_duration_seconds_bucket{path=\"/health\",le=\"+Inf\"}": "0+30x20",
                    ]),
                .quiet(
                    "8m",
                    [
                        "api_request_duration_seconds_bucket{path=\"/health\",le=\"1\"}": "0+30x20",
                        "api_request_duration_seconds_bucket{path=\"/health\",le=\"2.5\"}": "0+30x20",
                        "api_request_duration_seconds_bucket{path=\"/health\",le=\"+Inf\"}": "0+30x20",
                    ]),
            ]),
        AlertRule(
            "PGBastionRaftSlow",
            "histogram_quantile(0.99, sum by (cluster, le) (rate(pgbastion_raft_apply_latency_seconds_bucket[5m]))) > 0.5",
            for: "5m", .warning, "Cluster {{ $labels.cluster }} needs more than half a second to agree on a change",
            "Usually a slow disk below the Raft directory, or a slow network.",
            [
                .fires(
                    "12m",
                    [
                        "raft_apply_latency_seconds_bucket{le=\"0.5\"}": "0x20",
                        "raft_apply_latency_seconds_bucket{le=\"1\"}": "0+30x20",
                        "raft_apply_latency_seconds_bucket{le=\"+Inf\"}": "0+30x20",
                    ]),
                .quiet(
                    "12m",
                    [
                        "raft_apply_latency_seconds_bucket{le=\"0.5\"}": "0+30x20",
                        "raft_apply_latency_seconds_bucket{le=\"+Inf\"}": "0+30x20",
                    ]),
            ]),
        AlertRule(
            "PGBastionProxyErrors",
            "sum by (cluster, port_type, reason) (rate(pgbastion_proxy_routing_errors_total[5m])) > 0.1", for: "2m", .warning,
            "Clients of the {{ $labels.port_type }} port of cluster {{ $labels.cluster }} get no server: {{ $labels.reason }}",
            "no_backend: no server may be used. backend_connect_failed: it does not accept connections.",
            [
                .fires(
                    "9m", ["port_type": "primary", "reason": "no_backend"],
                    ["proxy_routing_errors_total{instance=\"n1\",port_type=\"primary\",reason=\"no_backend\"}": "0+20x20"]),
                .quiet("9m", ["proxy_routing_errors_total{instance=\"n1\",port_type=\"primary\",reason=\"no_backend\"}": "7x20"]),
            ]),
        AlertRule(
            "PGBastionVIPTwice", "sum by (cluster) (pgbastion_vip_owned) > 1", for: "30s", .critical,
            "Two nodes of cluster {{ $labels.cluster }} have the virtual address", "See `pgbastion vip status` and `ip addr` on both.",
            [
                .fires("3m", ["vip_owned{instance=\"n1\"}": "1x5", "vip_owned{instance=\"n2\"}": "0 1x5"]),
                .quiet("3m", ["vip_owned{instance=\"n1\"}": "1x5", "vip_owned{instance=\"n2\"}": "0x5"]),
            ]),
        AlertRule(
            "PGBastionVIPLost",
            "sum by (cluster) (pgbastion_vip_owned) == 0 and "
                + "sum by (cluster) (pgbastion_vip_transitions_total{direction=\"acquired\"}) > 0", for: "1m", .critical,
            "No node of cluster {{ $labels.cluster }} has the virtual address", "`pgbastion vip status` says why not.",
            [
                .fires(
                    "3m", ["vip_owned{instance=\"n1\"}": "1 0x5", "vip_transitions_total{instance=\"n1\",direction=\"acquired\"}": "1x6"]),
                .quiet(
                    "3m", ["vip_owned{instance=\"n1\"}": "0x5", "vip_transitions_total{instance=\"n1\",direction=\"acquired\"}": "0x6"]),
            ]),
    ]

    static let upkeep = [
        AlertRule(
            "PGBastionCertificateExpiry",
            "pgbastion_tls_not_after_timestamp_seconds - time() < 1209600 and pgbastion_tls_not_after_timestamp_seconds > 0", .warning,
            "Certificate {{ $labels.certificate }} of {{ $labels.instance }} ends within 14 days",
            "Replace the file and run `pgbastion reload`.",
            [
                .fires(
                    "1m", ["certificate": "api", "instance": "n1"],
                    ["tls_not_after_timestamp_seconds{certificate=\"api\",instance=\"n1\"}": "1000000x3"]),
                .quiet("1m", ["tls_not_after_timestamp_seconds{certificate=\"api\",instance=\"n1\"}": "3000000x3"]),
            ]),
        AlertRule(
            "PGBastionVersionSkew", "count by (cluster) (count by (cluster, version) (pgbastion_build_info)) > 1", for: "2h", .info,
            "The nodes of cluster {{ $labels.cluster }} have run different versions for two hours",
            "Finish the upgrade, or go back on the nodes that have it.",
            [
                .fires(
                    "3h",
                    [
                        "build_info{instance=\"n1\",version=\"1.0.0\"}": "1x200", "build_info{instance=\"n2\",version=\"1.1.0\"}": "1x200",
                    ]),
                .quiet(
                    "3h",
                    [
                        "build_info{instance=\"n1\",version=\"1.0.0\"}": "1x200", "build_info{instance=\"n2\",version=\"1.0.0\"}": "1x200",
                    ]),
            ]),
        AlertRule(
            "PGBastionBackupStale", "time() - max by (cluster, series) (pgbastion_backup_last_success_timestamp_seconds) > 93600",
            .warning, "The last good backup of the state of cluster {{ $labels.cluster }} is older than 26 hours",
            "`pgbastion doctor backup` names what failed.",
            [
                .fires(
                    "1m", ["series": "default"], ["backup_last_success_timestamp_seconds{series=\"default\",instance=\"n1\"}": "-93600x3"]),
                .quiet("1m", ["backup_last_success_timestamp_seconds{series=\"default\",instance=\"n1\"}": "-93500x3"]),
            ]),
        AlertRule(
            "PGBastionBackupNever",
            "count by (cluster) (pgbastion_build_info) "
                + "unless on (cluster) count by (cluster) (pgbastion_backup_last_success_timestamp_seconds)",
            for: "26h", .warning, "The state of cluster {{ $labels.cluster }} has never been backed up",
            "Enable the shipped timer, or run `pgbastion backup`.",
            [
                .fires("27h", ["build_info{instance=\"n1\"}": "1x1700"]),
                .quiet(
                    "27h",
                    [
                        "build_info{instance=\"n1\"}": "1x1700",
                        "backup_last_success_timestamp_seconds{series=\"default\",instance=\"n1\"}": "60+60x1700",
                    ]),
            ]),
        AlertRule(
            "PGBastionBackupFailed", "max by (cluster, series) (pgbastion_backup_last_exit_code) > 0", .warning,
            "The last backup of the state of cluster {{ $labels.cluster }} failed", "`pgbastion doctor backup` names the cause.",
            [
                .fires("1m", ["series": "default"], ["backup_last_exit_code{series=\"default\",instance=\"n1\"}": "0 9"]),
                .quiet("1m", ["backup_last_exit_code{series=\"default\",instance=\"n1\"}": "0 0"]),
            ]),
        AlertRule(
            "PGBastionBackupUnverified", "min by (cluster, series) (pgbastion_backup_verified) == 0", for: "1h", .warning,
            "The last backup of the state of cluster {{ $labels.cluster }} is not verified", "Run `pgbastion backup verify latest`.",
            [
                .fires("2h", ["series": "default"], ["backup_verified{series=\"default\",instance=\"n1\"}": "0x150"]),
                .quiet("2h", ["backup_verified{series=\"default\",instance=\"n1\"}": "1x150"]),
            ]),
        AlertRule(
            "PGBastionBackupCopyFailed", "max by (cluster, series) (pgbastion_backup_copies_failed) > 0", .warning,
            "A copy of the last backup of cluster {{ $labels.cluster }} could not be made", "`pgbastion doctor backup` names the place.",
            [
                .fires("1m", ["series": "default"], ["backup_copies_failed{series=\"default\",instance=\"n1\"}": "0 1"]),
                .quiet("1m", ["backup_copies_failed{series=\"default\",instance=\"n1\"}": "0 0"]),
            ]),
        AlertRule(
            "PGBastionBackupDrillOverdue",
            "time() - max by (cluster, series) (pgbastion_backup_drill_last_success_timestamp_seconds) > 8640000", .info,
            "No backup of cluster {{ $labels.cluster }} has been restored for a test in 100 days", "Run `pgbastion backup drill`.",
            [
                .fires(
                    "1m", ["series": "default"],
                    ["backup_drill_last_success_timestamp_seconds{series=\"default\",instance=\"n1\"}": "-8640000x3"]),
                .quiet("1m", ["backup_drill_last_success_timestamp_seconds{series=\"default\",instance=\"n1\"}": "-8639000x3"]),
            ]),
    ]
}

/// What the dashboard shows, from the most urgent to the details.
extension DashboardPanel {
    package static let all = overview + raft + replication + clients + api + upkeep

    private static let here = "cluster=\"$cluster\""
    private static let yesNo: [(value: Int, word: String, colour: String)] = [(0, "no", "green"), (1, "yes", "red")]
    private static let owned: [(value: Int, word: String, colour: String)] = [(0, "-", "transparent"), (1, "here", "green")]

    private static func stat(
        _ title: String, unit: String = "short", words: [(value: Int, word: String, colour: String)] = [], _ query: String
    )
        -> DashboardPanel
    {
        DashboardPanel(title, .stat, unit: unit, width: 4, height: 4, words: words, [(query, "")])
    }

    private static let overview: [DashboardPanel] = [
        .row("Cluster"),
        stat("Primaries", "sum(pgbastion_postgres_is_primary{\(here)})"),
        stat("Voters reachable", "max(pgbastion_raft_peers_count{\(here)})"),
        stat("Failures tolerated", "max(pgbastion_raft_failures_tolerated{\(here)})"),
        stat("Split brain", words: yesNo, "max(pgbastion_split_brain{\(here)})"),
        stat("Paused", words: yesNo, "max(pgbastion_paused{\(here)})"),
        stat("Commits wait for nobody", words: yesNo, "max(pgbastion_synchronous_degraded{\(here)})"),
        DashboardPanel(
            "Primary", .stateTimeline, height: 6, words: owned,
            [("pgbastion_postgres_is_primary{\(here)}", "{{instance}}")]),
        DashboardPanel(
            "VIP ownership timeline", .stateTimeline, height: 6, words: owned, [("pgbastion_vip_owned{\(here)}", "{{instance}}")]),
        DashboardPanel(
            "Failovers and switchovers",
            .timeseries,
            [("max by (type, result) (increase(pgbastion_failover_total{\(here)}[$__rate_interval]))", "{{type}} {{result}}")]),
        DashboardPanel(
            "Duration of failovers and switchovers", .timeseries, unit: "s",
            [
                (
                    "histogram_quantile(0.5, sum by (le, type) (rate(pgbastion_failover_duration_seconds_bucket{\(here)}[1d])))",
                    "{{type}} median"
                )
            ]),
    ]

    private static let raft: [DashboardPanel] = [
        .row("Raft"),
        DashboardPanel(
            "Raft state timeline", .stateTimeline,
            words: [(0, "follower", "blue"), (1, "candidate", "orange"), (2, "leader", "green"), (3, "learner", "purple")],
            [
                (
                    "0 * pgbastion_raft_state{\(here),state=\"follower\"} + on (instance) 1 * "
                        + "pgbastion_raft_state{\(here),state=\"candidate\"} + on (instance) 2 * "
                        + "pgbastion_raft_state{\(here),state=\"leader\"} + on (instance) 3 * "
                        + "pgbastion_raft_state{\(here),state=\"learner\"}", "{{instance}}"
                )
            ]),
        DashboardPanel(
            "Changes of leader", .timeseries,
            [
                ("max(increase(pgbastion_raft_leader_changes_total{\(here)}[$__rate_interval]))", "changes"),
                ("max(pgbastion_raft_term{\(here)})", "term"),
            ]),
        DashboardPanel(
            "Voters reachable", .timeseries,
            [
                ("pgbastion_raft_peers_count{\(here)}", "{{instance}}"), ("max(pgbastion_raft_peers_configured{\(here)})", "configured"),
            ]),
        DashboardPanel(
            "Time to agree on a change", .timeseries, unit: "s",
            [0.5, 0.99].map { quantile in
                (
                    "histogram_quantile(\(quantile), sum by (le) (rate(pgbastion_raft_apply_latency_seconds_bucket{\(here)}[$__rate_interval])))",
                    "p\(Int(quantile * 100))"
                )
            }),
        DashboardPanel(
            "Log entries not applied", .timeseries,
            [("pgbastion_raft_commit_index{\(here)} - pgbastion_raft_applied_index{\(here)}", "{{instance}}")]),
        DashboardPanel(
            "Lease of the primary", .timeseries, unit: "s", [("pgbastion_primary_lease_remaining_seconds{\(here)}", "{{instance}}")]),
    ]

    private static let replication: [DashboardPanel] = [
        .row("PostgreSQL"),
        DashboardPanel(
            "Replication lag", .timeseries, unit: "bytes",
            [("max by (node) (pgbastion_replication_lag_bytes{\(here)})", "{{node}}")]),
        DashboardPanel(
            "Replay delay", .timeseries, unit: "s", [("max by (node) (pgbastion_replication_lag_seconds{\(here)})", "{{node}}")]),
        DashboardPanel(
            "Streaming", .stateTimeline, height: 6, words: [(0, "no", "red"), (1, "yes", "green")],
            [("max by (node) (pgbastion_replica_streaming{\(here)})", "{{node}}")]),
        DashboardPanel(
            "Health check success rate", .timeseries, unit: "percentunit", height: 6,
            [
                (
                    "sum by (instance) (rate(pgbastion_health_check_total{\(here),result=\"success\"}[$__rate_interval])) / "
                        + "sum by (instance) (rate(pgbastion_health_check_total{\(here)}[$__rate_interval]))", "{{instance}}"
                )
            ]),
        DashboardPanel("pg_rewind", .timeseries, unit: "percent", [("pgbastion_pg_rewind_progress_percent{\(here)}", "{{instance}}")]),
        DashboardPanel(
            "Directives", .timeseries,
            [
                ("max by (type) (increase(pgbastion_directives_published_total{\(here)}[$__rate_interval]))", "{{type}}"),
                ("max(pgbastion_directive_oldest_pending_seconds{\(here)})", "oldest open, s"),
            ]),
    ]

    private static let clients: [DashboardPanel] = [
        .row("Clients"),
        DashboardPanel(
            "Active connections by backend", .timeseries,
            [("sum by (backend, port_type) (pgbastion_proxy_backend_connections_active{\(here)})", "{{backend}} ({{port_type}} port)")]),
        DashboardPanel(
            "New connections", .timeseries, unit: "cps",
            [("sum by (port_type) (rate(pgbastion_proxy_connections_total{\(here)}[$__rate_interval]))", "{{port_type}}")]),
        DashboardPanel(
            "Sessions refused or cut", .timeseries, unit: "cps",
            [
                (
                    "sum by (port_type, reason) (rate(pgbastion_proxy_routing_errors_total{\(here)}[$__rate_interval]))",
                    "{{port_type}}: {{reason}}"
                ),
                ("sum by (reason) (rate(pgbastion_proxy_sessions_cut_total{\(here)}[$__rate_interval]))", "cut: {{reason}}"),
            ]),
        DashboardPanel(
            "Wait during a switchover", .timeseries, unit: "s",
            [("histogram_quantile(0.99, sum by (le) (rate(pgbastion_proxy_hold_seconds_bucket{\(here)}[1h])))", "p99")]),
    ]

    private static let api: [DashboardPanel] = [
        .row("API"),
        DashboardPanel(
            "API request latency", .timeseries, unit: "s",
            [0.5, 0.95, 0.99].map { quantile in
                (
                    "histogram_quantile(\(quantile), sum by (le) (rate(pgbastion_api_request_duration_seconds_bucket{\(here),path!~\".*/events\"}[$__rate_interval])))",
                    "p\(Int(quantile * 100))"
                )
            }),
        DashboardPanel(
            "API requests", .timeseries, unit: "reqps",
            [("sum by (status) (rate(pgbastion_api_requests_total{\(here)}[$__rate_interval]))", "{{status}}")]),
    ]

    private static let upkeep: [DashboardPanel] = [
        .row("Upkeep"),
        DashboardPanel("Versions", .table, width: 8, [("count by (instance, version, commit) (pgbastion_build_info{\(here)})", "")]),
        DashboardPanel(
            "Days to the end of certificates", .timeseries, unit: "d", width: 8,
            [("(pgbastion_tls_not_after_timestamp_seconds{\(here)} - time()) / 86400", "{{instance}} {{certificate}}")]),
        DashboardPanel(
            "Age of the last state backup", .timeseries, unit: "s", width: 8,
            [("time() - max by (series) (pgbastion_backup_last_success_timestamp_seconds{\(here)})", "{{series}}")]),
    ]
}

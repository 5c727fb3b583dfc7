/// The table of section 4 of the acceptance criteria, as data: what a scraped page must have.
struct MetricRow: Sendable {
    enum Kind: String, Sendable { case gauge, counter, histogram }

    var names: [String]
    var kind: Kind
    /// Labels beside `cluster`, with the values that must be there from the start; no values: they are known later.
    var labels: KeyValuePairs<String, [String]>
    /// Least and greatest bound of a histogram in seconds.
    var buckets: (first: String, last: String)?

    init(_ names: [String], _ kind: Kind, _ labels: KeyValuePairs<String, [String]> = [:], buckets: (String, String)? = nil) {
        self.names = names
        self.kind = kind
        self.labels = labels
        self.buckets = buckets
    }

    /// Every combination of the label values known in advance, as `name="value"`; empty when one is known later only.
    var combinations: [[String]] {
        labels.reduce([[]]) { rows, label in rows.flatMap { row in label.value.map { row + ["\(label.key)=\"\($0)\""] } } }
    }

    private static let ports = ["primary", "replica"]

    static let all: [MetricRow] = [
        MetricRow(["raft_state"], .gauge, ["state": ["leader", "follower", "candidate"]]),
        MetricRow(
            [
                "raft_term", "raft_commit_index", "raft_last_log_index", "raft_applied_index", "raft_peers_count", "raft_is_leader",
                "raft_peers_configured", "raft_failures_tolerated",
            ], .gauge),
        MetricRow(["raft_apply_latency_seconds"], .histogram, buckets: ("0.001", "10")),
        MetricRow(["raft_snapshot_latency_seconds"], .histogram),
        MetricRow(["replication_lag_bytes"], .gauge, ["node": []]),
        MetricRow(["health_check_duration_seconds"], .histogram),
        MetricRow(["health_check_total"], .counter, ["result": ["success", "error"]]),
        MetricRow(
            ["failover_total"], .counter,
            ["type": ["failover", "switchover"], "result": ["started", "success", "failed", "timeout"]]),
        MetricRow(["failover_duration_seconds"], .histogram, ["type": ["failover", "switchover"]], buckets: ("0.1", "128")),
        MetricRow(["directives_published_total"], .counter, ["type": ["FENCE", "PROMOTE", "DEMOTE"]]),
        MetricRow(["pg_rewind_progress_percent", "pg_rewind_bytes_total", "pg_rewind_bytes_copied"], .gauge),
        MetricRow(["pg_rewind_duration_seconds"], .histogram),
        MetricRow(["pg_rewind_total"], .counter, ["result": ["success", "error"]]),
        MetricRow(
            ["api_request_duration_seconds"], .histogram, ["method": [], "path": [], "status": []], buckets: ("0.001", "30")),
        MetricRow(["api_requests_total"], .counter, ["method": [], "path": [], "status": []]),
        MetricRow(["proxy_connections_total"], .counter, ["port_type": ports]),
        MetricRow(["proxy_connections_active"], .gauge, ["port_type": ports]),
        MetricRow(
            ["proxy_routing_errors_total"], .counter,
            ["port_type": ports, "reason": ["no_backend", "backend_connect_failed"]]),
        MetricRow(["pool_connections_idle", "pool_connections_in_use"], .gauge, ["backend": ["node1", "node2", "node3"]]),
        MetricRow(
            ["pool_connections_acquired_total"], .counter,
            ["backend": ["node1", "node2", "node3"], "source": ["pool", "new", "waiter"]]),
        MetricRow(["pool_wait_duration_seconds"], .histogram, ["backend": ["node1", "node2", "node3"]]),
        MetricRow(
            ["pool_connection_errors_total"], .counter, ["backend": ["node1", "node2", "node3"], "type": ["dial", "timeout"]]),
        MetricRow(["vip_transitions_total"], .counter, ["direction": ["acquired", "lost"]]),
        MetricRow(["raft_leader_changes_total"], .counter),
        MetricRow(["postgres_up", "postgres_is_primary", "primary_lease_remaining_seconds"], .gauge),
        MetricRow(["replica_streaming", "replication_lag_seconds"], .gauge, ["node": []]),
        MetricRow(
            ["proxy_backend_connections_active"], .gauge, ["backend": ["node1", "node2", "node3"], "port_type": ports]),
        MetricRow(
            ["vip_owned", "split_brain", "paused", "paused_since_timestamp_seconds", "synchronous_degraded"], .gauge),
        MetricRow(["directive_oldest_pending_seconds", "runbook_lock_age_seconds", "state_digest_mismatch"], .gauge),
        MetricRow(
            [
                "backup_last_success_timestamp_seconds", "backup_last_attempt_timestamp_seconds", "backup_last_exit_code",
                "backup_duration_seconds", "backup_size_bytes", "backup_raft_index", "backup_verified", "backup_count",
                "backup_copies_failed", "backup_drill_last_success_timestamp_seconds",
            ], .gauge, ["series": []]),
        MetricRow(["build_info"], .gauge, ["version": [], "commit": []]),
        MetricRow(["tls_not_after_timestamp_seconds"], .gauge, ["certificate": []]),
        // PX10
        MetricRow(
            ["proxy_sessions_cut_total"], .counter, ["reason": ["epoch", "fence", "deadline", "drain", "stop", "server_lost"]]),
        MetricRow(["proxy_hold_seconds"], .histogram),
        MetricRow(["proxy_epoch"], .gauge),
    ]
}

/// A page of metrics as Prometheus reads it.
struct MetricsPage {
    let text: String
    let lines: [Substring]

    init(_ text: String) {
        self.text = text
        lines = text.split(separator: "\n")
    }

    /// What is missing or wrong, one sentence each.
    func objections(_ row: MetricRow) -> [String] {
        var found: [String] = []
        for name in row.names.map({ "pgbastion_" + $0 }) {
            if !lines.contains("# TYPE \(name) \(row.kind.rawValue)") { found.append("no `# TYPE \(name) \(row.kind.rawValue)`") }
            let sample = row.kind == .histogram ? name + "_count{" : name + "{"
            for combination in row.combinations {
                let isThere = lines.contains { line in line.hasPrefix(sample) && combination.allSatisfy { line.contains($0) } }
                if !isThere { found.append("no \(sample)\(combination.joined(separator: ",")) }") }
            }
            guard let buckets = row.buckets, row.combinations.contains(where: { _ in true }) else { continue }
            let bounds = lines.filter { $0.hasPrefix(name + "_bucket{") }.compactMap { $0.firstMatch(of: /le="([^"]+)"/)?.1 }
            for bound in [buckets.first, buckets.last, "+Inf"] where !bounds.contains(Substring(bound)) {
                found.append("\(name) has no bucket \(bound)")
            }
        }
        return found
    }

    /// Every sample names its cluster, and only labels of the table.
    var strangers: [String] {
        let known = Dictionary(
            uniqueKeysWithValues: MetricRow.all.flatMap { row in row.names.map { ("pgbastion_" + $0, Set(row.labels.map(\.key))) } })
        return lines.filter { !$0.hasPrefix("#") }.compactMap { line in
            guard let brace = line.firstIndex(of: "{"), line.contains("{cluster=\"") else { return "without cluster: \(line)" }
            let name = String(line[..<brace])
            let base = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) && known[String(name.dropLast($0.count))] != nil }
            guard let labels = known[base.map { String(name.dropLast($0.count)) } ?? name] else { return "not in the table: \(name)" }
            let used = line.matches(of: /[{,]([a-z_]+)="/).map { String($0.1) }
            let strange = used.filter { $0 != "cluster" && $0 != "le" && !labels.contains($0) }
            return strange.isEmpty ? nil : "\(name) has the labels \(strange)"
        }
    }
}

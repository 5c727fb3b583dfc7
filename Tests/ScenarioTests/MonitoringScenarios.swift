import Bastion
import ClusterModel
import FoundationEssentials
import Glibc
import PostgresControl
import Testing

extension ScenarioTests {
    /// Section 4 of the acceptance criteria: a real page, and a real Prometheus that reads a real cluster.
    @Suite(.serialized, .cluster("monitoring", nodes: 3)) struct Monitoring {}
}

extension ScenarioTests.Monitoring {
    @Suite(.serialized) struct Page {
        @Test func `every row of the table is on the page of every node, with its type, labels and buckets (M07)`() async throws {
            try await monitored("metrics page") { sandbox in
                for node in sandbox.layout.nodes {
                    let page = try scrape(node)
                    let objections = MetricRow.all.flatMap(page.objections)
                    try hold(objections.isEmpty, "\(node.name): \(objections.joined(separator: "; "))")
                    try hold(page.strangers.isEmpty, "\(node.name): \(page.strangers.prefix(5))")
                }
            }
        }

        @Test func `pgbastion metrics shows the page of any node (P26)`() async throws {
            try await monitored("metrics command") { sandbox in
                let (first, third) = (sandbox.layout.nodes[0], sandbox.layout.nodes[2])
                let shown = ClientProgram.run("metrics --node node3 --grep pgbastion_raft_", on: first, of: sandbox)
                try hold(
                    shown.status == 0 && shown.output.contains("pgbastion_raft_term{cluster=\"sandbox\"}"), shown.output + shown.errors)
                let known = try scrape(third).lines.filter { $0.hasPrefix("pgbastion_raft_state{") }.map(String.init)
                for line in known { try hold(shown.output.contains(line), "no \(line) in \(shown.output)") }
            }
        }

        @Test func `alerts export writes the shipped files, and promtool passes them (M06)`() async throws {
            try await monitored("alerts") { sandbox in
                let node = sandbox.layout.nodes[0]
                let tested = ClientProgram.run("alerts test", on: node, of: sandbox)
                try hold(tested.status == 0 && tested.output.contains("all as they should be"), tested.output + tested.errors)
                let directory = "/tmp/pgbastion-test-\(getpid())-alerts"
                let script = """
                    '\(sandbox.program)' alerts export --dir '\(directory)' && promtool check rules '\(directory)'/pgbastion.rules.yaml \
                    && promtool check config '\(directory)'/prometheus.yaml && jq -e '.panels | length > 20' '\(directory)'/pgbastion.dashboard.json
                    """
                let checked = Shell.run(script)
                _ = Shell.run("rm -rf '\(directory)'")
                try hold(checked.status == 0, checked.output + checked.errors)
            }
        }
    }

    @Suite(.serialized) struct RealPrometheus {
        @Test func `a dead leader shows within seconds, and so does its return (M01, M02)`() async throws {
            try await observed("dead leader") { prometheus in
                let sandbox = prometheus.sandbox
                let old = try await leader(sandbox)
                try hold(try prometheus.count("pgbastion_raft_peers_count < 3") == 0, "a voter is missing before anything happened")
                sandbox.signal(SIGKILL, .daemon, old)
                let began = ContinuousClock.now
                let survivors = sandbox.layout.nodes.filter { $0 != old }.map(prometheus.instance)
                try await sandbox.wait("changes(pgbastion_raft_is_leader[5m]) > 0 on a survivor", seconds: 20) {
                    let shown = try prometheus.values("changes(pgbastion_raft_is_leader[5m]) > 0", label: "instance")
                    return shown.contains(where: survivors.contains)
                }
                let changed = ContinuousClock.now - began
                try await sandbox.wait("pgbastion_raft_peers_count < 3 on both survivors", seconds: 20) {
                    try prometheus.values("pgbastion_raft_peers_count < 3", label: "instance") == survivors.sorted()
                }
                let missing = ContinuousClock.now - began
                try hold(try prometheus.count("pgbastion_raft_peers_configured == 3") >= 2, "raft_peers_configured is not 3")
                try sandbox.startDaemon(old)
                try await sandbox.wait("no node with fewer than 3 voters", seconds: 30) {
                    try prometheus.count("pgbastion_raft_peers_count < 3") == 0
                        && prometheus.count("pgbastion_raft_peers_count == 3") == 3
                }
                Report.line("M01: seen after \(Report.seconds(changed)); M02: after \(Report.seconds(missing))")
                try await sandbox.settled()
            }
        }

        @Test func `after a transfer the change shows on both nodes (M01)`() async throws {
            try await observed("transfer") { prometheus in
                let sandbox = prometheus.sandbox
                let old = try await leader(sandbox)
                let answer = try await sandbox.call("raft.transfer", through: old, wait: .seconds(10))
                try hold(answer.ok, answer.text)
                try await sandbox.wait("another leader", seconds: 20) { try await leader(sandbox) != old }
                let new = try await leader(sandbox)
                let both = [old, new].map(prometheus.instance).sorted()
                try await sandbox.wait("the change on both nodes", seconds: 10) {
                    let shown = try prometheus.values("changes(pgbastion_raft_is_leader[5m]) > 0", label: "instance")
                    return both.allSatisfy(shown.contains)
                }
            }
        }

        @Test func `checks that fail are counted when PostgreSQL is stopped behind pgbastion's back (M03)`() async throws {
            try await observed("stopped server") { prometheus in
                let sandbox = prometheus.sandbox
                let primary = try await sandbox.primary()
                let victim = try #require(sandbox.layout.nodes.first { $0 != primary })
                let expression =
                    "increase(pgbastion_health_check_total{result=\"error\",instance=\"\(prometheus.instance(victim))\"}[1m]) > 3"
                // The daemon starts it again, so it is stopped again, until the alert fires: the increase of a young counter
                // falls while the window fills, so what was seen once may be gone at the next evaluation.
                try await sandbox.wait("more than 3 failed checks a minute, and the alert", seconds: 120) {
                    if let pid = sandbox.postmasterPID(victim) { kill(pid, SIGQUIT) }
                    return try prometheus.count(expression) == 1 && prometheus.isFiring("PGBastionHealthCheckErrors")
                }
                try await sandbox.settled(restarting: true, seconds: 90)
            }
        }

        @Test func `the lag of a replica that is gone grows with what the primary writes (M04)`() async throws {
            try await observed("replication lag") { prometheus in
                let sandbox = prometheus.sandbox
                let primary = try await sandbox.primary()
                let victim = try #require(sandbox.layout.nodes.last { $0 != primary })
                sandbox.killNode(victim)
                let admin = sandbox.adminConnection(primary)
                _ = try SimpleQuery.column("CREATE TABLE IF NOT EXISTS lag (t text)", on: admin)
                let lag = "pgbastion_replication_lag_bytes{node=\"\(victim.name)\"}"
                let before = try prometheus.values("\(lag) > 10485760", label: "node")
                for _ in 0..<4 {
                    _ = try SimpleQuery.column("INSERT INTO lag SELECT md5(i::text) FROM generate_series(1, 80000) i", on: admin)
                }
                try await sandbox.wait("more than 10 MB behind, by the primary's page", seconds: 30) {
                    try prometheus.values("\(lag) > 10485760", label: "instance") == [prometheus.instance(primary)]
                }
                try hold(before.isEmpty, "it was behind before anything was written")
                try await sandbox.wait("a replica that does not stream", seconds: 20) {
                    try prometheus.count("pgbastion_replica_streaming{node=\"\(victim.name)\"} == 0") >= 1
                }
                try await sandbox.settled(restarting: true, seconds: 120)
                try await sandbox.wait("no lag", seconds: 30) { try prometheus.count("\(lag) > 10485760") == 0 }
            }
        }

        @Test func `requests that take two seconds raise the 99th percentile above one (M05)`() async throws {
            try await observed("slow requests") { prometheus in
                let node = prometheus.sandbox.layout.nodes[0]
                let url = "http://127.0.0.1:\(node.apiPort)/v1/operations/wait?conditions=paused&wait=2s"
                let p99 = "histogram_quantile(0.99, sum by (le) (rate(pgbastion_api_request_duration_seconds_bucket[1m]))) > 1"
                try await prometheus.sandbox.wait("p99 over 1 s", seconds: 60) {
                    let result = Shell.run("for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null -m 10 '\(url)' & done; wait")
                    try hold(result.status == 0, result.errors)
                    return try prometheus.count(p99) == 1
                }
            }
        }
    }

    // MARK: Parts

    static func scrape(_ node: SandboxNode) throws -> MetricsPage {
        let result = Shell.run("curl -sf -m 5 http://127.0.0.1:\(node.metricsPort)/metrics")
        guard result.status == 0 else { throw ScenarioFailure("no metrics on \(node.name): \(result.errors)") }
        return MetricsPage(result.output)
    }
}

/// Runs a scenario on a cluster at rest; a failure shows the logs.
func monitored(_ name: String, _ body: (Sandbox) async throws -> Void) async throws {
    let cluster = try SuiteCluster.required()
    let sandbox = try await cluster.sandbox()
    do {
        // Until the synchronous set is settled nobody may replace a dead primary (SE9).
        try await sandbox.settled(restarting: true, stableFor: .seconds(2))
        try await body(sandbox)
    } catch {
        await cluster.noteFailure(name, error)
        throw error
    }
}

/// As `monitored`, with a Prometheus that is stopped afterwards.
func observed(_ name: String, _ body: (PrometheusServer) async throws -> Void) async throws {
    try await monitored(name) { sandbox in
        let prometheus = try await PrometheusServer.start(sandbox)
        defer { prometheus.stop() }
        try await body(prometheus)
    }
}

private func scrape(_ node: SandboxNode) throws -> MetricsPage { try ScenarioTests.Monitoring.scrape(node) }

private func leader(_ sandbox: Sandbox) async throws -> SandboxNode {
    for node in sandbox.layout.nodes where sandbox.daemonPID(node) != nil {
        let id = try await sandbox.rest(node).raft.leader_id
        if !id.isEmpty { return try sandbox.node(id) }
    }
    throw ScenarioFailure("no leader is known")
}

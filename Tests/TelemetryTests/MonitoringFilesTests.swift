import FoundationEssentials
import Testing

@testable import Telemetry

/// Alerts and dashboard against the metrics there are, and against the files in docs/monitoring/.
struct MonitoringFilesTests {
    private static let directory =
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/docs/monitoring"

    @Test(arguments: MonitoringFiles.all.map(\.name))
    func `the files in docs are those the program exports`(name: String) throws {
        let text = try #require(MonitoringFiles.all.first { $0.name == name }).text
        let url = URL(filePath: "\(Self.directory)/\(name)")
        if ProcessInfo.processInfo.environment["RECORD"] == "1" { try Data(text.utf8).write(to: url) }
        let kept = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        #expect(kept == text, "docs/monitoring/\(name) differs: repair it with `RECORD=1 swift test --filter MonitoringFilesTests`")
    }

    @Test func `the guide's three rules are shipped word by word (M06)`() {
        #expect(
            AlertFiles.rules.contains(
                #"""
                groups:
                  - name: pgbastion
                    rules:
                      - alert: PGBastionLeadershipChange
                        expr: changes(pgbastion_raft_is_leader[5m]) > 0
                        for: 0m
                        labels:
                          severity: warning
                        annotations:
                          summary: "Raft leadership changed"

                      - alert: PGBastionNodeDown
                        expr: pgbastion_raft_peers_count < 3
                        for: 1m
                        labels:
                          severity: critical
                        annotations:
                          summary: "Cluster has fewer than expected nodes"

                      - alert: PGBastionHighReplicationLag
                        expr: pgbastion_replication_lag_bytes > 10485760
                        for: 2m
                        labels:
                          severity: warning
                        annotations:
                          summary: "Replication lag exceeds 10MB"

                """#))
    }

    @Test func `every name used in rules and dashboard is exported (M06)`() {
        let exported = Set(MetricCatalogue.all.flatMap(\.sampleNames))
        for file in MonitoringFiles.all {
            for name in file.text.matches(of: /pgbastion_[a-z_0-9]+/).map({ String($0.output) }) {
                #expect(exported.contains(name), "\(file.name) uses \(name)")
            }
        }
    }

    @Test func `every label used in rules and dashboard is one of the metric's own or Prometheus's`() {
        let own = Set(MetricCatalogue.all.flatMap(\.labels)).union(["cluster", "instance", "job", "le"])
        let expressions =
            AlertRules.groups.flatMap(\.rules).map(\.expression) + DashboardPanel.all.flatMap { $0.queries.map(\.expression) }
        for expression in expressions {
            for list in expression.matches(of: /(?:by|on) \(([a-z_, ]+)\)/) {
                for label in list.output.1.split(separator: ",") {
                    #expect(own.contains(String(label.trimmingPrefix(" "))), "\(expression)")
                }
            }
            for list in expression.matches(of: /([a-z_]+)(?:=~|!~|!=|=)"/) { #expect(own.contains(String(list.output.1)), "\(expression)") }
        }
    }

    @Test func `the panels that the guide asks for are there (M06)`() {
        let wanted = [
            "Raft state timeline": "pgbastion_raft_state", "Replication lag": "pgbastion_replication_lag_bytes",
            "Health check success rate": "pgbastion_health_check_total",
            "API request latency": "pgbastion_api_request_duration_seconds_bucket",
            "Active connections by backend": "pgbastion_proxy_backend_connections_active",
            "VIP ownership timeline": "pgbastion_vip_owned",
        ]
        for (title, series) in wanted {
            let panel = DashboardPanel.all.first { $0.title == title }
            #expect(panel?.queries.contains { $0.expression.contains(series) } == true, "\(title)")
        }
        let latency = DashboardPanel.all.first { $0.title == "API request latency" }
        #expect(latency?.queries.map(\.legend) == ["p50", "p95", "p99"])
    }

    @Test func `every rule has an example in which it fires and one in which it is quiet`() {
        let rules = AlertRules.groups.flatMap(\.rules)
        #expect(Set(rules.map(\.name)).count == rules.count)
        for rule in rules {
            #expect(rule.examples.contains { !$0.firing.isEmpty }, "\(rule.name)")
            #expect(rule.examples.contains { $0.firing.isEmpty }, "\(rule.name)")
            #expect(rule.name.hasPrefix("PGBastion"))
        }
    }

    @Test func `the dashboard is one JSON document whose panels do not overlap`() throws {
        struct Document: Decodable {
            struct Panel: Decodable {
                struct Place: Decodable { var h, w, x, y: Int }
                var id: Int
                var gridPos: Place
            }
            var panels: [Panel]
        }
        let panels = try JSONDecoder().decode(Document.self, from: Data(Dashboard.text.utf8)).panels
        #expect(panels.count == DashboardPanel.all.count)
        #expect(Set(panels.map(\.id)).count == panels.count)
        var taken: Set<[Int]> = []
        for place in panels.map(\.gridPos) {
            #expect(place.x + place.w <= 24)
            for x in place.x..<place.x + place.w {
                for y in place.y..<place.y + place.h { #expect(taken.insert([x, y]).inserted, "\(place)") }
            }
        }
    }
}

import ClusterModel
import Testing

@testable import Telemetry

struct MetricsTests {
    private static let small: [MetricDefinition] = [
        .init("up", .gauge, "Help with \\ and\nbreak."),
        .init("hits_total", .counter, "Hits.", labels: ["path", "status"], known: [["/", "200"]]),
        .init("wait_seconds", .histogram([0.1, 1]), "Waits.", labels: ["type"], known: [["a"]]),
    ]

    @Test func `the page has help, type and series in the text format 0.0.4`() {
        let registry = MetricsRegistry(cluster: "ma\"in", catalogue: Self.small)
        registry.gauge("up").set(1.5)
        registry.counter("hits_total", "/a\\b\n", "404").increment(by: 3)
        for value in [0.05, 0.1, 0.5, 7] { registry.histogram("wait_seconds", "a").observe(value) }
        #expect(
            registry.render() == #"""
                # HELP pgbastion_up Help with \\ and\nbreak.
                # TYPE pgbastion_up gauge
                pgbastion_up{cluster="ma\"in"} 1.5
                # HELP pgbastion_hits_total Hits.
                # TYPE pgbastion_hits_total counter
                pgbastion_hits_total{cluster="ma\"in",path="/",status="200"} 0
                pgbastion_hits_total{cluster="ma\"in",path="/a\\b\n",status="404"} 3
                # HELP pgbastion_wait_seconds Waits.
                # TYPE pgbastion_wait_seconds histogram
                pgbastion_wait_seconds_bucket{cluster="ma\"in",type="a",le="0.1"} 2
                pgbastion_wait_seconds_bucket{cluster="ma\"in",type="a",le="1"} 3
                pgbastion_wait_seconds_bucket{cluster="ma\"in",type="a",le="+Inf"} 4
                pgbastion_wait_seconds_sum{cluster="ma\"in",type="a"} 7.65
                pgbastion_wait_seconds_count{cluster="ma\"in",type="a"} 4

                """#)
    }

    @Test func `series known in advance are there from the start with 0 (section 4)`() {
        let page = MetricsRegistry(cluster: "main").render()
        for line in [
            "pgbastion_raft_state{cluster=\"main\",state=\"leader\"} 0",
            "pgbastion_raft_is_leader{cluster=\"main\"} 0",
            "pgbastion_raft_apply_latency_seconds_count{cluster=\"main\"} 0",
            "pgbastion_health_check_total{cluster=\"main\",result=\"error\"} 0",
            "pgbastion_failover_total{cluster=\"main\",type=\"switchover\",result=\"timeout\"} 0",
            "pgbastion_failover_duration_seconds_bucket{cluster=\"main\",type=\"failover\",le=\"128\"} 0",
            "pgbastion_directives_published_total{cluster=\"main\",type=\"REWIND\"} 0",
            "pgbastion_proxy_routing_errors_total{cluster=\"main\",port_type=\"replica\",reason=\"no_backend\"} 0",
            "pgbastion_proxy_sessions_cut_total{cluster=\"main\",reason=\"epoch\"} 0",
            "pgbastion_vip_transitions_total{cluster=\"main\",direction=\"acquired\"} 0",
            "pgbastion_state_digest_mismatch{cluster=\"main\"} 0",
        ] { #expect(page.contains(line + "\n"), "\(line)") }
    }

    @Test func `names are unique, lower case, and carry their unit or _total`() {
        let names = MetricCatalogue.all.map(\.name)
        #expect(Set(names).count == names.count)
        for definition in MetricCatalogue.all {
            #expect(definition.name.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || $0 == UInt8(ascii: "_") })
            if case .counter = definition.kind { #expect(definition.name.hasSuffix("_total")) }
            if case .histogram(let bounds) = definition.kind {
                #expect(definition.name.hasSuffix("_seconds"))
                #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count)
            }
            #expect(definition.known.allSatisfy { $0.count == definition.labels.count })
            #expect(!definition.labels.contains("cluster"))
            #expect(definition.help.hasSuffix("."))
        }
    }

    @Test func `every line of the page is well formed`() {
        let registry = MetricsRegistry(cluster: "main")
        registry.gauge("replication_lag_bytes", "node2").set(10_485_761)
        registry.histogram("api_request_duration_seconds", "GET", "/raft/directives/{id}", "200").observe(0.002)
        for line in registry.render().split(separator: "\n") where !line.hasPrefix("#") {
            #expect(line.hasPrefix("pgbastion_") && line.contains("{cluster=\"main\""), "\(line)")
            #expect(Double(line.split(separator: " ").last ?? "") != nil, "\(line)")
        }
        #expect(
            registry.render().contains("pgbastion_replication_lag_bytes{cluster=\"main\",node=\"node2\"} 10485761\n"))
    }

    @Test func `a state is 1 and the others are 0`() {
        let registry = MetricsRegistry(cluster: "main")
        registry.setState("raft_state", "candidate")
        registry.setState("raft_state", "leader")
        #expect(registry.gauge("raft_state", "leader").value == 1)
        #expect(registry.gauge("raft_state", "candidate").value == 0)
    }

    @Test func `gauges of nodes that have left disappear`() {
        let registry = MetricsRegistry(cluster: "main")
        registry.replaceGauges("replication_lag_bytes", with: [["node2"]: 1, ["node3"]: 2])
        registry.replaceGauges("replication_lag_bytes", with: [["node3"]: 5])
        let lines = registry.render().split(separator: "\n").filter { $0.hasPrefix("pgbastion_replication_lag_bytes") }
        #expect(lines == ["pgbastion_replication_lag_bytes{cluster=\"main\",node=\"node3\"} 5"])
    }

    @Test func `nothing is lost when many threads count`() async {
        let registry = MetricsRegistry(cluster: "main")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<5_000 {
                        registry.counter("api_requests_total", "GET", "/health", "200").increment()
                        registry.gauge("paused").add(1)
                        registry.histogram("health_check_duration_seconds").observe(0.5)
                    }
                }
                group.addTask { for _ in 0..<20 { _ = registry.render() } }
            }
        }
        #expect(registry.counter("api_requests_total", "GET", "/health", "200").value == 40_000)
        #expect(registry.gauge("paused").value == 40_000)
        #expect(registry.histogram("health_check_duration_seconds").snapshot.sum == 20_000)
    }

    @Test func `a total counted elsewhere is taken over and never falls`() {
        let counter = MetricsRegistry(cluster: "main").counter("raft_leader_changes_total")
        counter.raise(to: 5)
        counter.raise(to: 3)
        #expect(counter.value == 5)
    }

    @Test(arguments: [
        (0.0, "0"), (-3, "-3"), (0.25, "0.25"), (1e18, "1000000000000000000"), (.infinity, "+Inf"), (.nan, "NaN"),
    ])
    func `numbers are printed as Prometheus reads them`(value: Double, printed: String) {
        #expect(PrometheusText.number(value) == printed)
    }

    @Test func `an unknown metric stops the process`() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricsRegistry(cluster: "main").gauge("no_such_metric")
        }
    }
}

/// Everything `pgbastion alerts export` writes and `docs/monitoring/` keeps: one definition for both.
package enum MonitoringFiles {
    package struct File: Sendable {
        package var name: String
        package var text: String
    }

    package static let rulesName = "pgbastion.rules.yaml"
    package static let testsName = "pgbastion.rules.test.yaml"

    package static var all: [File] {
        [
            File(name: rulesName, text: AlertFiles.rules),
            File(name: testsName, text: AlertFiles.tests(rulesFile: rulesName)),
            File(name: "pgbastion.dashboard.json", text: Dashboard.text),
            File(name: "prometheus.yaml", text: scrape),
        ]
    }

    /// An example; the addresses are the guide's.
    private static let scrape = """
        # A configuration for Prometheus: put the addresses of your nodes in, port 9090 is `metrics.port`.
        global:
          scrape_interval: 5s
          evaluation_interval: 5s

        rule_files:
          - \(rulesName)

        scrape_configs:
          - job_name: pgbastion
            static_configs:
              - targets:
                  - 10.0.1.1:9090
                  - 10.0.1.2:9090
                  - 10.0.1.3:9090

        """
}

import Bastion
import FoundationEssentials
import Glibc
import PostgresTestKit

/// A real Prometheus that reads the nodes of a sandbox every second; on loopback, in a directory of its own.
final class PrometheusServer: Sendable {
    let sandbox: Sandbox
    private let directory: String
    private let port: Int
    private let process: TestProcess

    private init(sandbox: Sandbox, directory: String, port: Int, process: TestProcess) {
        self.sandbox = sandbox
        self.directory = directory
        self.port = port
        self.process = process
    }

    /// With the rules that the program exports, read from the metrics ports of all nodes.
    static func start(_ sandbox: Sandbox) async throws -> PrometheusServer {
        let directory = "/tmp/pgbastion-test-\(getpid())-prometheus"
        let export = Shell.run("'\(sandbox.program)' alerts export --dir '\(directory)'")
        try hold(export.status == 0, "alerts export: \(export.errors)")
        let targets = sandbox.layout.nodes.map { "\"127.0.0.1:\($0.metricsPort)\"" }.joined(separator: ", ")
        let configuration = """
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            rule_files: [pgbastion.rules.yaml]
            scrape_configs:
              - job_name: pgbastion
                static_configs: [{targets: [\(targets)]}]

            """
        try Data(configuration.utf8).write(to: URL(filePath: "\(directory)/prometheus.yaml"))
        let port = (sandbox.layout.nodes.last?.basePort ?? 0) + 8
        let process = TestProcess.start(
            [
                "/usr/bin/prometheus", "--config.file=\(directory)/prometheus.yaml", "--storage.tsdb.path=\(directory)/data",
                "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
            ], logFile: "\(directory)/prometheus.log")
        let server = PrometheusServer(sandbox: sandbox, directory: directory, port: port, process: process)
        do {
            try await sandbox.wait("Prometheus to read every node", seconds: 60) {
                try server.count("up{job=\"pgbastion\"} == 1") == sandbox.layout.nodes.count
            }
        } catch {
            let log = Shell.text("\(directory)/prometheus.log")
            server.stop()
            throw ScenarioFailure("\(error): \(log)")
        }
        return server
    }

    func stop() {
        process.send(SIGTERM)
        if process.waitForExit(within: .seconds(10)) == nil {
            process.send(SIGKILL)
            _ = process.waitForExit()
        }
        _ = Shell.run("rm -rf '\(directory)'")
    }

    /// How many series the expression has now.
    func count(_ expression: String) throws -> Int { Int(try ask(expression, ".data.result | length")) ?? 0 }

    /// One label of each series, sorted.
    func values(_ expression: String, label: String) throws -> [String] {
        try ask(expression, "[.data.result[].metric.\(label)] | sort | .[]").split(separator: "\n").map(String.init)
    }

    func isFiring(_ alert: String) throws -> Bool {
        try count("ALERTS{alertname=\"\(alert)\",alertstate=\"firing\"}") > 0
    }

    private func ask(_ expression: String, _ filter: String) throws -> String {
        let result = Shell.run(
            "curl -sf -m 5 -G http://127.0.0.1:\(port)/api/v1/query --data-urlencode \"query=$EXPRESSION\"",
            environment: ["EXPRESSION": expression])
        guard result.status == 0 else { throw ScenarioFailure("Prometheus does not answer: \(result.errors)") }
        return try Shell.jq(filter, result.output)
    }

    func instance(_ node: SandboxNode) -> String { "127.0.0.1:\(node.metricsPort)" }
}

import ClusterModel
import Operations

/// The local commands about monitoring.
extension LocalCommandDefinition {
    package static let alertCommands: [LocalCommandDefinition] = [alertsExport, alertsTest]

    package static let alertsExport = LocalCommandDefinition(
        words: ["alerts", "export"], summary: "write Prometheus rules and the Grafana dashboard",
        discussion: "Rules, their unit tests for promtool, the dashboard, and an example of Prometheus's configuration.",
        parameters: [
            ParameterDefinition(name: "dir", kind: .text, help: "directory to write into", defaultText: ".", example: "/etc/prometheus")
        ],
        examples: ["pgbastion alerts export --dir /etc/prometheus"], errorCodes: [.io])

    package static let alertsTest = LocalCommandDefinition(
        words: ["alerts", "test"], summary: "test the alert rules against recorded series",
        discussion: "With promtool, which must be installed. Ends with 1 when a rule does not fire as it should.",
        examples: ["pgbastion alerts test"], errorCodes: [.notFound, .failed, .io])
}

import ClusterModel

/// `health-history`: the last checks of this node's PostgreSQL.
package enum HealthHistoryOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
        package var n: Int?
    }

    package static let definition = OperationDefinition(
        name: "health-history", summary: "show the last health checks, newest first",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node that answers; checks are kept where they were made",
                position: 0, example: "node1"),
            ParameterDefinition(
                name: "n", kind: .integer, help: "at most so many", defaultText: "10", example: "20", limits: ListLimit.limits),
        ],
        errorCodes: [.notFound, .preconditionFailed],
        examples: ["pgbastion health-history", "pgbastion health-history -n 20"], aliases: ["checks"])

    package static func perform(
        _ input: Input, in context: OperationContext
    ) async throws(BastionError) -> HealthHistoryOutput {
        let view = await context.gateway.view()
        if let name = input.node, name != view.node {
            let node = try view.requireNode(name)
            throw BastionError(
                .preconditionFailed, "the checks of \"\(name)\" are kept on that node",
                hint: "ask it with `--addr http://\(node.host):8080`")
        }
        return HealthHistoryOutput(view, limit: try ListLimit.check(input.n, default: 10))
    }
}

/// The fields of `GET /cluster/health/history` (E11).
package struct HealthHistoryOutput: OperationOutput {
    package struct Entry: Codable, Sendable {
        package var timestamp: String
        package var durationMs: Double
        package var healthy: Bool
        @Nullable package var error: String?
    }
    package struct Statistics: Codable, Sendable {
        package var totalChecks: Int
        package var successCount: Int
        package var failureCount: Int
        /// From 0 to 1.
        package var successRate: Double
        package var avgDurationMs: Double
    }
    package var node: NodeName
    package var entries: [Entry]
    package var stats: Statistics
    package var capturedAt: String

    package init(_ view: ClusterView, limit: Int) {
        let checks = view.healthChecks
        node = view.node
        capturedAt = view.capturedAt
        entries = checks.prefix(limit).map {
            Entry(timestamp: $0.timestamp, durationMs: $0.durationMilliseconds, healthy: $0.healthy, error: $0.error)
        }
        let successes = checks.count { $0.healthy }
        let count = Double(max(checks.count, 1))
        let total = checks.reduce(0) { $0 + $1.durationMilliseconds }
        stats = Statistics(
            totalChecks: checks.count, successCount: successes, failureCount: checks.count - successes,
            successRate: Double(successes) / count, avgDurationMs: (total / count * 1000).rounded() / 1000)
    }

    package var text: String {
        guard !entries.isEmpty else { return "no health checks on \(node) yet" }
        var table = TextTable("TIME", "RESULT", "DURATION", "ERROR")
        for entry in entries {
            table.add(
                entry.timestamp, entry.healthy ? "ok" : "error", "\(DecimalText.oneDigit(entry.durationMs))ms",
                entry.error ?? "")
        }
        return table.text + "\n\(stats.successCount) of \(stats.totalChecks) succeeded, "
            + "\(DecimalText.oneDigit(stats.avgDurationMs))ms on average"
    }
}

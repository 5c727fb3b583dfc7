import ClusterModel

/// `health`: whether one node does what it should.
package enum HealthOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var node: NodeName?
    }

    package static let definition = OperationDefinition(
        name: "health", summary: "tell whether a node is healthy, and why not",
        discussion: "Exits 0 only when the status is ok, else 2.",
        parameters: [
            ParameterDefinition(
                name: "node", kind: .nodeName, help: "the node; default is the one that answers", position: 0,
                example: "node2")
        ],
        errorCodes: [.notFound], examples: ["pgbastion health", "pgbastion health node2"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> HealthReport {
        let view = await context.gateway.view()
        guard let name = input.node, name != view.node else { return HealthReport(view) }
        return HealthReport(try view.requireNode(name), in: view)
    }
}

/// The fields of `GET /health` (E07).
package struct HealthReport: OperationOutput {
    package var node: NodeName
    package var status: String
    package var reasons: [String]
    package var role: NodeRole
    package var proxyHealthy: Bool
    package var splitBrain: Bool
    @Nullable package var version: String?
    @Nullable package var vipOwner: NodeName?
    @Nullable package var vipReason: String?
    package var capturedAt: String
    package var stale: Bool
    package var staleSeconds: Double

    /// Of the node that answers.
    package init(_ view: ClusterView) {
        node = view.node
        status = view.health.status
        reasons = view.health.reasons
        role = view.health.role
        proxyHealthy = view.health.proxyHealthy
        splitBrain = view.splitBrain
        version = view.version
        vipOwner = view.vipOwner
        vipReason = view.vipReason
        capturedAt = view.capturedAt
        stale = view.staleSeconds > 0
        staleSeconds = view.staleSeconds
    }

    /// Of another node, as the leader last reported it.
    init(_ node: NodeView, in view: ClusterView) {
        self.init(view)
        self.node = node.name
        role = node.role
        version = node.version
        proxyHealthy = node.inRotation || node.role == .primary || node.role == .witness
        status = HealthReport.status(node, in: view)
        reasons = status == "ok" ? [] : [node.standingReason ?? node.rotationReason ?? "its state is \(node.state)"]
    }

    private static func status(_ node: NodeView, in view: ClusterView) -> String {
        if view.splitBrain { return "split_brain" }
        switch node.state {
        case "fenced": return "fenced"
        case "unreachable": return "unreachable"
        case "stopped", "failed": return "postgres_down"
        case "starting": return "starting"
        default: return node.healthy ? "ok" : "postgres_down"
        }
    }

    package var text: String { (["\(node) \(status)"] + reasons.map { "  \($0)" }).joined(separator: "\n") }
    package var names: [String] { [node.rawValue] }
    package var exitStatus: Int32 { status == "ok" ? 0 : 2 }
}

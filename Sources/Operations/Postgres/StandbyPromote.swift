import ClusterModel

/// `standby.promote`: a cluster that followed another one gets its own primary.
package enum StandbyPromoteOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package var maxLag: SizeValue?
        package init(maxLag: SizeValue? = nil) { self.maxLag = maxLag }
    }

    package static let definition = OperationDefinition(
        name: "standby.promote", summary: "end following another cluster and make this one writable",
        discussion: """
            For a cluster with `standby_cluster`. The most advanced node becomes the first primary, on a new timeline, and the others \
            follow it; there is no way back. Writes on the old cluster must have been stopped before, for example with `node fence`: \
            nothing here can do that, and what it accepts later is not here. Lag counts against the last position the old primary is \
            known to have had; it need not answer any more.
            """,
        parameters: [
            ParameterDefinition(
                name: "max_lag", kind: .size, help: "promote although so much of the old cluster's WAL is missing",
                defaultText: "0", example: "16MiB")
        ],
        risk: .destructive, scope: .leader, checks: ["standby.ready*"], isIdempotent: false,
        errorCodes: [.preconditionFailed, .noLeader, .locked, .timeout, .failed, .incomplete],
        examples: ["pgbastion standby promote --confirm main", "pgbastion standby promote --dry-run"])

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> StandbyPromoteOutput {
        let limit = input.maxLag ?? SizeValue(bytes: 0)
        if context.dryRun { return try plan(limit, await context.gateway.view(), context.overrides) }
        let reply = try await context.submit(.promoteStandby(maxLagBytes: input.maxLag?.bytes))
        guard !reply.alreadySo, let id = reply.operationID, let done = try await OperationFollower.outcome(of: id, in: context) else {
            var output = StandbyPromoteOutput(summary: reply.summary)
            output.operationID = reply.operationID
            output.alreadySo = reply.alreadySo
            return output
        }
        return StandbyPromoteOutput(done)
    }

    private static func plan(
        _ limit: SizeValue, _ view: ClusterView, _ overrides: Set<String>
    ) throws(BastionError) -> StandbyPromoteOutput {
        let checks = [view.checkQuorum(), view.checkIdle(), view.checkStandbyReady(limit: limit)]
        let upstream = view.standby?.upstream.address ?? "the other cluster"
        let best = (view.standby?.best).orDash
        var steps = [
            "stop receiving from \(upstream), on every node", "promote the most advanced node, \(best) now", "the others follow it",
        ]
        if view.standby?.isStreaming == true {
            steps.append("note: \(upstream) still streams; what it accepts after the promotion is not here. Fence it first")
        }
        var output = StandbyPromoteOutput(summary: "")
        output.plan = try OperationPlan(operation: "promotion", checks: checks, steps: steps, overrides: overrides)
        return output
    }
}

package struct StandbyPromoteOutput: OperationOutput {
    @Nullable package var operationID: String?
    @Nullable package var primary: NodeName?
    @Nullable package var fromTimeline: TimelineID?
    @Nullable package var newTimeline: TimelineID?
    /// Where the new timeline begins.
    @Nullable package var lsn: LSN?
    package var finished: Bool
    package var alreadySo: Bool
    package var summary: String
    @Nullable package var plan: OperationPlan?

    init(summary: String) {
        self.summary = summary
        finished = false
        alreadySo = false
    }

    init(_ operation: OperationView) {
        self.init(summary: operation.message)
        operationID = operation.id
        primary = operation.to
        fromTimeline = operation.oldTimeline
        newTimeline = operation.newTimeline
        lsn = operation.lsn
        finished = true
    }

    package var names: [String] { primary.map { [$0.rawValue] } ?? [] }
    package var text: String {
        if let plan { return plan.text }
        guard finished, let primary else { return summary }
        let timelines = fromTimeline.flatMap { from in newTimeline.map { " (timeline \(from) -> \($0))" } } ?? ""
        return "this cluster is on its own: \(primary) is the primary\(timelines)"
    }
}

extension ClusterView {
    /// Follows another cluster, and has nearly all that it is known to have had.
    func checkStandbyReady(limit: SizeValue) -> PlanCheck {
        let message: String
        if let standby {
            if standby.best == nil {
                message = "no node has the data of \(standby.upstream.address)"
            } else if let lag = standby.lagBytes {
                message = "\(standby.best.orDash) is \(SizeValue(bytes: lag)) behind \(standby.upstream.address), the limit is \(limit)"
            } else {
                message = "the position of \(standby.upstream.address) is not known"
            }
        } else {
            message = "this cluster follows no other one"
        }
        let isReady = standby?.best != nil && (standby?.lagBytes).map { $0 <= limit.bytes } ?? false
        return PlanCheck("standby.ready", isReady, overridable: standby?.best != nil, or: message)
    }
}

extension StateDocument.Standby {
    init(_ view: ClusterView) {
        self.init(
            active: view.standby != nil, upstreamSystemIdentifier: view.standby?.systemIdentifier.map { "\($0)" },
            lagBytes: view.standby?.lagBytes)
    }
}

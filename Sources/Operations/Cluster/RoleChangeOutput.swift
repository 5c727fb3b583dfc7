import ClusterModel

/// What `switchover` and `failover` answer.
package struct RoleChangeOutput: OperationOutput {
    @Nullable package var operationID: String?
    @Nullable package var from: NodeName?
    @Nullable package var to: NodeName?
    @Nullable package var oldTimeline: TimelineID?
    @Nullable package var newTimeline: TimelineID?
    @Nullable package var lsn: LSN?
    /// How long writes waited; null while unknown.
    @Nullable package var writeGapSeconds: Double?
    package var phases: [OperationRow.Phase]
    @Nullable package var lostBytesMax: UInt64?
    @Nullable package var provenLossless: Bool?
    @Nullable package var fenceMethod: String?
    package var finished: Bool
    package var alreadySo: Bool
    package var summary: String
    @Nullable package var plan: OperationPlan?

    package var names: [String] { to.map { [$0.rawValue] } ?? [] }

    package var text: String {
        if let plan { return plan.text }
        guard finished, let to else { return summary }
        var sentence = "\(to) is the primary" + (newTimeline.map { " (timeline \($0))" } ?? "")
        if let writeGapSeconds { sentence += "; writes waited \(DecimalText.oneDigit(writeGapSeconds)) s" }
        if let fenceMethod { sentence += "; \(from.orDash) was fenced by \(fenceMethod)" }
        if provenLossless == true { sentence += "; nothing acknowledged was lost" }
        if let lostBytesMax, lostBytesMax > 0 { sentence += "; at most \(SizeValue(bytes: lostBytesMax)) were lost" }
        return sentence
    }

    package var warnings: [String] {
        guard let lostBytesMax, lostBytesMax > 0, provenLossless != true else { return [] }
        return ["at most \(lostBytesMax) bytes of WAL were lost"]
    }
}

extension RoleChangeOutput {
    /// An accepted change that is not followed, or was already so.
    init(_ reply: ClusterReply, from: NodeName?, to: NodeName?) {
        var summary = reply.summary
        if !reply.alreadySo, let id = reply.operationID {
            summary += (summary.isEmpty ? "" : "; ") + "follow it with `pgbastion op wait \(id)`"
        }
        self.init(
            operationID: reply.operationID, from: from, to: to, oldTimeline: nil, newTimeline: nil, lsn: nil,
            writeGapSeconds: nil, phases: [], lostBytesMax: nil, provenLossless: nil, fenceMethod: nil, finished: false,
            alreadySo: reply.alreadySo, summary: summary, plan: nil)
    }

    init(_ operation: OperationView) {
        let row = OperationRow(operation)
        self.init(
            operationID: row.id, from: row.from, to: row.to, oldTimeline: row.oldTimeline,
            newTimeline: row.newTimeline, lsn: row.lsn, writeGapSeconds: RoleChangeOutput.writeGap(row),
            phases: row.phases, lostBytesMax: row.lostBytesMax, provenLossless: row.provenLossless,
            fenceMethod: row.fenceMethod, finished: true, alreadySo: false, summary: operation.message, plan: nil)
    }

    init(plan: OperationPlan, from: NodeName?, to: NodeName?) {
        self.init(ClusterReply(summary: ""), from: from, to: to)
        self.plan = plan
    }

    /// From the hold of new transactions to their release; known for a switchover only.
    private static func writeGap(_ row: OperationRow) -> Double? {
        let waiting: Set<String> = ["hold", "stop", "receive", "promote", "release"]
        let phases = row.phases.filter { waiting.contains($0.name) }
        return row.kind == "switchover" && !phases.isEmpty ? phases.reduce(0) { $0 + $1.elapsedSeconds } : nil
    }

    /// Submits, and follows the operation when somebody wants to wait.
    static func change(
        _ request: ClusterRequest, to target: NodeName?, in context: OperationContext
    ) async throws(BastionError) -> RoleChangeOutput {
        let before = await context.gateway.view()
        let reply = try await context.submit(request)
        guard !reply.alreadySo, let id = reply.operationID,
            let finished = try await OperationFollower.outcome(of: id, in: context)
        else { return RoleChangeOutput(reply, from: before.primary?.name, to: target) }
        return RoleChangeOutput(finished)
    }

    /// NODE and `--to` name the same node when both are given.
    static func target(_ node: NodeName?, _ to: NodeName?) throws(BastionError) -> NodeName? {
        guard let node, let to, node != to else { return node ?? to }
        throw BastionError(.invalidRequest, "\"node\" is \(node) and \"to\" is \(to)", hint: "give one of them")
    }
}

extension ClusterView {
    /// The replica a change without a target would most likely take.
    var likelyTarget: NodeName? {
        replicaNodes.filter { $0.healthy && $0.promotable }
            .min { ($0.lagBytes ?? .max, $0.name) < ($1.lagBytes ?? .max, $1.name) }?.name
    }
}

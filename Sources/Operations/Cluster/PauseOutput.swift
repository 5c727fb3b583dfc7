import ClusterModel

/// What `pause` and `resume` answer.
package struct PauseOutput: OperationOutput {
    package var active: Bool
    @Nullable package var since: String?
    @Nullable package var until: String?
    @Nullable package var reason: String?
    @Nullable package var by: String?
    package var alreadySo: Bool
    package var summary: String
    @Nullable package var plan: OperationPlan?
    package var text: String { plan?.text ?? summary }
}

extension PauseOutput {
    /// Limit: how long this node's own view is waited for after the leader accepted.
    private static let ownViewLimit: Duration = .seconds(5)

    /// Submits, and waits until this node's view says so, so that the next read here agrees.
    static func change(
        _ request: ClusterRequest, active: Bool, in context: OperationContext
    ) async throws(BastionError) -> PauseOutput {
        let reply = try await context.submit(request)
        let limit = min(context.waitLimit ?? ownViewLimit, ownViewLimit)
        let seen = await ViewWatch.first(of: context.gateway, limit: limit) { view in
            (view.paused != nil) == active ? view : nil
        }
        let last = await context.gateway.view()
        let state = StatusOutput.Paused(seen ?? last)
        return PauseOutput(
            active: active, since: state.since, until: state.until, reason: state.reason, by: state.by,
            alreadySo: reply.alreadySo, summary: reply.summary, plan: nil)
    }

    static func planned(active: Bool, _ view: ClusterView, step: String) throws(BastionError) -> PauseOutput {
        let state = StatusOutput.Paused(view)
        let plan = try OperationPlan(
            operation: active ? "pause" : "resume", checks: [view.checkQuorum()],
            steps: state.active == active ? ["nothing: it is so already"] : [step])
        return PauseOutput(
            active: state.active, since: state.since, until: state.until, reason: state.reason, by: state.by,
            alreadySo: state.active == active, summary: "", plan: plan)
    }
}

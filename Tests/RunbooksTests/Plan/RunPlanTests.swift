import ClusterModel
import Operations
import Runbooks
import Testing

/// Plans: the same bytes for the same input, and what makes one stale.
@Suite struct RunPlanTests {
    private func plan(_ params: [String: JSONValue], _ state: JSONValue) async throws -> (
        plan: RunPlan, runbook: LoadedRunbook, order: RunOrder
    ) {
        let library = try ShippedRunbooks.library()
        let runbook = try #require(library["switchover"])
        let resolved = try ParameterValues.resolve(runbook.runbook, given: params, state: state)
        let order = RunOrder(runID: "x", main: runbook, library: library, params: resolved, user: "ops", host: "here")
        return (try await RunPlan.make(order, state: state), runbook, order)
    }

    @Test func `two plans of the same state are the same bytes`() async throws {
        let state = try BuiltinState.healthy.document()
        let first = try await plan(["target": .string("node2")], state).plan
        let second = try await plan(["target": .string("node2")], state).plan
        #expect(first.document.bytes == second.document.bytes)
        #expect(first.exitStatus == 0)
    }

    @Test func `a blocked precondition is 3 and is named`() async throws {
        let made = try await plan(["target": .string("node2")], try BuiltinState.paused.document()).plan
        #expect(made.exitStatus == 3)
        let failed = (made.document["preconditions"]?.elements ?? []).filter { $0["status"]?.string == "fail" }
        #expect(failed.map { $0["id"]?.string } == ["not-paused"])
    }

    @Test func `a plan no longer fits when the primary is another one`() async throws {
        let state = try BuiltinState.healthy.document()
        let made = try await plan(["target": .string("node2")], state)
        #expect(RunPlan.differences(plan: made.plan.document, runbook: made.runbook, state: state, params: made.order.params).isEmpty)
        var other = SimulatedState(state)
        other["primary.name"] = .string("node3")
        let differences = RunPlan.differences(
            plan: made.plan.document, runbook: made.runbook, state: other.document, params: made.order.params)
        #expect(differences.map(\.path) == ["state_fingerprint.primary"])
    }
}

import ClusterModel
import Operations
import Runbooks
import Testing

/// The engine on small runbooks: every end of a run, and what leads there.
@Suite struct RunEngineTests {
    private func runbook(_ rest: String, policy: String = "abort", always: String = "") throws -> LoadedRunbook {
        try ShippedRunbooks.load(
            """
            apiVersion: pgbastion.io/v1
            kind: Runbook
            metadata: { name: sample, title: Sample, risk: reversible }
            on_failure: \(policy)
            preconditions:
              - { id: quorum, check: cluster.has_quorum, hint: "wait" }
            steps:
            \(rest)
            \(always.isEmpty ? "" : "always:\n\(always)")
            """)
    }

    private func world(_ faults: [SimulatedFault] = [], answers: [String: String] = [:]) throws -> SimulatedWorld {
        SimulatedWorld(state: try BuiltinState.healthy.document(), faults: faults, answers: answers)
    }

    private func order(_ runbook: LoadedRunbook) -> RunOrder {
        RunOrder(runID: "run-1", main: runbook, library: ["sample": runbook], params: [:], user: "ops", host: "here")
    }

    private func run(_ text: String, policy: String = "abort", always: String = "", _ world: SimulatedWorld) async throws -> RunResult {
        try await TestRunner.run(order(try runbook(text, policy: policy, always: always)), in: world, resumes: false)
    }

    private let drain = "  - { id: drain, run: node.drain, with: { node: node2 } }\n"
    private let pause = "  - { id: pause, run: pause, with: { for: 1h } }\n"

    @Test func `a run whose steps succeed ends with 0`() async throws {
        let world = try world()
        let result = try await run(drain, world)
        #expect(result.status == .succeeded && result.exitStatus == 0)
        #expect(world.executions.map(\.operation) == ["node.drain"])
    }

    @Test func `a precondition that fails refuses before anything runs`() async throws {
        let world = SimulatedWorld(state: try BuiltinState.noQuorum.document())
        let result = try await run(drain, always: "  - { id: undrain, run: node.undrain, with: { node: node2 } }\n", world)
        #expect(result.status == .failed && result.exitStatus == 3)
        #expect(result.failedChecks.map(\.id) == ["quorum"])
        #expect(result.steps.isEmpty && world.executions.isEmpty)
    }

    @Test func `a failure without an effect keeps the code of its step`() async throws {
        let result = try await run(drain, try world([SimulatedFault(step: "drain", kind: .error(.unavailable))]))
        #expect(result.status == .failed && result.exitStatus == 5)
    }

    @Test func `a failure behind a change that stays ends with 7 and names the way back`() async throws {
        let result = try await run(drain + pause, try world([SimulatedFault(step: "pause", kind: .error(.failed))]))
        #expect(result.status == .failed && result.exitStatus == 7)
        #expect(result.remaining.map(\.step) == ["drain"])
        #expect(result.remaining.first?.command == "pgbastion node undrain node2")
    }

    @Test func `rolling back undoes the completed steps in reverse order`() async throws {
        let last = "  - { id: last, assert: { that: { path: paused.active, equals: false } } }\n"
        let world = try world()
        let result = try await run(drain + pause + last, policy: "rollback", world)
        #expect(result.status == .rolledBack && result.exitStatus == 1)
        #expect(result.undone == ["pause", "drain"])
        #expect(SimulatedState(world.finalState).field("drained", of: "node2") == .bool(false))
    }

    @Test func `rolling back stops at a point of no return`() async throws {
        let switchover = "  - { id: switch, run: switchover, with: { to: node2 }, point_of_no_return: true }\n"
        let result = try await run(
            "  - { id: drain, run: node.drain, with: { node: node3 } }\n" + switchover + pause, policy: "rollback",
            try world([SimulatedFault(step: "pause", kind: .error(.failed))]))
        #expect(result.status == .failed && result.exitStatus == 7)
        #expect(result.undone.isEmpty)
        #expect(result.remaining.map(\.step) == ["drain", "switch"])
    }

    @Test func `a failed undo is a failed rollback`() async throws {
        let world = try world([
            SimulatedFault(step: "pause", kind: .error(.failed)), SimulatedFault(step: "undo:drain", kind: .error(.failed)),
        ])
        let result = try await run(drain + pause, policy: "rollback", world)
        #expect(result.status == .rollbackFailed && result.exitStatus == 7)
    }

    @Test func `an effect that an always step takes back is gone`() async throws {
        let result = try await run(
            pause + "  - { id: broken, run: node.drain, with: { node: node2 } }\n", always: "  - { id: end, run: resume }\n",
            try world([SimulatedFault(step: "broken", kind: .error(.failed))]))
        #expect(result.status == .failed && result.exitStatus == 1)
        #expect(result.remaining.isEmpty)
    }

    @Test func `continue records a warning and goes on`() async throws {
        let result = try await run(
            "  - { id: drain, run: node.drain, with: { node: node2 }, on_failure: continue }\n" + pause,
            try world([SimulatedFault(step: "drain", kind: .error(.failed))]))
        #expect(result.status == .succeeded && result.exitStatus == 0)
        #expect(result.warnings.count == 1)
    }

    @Test func `hold keeps the run for a decision, and resume tries the step again`() async throws {
        let runbook = try runbook("  - { id: drain, run: node.drain, with: { node: node2 }, on_failure: hold }\n")
        let world = try world([SimulatedFault(step: "drain", kind: .error(.failed))])
        let held = try await TestRunner.run(order(runbook), in: world, resumes: false)
        #expect(held.status == .held && held.exitStatus == 7)
        let journal = try Journal.read(world.lines.map { $0 + "\n" }.joined())
        var again = order(runbook)
        again.journal = journal
        again.memory = RunMemory(journal).resumed()
        again.mode = .resume(.init())
        let result = try await TestRunner.run(again, in: world, resumes: false)
        #expect(result.status == .succeeded && result.exitStatus == 0)
    }

    @Test func `a held run can be aborted`() async throws {
        let runbook = try runbook(
            drain + "  - { id: hold, run: pause, on_failure: hold }\n",
            always: "  - { id: end, run: node.undrain, with: { node: node2 } }\n")
        let world = try world([SimulatedFault(step: "hold", kind: .error(.failed))])
        _ = try await TestRunner.run(order(runbook), in: world, resumes: false)
        let journal = try Journal.read(world.lines.map { $0 + "\n" }.joined())
        var abort = order(runbook)
        abort.journal = journal
        abort.memory = RunMemory(journal).resumed()
        abort.mode = .abort
        let result = try await TestRunner.run(abort, in: world, resumes: false)
        #expect(result.status == .aborted && result.exitStatus == 1)
        #expect(result.steps.contains { $0.phase == .always && $0.outcome == "succeeded" })
    }

    @Test func `retries ask by key first and stop when one succeeds`() async throws {
        let text = "  - { id: drain, run: node.drain, with: { node: node2 }, retry: { attempts: 3, delay: 1s, on: [ unreachable ] } }\n"
        let world = try world([SimulatedFault(step: "drain", kind: .error(.unavailable), times: 2)])
        let result = try await run(text, world)
        #expect(result.status == .succeeded)
        #expect(result.steps.last?.attempts == 3)
        #expect(world.executions.count == 1)
    }

    @Test func `a wait that never becomes true ends with 6`() async throws {
        let text = "  - { id: wait, wait: { until: { path: paused.active, equals: true }, timeout: 10s } }\n"
        let world = try world()
        let began = world.now
        let result = try await run(text, world)
        #expect(result.status == .failed && result.exitStatus == 6)
        #expect(world.now - began == 10_000)
    }

    @Test func `a declined confirmation changes nothing and ends with 3`() async throws {
        let text = "  - { id: sure, confirm: { message: sure, type: prod } }\n"
        let result = try await run(text + drain, try world(answers: ["sure": "no"]))
        #expect(result.exitStatus == 3 && result.failure?.step == "sure")
    }

    @Test func `the first signal lets always steps run and keeps what was done in the journal`() async throws {
        let world = try world()
        world.signals = [.interrupt]
        let result = try await run(drain, always: "  - { id: end, run: node.undrain, with: { node: node2 } }\n", world)
        #expect(result.status == .interrupted && result.exitStatus == 130)
        #expect(result.steps.contains { $0.phase == .always })
    }

    @Test func `a step that is not acknowledged holds the run`() async throws {
        let text = "  - { id: work, manual: { instructions: do it }, undo: none }\n"
        let result = try await run(text, try world(answers: ["work": "later"]))
        #expect(result.status == .held && result.exitStatus == 7)
    }

    @Test func `every status that is not final can be left, and every status can be reached`() {
        let reached = Set(RunStatus.transitions.values.flatMap { $0 }).union([.planned])
        #expect(reached == Set(RunStatus.allCases))
        for status in RunStatus.allCases { #expect(status.isFinal == (RunStatus.transitions[status] == nil), "\(status)") }
    }
}

import ClusterModel
import Operations
import Runbooks
import Testing

/// Reports of runs and of cases, in every format.
@Suite struct RunReportTests {
    private func report() async throws -> RunReport {
        let runbook = try ShippedRunbooks.load(
            """
            apiVersion: pgbastion.io/v1
            kind: Runbook
            metadata: { name: sample, title: Sample, risk: reversible }
            steps:
              - id: look
                assert: { that: { path: paused.active, equals: true }, message: "<&\\">, 100% : no\\nline two" }
            """)
        let world = SimulatedWorld(state: try BuiltinState.healthy.document())
        let order = RunOrder(runID: "run-1", main: runbook, library: [:], params: [:], user: "ops", host: "here")
        let result = try await TestRunner.run(order, in: world, resumes: false)
        return RunReport(runbook: runbook, result: result, params: [:], overrides: [])
    }

    @Test func `JUnit escapes what XML gives a meaning`() async throws {
        let text = try await report().text(.junit)
        #expect(text.contains("failures=\"1\""))
        #expect(text.contains("&lt;&amp;&quot;&gt;, 100% : no"))
    }

    @Test func `a workflow command stays on one line`() async throws {
        let text = try await report().text(.github)
        #expect(text.hasPrefix("::error title=sample::look: <&\">, 100%25 : no%0Aline two"))
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test func `JSON has the status, the exit status and every step`() async throws {
        let value = try JSONParser.parse(Array(try await report().text(.json).utf8))
        #expect(value["status"] == .string("failed") && value["exit"]?.integer == 1)
        #expect(value["steps"]?.elements?.first?["id"] == .string("look"))
    }

    @Test func `Markdown shows what failed`() async throws {
        #expect(try await report().text(.markdown).contains("Decided by `look`"))
    }
}

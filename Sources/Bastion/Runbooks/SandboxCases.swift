import ClusterModel
import Operations
import Runbooks

/// The cases of test files with `on: sandbox`.
package struct SandboxCases: Sendable {
    package var run: SandboxRun

    package init(run: SandboxRun) { self.run = run }

    package func report(_ one: TestCase, of file: TestFile) async -> CaseReport {
        var report = CaseReport(file, one, .failed)
        let clock = ContinuousClock()
        let began = clock.now
        do throws(BastionError) {
            guard let runbook = run.library[file.runbook.value] else {
                throw BastionError(.notFound, "there is no runbook \"\(file.runbook.value)\"")
            }
            var script = SandboxRun.Script()
            script.setup = one.setup
            script.answers = Dictionary(one.answers.map { ($0.step.value, $0.text) }) { first, _ in first }
            let outcome = try await run.run(runbook, given: one.params, RunbookRunner.Options(), script)
            report.result = outcome.finished.result
            report.problems =
                CaseJudge(
                    one: one, result: outcome.finished.result, final: outcome.finished.final, executions: outcome.finished.executions
                ).problems
            if let lost = outcome.lostCommits, lost > 0 { report.problems.append("\(lost) acknowledged commits are lost") }
        } catch {
            report.problems = [error.description]
        }
        report.outcome = report.problems.isEmpty ? .passed : .failed
        report.seconds = began.duration(to: clock.now).inSeconds
        return report
    }
}

import ClusterModel
import FoundationEssentials
import Operations
import Runbooks
import Testing

/// The scenario cases of `runbooks/tests`, on the simulator. `RUNBOOK=name` runs those of one runbook.
@Suite struct ShippedCases {
    static let only = ProcessInfo.processInfo.environment["RUNBOOK"]

    @Test func `every simulated case of the shipped runbooks ends as it says`() async throws {
        let runner = ShippedRunbooks.runner(try ShippedRunbooks.library())
        var reports: [CaseReport] = []
        for file in try ShippedRunbooks.tests() where ShippedCases.only == nil || file.runbook.value == ShippedCases.only {
            reports += await runner.run(file)
        }
        for report in reports where report.outcome == .failed { Issue.record("\(report.text)") }
        #expect(reports.contains { $0.outcome == .passed }, "\(CaseReports.summary(reports))")
    }

    @Test func `a crash at every line of the journal and a resume give every effect once and the same end`() async throws {
        let library = try ShippedRunbooks.library()
        let runner = ShippedRunbooks.runner(library)
        var crashes = 0
        for file in try ShippedRunbooks.tests() where ShippedCases.only == nil || file.runbook.value == ShippedCases.only {
            guard let one = file.cases.first(where: { $0.place == .simulator && $0.expected.status == .succeeded && $0.faults.isEmpty })
            else { continue }
            let plain = try runner.world(one)
            let order = try runner.order(one, file, state: plain.finalState)
            let undisturbed = try await TestRunner.run(order, in: plain, resumes: false)
            guard undisturbed.status == .succeeded else { continue }
            for line in 0..<plain.lines.count {
                let world = try runner.world(one)
                world.crashAtLine = line
                let result = try await TestRunner.run(order, in: world, resumes: true)
                let what = "\(file.runbook.value) crashed at line \(line) (\(plain.lines[line].prefix(160)))"
                #expect(result.status == .succeeded, "\(what): \(result.failure?.message ?? "")")
                let mutations = { (world: SimulatedWorld) in
                    world.executions.filter { $0.isMutating && $0.operation != "manual" }.map {
                        "\($0.step)/\($0.item ?? "") \($0.operation)"
                    }.sorted()
                }
                #expect(mutations(world) == mutations(plain), "\(what)")
                let differences = StateDifference.between(plain.finalState, world.finalState)
                    .filter { !$0.path.hasSuffix("_at") && !$0.path.hasSuffix("since") && !$0.path.hasSuffix("until") }
                #expect(differences.isEmpty, "\(what): \(differences.map(\.text))")
                crashes += 1
            }
        }
        #expect(crashes > 0)
    }
}

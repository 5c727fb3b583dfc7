import ClusterModel
import Operations

/// Compares what a run did with what its case expects; the same for simulator and sandbox.
package struct CaseJudge {
    package var one: TestCase
    package var result: RunResult
    package var final: JSONValue
    package var executions: [SimulatedWorld.Execution]

    package init(one: TestCase, result: RunResult, final: JSONValue, executions: [SimulatedWorld.Execution]) {
        self.one = one
        self.result = result
        self.final = final
        self.executions = executions
    }

    /// Empty: as expected.
    package var problems: [String] {
        let expected = one.expected
        var problems: [String] = []
        if let status = expected.status, status != result.status {
            problems.append("status is \(result.status.rawValue), expected \(status.rawValue)\(because)")
        }
        if let exit = expected.exit, exit != result.exitStatus {
            problems.append(
                "exit status is \(result.exitStatus), expected \(exit)\(expected.status == result.status || expected.status == nil ? because : "")"
            )
        }
        if let check = expected.failedCheck?.value {
            let failed = result.failedChecks.map(\.id) + result.postconditions.filter { !$0.isPass }.map(\.id)
            if failed != [check], !(failed.contains(check) && result.failedChecks.isEmpty) {
                problems.append("failed checks are [\(failed.joined(separator: ", "))], expected exactly \(check)")
            }
        }
        if let step = expected.failedStep?.value, !names(result.failure?.step, step) {
            problems.append("the deciding step is \(result.failure?.step ?? "none"), expected \(step)")
        }
        if let steps = expected.steps { problems += StepOrder.problem("steps", executed(.step), steps.map(\.value)) }
        if let undone = expected.undone { problems += StepOrder.problem("undone", result.undone, undone.map(\.value)) }
        if let ran = expected.alwaysRan { problems += StepOrder.problem("always", executed(.always), ran.map(\.value)) }
        problems += expected.executedOnce.compactMap { once($0.value) }
        problems += expected.final.compactMap { finally($0) }
        return problems
    }

    private var because: String { result.failure.map { ": \($0.step): \($0.message)" } ?? "" }

    private func names(_ path: String?, _ wanted: String) -> Bool {
        guard let path else { return false }
        return path == wanted || path.split(separator: "/").last.map(String.init) == wanted || path.hasPrefix(wanted + "/")
    }

    /// Every step that ran, with the calls that lead to it; calls and loops themselves are left out.
    private func executed(_ phase: StepReport.Phase) -> [String] {
        result.steps.filter { $0.phase == phase && $0.outcome != "skipped" && !["call", "for_each"].contains($0.kind) }.map(\.path)
    }

    /// Exactly once for each item.
    private func once(_ step: String) -> String? {
        let found = executions.filter { names($0.step, step) }
        if found.isEmpty {
            // Steps without an operation are counted by the journal.
            let ran = result.steps.filter { $0.phase == .step && names($0.path, step) && $0.isSuccess }
            return ran.count == 1 ? nil : "\(step) was carried out \(ran.count) times, expected once"
        }
        let byItem = Dictionary(grouping: found) { $0.step + ($0.item ?? "") }
        guard let most = byItem.values.map(\.count).max(), most > 1 else { return nil }
        return "\(step) was carried out \(most) times, expected once"
    }

    private func finally(_ condition: Condition) -> String? {
        let judged = EvaluationScope(state: final).judge(condition)
        return judged.status == .pass ? nil : "at the end: \(judged.message)"
    }
}

/// Compares steps that ran with steps that should have.
enum StepOrder {
    /// An expected id stands for a step, or for everything that ran within a call or loop of that name.
    static func problem(_ what: String, _ actual: [String], _ expected: [String]) -> [String] {
        var rest = actual[...]
        for name in expected {
            guard let first = rest.first else { return [difference(what, actual, expected)] }
            if first.hasPrefix(name + "/") {
                rest = rest.drop { $0.hasPrefix(name + "/") }
            } else if first == name || first.split(separator: "/").last.map(String.init) == name {
                rest = rest.dropFirst()
            } else {
                return [difference(what, actual, expected)]
            }
        }
        return rest.isEmpty ? [] : [difference(what, actual, expected)]
    }

    private static func difference(_ what: String, _ actual: [String], _ expected: [String]) -> String {
        "\(what) are [\(actual.joined(separator: ", "))], expected [\(expected.joined(separator: ", "))]"
    }
}

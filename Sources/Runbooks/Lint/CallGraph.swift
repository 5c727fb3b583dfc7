import ClusterModel

/// Calls between runbooks: no circles, at most three deep (RB028).
struct CallGraph {
    let environment: LintEnvironment
    let findings: FindingCollector
    /// Limit: calls inside calls.
    static let deepest = 3

    func check(_ runbook: Runbook) {
        for call in CallGraph.calls(runbook) {
            if call.runbook.value == runbook.name {
                findings.note(.callCycle, at: call.runbook.at, "the runbook calls itself")
                continue
            }
            guard let path = problem(call.runbook.value, path: [runbook.name], depth: 1) else { continue }
            let isCycle = path.dropLast().contains(path.last ?? "")
            let way = path.joined(separator: " -> ")
            findings.note(
                .callCycle, at: call.runbook.at,
                isCycle ? "runbooks call each other in a circle: \(way)" : "calls are more than \(CallGraph.deepest) deep: \(way)")
        }
    }

    /// The way to the call that closes a circle or is too deep.
    private func problem(_ name: String, path: [String], depth: Int) -> [String]? {
        let way = path + [name]
        if path.contains(name) || depth > CallGraph.deepest { return way }
        guard let called = environment.runbooks[name] else { return nil }
        for call in CallGraph.calls(called) {
            if let found = problem(call.runbook.value, path: way, depth: depth + 1) { return found }
        }
        return nil
    }

    static func calls(_ runbook: Runbook) -> [RunbookCall] {
        runbook.steps.flatMap(\.withInner).compactMap { step in
            if case .call(let call) = step.kind { call } else { nil }
        }
    }
}

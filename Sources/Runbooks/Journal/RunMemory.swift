import ClusterModel
import Operations

/// What a journal says of the run so far, in the form in which resuming needs it.
package struct RunMemory: Sendable, Hashable {
    package struct Step: Sendable, Hashable {
        package var outcome: String
        package var output: JSONValue
        package var message: String
        package var isEnded: Bool
        package var arguments: JSONValue
        package var effect: JSONValue
        package var startedAt: Int64
        package var endedAt: Int64
        package var attempts: Int
        package var kind: String
        package var operation: String?
    }
    /// By key without the run's id: `step/item`; `undo.` and `always.` steps with that word before.
    package var steps: [String: Step] = [:]
    /// Keys in the order in which they ended.
    package var order: [String] = []
    /// By step path: items of a `for_each`.
    package var items: [String: [JSONValue]] = [:]
    /// By prefix of the frame: frozen variables.
    package var vars: [String: JSONValue] = [:]
    package var params: [String: JSONValue] = [:]
    /// How the run was decided, when its `always` steps were under way.
    package var decision: JSONValue?
    package var overrides: [String] = []
    /// How often it was resumed.
    package var generation = 0
    package var startedAt: Int64 = 0
    package var runID = ""
    package var runbook = ""
    package var sha256 = ""
    package var user = ""
    package var called: JSONValue = .object([])
    /// Keys of the frames (the runbook itself: the empty one) whose preconditions held.
    package var passedFrames: Set<String> = []
    package var checksPassed: Bool { passedFrames.contains("") }
    private var hasEnded = false

    package init() {}

    /// A run that had ended is left again: how it was decided no longer counts, and `always` will run once more.
    private mutating func reopen() {
        decision = nil
        hasEnded = false
        for key in order where key.hasPrefix("always.") { steps[key] = nil }
        order.removeAll { $0.hasPrefix("always.") }
    }

    /// The memory with which a resumed run begins.
    package func resumed() -> RunMemory {
        var memory = self
        if hasEnded { memory.reopen() }
        return memory
    }

    package init(_ journal: Journal) {
        for line in journal.lines { take(line) }
    }

    private mutating func take(_ line: JournalLine) {
        switch line.kind {
        case .started:
            runID = line["run_id"]?.string ?? ""
            runbook = line["runbook"]?.string ?? ""
            sha256 = line["sha256"]?.string ?? ""
            user = line["user"]?.string ?? ""
            called = line["called"] ?? .object([])
            params = RunMemory.map(line["params"])
            overrides = line["overrides"]?.elements?.compactMap(\.string) ?? []
            startedAt = line["at"]?.integer ?? 0
        case .resumed:
            generation += 1
            if let accepted = line["sha256"]?.string { sha256 = accepted }
            if hasEnded { reopen() }
        case .vars: vars[line["frame"]?.string ?? ""] = line["vars"] ?? .object([])
        case .preconditions: if line["ok"] == .bool(true) { passedFrames.insert(line["frame"]?.string ?? "") }
        case .items: items[line["step"]?.string ?? ""] = line["items"]?.elements ?? []
        case .stepStarted: begin(line)
        case .stepEnded: end(line)
        case .decided: decision = line.fields
        case .ended: hasEnded = true
        }
    }

    private mutating func begin(_ line: JournalLine) {
        let key = line["key"]?.string ?? ""
        steps[key] = Step(
            outcome: "", output: .null, message: "", isEnded: false, arguments: line["args"] ?? .null, effect: .null,
            startedAt: line["at"]?.integer ?? 0, endedAt: 0, attempts: Int(line["attempt"]?.integer ?? 1),
            kind: line["step_kind"]?.string ?? "", operation: line["operation"]?.string)
    }

    private mutating func end(_ line: JournalLine) {
        let key = line["key"]?.string ?? ""
        var step =
            steps[key]
            ?? Step(
                outcome: "", output: .null, message: "", isEnded: true, arguments: .null, effect: .null,
                startedAt: line["at"]?.integer ?? 0,
                endedAt: 0, attempts: 0, kind: line["step_kind"]?.string ?? "", operation: nil)
        step.isEnded = true
        step.outcome = line["outcome"]?.string ?? ""
        step.output = line["output"] ?? .null
        step.message = line["message"]?.string ?? ""
        step.effect = line["effect"] ?? .null
        step.endedAt = line["at"]?.integer ?? 0
        steps[key] = step
        order.removeAll { $0 == key }
        order.append(key)
    }

    /// A line the engine has just written.
    mutating func note(_ line: JournalLine) { take(line) }

    static func map(_ value: JSONValue?) -> [String: JSONValue] {
        Dictionary((value?.members ?? []).map { ($0.name, $0.value) }) { first, _ in first }
    }
}

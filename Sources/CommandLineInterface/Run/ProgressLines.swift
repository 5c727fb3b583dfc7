import Operations

/// Tells the phases of an operation: one line per finished phase on standard error, or JSON lines with `-o jsonl`.
struct ProgressLines: Sendable {
    /// False with `-q`.
    var isShown: Bool
    var asJSON: Bool
    var terminal: Terminal

    /// `operation op-48231 · node1 -> node2`
    func announce(_ operation: RunningOperation) {
        guard isShown, !asJSON else { return }
        let nodes = [operation.from, operation.to].compactMap { $0 }.joined(separator: " -> ")
        terminal.note("operation \(operation.id)" + (nodes.isEmpty ? "" : " · \(nodes)"))
    }

    func show(_ phases: [RunningOperation.Phase]) {
        if !phases.isEmpty { clear() }
        for phase in phases {
            if asJSON {
                terminal.say(json(phase))
            } else if isShown {
                terminal.note(Self.line(phase))
            }
        }
    }

    private var spins: Bool { isShown && !asJSON && terminal.isErrorTerminal }
    private static let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
    private static let eraseLine = "\r\u{1B}[K"

    /// The phase that runs, on a line that is painted over; only where somebody sees it.
    func spin(_ operation: RunningOperation, turn: Int) {
        guard spins, let phase = operation.runningPhase else { return }
        let line = "\(Self.frames[turn % Self.frames.count]) " + Self.line(phase).dropFirst(2)
        let columns = terminal.size()?.columns ?? 80
        terminal.writeError(Self.eraseLine + line.prefix(max(1, columns - 1)))
    }

    func clear() {
        if spins { terminal.writeError(Self.eraseLine) }
    }

    /// `✓ checkpoint   node1                                 0.8s`
    private static func line(_ phase: RunningOperation.Phase) -> String {
        let elapsed = "\(DecimalText.oneDigit(phase.elapsedSeconds))s"
        return "✓ " + padded(phase.name, 12) + " " + padded(phase.detail, 37) + " " + elapsed
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func json(_ phase: RunningOperation.Phase) -> String {
        JSONLine.progress([
            .init(name: "phase", value: .string(phase.name)),
            .init(name: "detail", value: .string(phase.detail)),
            .init(name: "elapsed_seconds", value: .number(DecimalText.oneDigit(phase.elapsedSeconds))),
        ]).text
    }
}

/// A running or just finished operation as `op list` gives it.
struct RunningOperation: Sendable, Equatable {
    struct Phase: Sendable, Equatable {
        var name: String
        var detail: String
        var elapsedSeconds: Double
    }
    var id: String
    var from: String?
    var to: String?
    /// Oldest first; the running one is not among them.
    var finishedPhases: [Phase]
    var runningPhase: Phase?

    /// The operation that the request started; nil when none is known.
    static func find(startedBy requestID: String, in data: JSONValue) -> RunningOperation? {
        let rows = data["operations"]?.elements ?? []
        return rows.first { $0["request_id"]?.string == requestID }.flatMap(RunningOperation.init)
    }

    private init?(_ row: JSONValue) {
        guard let id = row["id"]?.string else { return nil }
        self.id = id
        from = row["from"]?.string
        to = row["to"]?.string
        let running = row["result"]?.string == "running" || row["state"]?.string == "running"
        let phases = (row["phases"]?.elements ?? []).compactMap(Self.phase)
        finishedPhases = phases.filter { !running || $0.name != row["phase"]?.string }
        guard running, let name = row["phase"]?.string else { return }
        runningPhase = phases.first { $0.name == name } ?? Phase(name: name, detail: "", elapsedSeconds: 0)
    }

    private static func phase(_ value: JSONValue) -> Phase? {
        guard let name = value["name"]?.string else { return nil }
        let elapsed: Double = if case .number(let text) = value["elapsed_seconds"] { Double(text) ?? 0 } else { 0 }
        return Phase(name: name, detail: value["detail"]?.string ?? "", elapsedSeconds: elapsed)
    }
}

/// Which phases were told already.
struct ToldPhases: Sendable {
    private(set) var operationID: String?
    private var count = 0

    var isEmpty: Bool { operationID == nil }

    mutating func newPhases(in operation: RunningOperation?) -> [RunningOperation.Phase] {
        guard let operation else { return [] }
        operationID = operation.id
        let new = Array(operation.finishedPhases.dropFirst(count))
        count += new.count
        return new
    }
}

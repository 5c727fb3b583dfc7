import ClusterModel
import Runbooks
import Synchronization

/// What a run needs of the person at the terminal, or of the options given in the person's place.
package struct RunConsole: Sendable {
    package var say: @Sendable (String) -> Void
    package var note: @Sendable (String) -> Void
    /// One line that was typed; nil at the end of input.
    package var readLine: @Sendable (_ prompt: String) -> String?
    package var isInteractive: Bool
    /// `--yes`
    package var assumesYes: Bool
    /// `--confirm`, each for one typed question.
    package var confirms: [String]
    /// Nothing is asked: a sandbox, where nothing can be lost.
    package var answersItself = false
    package var signals: SignalBox

    package init(
        say: @escaping @Sendable (String) -> Void, note: @escaping @Sendable (String) -> Void,
        readLine: @escaping @Sendable (String) -> String?, isInteractive: Bool, assumesYes: Bool, confirms: [String], signals: SignalBox
    ) {
        self.say = say
        self.note = note
        self.readLine = readLine
        self.isInteractive = isInteractive
        self.assumesYes = assumesYes
        self.confirms = confirms
        self.signals = signals
    }

    func canAnswer(_ question: RunQuestion) -> Bool {
        if isInteractive || answersItself { return true }
        switch question {
        case .risk(_, nil), .confirm(_, _, nil): return assumesYes
        case .risk(_, let name?), .override(_, let name), .confirm(_, _, let name?):
            // What is filled in later is compared when it is known.
            return confirms.contains(name) || (name.contains("?") && !confirms.isEmpty)
        case .next: return false
        case .acknowledge: return true
        }
    }

    func answer(_ question: RunQuestion) -> RunReply {
        switch question {
        case .risk(let risk, nil):
            return assumesYes || answersItself ? .yes : yesOrNo("This runbook is \(risk). Go on?")
        case .risk(let risk, let name?): return typed(name, "This runbook is \(risk). Type the name of the cluster to go on: ")
        case .override(let checks, let name):
            return typed(name, "Overrides \(checks.joined(separator: ", ")). Type the name of the cluster to go on: ")
        case .confirm(_, let message, nil): return assumesYes || answersItself ? .yes : yesOrNo(message)
        case .confirm(_, let message, let text?): return typed(text, "\(message)\nType \(text) to go on: ")
        case .next(let step, let title):
            return answersItself ? .yes : yesOrNo("Next: \(step): \(title). Go on?")
        case .acknowledge(let step, let item):
            if answersItself { return .yes }
            guard isInteractive else { return .later }
            let line = readLine("Is \(step)\(item.map { " of \($0)" } ?? "") done? [y/N, or later] ") ?? "later"
            return ["y", "yes", "done"].contains(line.lowercased()) ? .yes : line.lowercased() == "later" ? .later : .no
        }
    }

    private func yesOrNo(_ message: String) -> RunReply {
        guard isInteractive else { return .no }
        return ["y", "yes"].contains((readLine("\(message) [y/N] ") ?? "").lowercased()) ? .yes : .no
    }

    private func typed(_ wanted: String, _ prompt: String) -> RunReply {
        if answersItself || confirms.contains(wanted) { return .text(wanted) }
        guard isInteractive else { return .no }
        return .text(readLine(prompt) ?? "")
    }
}

/// Signals to stop, in the order in which they came.
package final class SignalBox: Sendable {
    private let received = Mutex<[RunSignal]>([])
    package init() {}
    package var all: [RunSignal] { received.withLock { $0 } }
    package func add(_ signal: RunSignal) { received.withLock { $0.append(signal) } }
}

import ClusterModel
import Operations

/// The one way a person confirms what interrupts or destroys (`cli.md` section 8).
struct Confirmation: Sendable {
    /// What the person is shown, and what has to be typed to destroy something.
    struct Rehearsal: Sendable {
        /// Before, after, what is lost.
        var summary: String
        var name: String?
        /// What `name` names.
        var subject = "cluster"
    }

    /// `switchover`, for messages.
    var words: String
    var risk: OperationDefinition.Risk
    /// The context is protected: what interrupts is asked about like what destroys.
    var isProtected = false
    /// `--yes`
    var isConfirmed: Bool
    /// `--confirm NAME`
    var confirmedName: String?
    var mayPrompt: Bool
    var terminal: Terminal

    /// Asks when there is something to ask.
    ///
    /// - Parameter rehearse: What would be done; nil when it would be refused, and nothing is asked then.
    /// - Returns: False when the rehearsal gave nil.
    /// - Throws: `usage` when a question is needed and cannot be asked, `not_confirmed` for "n" or a wrong name.
    func ask(_ rehearse: () async throws(BastionError) -> Rehearsal?) async throws(BastionError) -> Bool {
        switch risk {
        case .reads, .reversible: true
        case .disruptive where !isProtected: try await askYesOrNo(rehearse)
        case .disruptive, .destructive: try await askForName(rehearse)
        }
    }

    private func askYesOrNo(_ rehearse: () async throws(BastionError) -> Rehearsal?) async throws(BastionError) -> Bool {
        if isConfirmed { return true }
        guard mayPrompt else { throw cannotPrompt(remedy: "--yes") }
        guard let plan = try await rehearse() else { return false }
        terminal.note(plan.summary)
        terminal.writeError("Go on? [y/N] ")
        let answer = (terminal.readLine() ?? "").lowercased()
        guard answer == "y" || answer == "yes" else { throw notConfirmed("the question was not answered with y") }
        return true
    }

    private func askForName(_ rehearse: () async throws(BastionError) -> Rehearsal?) async throws(BastionError) -> Bool {
        guard confirmedName != nil || mayPrompt else { throw cannotPrompt(remedy: "--confirm NAME") }
        guard let plan = try await rehearse() else { return false }
        guard let name = plan.name, !name.isEmpty else {
            throw BastionError(.unavailable, "could not learn the name of the \(plan.subject) to confirm")
        }
        if let given = confirmedName {
            guard given == name else {
                throw notConfirmed("--confirm says \"\(given)\", the \(plan.subject) is \"\(name)\"")
            }
            return true
        }
        terminal.note(plan.summary)
        terminal.writeError("Type the name of the \(plan.subject) to go on: ")
        guard terminal.readLine() == name else { throw notConfirmed("the name typed is not that of the \(plan.subject)") }
        return true
    }

    private func cannotPrompt(remedy: String) -> BastionError {
        let reason = terminal.isInputTerminal ? "prompts are switched off" : "stdin is not a terminal"
        return BastionError(.usage, "refusing to prompt: \(reason); pass \(remedy)")
    }

    private func notConfirmed(_ reason: String) -> BastionError {
        BastionError(.notConfirmed, "\(words) was not confirmed: \(reason)", detail: "Nothing was sent.")
    }
}

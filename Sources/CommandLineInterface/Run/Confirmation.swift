import ClusterModel
import Operations

/// The one way a person confirms what interrupts or destroys (`cli.md` section 8).
struct Confirmation: Sendable {
    enum Verdict: Sendable {
        case granted
        /// The check before the question was refused: this is the answer, nothing else is sent.
        case answered(ResultEnvelope)
    }

    var operation: AnyOperation
    var settings: OperationSettings
    var terminal: Terminal

    /// - Throws: `usage` when a question is needed and cannot be asked, `not_confirmed` for "n" or a wrong name.
    func ask(through invoker: any OperationInvoker) async throws(BastionError) -> Verdict {
        guard !settings.call.dryRun else { return .granted }
        switch settings.risk {
        case .reads, .reversible: return .granted
        case .disruptive: return try await askYesOrNo(through: invoker)
        case .destructive: return try await askForName(through: invoker)
        }
    }

    private func askYesOrNo(through invoker: any OperationInvoker) async throws(BastionError) -> Verdict {
        if settings.isConfirmed { return .granted }
        guard settings.mayPrompt else { throw cannotPrompt(remedy: "--yes") }
        let plan = try await rehearse(through: invoker)
        guard plan.error == nil else { return .answered(plan) }
        try summarize(plan)
        terminal.writeError("Go on? [y/N] ")
        let answer = (terminal.readLine() ?? "").lowercased()
        guard answer == "y" || answer == "yes" else { throw notConfirmed("the question was not answered with y") }
        return .granted
    }

    private func askForName(through invoker: any OperationInvoker) async throws(BastionError) -> Verdict {
        guard settings.confirmedName != nil || settings.mayPrompt else { throw cannotPrompt(remedy: "--confirm NAME") }
        let plan = try await rehearse(through: invoker)
        guard plan.error == nil else { return .answered(plan) }
        guard let name = plan.clusterName, !name.isEmpty else {
            throw BastionError(.unavailable, "could not learn the name of the cluster to confirm")
        }
        if let given = settings.confirmedName {
            guard given == name else { throw notConfirmed("--confirm says \"\(given)\", the cluster is \"\(name)\"") }
            return .granted
        }
        try summarize(plan)
        terminal.writeError("Type the name of the cluster to go on: ")
        guard terminal.readLine() == name else { throw notConfirmed("the name typed is not that of the cluster") }
        return .granted
    }

    /// The plan, as `--dry-run` prints it: before, after, what is lost.
    private func rehearse(through invoker: any OperationInvoker) async throws(BastionError) -> ResultEnvelope {
        var call = settings.call
        call.dryRun = true
        call.idempotencyKey = nil
        return try ResultEnvelope(parsing: try await invoker.invoke(call))
    }

    private func summarize(_ plan: ResultEnvelope) throws(BastionError) {
        terminal.note(try operation.render(data: plan.data.bytes).text)
    }

    private func cannotPrompt(remedy: String) -> BastionError {
        let reason = terminal.isInputTerminal ? "prompts are switched off" : "stdin is not a terminal"
        return BastionError(.usage, "refusing to prompt: \(reason); pass \(remedy)")
    }

    private func notConfirmed(_ reason: String) -> BastionError {
        let words = operation.definition.words.joined(separator: " ")
        return BastionError(.notConfirmed, "\(words) was not confirmed: \(reason)", detail: "Nothing was sent.")
    }
}

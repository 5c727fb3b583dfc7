import ClusterModel
import Operations

/// One run of a local command: the command, then its result in the format asked for.
struct LocalRun: Sendable {
    var command: any LocalCommand
    var arguments: ParsedArguments
    var surroundings: ClientSurroundings
    var tree: CommandTree
    var terminal: Terminal

    private var environment: [String: String] { surroundings.environment }

    private var output: OutputSettings {
        OutputSettings(arguments, environment: environment, terminal: terminal)
    }

    func run() async -> Int32 {
        let outcome: LocalOutcome
        var failure: BastionError?
        do throws(BastionError) {
            outcome = try await perform()
            guard outcome.text != nil else { return outcome.exitStatus }
        } catch {
            failure = error
            outcome = LocalOutcome(text: "")
        }
        if let failure, failure.code == .usage {
            terminal.note("Error: \(failure.message)")
            return failure.code.exitStatus
        }
        return show(outcome, failure)
    }

    /// The command, after the question that its risk asks for; with `--dry-run` its plan.
    private func perform() async throws(BastionError) -> LocalOutcome {
        let command = informed
        guard let asking = command as? any ConfirmedLocalCommand, let risk = command.definition.risk(given: arguments),
            risk != .reads
        else { return try await command.run(arguments, terminal: terminal) }
        if arguments.flag("dry_run") {
            let plan = try await asking.rehearse(arguments, terminal: terminal)
            return LocalOutcome(text: plan.summary, data: plan.data, exitStatus: plan.exitStatus)
        }
        let confirmation = Confirmation(
            words: command.definition.words.joined(separator: " "), risk: risk, isConfirmed: arguments.flag("yes"),
            confirmedName: arguments.text("confirm"),
            mayPrompt: OperationSettings.mayPrompt(arguments, environment, terminal), terminal: terminal)
        var idle: LocalPlan?
        let goesOn = try await confirmation.ask { () async throws(BastionError) in
            let plan = try await asking.rehearse(arguments, terminal: terminal)
            guard plan.hasWork || arguments.text("confirm") != nil else {
                idle = plan
                return nil
            }
            return Confirmation.Rehearsal(summary: plan.summary, name: plan.name, subject: plan.subject)
        }
        if !goesOn, let idle { return LocalOutcome(text: idle.summary, data: idle.data, exitStatus: idle.exitStatus) }
        return try await asking.run(arguments, terminal: terminal)
    }

    private var informed: any LocalCommand {
        var informed = command
        if var reader = informed as? any TreeCommand {
            reader.tree = tree
            informed = reader
        }
        if var asking = informed as? any ConnectedLocalCommand {
            asking.surroundings = surroundings
            informed = asking
        }
        return informed
    }

    private func show(_ outcome: LocalOutcome, _ failure: BastionError?) -> Int32 {
        let output = output
        let printer = ResultPrinter(output: output, terminal: terminal)
        if let failure, output.format.isText {
            terminal.note(
                ErrorText.lines(
                    failure, exitStatus: failure.code.exitStatus, requestID: nil, usesColor: output.usesErrorColor))
            return failure.code.exitStatus
        }
        do throws(BastionError) {
            let id = terminal.randomID()
            guard let requestID = RequestID(id) else { throw BastionError(.internal, "\"\(id)\" is no request id") }
            let envelope = try ResultEnvelope(
                kind: command.resultKind(arguments), requestID: requestID, capturedAt: terminal.timestamp(),
                data: failure == nil ? outcome.data : nil, warnings: outcome.warnings, error: failure)
            return printer.show(envelope, as: .local(outcome))
        } catch {
            terminal.note(ErrorText.lines(error, exitStatus: error.code.exitStatus, requestID: nil))
            return error.code.exitStatus
        }
    }
}

import ClusterModel
import Operations

/// One run of a local command: the command, then its result in the format asked for.
struct LocalRun: Sendable {
    var command: any LocalCommand
    var arguments: ParsedArguments
    var tree: CommandTree
    var terminal: Terminal

    func run() async -> Int32 {
        let outcome: LocalOutcome
        var failure: BastionError?
        do throws(BastionError) {
            outcome = try await informed.run(arguments, terminal: terminal)
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

    private var informed: any LocalCommand {
        guard var reader = command as? any TreeCommand else { return command }
        reader.tree = tree
        return reader
    }

    private func show(_ outcome: LocalOutcome, _ failure: BastionError?) -> Int32 {
        let format = OutputFormat(rawValue: arguments.text("output") ?? "") ?? .table
        let printer = ResultPrinter(format: format, isQuiet: arguments.flag("quiet"), terminal: terminal)
        if let failure, format == .table || format == .wide || format == .name {
            terminal.note(ErrorText.lines(failure, exitStatus: failure.code.exitStatus, requestID: nil))
            return failure.code.exitStatus
        }
        do throws(BastionError) {
            let id = terminal.randomID()
            guard let requestID = RequestID(id) else { throw BastionError(.internal, "\"\(id)\" is no request id") }
            let envelope = try ResultEnvelope(
                kind: kind, requestID: requestID, capturedAt: terminal.timestamp(),
                data: failure == nil ? outcome.data : nil, error: failure)
            return printer.show(envelope, as: .local(outcome))
        } catch {
            terminal.note(ErrorText.lines(error, exitStatus: error.code.exitStatus, requestID: nil))
            return error.code.exitStatus
        }
    }

    /// `ConfigValidateResult`
    private var kind: String {
        OperationDefinition(name: command.definition.words.joined(separator: "."), summary: "").resultKind
    }
}

import ClusterModel
import Operations

/// One run of an operation's command: options to a call, confirmation, the call, the result.
struct OperationRun: Sendable {
    var operation: AnyOperation
    var arguments: ParsedArguments
    var environment: [String: String]
    var terminal: Terminal
    var connector: ClientConnector
    var clientPart: ClientPart?

    private var definition: OperationDefinition { operation.definition }

    func run() async -> Int32 {
        var settings: OperationSettings
        switch OperationSettings.read(definition, arguments, environment: environment, terminal: terminal) {
        case .settings(let read): settings = read
        case .wrong(let text):
            terminal.note(text)
            return ErrorCode.usage.exitStatus
        }
        do throws(BastionError) {
            if isAboutThisBinary { return try showVersion(settings) }
            if let status = try await answered(settings, after: nil) { return status }
            if let clientPart {
                settings.call.input = try await clientPart.prepare(try JSONParser.parse(settings.call.input), configurationPath).bytes
            }
            return try await ask(&settings)
        } catch {
            return settings.fail(error, operation: operation, terminal: terminal)
        }
    }

    private func ask(_ settings: inout OperationSettings) async throws(BastionError) -> Int32 {
        let status: Int32
        do throws(BastionError) {
            let context = try connector.context(arguments)
            settings.adopt(context, arguments)
            status = try await run(settings, through: try connector.makeInvoker(options(settings, context)))
        } catch {
            if let status = try await answered(settings, after: error) { return status }
            throw error
        }
        guard let clientPart else { return status }
        return clientPart.exitStatus(try JSONParser.parse(settings.call.input), status)
    }

    /// Prints what this machine can tell without a daemon; nil when that is nothing.
    private func answered(_ settings: OperationSettings, after error: BastionError?) async throws(BastionError) -> Int32? {
        guard let clientPart else { return nil }
        let input = try JSONParser.parse(settings.call.input)
        guard let data = try await clientPart.answer(input, configurationPath, error) else { return nil }
        let envelope = try ResultEnvelope(
            kind: definition.resultKind, requestID: settings.call.requestID, capturedAt: terminal.timestamp(),
            data: try JSONParser.parse(data))
        return settings.printer(terminal).show(envelope, as: .operation(operation))
    }

    private var configurationPath: String { arguments.text("config") ?? ConnectionOptions.defaultConfigurationPath }

    private func options(_ settings: OperationSettings, _ context: ClusterContext?) -> ConnectionOptions {
        var options = ConnectionOptions(arguments, environment: environment, context: context)
        let (terminal, usesColor) = (terminal, settings.output.usesErrorColor)
        if !settings.output.isQuiet {
            options.warn = { terminal.note(ErrorText.warning($0, usesColor: usesColor)) }
        }
        if settings.output.isVerbose { options.trace = { terminal.note("pgbastion: note: \($0)") } }
        return options
    }

    /// `version` needs neither configuration nor daemon (C01).
    private var isAboutThisBinary: Bool {
        definition.name == VersionOperation.definition.name && !arguments.flag("cluster")
    }

    private func showVersion(_ settings: OperationSettings) throws(BastionError) -> Int32 {
        let data = try JSONParser.parse(try JSONText.encode(VersionOutput.local))
        let envelope = try ResultEnvelope(
            kind: definition.resultKind, requestID: settings.call.requestID, capturedAt: terminal.timestamp(),
            data: data)
        return settings.printer(terminal).show(envelope, as: .operation(operation))
    }

    private func run(
        _ settings: OperationSettings, through invoker: any OperationInvoker
    ) async throws(BastionError) -> Int32 {
        let printer = settings.printer(terminal)
        if settings.isWatching {
            return try await WatchLoop(
                operation: operation, call: settings.call, interval: settings.interval, printer: printer,
                terminal: terminal
            ).run(through: invoker)
        }
        if definition.parameters.contains(where: { $0.name == "follow" }), arguments.flag("follow") {
            return try await FollowLoop(
                operation: operation, call: settings.call, printer: printer, terminal: terminal
            ).run(through: invoker)
        }
        if let refusal = try await confirm(settings, through: invoker) {
            return printer.show(refusal, as: .operation(operation))
        }
        let progress = ProgressLines(
            isShown: !settings.output.isQuiet, asJSON: settings.output.format == .jsonl, terminal: terminal)
        let follower = OperationCaller(
            call: settings.call, followsProgress: settings.isChange && settings.waits, progress: progress,
            terminal: terminal)
        return printer.show(try await follower.call(through: invoker), as: .operation(operation))
    }

    /// What the change would be refused with, so that nobody is asked; nil when it is granted.
    private func confirm(
        _ settings: OperationSettings, through invoker: any OperationInvoker
    ) async throws(BastionError) -> ResultEnvelope? {
        guard !settings.call.dryRun else { return nil }
        var refusal: ResultEnvelope?
        _ = try await settings.confirmation(definition, terminal).ask { () async throws(BastionError) in
            let plan = try await rehearse(settings.call, through: invoker)
            guard plan.error == nil else {
                refusal = plan
                return nil
            }
            return Confirmation.Rehearsal(
                summary: try operation.render(data: plan.data.bytes).text, name: plan.clusterName)
        }
        return refusal
    }

    /// The plan, as `--dry-run` prints it: before, after, what is lost.
    private func rehearse(
        _ call: OperationCall, through invoker: any OperationInvoker
    ) async throws(BastionError) -> ResultEnvelope {
        var call = call
        call.dryRun = true
        call.idempotencyKey = nil
        return try ResultEnvelope(parsing: try await invoker.invoke(call))
    }
}

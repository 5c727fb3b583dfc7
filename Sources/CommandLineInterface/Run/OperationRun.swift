import ClusterModel
import Operations

/// One run of an operation's command: options to a call, confirmation, the call, the result.
struct OperationRun: Sendable {
    var operation: AnyOperation
    var arguments: ParsedArguments
    var environment: [String: String]
    var terminal: Terminal
    var makeInvoker: @Sendable (ConnectionOptions) throws(BastionError) -> any OperationInvoker

    private var definition: OperationDefinition { operation.definition }

    func run() async -> Int32 {
        let settings: OperationSettings
        switch OperationSettings.read(definition, arguments, environment: environment, terminal: terminal) {
        case .settings(let read): settings = read
        case .wrong(let text):
            terminal.note(text)
            return ErrorCode.usage.exitStatus
        }
        do throws(BastionError) {
            if isAboutThisBinary { return try showVersion(settings) }
            let options = ConnectionOptions(arguments, environment: environment)
            return try await run(settings, through: try makeInvoker(options))
        } catch {
            return settings.fail(error, operation: operation, terminal: terminal)
        }
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
        let confirmation = Confirmation(operation: operation, settings: settings, terminal: terminal)
        switch try await confirmation.ask(through: invoker) {
        case .granted: break
        case .answered(let envelope): return printer.show(envelope, as: .operation(operation))
        }
        let progress = ProgressLines(
            isShown: !settings.isQuiet, asJSON: settings.format == .jsonl, terminal: terminal)
        let follower = OperationCaller(
            call: settings.call, followsProgress: settings.isChange && settings.waits, progress: progress,
            terminal: terminal)
        return printer.show(try await follower.call(through: invoker), as: .operation(operation))
    }
}

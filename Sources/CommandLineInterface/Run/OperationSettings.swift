import ClusterModel
import Operations

/// What the arguments and the environment say about one run, checked.
struct OperationSettings: Sendable {
    enum Reading: Sendable {
        case settings(OperationSettings)
        /// A usage error: its text.
        case wrong(String)
    }

    var call: OperationCall
    var output: OutputSettings
    var fields: [FieldPath]
    var filters: [RowFilter]
    /// That of the operation, raised by the arguments given.
    var risk: OperationDefinition.Risk
    var isChange: Bool
    var waits: Bool
    var isWatching: Bool
    var interval: Duration
    /// `--yes`
    var isConfirmed: Bool
    /// `--confirm NAME`
    var confirmedName: String?
    var mayPrompt: Bool
    /// The context asks for the name of the cluster also before what only interrupts.
    var isProtected = false

    static func read(
        _ definition: OperationDefinition, _ arguments: ParsedArguments, environment: [String: String],
        terminal: Terminal
    ) -> Reading {
        if arguments.flag("wait"), arguments.flag("no_wait") {
            return .wrong("Error: --wait and --no-wait exclude each other.")
        }
        var fields: [FieldPath] = []
        for text in (arguments.text("fields") ?? "").split(separator: ",") {
            guard let path = FieldPath(String(text)) else { return .wrong("Error: '\(text)' is no path for --fields.") }
            fields.append(path)
        }
        var filters: [RowFilter] = []
        for text in arguments.list("filter") {
            guard let filter = RowFilter(text) else {
                return .wrong("Error: '\(text)' is not PATH=VALUE for --filter.")
            }
            filters.append(filter)
        }
        guard let id = RequestID(arguments.text("request_id") ?? terminal.randomID()) else {
            return .wrong("Error: --request-id must be 1 to 128 letters, digits, dots, hyphens and underscores.")
        }
        if let wrong = wrongOverride(definition, arguments) { return .wrong(wrong) }
        let call = makeCall(definition, arguments, requestID: id, terminal: terminal)
        return .settings(
            OperationSettings(
                call: call, output: OutputSettings(arguments, environment: environment, terminal: terminal),
                fields: fields, filters: filters, risk: risk(definition, arguments),
                isChange: definition.risk != .reads, waits: !arguments.flag("no_wait"),
                isWatching: definition.name == "status" && arguments.flag("watch"),
                interval: arguments.duration("interval") ?? .seconds(2), isConfirmed: arguments.flag("yes"),
                confirmedName: arguments.text("confirm"),
                mayPrompt: mayPrompt(arguments, environment, terminal)))
    }

    static func mayPrompt(
        _ arguments: ParsedArguments, _ environment: [String: String], _ terminal: Terminal
    ) -> Bool {
        terminal.isInputTerminal && !arguments.flag("no_input") && (environment["CI"] ?? "").isEmpty
    }

    /// The context's output stands behind option and environment.
    mutating func adopt(_ context: ClusterContext?, _ arguments: ParsedArguments) {
        guard let context else { return }
        isProtected = context.isProtected
        if !arguments.isGiven("output"), let format = context.output.flatMap(OutputFormat.init(rawValue:)) {
            output.format = format
        }
    }

    func confirmation(_ definition: OperationDefinition, _ terminal: Terminal) -> Confirmation {
        Confirmation(
            words: definition.words.joined(separator: " "), risk: risk, isProtected: isProtected,
            isConfirmed: isConfirmed, confirmedName: confirmedName, mayPrompt: mayPrompt, terminal: terminal)
    }

    private static func wrongOverride(_ definition: OperationDefinition, _ arguments: ParsedArguments) -> String? {
        let known = definition.overridableChecks
        guard let stranger = arguments.list("override").first(where: { !known.contains($0) }) else { return nil }
        return "Error: '\(stranger)' is no check of 'pgbastion \(definition.words.joined(separator: " "))' that can be "
            + "overridden; \(NameSuggestion.hint(for: stranger, among: known))."
    }

    /// Prints an error that no daemon reported, as envelope or as text; its exit status.
    func fail(_ error: BastionError, operation: AnyOperation, terminal: Terminal) -> Int32 {
        // A missing confirmation is a usage error: text also with `-o json` (section 6.1).
        guard error.code != .usage else {
            terminal.note("Error: \(error.message)")
            return error.code.exitStatus
        }
        do throws(BastionError) {
            let envelope = try ResultEnvelope(
                kind: operation.definition.resultKind, requestID: call.requestID, capturedAt: terminal.timestamp(),
                data: nil, error: error)
            return printer(terminal).show(envelope, as: .operation(operation))
        } catch {
            terminal.note(ErrorText.lines(error, exitStatus: error.code.exitStatus, requestID: nil))
            return error.code.exitStatus
        }
    }

    func printer(_ terminal: Terminal) -> ResultPrinter {
        ResultPrinter(output: output, fields: fields, filters: filters, terminal: terminal)
    }

    private static func risk(
        _ definition: OperationDefinition, _ arguments: ParsedArguments
    ) -> OperationDefinition.Risk {
        let order: [OperationDefinition.Risk] = [.reads, .reversible, .disruptive, .destructive]
        let given = definition.parameters.filter { arguments.isGiven($0.name) }.compactMap(\.raisesRiskTo)
        let overrides: [OperationDefinition.Risk] = arguments.isGiven("override") ? [.destructive] : []
        return ([definition.risk] + given + overrides).max {
            (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0)
        } ?? definition.risk
    }

    private static let waitingReads = ["wait", "op.wait"]
    /// The daemon itself says that the wait was too long; the connection has to last until then.
    private static let grace: Duration = .seconds(2)

    private static func makeCall(
        _ definition: OperationDefinition, _ arguments: ParsedArguments, requestID: RequestID, terminal: Terminal
    ) -> OperationCall {
        let isChange = definition.risk != .reads
        let isOwn = definition.parameters.contains { $0.name == "timeout" }
        let timeout = (isOwn ? nil : arguments.duration("timeout")) ?? defaultTimeout(definition)
        let waits = (isChange && !arguments.flag("no_wait")) || waitingReads.contains(definition.name)
        return OperationCall(
            operation: definition.name, input: arguments.input(of: definition.parameters).bytes, requestID: requestID,
            idempotencyKey: isChange ? RequestID(terminal.randomID()) : nil,
            forward: !arguments.flag("no_forward"), dryRun: arguments.flag("dry_run"),
            waitLimit: waits ? timeout : nil, timeout: waits ? timeout + grace : timeout,
            reason: definition.parameters.contains { $0.name == "reason" } ? nil : arguments.text("reason"),
            overrides: arguments.list("override"))
    }

    /// Reads 10 s, `wait` 60 s, changes 5 min, `node reinit` 12 h (`cli.md` section 2).
    private static func defaultTimeout(_ definition: OperationDefinition) -> Duration {
        switch definition.name {
        case "wait", "op.wait": .seconds(60)
        case "node.reinit": .seconds(12 * 3600)
        default: definition.risk == .reads ? .seconds(10) : .seconds(300)
        }
    }
}

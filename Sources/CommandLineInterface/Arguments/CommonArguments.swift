import Operations

/// The options of `cli.md` section 2: which commands take them, and how they are called everywhere.
enum CommonArguments {
    static let outputFormats = OutputFormat.allCases.map(\.rawValue)

    static let config = ArgumentSpecification(
        name: "config", short: "c", kind: .file, help: "configuration file", section: .common,
        defaultText: ConnectionOptions.defaultConfigurationPath, valueName: "FILE",
        environmentVariable: "PGBASTION_CONFIG")
    static let output = ArgumentSpecification(
        name: "output", short: "o", kind: .choice, help: "output format", section: .common, defaultText: "table",
        choices: outputFormats, valueName: "FORMAT", environmentVariable: "PGBASTION_OUTPUT")
    static let quiet = ArgumentSpecification(
        name: "quiet", short: "q", kind: .flag, help: "no progress and no notes", section: .common)

    /// On every command.
    private static let everywhere: [ArgumentSpecification] = [
        config, output, quiet,
        ArgumentSpecification(
            name: "verbose", short: "v", kind: .flag, help: "more detail on standard error", section: .common),
        ArgumentSpecification(
            name: "json_log", kind: .flag, help: "standard error as JSON lines", section: .common),
        ArgumentSpecification(
            name: "color", kind: .choice, help: "colours for states", section: .common, defaultText: "auto",
            choices: ["auto", "always", "never"], valueName: "WHEN"),
        ArgumentSpecification(name: "no_color", kind: .flag, help: "as --color never", section: .common),
        ArgumentSpecification(
            name: "no_input", kind: .flag, help: "never prompt", section: .common,
            environmentVariable: "PGBASTION_NO_INPUT"),
    ]

    private static let connection: [ArgumentSpecification] = [
        ArgumentSpecification(
            name: "addr", kind: .textList,
            help: "API address, tried in the order given: unix:///PATH, http://HOST:PORT, https://HOST:PORT",
            section: .common, valueName: "URL", environmentVariable: "PGBASTION_ADDR"),
        ArgumentSpecification(
            name: "context", kind: .text, help: "a cluster named with `pgbastion context add`", section: .common,
            valueName: "NAME", environmentVariable: "PGBASTION_CONTEXT"),
        ArgumentSpecification(
            name: "token_file", kind: .file, help: "file with the API token", section: .common, valueName: "FILE",
            environmentVariable: "PGBASTION_TOKEN_FILE"),
        ArgumentSpecification(
            name: "ca", kind: .file, help: "certificate authority of the API", section: .common, valueName: "FILE",
            environmentVariable: "PGBASTION_CACERT"),
        ArgumentSpecification(
            name: "cert", kind: .file, help: "client certificate", section: .common, valueName: "FILE",
            environmentVariable: "PGBASTION_CERT"),
        ArgumentSpecification(
            name: "key", kind: .file, help: "key of the client certificate", section: .common, valueName: "FILE",
            environmentVariable: "PGBASTION_KEY"),
        ArgumentSpecification(
            name: "insecure", kind: .flag, help: "do not verify the certificate of the API", section: .common),
        ArgumentSpecification(
            name: "no_forward", kind: .flag, help: "answer from the contacted node, do not forward to the leader",
            section: .common),
    ]
    private static let everyOperation: [ArgumentSpecification] = [
        ArgumentSpecification(
            name: "timeout", kind: .duration, help: "deadline of the command", section: .common,
            valueName: "DURATION", environmentVariable: "PGBASTION_TIMEOUT"),
        ArgumentSpecification(
            name: "request_id", kind: .text, help: "sent as X-Request-ID", section: .common, defaultText: "random",
            valueName: "ID"),
    ]
    private static let reads: [ArgumentSpecification] = [
        ArgumentSpecification(
            name: "fields", kind: .text, help: "only these paths of the data, separated by commas", section: .common,
            valueName: "A,B"),
        ArgumentSpecification(
            name: "filter", kind: .textList, help: "only rows that match; may be repeated", section: .common,
            valueName: "PATH=VALUE"),
    ]
    private static let changes: [ArgumentSpecification] = [
        ArgumentSpecification(
            name: "dry_run", kind: .flag, help: "check and print the plan, change nothing", section: .common),
        ArgumentSpecification(
            name: "wait", kind: .flag, help: "wait for the outcome (the default)", section: .common),
        ArgumentSpecification(
            name: "no_wait", kind: .flag, help: "return when the operation was accepted", section: .common),
        ArgumentSpecification(
            name: "reason", kind: .text, help: "why; kept in the audit log", section: .common, valueName: "TEXT"),
        ArgumentSpecification(
            name: "override", kind: .textList, help: "let this check not refuse; asks as for a destructive command",
            section: .common, valueName: "CHECK"),
    ]
    private static let dryRun = changes[0]
    private static let yes = ArgumentSpecification(
        name: "yes", short: "y", kind: .flag, help: "skip the question", section: .common)
    private static let confirm = ArgumentSpecification(
        name: "confirm", kind: .text, help: "the name to type, given without a terminal", section: .common,
        valueName: "NAME")
    private static let watching: [ArgumentSpecification] = [
        ArgumentSpecification(name: "watch", kind: .flag, help: "repaint until interrupted", section: .common),
        ArgumentSpecification(
            name: "interval", kind: .duration, help: "time between two repaints", section: .common, defaultText: "2s",
            valueName: "DURATION"),
    ]

    /// A parameter of the operation takes precedence over a common option of the same name.
    static func arguments(of operation: OperationDefinition) -> [ArgumentSpecification] {
        var all = everywhere + connection + everyOperation
        if operation.risk == .reads { all += reads } else { all += changes }
        all += confirmation(operation.risk, operation.parameters, isOverridable: !operation.overridableChecks.isEmpty)
        if operation.name == "status" { all += watching }
        return without(operation.parameters, all)
    }

    static func arguments(of command: LocalCommandDefinition) -> [ArgumentSpecification] {
        var all = everywhere
        if let place = all.firstIndex(where: { $0.name == "output" }) { all[place].choices += command.extraFormats }
        if command.isConnected { all += connection }
        if command.risk == .reads { all += reads }
        if let risk = command.risk, command.isEverConfirmed {
            all += [dryRun] + confirmation(risk, command.parameters, isOverridable: false)
        }
        return without(command.parameters, all)
    }

    /// `--yes` answers a question, `--confirm` types a name; a protected context asks for the name in every case.
    private static func confirmation(
        _ risk: OperationDefinition.Risk, _ parameters: [ParameterDefinition], isOverridable: Bool
    ) -> [ArgumentSpecification] {
        let risks = [risk] + parameters.compactMap(\.raisesRiskTo)
        let asksYesOrNo = risks.contains(.disruptive)
        return (asksYesOrNo ? [yes] : [])
            + (asksYesOrNo || isOverridable || risks.contains(.destructive) ? [confirm] : [])
    }

    private static func without(
        _ parameters: [ParameterDefinition], _ all: [ArgumentSpecification]
    ) -> [ArgumentSpecification] {
        let taken = Set(parameters.map(\.name))
        return all.filter { !taken.contains($0.name) }
    }
}

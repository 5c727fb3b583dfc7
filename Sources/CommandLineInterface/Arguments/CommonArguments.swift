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

    private static let connection: [ArgumentSpecification] = [
        ArgumentSpecification(
            name: "addr", kind: .textList,
            help: "API address, tried in the order given: unix:///PATH, http://HOST:PORT, https://HOST:PORT",
            section: .common, valueName: "URL", environmentVariable: "PGBASTION_ADDR"),
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
            name: "no_input", kind: .flag, help: "never prompt", section: .common,
            environmentVariable: "PGBASTION_NO_INPUT"),
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
    ]
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
        var all = [config] + connection + [output, quiet] + everyOperation
        let risks = [operation.risk] + operation.parameters.compactMap(\.raisesRiskTo)
        if operation.risk == .reads { all += reads } else { all += changes }
        if risks.contains(.disruptive) { all.append(yes) }
        if risks.contains(.destructive) { all.append(confirm) }
        if operation.name == "status" { all += watching }
        let taken = Set(operation.parameters.map(\.name))
        return all.filter { !taken.contains($0.name) }
    }
}

import Operations

/// The local commands of the program. The executable gives each its action; help, completions and tests read them here.
extension LocalCommandDefinition {
    package static let shipped: [LocalCommandDefinition] =
        [
            .serve, .configInit, .configValidate, .configShow, .configSchema, .sandboxStart, .sandboxList, .sandboxStop, .sandboxKill,
            .sandboxFreeze,
            .sandboxDemo, .sandboxMeasure, .guardProcess,
        ] + backupCommands + runbookFileCommands + runbookRunCommands + contextCommands + alertCommands + recoveryCommands + [supportBundle]

    package static let serve = LocalCommandDefinition(
        words: ["serve"], summary: "run the daemon in the foreground",
        discussion:
            "Tells systemd when it is ready. Ends with 78 when the configuration is invalid, with 3 when another\n"
            + "daemon holds the data directory.",
        examples: ["pgbastion serve", "pgbastion serve --config /etc/pgbastion/pgbastion.yaml"], aliases: ["start"])

    package static let sandboxStart = LocalCommandDefinition(
        words: ["sandbox", "start"], summary: "start a real cluster on this machine for trying things",
        discussion: "A daemon and a PostgreSQL per node on loopback, in a temporary directory. Ctrl-C stops it.",
        parameters: [
            ParameterDefinition(name: "nodes", kind: .integer, help: "number of nodes", defaultText: "3"),
            sandboxDirectory,
            ParameterDefinition(name: "detach", kind: .flag, help: "return when the cluster runs"),
        ],
        examples: ["pgbastion sandbox start", "pgbastion sandbox start --nodes 5 --detach"],
        aliases: ["sandbox"])

    package static let sandboxList = LocalCommandDefinition(
        words: ["sandbox", "list"], summary: "list the sandboxes on this machine", examples: ["pgbastion sandbox list"])

    package static let sandboxStop = LocalCommandDefinition(
        words: ["sandbox", "stop"], summary: "stop a sandbox and remove its directory",
        parameters: [sandboxDirectory], examples: ["pgbastion sandbox stop"])

    package static let sandboxKill = LocalCommandDefinition(
        words: ["sandbox", "kill"], summary: "kill a process of a sandbox node, or the whole node",
        discussion: "With SIGKILL. The daemon's place is taken again by `sandbox start`.",
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "node", isRequired: true, position: 0),
            ParameterDefinition(
                name: "process", kind: .choice, help: "what to kill", defaultText: "node",
                choices: ["node", "daemon", "guard", "postmaster"]),
            sandboxDirectory,
        ],
        examples: ["pgbastion sandbox kill node1", "pgbastion sandbox kill node1 --process postmaster"])

    package static let sandboxFreeze = LocalCommandDefinition(
        words: ["sandbox", "freeze"], summary: "freeze a process of a sandbox node, or thaw it",
        parameters: [
            ParameterDefinition(name: "node", kind: .nodeName, help: "node", isRequired: true, position: 0),
            ParameterDefinition(
                name: "process", kind: .choice, help: "what to freeze", defaultText: "daemon",
                choices: ["daemon", "guard", "postmaster"]),
            ParameterDefinition(name: "thaw", kind: .flag, help: "let it go on"),
            sandboxDirectory,
        ],
        examples: ["pgbastion sandbox freeze node1", "pgbastion sandbox freeze node1 --thaw"])

    package static let sandboxDemo = LocalCommandDefinition(
        words: ["sandbox", "demo"], summary: "show a failover and a switchover on a real cluster",
        discussion: "Starts three nodes, writes through the proxy, kills the primary's node, switches over, and stops.",
        examples: ["pgbastion sandbox demo"])

    package static let sandboxMeasure = LocalCommandDefinition(
        words: ["sandbox", "measure"], summary: "measure how long clients cannot write, per event",
        discussion: "Medians over several rounds on a real cluster of three nodes; ends with 1 when one is over its limit.",
        parameters: [ParameterDefinition(name: "rounds", kind: .integer, help: "rounds", defaultText: "5")],
        examples: ["pgbastion sandbox measure --rounds 5"])

    /// Supervises PostgreSQL; started by the daemon only.
    package static let guardProcess = LocalCommandDefinition(
        words: ["guard"], summary: "supervise PostgreSQL", isHidden: true, takesRawArguments: true)

    private static let sandboxDirectory = ParameterDefinition(
        name: "dir", kind: .text, help: "directory of the sandbox")
}

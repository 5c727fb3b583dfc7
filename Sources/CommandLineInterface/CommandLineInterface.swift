import ClusterModel
import Operations

/// The client: finds the command that the words name, runs it, and says with which status the process ends.
package enum CommandLineInterface {
    /// - Parameters:
    ///   - arguments: Without the name of the program.
    ///   - localCommands: What works on this machine; they take the place of operations with the same words.
    ///   - connector: Finds contexts and connects.
    ///   - clientParts: What the client does for single operations beside asking a daemon.
    /// - Returns: An exit status of `cli.md` section 7.
    package static func run(
        arguments: [String], environment: [String: String], terminal: Terminal,
        operations: [AnyOperation] = Catalogue.operations, localCommands: [any LocalCommand] = [],
        connector: ClientConnector, clientParts: [ClientPart] = []
    ) async -> Int32 {
        let tree = makeTree(operations: operations, localCommands: localCommands)
        switch tree.resolve(arguments) {
        case .overview:
            terminal.say(HelpText.overview(tree))
            return 0
        case .version:
            terminal.say(BuildInformation.line)
            return 0
        case .group(let word):
            terminal.say(HelpText.group(word, in: tree))
            return 0
        case .wrong(let text):
            terminal.note(text)
            return ErrorCode.usage.exitStatus
        case .command(let entry, let rest):
            return await run(
                entry, rest, in: tree, environment: environment, terminal: terminal, connector: connector,
                clientParts: clientParts)
        }
    }

    /// The commands there are, with those this target brings itself, in an order that does not depend on the caller.
    static func makeTree(operations: [AnyOperation], localCommands: [any LocalCommand]) -> CommandTree {
        let given = Set(localCommands.map(\.definition.words))
        let own: [any LocalCommand] = [CompletionsCommand(), DocsCommand(), HelpCommand(), CompleteCommand()]
        let all = localCommands + own.filter { !given.contains($0.definition.words) }
        let order = LocalCommandDefinition.shipped.map(\.words) + own.map(\.definition.words)
        func place(_ command: any LocalCommand) -> Int { order.firstIndex(of: command.definition.words) ?? order.count }
        return CommandTree(operations: operations, localCommands: all.sorted { place($0) < place($1) })
    }

    private static func run(
        _ entry: CommandEntry, _ rest: [String], in tree: CommandTree, environment: [String: String],
        terminal: Terminal, connector: ClientConnector, clientParts: [ClientPart]
    ) async -> Int32 {
        var terminal = terminal
        var arguments = ParsedArguments()
        if entry.takesRawArguments {
            arguments.set("arguments", rest)
        } else {
            switch entry.shape.parse(rest) {
            case .helpRequested:
                terminal.say(HelpText.command(entry, columns: terminal.isOutputTerminal ? nil : HelpText.columns))
                return 0
            case .wrong(let text):
                terminal.note(text)
                return ErrorCode.usage.exitStatus
            case .parsed(let parsed): arguments = parsed
            }
            if let complaint = arguments.fill(entry.shape.arguments, from: environment) {
                terminal.note("Error: \(complaint)")
                return ErrorCode.usage.exitStatus
            }
        }
        if arguments.flag("json_log") { terminal = JSONLog.terminal(terminal) }
        switch entry.action {
        case .operation(let operation):
            return await OperationRun(
                operation: operation, arguments: arguments, environment: environment, terminal: terminal,
                connector: connector, clientPart: clientParts.first { $0.operation == operation.definition.name }
            ).run()
        case .local(let command):
            return await LocalRun(
                command: command, arguments: arguments,
                surroundings: ClientSurroundings(connector: connector, environment: environment), tree: tree,
                terminal: terminal
            ).run()
        }
    }
}

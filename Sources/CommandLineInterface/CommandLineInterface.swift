import ClusterModel
import Operations

/// The client: finds the command that the words name, runs it, and says with which status the process ends.
package enum CommandLineInterface {
    /// - Parameters:
    ///   - arguments: Without the name of the program.
    ///   - localCommands: What works on this machine; they take the place of operations with the same words.
    ///   - makeInvoker: Reads the configuration file where it has to, and connects lazily.
    /// - Returns: An exit status of `cli.md` section 7.
    package static func run(
        arguments: [String], environment: [String: String], terminal: Terminal,
        operations: [AnyOperation] = Catalogue.operations, localCommands: [any LocalCommand] = [],
        makeInvoker: @escaping @Sendable (ConnectionOptions) throws(BastionError) -> any OperationInvoker
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
                entry, rest, in: tree, environment: environment, terminal: terminal, makeInvoker: makeInvoker)
        }
    }

    /// The commands there are, with those this target brings itself: `help` and `completions`.
    static func makeTree(operations: [AnyOperation], localCommands: [any LocalCommand]) -> CommandTree {
        let given = Set(localCommands.map(\.definition.words))
        let own: [any LocalCommand] = [CompletionsCommand(), HelpCommand()]
        return CommandTree(
            operations: operations, localCommands: localCommands + own.filter { !given.contains($0.definition.words) })
    }

    private static func run(
        _ entry: CommandEntry, _ rest: [String], in tree: CommandTree, environment: [String: String],
        terminal: Terminal,
        makeInvoker: @escaping @Sendable (ConnectionOptions) throws(BastionError) -> any OperationInvoker
    ) async -> Int32 {
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
        switch entry.action {
        case .operation(let operation):
            return await OperationRun(
                operation: operation, arguments: arguments, environment: environment, terminal: terminal,
                makeInvoker: makeInvoker
            ).run()
        case .local(let command):
            return await LocalRun(command: command, arguments: arguments, tree: tree, terminal: terminal).run()
        }
    }
}

import ClusterModel
import Operations

@testable import CommandLineInterface

/// What one run of the command line left behind.
struct Run: Sendable {
    var status: Int32
    var output: String
    var errors: String

    init(
        _ line: String, invoker: FakeInvoker = .sampleCluster(), on screen: FakeTerminal = FakeTerminal(),
        environment: [String: String] = [:], localCommands: [any LocalCommand] = SampleLocalCommand.all
    ) async {
        await self.init(
            arguments: line.split(separator: " ").map(String.init), invoker: invoker, on: screen,
            environment: environment, localCommands: localCommands)
    }

    init(
        arguments: [String], invoker: FakeInvoker = .sampleCluster(), on screen: FakeTerminal = FakeTerminal(),
        environment: [String: String] = [:], localCommands: [any LocalCommand] = SampleLocalCommand.all
    ) async {
        status = await CommandLineInterface.run(
            arguments: arguments, environment: environment, terminal: screen.terminal, localCommands: localCommands,
            connector: ClientConnector(
                findContext: { (name: String?) throws(BastionError) -> ClusterContext? in
                    try SampleContexts.find(name)
                },
                makeInvoker: { (_: ConnectionOptions) throws(BastionError) -> any OperationInvoker in invoker }))
        output = screen.output
        errors = screen.errors
    }
}

/// A local command that says what it was given.
struct SampleLocalCommand: LocalCommand {
    var definition: LocalCommandDefinition

    static let all: [any LocalCommand] = LocalCommandDefinition.shipped.map { SampleLocalCommand(definition: $0) }
    /// Also in the place of commands that write files.
    static let harmless: [any LocalCommand] = all + [SampleLocalCommand(definition: DocsCommand().definition)]

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        if arguments.text("file") == "bad.yaml" {
            throw BastionError(
                .invalidConfiguration, "bad.yaml:3:1: unknown key \"rafft\"", hint: "did you mean \"raft\"?")
        }
        let text = ([definition.words.joined(separator: " ")] + arguments.list("arguments")).joined(separator: "|")
        return LocalOutcome(text: text, data: .object([.init(name: "said", value: .string(text))]))
    }
}

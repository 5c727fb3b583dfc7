import Bastion
import ClusterModel
import CommandLineInterface
import Operations

/// The commands on backups: each is one operation, carried out here.
enum BackupCommandList {
    static let all: [any LocalCommand] = LocalCommandDefinition.backupCommands.map { definition -> any LocalCommand in
        if definition.risk == .reads { return BackupReadCommand(definition: definition) }
        return BackupChangeCommand(definition: definition)
    }

    fileprivate static func answer(
        _ definition: LocalCommandDefinition, _ arguments: ParsedArguments, _ surroundings: ClientSurroundings?, _ terminal: Terminal,
        dryRun: Bool
    ) async throws(BastionError) -> LocalAnswer {
        let isQuiet = arguments.flag("quiet")
        let commands = BackupCommands(
            configurationPath: configurationPath(arguments),
            connect: { () throws(BastionError) in
                guard let surroundings else { throw BastionError(.internal, "no way to a daemon was given") }
                return try surroundings.invoker(arguments)
            }, note: { if !isQuiet { terminal.note($0) } })
        return try await commands.run(
            definition.words.joined(separator: "."), input: arguments.input(of: definition.parameters), dryRun: dryRun)
    }
}

/// `backup list`, `show`, `verify`, `drill`, `diff`
struct BackupReadCommand: ConnectedLocalCommand {
    let definition: LocalCommandDefinition
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        LocalOutcome(try await BackupCommandList.answer(definition, arguments, surroundings, terminal, dryRun: false))
    }
}

/// `backup create`, `prune`, `keep`, `unkeep`
struct BackupChangeCommand: ConnectedLocalCommand, ConfirmedLocalCommand {
    let definition: LocalCommandDefinition
    var surroundings: ClientSurroundings?

    func rehearse(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalPlan {
        let answer = try await BackupCommandList.answer(definition, arguments, surroundings, terminal, dryRun: true)
        return LocalPlan(summary: answer.text, data: answer.data, name: "backup")
    }

    /// Cron: with `-q` a success says nothing.
    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let answer = try await BackupCommandList.answer(definition, arguments, surroundings, terminal, dryRun: false)
        let isText = !["json", "jsonl", "yaml", "name"].contains(arguments.text("output") ?? "table")
        return arguments.flag("quiet") && isText ? .finished(answer.exitStatus) : LocalOutcome(answer)
    }
}

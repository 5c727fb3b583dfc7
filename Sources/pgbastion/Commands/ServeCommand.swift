import Bastion
import ClusterModel
import CommandLineInterface
import FoundationEssentials
import Operations

/// `pgbastion serve`
struct ServeCommand: LocalCommand {
    let definition = LocalCommandDefinition.serve

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        .finished(try await DaemonEntry.serve(configurationPath: configurationPath(arguments)))
    }
}

/// `--config`, else `PGBASTION_CONFIG`, else the default.
func configurationPath(_ arguments: ParsedArguments) -> String {
    ConfigurationEntry.path(option: arguments.text("config"), environment: ProcessInfo.processInfo.environment)
}

/// `pgbastion config validate`
struct ConfigValidateCommand: LocalCommand {
    let definition = LocalCommandDefinition.configValidate

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let path = arguments.text("file") ?? configurationPath(arguments)
        let warnings = try ConfigurationEntry.validate(path)
        let lines = warnings + ["\(path): valid"]
        return LocalOutcome(
            text: lines.joined(separator: "\n"),
            data: .object([.init(name: "errors", value: .array([])), .init(name: "warnings", value: .array(warnings.map { .string($0) }))]))
    }
}

/// `pgbastion config show`
struct ConfigShowCommand: LocalCommand {
    let definition = LocalCommandDefinition.configShow

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let text = try ConfigurationEntry.show(configurationPath(arguments))
        return LocalOutcome(text: text, data: .object([.init(name: "config", value: .string(text))]))
    }
}

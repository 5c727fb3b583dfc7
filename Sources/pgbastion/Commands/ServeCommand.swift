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

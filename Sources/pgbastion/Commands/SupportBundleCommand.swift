import Bastion
import ClusterModel
import CommandLineInterface
import Operations

/// `pgbastion support-bundle`
struct SupportBundleCommand: ConnectedLocalCommand {
    let definition = LocalCommandDefinition.supportBundle
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        var options = SupportBundle.Options()
        options.out = arguments.text("out")
        options.redacts = !arguments.flag("no_redact")
        options.token = surroundings?.environment["PGBASTION_TOKEN"]
        options.tokenFile = arguments.text("token_file")
        let bundle = SupportBundle(configurationPath: configurationPath(arguments), options: options) {
            [surroundings] () throws(BastionError) in
            guard let surroundings else { throw BastionError(.internal, "no way to a daemon was given") }
            return try surroundings.invoker(arguments)
        }
        return LocalOutcome(try await bundle.make())
    }
}

import Bastion
import ClusterModel
import CommandLineInterface
import FoundationEssentials
import Glibc

/// Chooses daemon, guard or client, and maps the result to an exit status.
@main
enum Main {
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "guard" { GuardCommand.run(Array(arguments.dropFirst())) }
        let status = await CommandLineInterface.run(
            arguments: arguments, environment: ProcessInfo.processInfo.environment, terminal: .standard(),
            localCommands: [
                ServeCommand(), ConfigValidateCommand(), ConfigShowCommand(), SandboxStartCommand(), SandboxListCommand(),
                SandboxStopCommand(), SandboxDemoCommand(), SandboxMeasureCommand(), SandboxKillCommand(), SandboxFreezeCommand(),
            ],
            makeInvoker: { options throws(BastionError) in try Connection.invoker(options) })
        exit(status)
    }
}

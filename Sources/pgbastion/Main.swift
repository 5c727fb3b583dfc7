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
        DaemonEntry.keepCapabilitiesPrivate()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "guard" { GuardCommand.run(Array(arguments.dropFirst())) }
        let environment = ProcessInfo.processInfo.environment
        let status = await CommandLineInterface.run(
            arguments: arguments, environment: environment, terminal: .standard(),
            localCommands: BackupCommandList.all + RunbookFileCommands.all(RunbookFiles.sources) + RunbookCommandList.all + [
                ServeCommand(), ConfigInitCommand(), ConfigValidateCommand(), ConfigShowCommand(), ConfigSchemaCommand(),
                SandboxStartCommand(), SandboxListCommand(),
                SandboxStopCommand(), SandboxDemoCommand(), SandboxMeasureCommand(), SandboxKillCommand(), SandboxFreezeCommand(),
                ContextListCommand(), ContextUseCommand(), ContextAddCommand(), ContextRemoveCommand(),
                AlertsExportCommand(), AlertsTestCommand(), RestoreCommand(), RaftRecoverCommand(), NodeResetCommand(),
                SupportBundleCommand(),
                DocsCommand(
                    openAPI: { DocumentSources.openAPI },
                    configurationKeys: {
                        DocumentSources.configurationKeys.map { ConfigurationKeyText(name: $0.name, meaning: $0.meaning) }
                    }),
            ],
            connector: Connection.connector(environment), clientParts: [.doctor, .upgradeCheck])
        exit(status)
    }
}

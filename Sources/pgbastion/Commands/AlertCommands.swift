import Bastion
import ClusterModel
import CommandLineInterface
import Operations

/// `pgbastion alerts export`
struct AlertsExportCommand: LocalCommand {
    let definition = LocalCommandDefinition.alertsExport

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let paths = try MonitoringEntry.export(to: arguments.text("dir") ?? ".")
        return LocalOutcome(
            text: paths.map { "wrote \($0)" }.joined(separator: "\n"),
            data: .object([.init(name: "files", value: .array(paths.map { .string($0) }))]), names: paths)
    }
}

/// `pgbastion alerts test`
struct AlertsTestCommand: LocalCommand {
    let definition = LocalCommandDefinition.alertsTest

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let outcome = try await MonitoringEntry.test()
        let cases = outcome.cases.map { entry in
            JSONValue.object([
                .init(name: "alert", value: .string(entry.alert)), .init(name: "examples", value: .number("\(entry.examples)")),
            ])
        }
        let examples = outcome.cases.reduce(0) { $0 + $1.examples }
        let text = outcome.passed ? "\(outcome.cases.count) alerts, \(examples) examples: all as they should be" : outcome.text
        return LocalOutcome(
            text: text,
            data: .object([.init(name: "cases", value: .array(cases)), .init(name: "passed", value: .bool(outcome.passed))]),
            names: outcome.cases.map(\.alert), exitStatus: outcome.passed ? 0 : ErrorCode.failed.exitStatus)
    }
}

import Bastion
import ClusterModel
import CommandLineInterface
import FoundationEssentials
import Operations

/// `pgbastion config init`
struct ConfigInitCommand: LocalCommand {
    let definition = LocalCommandDefinition.configInit

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let file = arguments.text("out") ?? configurationPath(arguments)
        var task = ConfigurationInit(
            node: arguments.text("node") ?? "", address: arguments.text("address") ?? "", file: file, log: { terminal.note($0) })
        task.bootstraps = arguments.flag("bootstrap")
        task.join = arguments.text("join")
        task.replaces = arguments.flag("force")
        task.settings = arguments.list("set")
        let result = try await task.run()
        let lines = ["wrote \(result.path)"] + (result.tokenFile.isEmpty ? [] : ["the token is in \(result.tokenFile)"])
        return LocalOutcome(
            text: (lines + result.next.map { "next: \($0)" }).joined(separator: "\n"),
            data: .object([
                .init(name: "next", value: .array(result.next.map { .string($0) })), .init(name: "path", value: .string(result.path)),
                .init(name: "token_file", value: result.tokenFile.isEmpty ? .null : .string(result.tokenFile)),
            ]), names: [result.path])
    }
}

/// `pgbastion config validate`
struct ConfigValidateCommand: LocalCommand {
    let definition = LocalCommandDefinition.configValidate

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let path = arguments.text("file") ?? configurationPath(arguments)
        let findings = ConfigurationEntry.validate(path)
        let verdict = findings.errors.isEmpty ? "\(path): valid" : "\(path): \(findings.errors.count) errors"
        return LocalOutcome(
            text: (findings.errors + findings.warnings + [verdict]).joined(separator: "\n"),
            data: .object([
                .init(name: "errors", value: .array(findings.errors.map { .string($0) })),
                .init(name: "warnings", value: .array(findings.warnings.map { .string($0) })),
            ]), names: [path], exitStatus: findings.errors.isEmpty ? 0 : ErrorCode.invalidConfiguration.exitStatus)
    }
}

/// `pgbastion config show`
struct ConfigShowCommand: LocalCommand {
    let definition = LocalCommandDefinition.configShow

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let path = configurationPath(arguments)
        let lines = try ConfigurationEntry.show(path, effective: arguments.flag("effective"))
        let width = lines.map { $0.key.count + $0.value.count + 2 }.filter { $0 <= 60 }.max() ?? 0
        let text = lines.map { line in
            let setting = "\(line.key): \(line.value)"
            guard arguments.flag("origins") else { return setting }
            return setting + String(repeating: " ", count: max(0, width - setting.count)) + "  # \(line.origin)"
        }
        var data: [JSONValue.Member] = [
            .init(name: "config", value: .object(lines.map { .init(name: $0.key, value: .string($0.value)) }.sorted { $0.name < $1.name }))
        ]
        if arguments.flag("origins") {
            data.append(
                .init(
                    name: "origins",
                    value: .object(lines.map { .init(name: $0.key, value: .string($0.origin)) }.sorted { $0.name < $1.name })))
        }
        return LocalOutcome(text: text.joined(separator: "\n"), data: .object(data), names: lines.map(\.key))
    }
}

/// `pgbastion config schema`
struct ConfigSchemaCommand: LocalCommand {
    let definition = LocalCommandDefinition.configSchema

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let text = ConfigurationEntry.schema
        return LocalOutcome(
            text: String(text.dropLast()), data: .object([.init(name: "schema", value: try JSONParser.parse(Array(text.utf8)))]))
    }
}

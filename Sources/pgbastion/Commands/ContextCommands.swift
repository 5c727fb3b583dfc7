import Bastion
import ClusterModel
import CommandLineInterface
import FoundationEssentials
import Operations

private var contextsPath: String? { ContextFile.path(ProcessInfo.processInfo.environment) }

/// `pgbastion context list`
struct ContextListCommand: LocalCommand {
    let definition = LocalCommandDefinition.contextList

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let file = try ContextFile.load(contextsPath)
        var table = TextTable("NAME", "CURRENT", "PROTECTED", "ENDPOINTS")
        for entry in file.entries {
            table.add(
                entry.name, entry.name == file.current ? "yes" : "-", entry.isProtected ? "yes" : "-",
                entry.endpoints.joined(separator: " "))
        }
        return LocalOutcome(
            text: file.entries.isEmpty ? "no contexts" : table.text,
            data: .object([.init(name: "contexts", value: .array(file.entries.map { json($0, file.current) }))]),
            names: file.entries.map(\.name))
    }

    private func json(_ entry: ContextFile.Entry, _ current: String?) -> JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        return .object([
            .init(name: "name", value: .string(entry.name)),
            .init(name: "current", value: .bool(entry.name == current)),
            .init(name: "endpoints", value: .array(entry.endpoints.map { .string($0) })),
            .init(name: "ca", value: text(entry.authorityFile)),
            .init(name: "token_file", value: text(entry.tokenFile)),
            .init(name: "output", value: text(entry.output)),
            .init(name: "protected", value: .bool(entry.isProtected)),
        ])
    }
}

/// `pgbastion context use [NAME]`
struct ContextUseCommand: LocalCommand {
    let definition = LocalCommandDefinition.contextUse

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        var file = try ContextFile.load(contextsPath)
        guard let name = arguments.text("name") else {
            file.current = nil
            try file.save(contextsPath)
            return LocalOutcome(text: "commands go to the daemon of this machine", data: outcome(nil))
        }
        file.current = try file.require(name).name
        try file.save(contextsPath)
        return LocalOutcome(text: "commands go to \"\(name)\"", data: outcome(name), names: [name])
    }

    private func outcome(_ name: String?) -> JSONValue {
        .object([.init(name: "current", value: name.map { .string($0) } ?? .null)])
    }
}

/// `pgbastion context add NAME --addr URL ...`
struct ContextAddCommand: LocalCommand {
    let definition = LocalCommandDefinition.contextAdd

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let name = arguments.text("name") ?? ""
        guard ContextFile.isName(name) else {
            throw BastionError(.usage, "\"\(name)\" is no name for a context: letters, digits, '.', '_' and '-'")
        }
        let endpoints = arguments.list("addr").flatMap { $0.split(separator: ",").map(String.init) }
        for endpoint in endpoints { try ClientConnection.check(address: endpoint) }
        let entry = ContextFile.Entry(
            name: name, endpoints: endpoints, authorityFile: arguments.text("ca"), tokenFile: arguments.text("token_file"),
            output: arguments.text("default_output"), isProtected: arguments.flag("protected"))
        var file = try ContextFile.load(contextsPath)
        if let known = file.entry(name), known != entry {
            throw BastionError(
                .preconditionFailed, "context \"\(name)\" is there with other values",
                hint: "remove it first with `pgbastion context remove \(name)`")
        }
        let wasThere = file.entry(name) != nil
        if !wasThere { file.entries.append(entry) }
        try file.save(contextsPath)
        return LocalOutcome(
            text: wasThere ? "context \"\(name)\" is there already" : "context \"\(name)\" is added",
            data: .object([.init(name: "name", value: .string(name))]), names: [name])
    }
}

/// `pgbastion context remove NAME`
struct ContextRemoveCommand: LocalCommand {
    let definition = LocalCommandDefinition.contextRemove

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let name = arguments.text("name") ?? ""
        var file = try ContextFile.load(contextsPath)
        _ = try file.require(name)
        file.entries.removeAll { $0.name == name }
        if file.current == name { file.current = nil }
        try file.save(contextsPath)
        return LocalOutcome(
            text: "context \"\(name)\" is removed", data: .object([.init(name: "name", value: .string(name))]),
            names: [name])
    }
}

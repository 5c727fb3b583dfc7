import Bastion
import ClusterModel
import CommandLineInterface
import Operations

private func sandboxDirectory(_ arguments: ParsedArguments) -> String {
    arguments.text("dir") ?? SandboxEntry.defaultDirectory
}

/// `pgbastion sandbox start`
struct SandboxStartCommand: LocalCommand {
    let definition = LocalCommandDefinition.sandboxStart

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let sandbox = try SandboxEntry.make(
            directory: sandboxDirectory(arguments), nodes: Int(arguments.text("nodes") ?? "3") ?? 3,
            log: { terminal.note($0) })
        try await sandbox.start()
        terminal.say(sandbox.guide)
        guard !arguments.flag("detach") else { return .finished(0) }
        terminal.note("Ctrl-C stops the sandbox; its directory stays, and `sandbox start` resumes it.")
        await terminal.interruption()
        await sandbox.stop()
        return .finished(0)
    }
}

/// `pgbastion sandbox list`
struct SandboxListCommand: LocalCommand {
    let definition = LocalCommandDefinition.sandboxList

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let found = SandboxEntry.list()
        let lines = found.map { "\($0.directory)  \($0.running) of \($0.nodes) daemons run" }
        return LocalOutcome(
            text: lines.isEmpty ? "no sandbox" : lines.joined(separator: "\n"),
            data: .object([.init(name: "sandboxes", value: .array(found.map { .string($0.directory) }))]), names: found.map(\.directory))
    }
}

/// `pgbastion sandbox stop`
struct SandboxStopCommand: LocalCommand {
    let definition = LocalCommandDefinition.sandboxStop

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let sandbox = try SandboxEntry.open(sandboxDirectory(arguments), log: { terminal.note($0) })
        await sandbox.stop()
        sandbox.remove()
        return LocalOutcome(text: "the sandbox in \(sandbox.layout.directory) is stopped and removed")
    }
}

/// `pgbastion sandbox kill NODE [--process P]`
struct SandboxKillCommand: LocalCommand {
    let definition = LocalCommandDefinition.sandboxKill

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let sandbox = try SandboxEntry.open(sandboxDirectory(arguments), log: { terminal.note($0) })
        let node = try sandbox.node(arguments.text("node") ?? "")
        let what = arguments.text("process") ?? "node"
        try SandboxEntry.kill(sandbox, node, what)
        return LocalOutcome(text: "killed the \(what) of \(node.name)")
    }
}

/// `pgbastion sandbox freeze NODE [--process P] [--thaw]`
struct SandboxFreezeCommand: LocalCommand {
    let definition = LocalCommandDefinition.sandboxFreeze

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let sandbox = try SandboxEntry.open(sandboxDirectory(arguments), log: { terminal.note($0) })
        let node = try sandbox.node(arguments.text("node") ?? "")
        let what = arguments.text("process") ?? "daemon"
        try SandboxEntry.freeze(sandbox, node, what, thaw: arguments.flag("thaw"))
        return LocalOutcome(text: "\(arguments.flag("thaw") ? "thawed" : "froze") the \(what) of \(node.name)")
    }
}

/// `pgbastion sandbox demo`
struct SandboxDemoCommand: LocalCommand {
    let definition = LocalCommandDefinition.sandboxDemo

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        .finished(try await SandboxEntry.demo(log: { terminal.say($0) }))
    }
}

/// `pgbastion sandbox measure`
struct SandboxMeasureCommand: LocalCommand {
    let definition = LocalCommandDefinition.sandboxMeasure

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let rounds = max(1, Int(arguments.text("rounds") ?? "5") ?? 5)
        return .finished(try await SandboxEntry.measure(rounds: rounds, log: { terminal.say($0) }))
    }
}

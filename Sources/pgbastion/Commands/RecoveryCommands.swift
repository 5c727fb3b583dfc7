import Bastion
import ClusterModel
import CommandLineInterface
import Operations

extension LocalPlan {
    fileprivate init(_ rehearsal: RecoveryEntry.Rehearsal) {
        self.init(
            summary: rehearsal.answer.text, data: rehearsal.answer.data, name: rehearsal.name, subject: rehearsal.subject,
            exitStatus: rehearsal.answer.exitStatus)
        hasWork = rehearsal.hasWork
    }
}

/// `pgbastion restore`
struct RestoreCommand: ConfirmedLocalCommand, ConnectedLocalCommand {
    let definition = LocalCommandDefinition.restore
    var surroundings: ClientSurroundings?

    private enum Mode {
        case bootstrap(RestoreBootstrap.Options)
        case unpack(String, to: String)
        case section(String)
        case undo
    }

    private func mode(_ arguments: ParsedArguments) throws(BastionError) -> Mode {
        let modes = definition.modes.filter { arguments.isGiven($0) }
        guard modes.count == 1 else {
            throw BastionError(.usage, "restore needs exactly one of --bootstrap, --to DIR, --section NAME and --undo")
        }
        if modes == ["undo"] {
            guard arguments.text("archive") == nil else { throw BastionError(.usage, "restore --undo takes no archive") }
            return .undo
        }
        guard let archive = arguments.text("archive") else {
            throw BastionError(.usage, "restore needs an archive: try `pgbastion backup list`")
        }
        if let directory = arguments.text("to") { return .unpack(archive, to: directory) }
        if arguments.isGiven("section") { return .section(archive) }
        return .bootstrap(
            RestoreBootstrap.Options(
                archive: archive, asNewNode: arguments.flag("as_new_node"), assumeDead: arguments.flag("assume_dead"),
                overrides: arguments.list("override")))
    }

    private func entry(_ arguments: ParsedArguments) -> RecoveryEntry { RecoveryEntry(configurationPath: configurationPath(arguments)) }

    private func section(_ arguments: ParsedArguments) -> RestoreSection {
        RestoreSection(configurationPath: configurationPath(arguments)) { [surroundings] () throws(BastionError) in
            guard let surroundings else { throw BastionError(.internal, "no way to a daemon was given") }
            return try surroundings.invoker(arguments)
        }
    }

    func rehearse(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalPlan {
        switch try mode(arguments) {
        case .bootstrap(let options): return LocalPlan(try await entry(arguments).planRestore(options))
        case .undo: return LocalPlan(try entry(arguments).planUndo())
        case .section(let archive):
            let plan = try await section(arguments).plan(archive, overrides: arguments.list("override"))
            let answer = plan.answer(isDone: false)
            var local = LocalPlan(summary: answer.text, data: answer.data, name: plan.cluster)
            local.hasWork = !plan.isEmpty
            return local
        case .unpack(let archive, let directory):
            return LocalPlan(summary: "\(archive) is unpacked into \(directory)", name: directory, subject: "directory")
        }
    }

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        switch try mode(arguments) {
        case .bootstrap(let options): return LocalOutcome(try await entry(arguments).restore(options))
        case .undo: return LocalOutcome(try entry(arguments).undo())
        case .unpack(let archive, let directory): return LocalOutcome(try entry(arguments).unpack(archive, to: directory))
        case .section(let archive):
            let section = section(arguments)
            let plan = try await section.plan(archive, overrides: arguments.list("override"))
            try await section.carryOut(plan)
            return LocalOutcome(plan.answer(isDone: true))
        }
    }
}

/// `pgbastion raft recover`
struct RaftRecoverCommand: ConfirmedLocalCommand {
    let definition = LocalCommandDefinition.raftRecover

    private func entry(_ arguments: ParsedArguments) throws(BastionError) -> RecoveryEntry {
        guard ["plan", "apply", "undo"].filter({ arguments.flag($0) }).count < 2 else {
            throw BastionError(.usage, "raft recover takes only one of --plan, --apply and --undo")
        }
        return RecoveryEntry(configurationPath: configurationPath(arguments))
    }

    func rehearse(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalPlan {
        let entry = try entry(arguments)
        if arguments.flag("undo") { return LocalPlan(try entry.planUndo()) }
        return LocalPlan(try await entry.planRecover(with: arguments.list("with"), overrides: arguments.list("override")))
    }

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let entry = try entry(arguments)
        if arguments.flag("undo") { return LocalOutcome(try entry.undo()) }
        guard arguments.flag("apply") else { return LocalOutcome(try await entry.recoverPlan(with: arguments.list("with"))) }
        return LocalOutcome(try await entry.recover(with: arguments.list("with"), overrides: arguments.list("override")))
    }
}

/// `pgbastion node reset`
struct NodeResetCommand: ConfirmedLocalCommand {
    let definition = LocalCommandDefinition.nodeReset

    private func options(_ arguments: ParsedArguments) -> NodeReset.Options {
        NodeReset.Options(overrides: arguments.list("override"), purgeOlder: arguments.duration("purge_older"))
    }

    func rehearse(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalPlan {
        LocalPlan(try await RecoveryEntry(configurationPath: configurationPath(arguments)).planReset(options(arguments)))
    }

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        LocalOutcome(try await RecoveryEntry(configurationPath: configurationPath(arguments)).reset(options(arguments)))
    }
}

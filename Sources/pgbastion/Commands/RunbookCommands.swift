import Bastion
import ClusterModel
import CommandLineInterface
import FoundationEssentials
import Operations
import Runbooks

/// The commands that plan, run and test runbooks.
enum RunbookCommandList {
    static let all: [any LocalCommand] =
        [
            RunbookPlanCommand(), RunbookRunCommand(), RunbookGoOnCommand(definition: .runbookResume),
            RunbookGoOnCommand(definition: .runbookRollback), RunbookGoOnCommand(definition: .runbookAbort), RunbookStatusCommand(),
            RunbookHistoryCommand(), RunbookUnlockCommand(), test,
        ]

    private static let test = RunbookTestCommand(
        sources: RunbookFiles.sources,
        sandbox: { one, file, library, terminal in
            await SandboxCases(run: SandboxRun(library: library, keeps: false, signals: SignalBox(), log: { terminal.note($0) })).report(
                one, of: file)
        }, write: { text, path throws(BastionError) in try writeReport(text, path, .standard()) })

    static func writeReport(_ text: String, _ path: String, _ terminal: Terminal) throws(BastionError) {
        guard path != "-" else { return terminal.write(text) }
        do { try Data(text.utf8).write(to: URL(filePath: path)) } catch {
            throw BastionError(.io, "the report \"\(path)\" cannot be written", detail: "\(error)")
        }
    }
}

/// What the commands have in common.
private struct RunbookSession {
    var arguments: ParsedArguments
    var terminal: Terminal
    var surroundings: ClientSurroundings?
    let signals = SignalBox()

    func library() throws(BastionError) -> RunbookLibrary { try RunbookLibrary(RunbookFiles.sources.searching(arguments)) }

    func given() throws(BastionError) -> [String: JSONValue] {
        var given: [String: JSONValue] = [:]
        if let file = arguments.text("params_file") {
            let value = try JSONParser.parse(try RunbookFiles.sources.read(file))
            for member in value.members ?? [] { given[member.name] = member.value }
        }
        for pair in arguments.list("param") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw BastionError(.usage, "--param \"\(pair)\" is not NAME=VALUE")
            }
            given[String(parts[0])] = .string(String(parts[1]))
        }
        return given
    }

    func console() -> RunConsole {
        let terminal = terminal
        let isInteractive =
            terminal.isInputTerminal && !arguments.flag("no_input") && (surroundings?.environment["CI"] ?? "").isEmpty
        let isQuiet = arguments.flag("quiet")
        return RunConsole(
            say: { terminal.say($0) }, note: { if !isQuiet { terminal.note($0) } },
            readLine: { prompt in
                terminal.writeError(prompt)
                return terminal.readLine()
            }, isInteractive: isInteractive, assumesYes: arguments.flag("yes"), confirms: arguments.list("confirm"), signals: signals)
    }

    func runner(_ library: RunbookLibrary) throws(BastionError) -> RunbookRunner {
        guard let surroundings else { throw BastionError(.internal, "no way to a daemon was given") }
        let arguments = arguments
        return RunbookRunner(
            configurationPath: configurationPath(arguments), environment: surroundings.environment, console: console(),
            library: library.loaded
        ) { context throws(BastionError) in
            guard let context else { return try surroundings.invoker(arguments) }
            return try surroundings.invoker(context: context)
        }
    }

    /// The first Ctrl-C ends the run after its present operation; a second one ends the process.
    func watching<Value: Sendable>(_ body: () async throws(BastionError) -> Value) async throws(BastionError) -> Value {
        let (terminal, signals) = (terminal, signals)
        let watch = Task {
            await terminal.interruption()
            guard !Task.isCancelled else { return }
            signals.add(terminal.isTerminated() ? .terminate : .interrupt)
            terminal.note("stopping after the present operation; the steps under `always` still run")
        }
        defer { watch.cancel() }
        return try await body()
    }

    func outcome(_ finished: RunbookRunner.Finished) throws(BastionError) -> LocalOutcome {
        for report in arguments.list("report") {
            let (format, path) = try ReportTarget.parse(report)
            try RunbookCommandList.writeReport(finished.report.text(format), path, terminal)
        }
        let result = finished.result
        var lines = ["\(finished.report.runbook.name): \(result.status.rawValue)"]
        if let failure = result.failure {
            lines.append("  \(failure.step): \(failure.message)")
            if let hint = failure.hint { lines.append("  hint: \(hint)") }
        }
        lines += result.remaining.map {
            "  remains: \($0.step)\($0.item.map { "[\($0)]" } ?? ""): \($0.what)" + ($0.command.map { "; `\($0)`" } ?? "")
        }
        for warning in result.warnings { terminal.note("Warning: \(warning)") }
        return LocalOutcome(
            text: lines.joined(separator: "\n"), data: finished.report.json, names: [result.runID], exitStatus: result.exitStatus)
    }
}

/// `pgbastion runbook plan NAME`
struct RunbookPlanCommand: ConnectedLocalCommand {
    let definition = LocalCommandDefinition.runbookPlan
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let session = RunbookSession(arguments: arguments, terminal: terminal, surroundings: surroundings)
        return try await RunbookPlanCommand.plan(session.arguments, session, source: arguments.text("state") ?? "live")
    }

    fileprivate static func plan(_ arguments: ParsedArguments, _ session: RunbookSession, source: String) async throws(BastionError)
        -> LocalOutcome
    {
        let library = try session.library()
        let runbook = try library.requireLoaded(arguments.text("name") ?? "")
        let runner = try session.runner(library)
        let state: JSONValue
        if source == "live" {
            state = try await runner.liveState(runbook)
        } else {
            state = try StateSource.document(source, RunbookFiles.sources)
        }
        let plan = try await runner.plan(runbook, given: try session.given(), state: state, withTimes: arguments.flag("timestamps"))
        if let path = arguments.text("out") {
            try RunbookCommandList.writeReport(String(decoding: plan.document.bytes, as: UTF8.self) + "\n", path, session.terminal)
        }
        return LocalOutcome(text: plan.text, data: plan.document, names: [runbook.name], exitStatus: plan.exitStatus)
    }
}

/// `pgbastion runbook run NAME`
struct RunbookRunCommand: ConnectedLocalCommand {
    let definition = LocalCommandDefinition.runbookRun
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let session = RunbookSession(arguments: arguments, terminal: terminal, surroundings: surroundings)
        if arguments.flag("dry_run") { return try await RunbookPlanCommand.plan(arguments, session, source: "live") }
        let library = try session.library()
        let runbook = try library.requireLoaded(arguments.text("name") ?? "")
        var options = RunbookRunner.Options()
        options.overrides = arguments.list("override")
        options.allowsExec = arguments.flag("allow_exec")
        options.stepwise = arguments.flag("step")
        options.from = arguments.text("from")
        options.only = arguments.text("only")
        if let path = arguments.text("plan") {
            let saved = try JSONParser.parse(try RunbookFiles.sources.read(path))
            options.plan = saved["data"] ?? saved
        }
        let given = try session.given()
        let chosen = options
        if arguments.flag("sandbox") {
            let sandbox = SandboxRun(
                library: library.loaded, keeps: arguments.flag("keep"), signals: session.signals, log: { terminal.note($0) })
            let outcome = try await session.watching { () async throws(BastionError) in try await sandbox.run(runbook, given: given, chosen)
            }
            return try session.outcome(outcome.finished)
        }
        let runner = try session.runner(library)
        return try session.outcome(
            try await session.watching { () async throws(BastionError) in try await runner.start(runbook, given: given, chosen) })
    }
}

/// `pgbastion runbook resume`, `rollback`, `abort`
struct RunbookGoOnCommand: ConnectedLocalCommand {
    let definition: LocalCommandDefinition
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let session = RunbookSession(arguments: arguments, terminal: terminal, surroundings: surroundings)
        let runner = try session.runner(try session.library())
        let mode = mode(arguments)
        let run = arguments.text("run") ?? ""
        return try session.outcome(try await session.watching { () async throws(BastionError) in try await runner.resume(run, mode) })
    }

    private func mode(_ arguments: ParsedArguments) -> RunOrder.Mode {
        switch definition.words.last {
        case "rollback": return .rollback
        case "abort": return .abort
        default:
            var choice = RunOrder.ResumeChoice()
            choice.retriesStep = arguments.flag("retry_step")
            choice.skipsStep = arguments.flag("skip_step")
            choice.acknowledged = arguments.text("ack")
            choice.acceptsChanges = arguments.flag("accept_changes")
            return .resume(choice)
        }
    }
}

/// `pgbastion runbook status [RUN]`
struct RunbookStatusCommand: ConnectedLocalCommand {
    let definition = LocalCommandDefinition.runbookStatus
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let session = RunbookSession(arguments: arguments, terminal: terminal, surroundings: surroundings)
        let runs = try await session.runner(try session.library()).history()
        guard let wanted = arguments.text("run") ?? runs.first?.id else { return LocalOutcome(text: "there were no runs") }
        guard let run = runs.first(where: { $0.id == wanted }) else {
            throw BastionError(.notFound, "there is no run \"\(wanted)\"", hint: NameSuggestion.hint(for: wanted, among: runs.map(\.id)))
        }
        var lines = ["\(run.id)  \(run.runbook)  \(run.status)  by \(run.user)"]
        if !run.message.isEmpty { lines.append("  \(run.step ?? ""): \(run.message)") }
        lines += run.steps.map { "  \($0)" }
        return LocalOutcome(
            text: lines.joined(separator: "\n"), data: .record([("run", try JSONParser.parse(try JSONText.encode(run)))]), names: [run.id])
    }
}

/// `pgbastion runbook history`
struct RunbookHistoryCommand: ConnectedLocalCommand {
    let definition = LocalCommandDefinition.runbookHistory
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let session = RunbookSession(arguments: arguments, terminal: terminal, surroundings: surroundings)
        let runs = try await session.runner(try session.library()).history()
        var table = TextTable("RUN", "RUNBOOK", "STATUS", "EXIT", "BY")
        for run in runs { table.add([run.id, run.runbook, run.status, run.exitStatus.map { "\($0)" } ?? "-", run.user]) }
        return LocalOutcome(
            text: runs.isEmpty ? "there were no runs" : table.text,
            data: .record([("runs", try JSONParser.parse(try JSONText.encode(runs)))]), names: runs.map(\.id))
    }
}

/// `pgbastion runbook unlock RUN`
struct RunbookUnlockCommand: ConnectedLocalCommand {
    let definition = LocalCommandDefinition.runbookUnlock
    var surroundings: ClientSurroundings?

    func run(_ arguments: ParsedArguments, terminal: Terminal) async throws(BastionError) -> LocalOutcome {
        let session = RunbookSession(arguments: arguments, terminal: terminal, surroundings: surroundings)
        let run = arguments.text("run") ?? ""
        _ = try await session.runner(try session.library()).unlock(run, confirmed: arguments.text("confirm"))
        return LocalOutcome(text: "run \(run) has no lock any more", data: .record([("run_id", .string(run))]), names: [run])
    }
}

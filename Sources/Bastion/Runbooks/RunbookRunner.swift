import ClusterModel
import ConfigFiles
import Glibc
import Operations
import Runbooks

/// Runs runbooks on a real cluster: journal, lock, resuming (runbooks.md, section 7).
package struct RunbookRunner: Sendable {
    package var configurationPath: String
    package var environment: [String: String]
    package var console: RunConsole
    /// A way to the daemons of a context; nil: those the command addresses.
    package var connect: @Sendable (String?) throws(BastionError) -> any OperationInvoker
    package var library: [String: LoadedRunbook]
    var hands: (any ManualHands)?
    /// Of the node on which offline operations are carried out, when it is not this machine's own.
    var siteConfiguration: String?
    var root: String

    package init(
        configurationPath: String, environment: [String: String], console: RunConsole, library: [String: LoadedRunbook],
        connect: @escaping @Sendable (String?) throws(BastionError) -> any OperationInvoker
    ) {
        self.configurationPath = configurationPath
        self.environment = environment
        self.console = console
        self.library = library
        self.connect = connect
        root = RunFolder.root(stateDirectory: RunbookRunner.stateDirectory(configurationPath), environment: environment)
    }

    private static func stateDirectory(_ path: String) -> String {
        do throws(ConfigurationErrors) {
            return try ConfigurationFile.load(path: path, tokenFiles: .skip).configuration.node.stateDirectory
        } catch {
            return "/var/lib/pgbastion"
        }
    }

    /// What is asked for beside the runbook and its parameters.
    package struct Options: Sendable {
        package var overrides: [String] = []
        package var allowsExec = false
        package var stepwise = false
        package var from: String?
        package var only: String?
        /// Saved by `runbook plan --out`.
        package var plan: JSONValue?
        package init() {}
    }

    package struct Finished: Sendable {
        package var result: RunResult
        package var report: RunReport
        /// The last state that could be read.
        package var final: JSONValue
        package var executions: [SimulatedWorld.Execution]
    }

    // MARK: Starting

    package func plan(_ runbook: LoadedRunbook, given: [String: JSONValue], state: JSONValue, withTimes: Bool) async throws(BastionError)
        -> RunPlan
    {
        let order = try order(runbook, runID: "plan", given: given, state: state)
        return try await RunPlan.make(order, state: state, withTimes: withTimes)
    }

    /// The live state document.
    package func liveState(_ runbook: LoadedRunbook) async throws(BastionError) -> JSONValue {
        let reader = StateFetcher(connect: connect, local: runbook.runbook.metadata.scope == .offline ? localReader : nil)
        return try await reader.state()
    }

    private var localReader: LocalStateReader {
        LocalStateReader(
            configurationPath: siteConfiguration ?? configurationPath, fallbackName: hands?.localNode ?? RunbookRunner.hostName())
    }

    package func start(_ runbook: LoadedRunbook, given: [String: JSONValue], _ options: Options) async throws(BastionError) -> Finished {
        let given = try await completed(given, runbook.runbook)
        let state = try await liveState(runbook)
        var order = try order(runbook, runID: newRunID(runbook.name), given: given, state: state)
        if let plan = options.plan {
            let differences = RunPlan.differences(plan: plan, runbook: runbook, state: state, params: order.params)
            guard differences.isEmpty else {
                throw BastionError(
                    .preconditionFailed, "the plan no longer fits", detail: differences.map(\.text).joined(separator: "\n"),
                    hint: "make a new one with `pgbastion runbook plan`")
            }
        }
        order.overrides = options.overrides
        order.allowsExec = options.allowsExec
        order.stepwise = options.stepwise
        order.from = options.from
        order.only = options.only
        for step in [options.from, options.only].compactMap({ $0 }) where runbook.runbook.step(step) == nil {
            throw BastionError(
                .usage, "runbook \"\(runbook.name)\" has no step \"\(step)\"",
                hint: NameSuggestion.hint(for: step, among: runbook.runbook.allSteps.map(\.id.value)))
        }
        return try await carryOut(order)
    }

    private func order(
        _ runbook: LoadedRunbook, runID: String, given: [String: JSONValue], state: JSONValue
    ) throws(BastionError) -> RunOrder {
        let params = try ParameterValues.resolve(runbook.runbook, given: given, state: state)
        return RunOrder(runID: runID, main: runbook, library: library, params: params, user: user, host: RunbookRunner.hostName())
    }

    /// Asks for required parameters that were not given.
    private func completed(_ given: [String: JSONValue], _ runbook: Runbook) async throws(BastionError) -> [String: JSONValue] {
        var all = given
        guard console.isInteractive else { return all }
        for parameter in ParameterValues.missing(runbook, given: given) {
            let line = console.readLine("\(parameter.prompt ?? parameter.name.value): ") ?? ""
            if !line.isEmpty { all[parameter.name.value] = .string(line) }
        }
        return all
    }

    // MARK: Going on

    package func resume(_ runID: String, _ mode: RunOrder.Mode) async throws(BastionError) -> Finished {
        let journal = try RunFolder.journal(root, runID)
        let memory = RunMemory(journal)
        if let status = journal.status, status.isFinal {
            throw BastionError(
                .preconditionFailed, "run \"\(runID)\" has ended: \(status.rawValue)",
                hint: "start a new one with `pgbastion runbook run \(memory.runbook)`")
        }
        guard let main = library[memory.runbook] else {
            throw BastionError(.notFound, "there is no runbook \"\(memory.runbook)\" any more", hint: "name its directory with --dir")
        }
        try checkUnchanged(main, memory, mode)
        var order = RunOrder(
            runID: runID, main: main, library: library, params: memory.params, user: user, host: RunbookRunner.hostName())
        order.mode = mode
        order.journal = journal
        order.memory = memory.resumed()
        order.overrides = memory.overrides
        return try await carryOut(order)
    }

    private func checkUnchanged(_ main: LoadedRunbook, _ memory: RunMemory, _ mode: RunOrder.Mode) throws(BastionError) {
        guard case .resume(let choice) = mode, !choice.acceptsChanges else { return }
        var changed = main.sha256 == memory.sha256 ? [] : [main.name]
        for called in memory.called.members ?? [] where library[called.name]?.sha256 != called.value.string { changed.append(called.name) }
        guard changed.isEmpty else {
            throw BastionError(
                .preconditionFailed, "runbook \"\(changed.joined(separator: ", "))\" has changed since the run began",
                hint: "look at the change, then pass --accept-changes")
        }
    }

    // MARK: One run

    private func carryOut(_ order: RunOrder) async throws(BastionError) -> Finished {
        let folder = try RunFolder(root: root, run: order.runID)
        var summary = RunSummary(
            id: order.runID, runbook: order.main.name, sha256: order.main.sha256, status: RunStatus.planned.rawValue,
            user: "\(order.user)@\(order.host)", startedAt: order.memory.startedAt > 0 ? order.memory.startedAt : wallClockMilliseconds())
        summary.params = Dictionary(order.params.map { ($0.key, $0.value.plainText) }) { first, _ in first }
        let reader = localReader
        let isOffline = order.main.runbook.metadata.scope == .offline
        let site = siteConfiguration ?? configurationPath
        let readLocal: (@Sendable () async -> JSONValue)? = isOffline ? { @Sendable in await reader.read() } : nil
        let means = LiveWorld.Means(
            connect: connect, local: localExecutor(site), console: console, localState: readLocal, hands: hands)
        let world = LiveWorld(means, folder: folder, summary: summary)
        console.note("run \(order.runID); its journal is in \(folder.path)")
        let engine = RunEngine(order: order, world: world)
        let result: RunResult
        do throws(RunHalt) { result = try await engine.run() } catch {
            if case .journal(let failure) = error { throw failure }
            throw BastionError(.interrupted, "the run stopped", hint: "go on with `pgbastion runbook resume \(order.runID)`")
        }
        if [.held, .interrupted].contains(result.status) {
            console.note("go on with `pgbastion runbook resume \(order.runID)`, or end it with `rollback` or `abort`")
        }
        var final: JSONValue = .object([])
        if case .success(let state) = await world.state(context: nil) { final = state }
        let report = RunReport(runbook: order.main, result: result, params: order.params, overrides: order.overrides)
        return Finished(result: result, report: report, final: final, executions: world.executions)
    }

    func localExecutor(_ configuration: String) -> LocalExecutor {
        let connect = connect
        return LocalExecutor(
            configurationPath: { (_: String?) in configuration },
            connect: { () throws(BastionError) -> any OperationInvoker in try connect(nil) }, note: console.note)
    }

    // MARK: Looking

    /// Runs whose journals are on this machine, newest first, and those the cluster knows of.
    package func history() async throws(BastionError) -> [RunSummary] {
        var known: [String: RunSummary] = [:]
        do throws(BastionError) {
            let answer = try await StateFetcher(connect: connect, local: nil).ask("run.list", .object([]))
            let runs = answer["runs"] ?? .array([])
            for summary in try JSONText.decode([RunSummary].self, from: runs.bytes) { known[summary.id] = summary }
        } catch {
            console.note("the cluster cannot be asked: \(error.message)")
        }
        for run in RunFolder.runs(root) where known[run] == nil {
            let journal: Journal
            do throws(BastionError) { journal = try RunFolder.journal(root, run) } catch { continue }
            let memory = RunMemory(journal)
            var summary = RunSummary(
                id: run, runbook: memory.runbook, sha256: memory.sha256, status: journal.status?.rawValue ?? RunStatus.interrupted.rawValue,
                user: memory.user, startedAt: memory.startedAt)
            summary.steps = memory.order.compactMap { key in memory.steps[key].map { "\(key) \($0.outcome)" } }
            summary.exitStatus = journal.lines.last?["exit"]?.integer.flatMap { Int32(exactly: $0) }
            summary.message = journal.lines.last?["message"]?.string ?? ""
            known[run] = summary
        }
        return known.values.sorted { ($1.startedAt, $1.id) < ($0.startedAt, $0.id) }
    }

    /// - Parameter confirmed: The id that was typed: needed while the run lives.
    package func unlock(_ runID: String, confirmed: String?) async throws(BastionError) -> JSONValue {
        let fetcher = StateFetcher(connect: connect, local: nil)
        let locks = try await fetcher.ask("run.list", .object([]))["locks"]?.elements ?? []
        guard let lock = locks.first(where: { $0["run_id"]?.string == runID }) else {
            throw BastionError(
                .notFound, "run \"\(runID)\" has no lock", hint: locks.isEmpty ? "there is no lock" : "see `pgbastion runbook status`")
        }
        if lock["live"]?.bool == true, confirmed != runID {
            throw BastionError(
                .preconditionFailed, "run \"\(runID)\" still lives",
                detail: "Its runner was heard \(lock["heartbeat_age_seconds"]?.plainText ?? "?") s ago.",
                hint: "stop it first, or pass --confirm \(runID)")
        }
        return try await fetcher.ask("run.release", .record([("run_id", .string(runID))]))
    }

    // MARK: Names

    private var user: String {
        environment["SUDO_USER"] ?? MachineInspection.userName(geteuid()) ?? "\(geteuid())"
    }

    static func hostName() -> String {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func newRunID(_ name: String) -> String {
        let time = Timestamp.text(milliseconds: wallClockMilliseconds()).filter { $0 != "-" && $0 != ":" }
        return "\(time)-\(name.prefix(40))-\(String(UInt32.random(in: 0x1000...0xFFFF), radix: 16))"
    }
}

/// One question to a daemon.
struct StateFetcher: Sendable {
    var connect: @Sendable (String?) throws(BastionError) -> any OperationInvoker
    var local: LocalStateReader?

    func ask(_ operation: String, _ input: JSONValue) async throws(BastionError) -> JSONValue {
        guard let id = RequestID("runbook-\(UInt32.random(in: 1 ... .max))") else { throw BastionError(.internal, "no request id") }
        let call = DaemonCall(operation: operation, input: input.bytes, requestID: id, timeout: .seconds(10))
        let envelope = try OperationEnvelope(parsing: try await connect(nil).invoke(call))
        if let error = envelope.error { throw error }
        return envelope.data ?? .object([])
    }

    /// An offline runbook needs no daemon: then the document says what this machine has.
    func state() async throws(BastionError) -> JSONValue {
        var document: JSONValue
        do throws(BastionError) { document = try await ask("state.export", .object([])) } catch {
            guard local != nil else { throw error }
            document = try BuiltinState.freshHost.document()
            document.setMember("source", .string("live"))
            document.setMember("captured_at", .string(Timestamp.text(milliseconds: wallClockMilliseconds())))
        }
        if let local { document.setMember("local", await local.read()) }
        return document
    }
}

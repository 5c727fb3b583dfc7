import ClusterModel
import Synchronization

/// The PostgreSQL of this node: its facts, and the actions the core may ask for. Starting, stopping and promoting belong
/// to the guard.
///
/// Everything that can block runs on queues of its own; `facts()` keeps its deadline whatever the disk or the server do.
package final class PostgresServer: Sendable {
    private let input: PostgresSettingsInput
    private let worker: ServerWorker
    private let keeper: QuarantineKeeper
    private let reader: FactsReader
    private let probe: StorageProbe
    private let flushSession: SQLSession
    private let reading = Mutex(Reading())

    private struct Reading: Sendable {
        var current: Task<PostgresFacts, Never>?
        var last: PostgresFacts?
    }

    package init(_ input: PostgresSettingsInput) {
        self.input = input
        let programs = ProgramRunner(binDirectory: input.binDirectory)
        probe = StorageProbe(walDirectory: input.walDirectory)
        let checks = SQLSession(label: "facts") { LocalConnection.parameters(input, timeout: input.healthTimeout) }
        reader = FactsReader(input: input, session: checks, programs: programs, probe: probe)
        flushSession = SQLSession(label: "flush") { LocalConnection.parameters(input, timeout: input.healthTimeout) }
        keeper = QuarantineKeeper(input)
        worker = ServerWorker(input: input, programs: programs, reader: reader)
    }

    /// What is known now, never from before the call. Returns within `healthTimeout` plus 0.2 s; then without `server`, and
    /// `sqlError` says why.
    package func facts() async -> PostgresFacts {
        let deadline = Deadline.after(input.healthTimeout + .milliseconds(200))
        if let earlier = reading.withLock({ $0.current }) { _ = await value(of: earlier, by: deadline) }
        var facts: PostgresFacts
        if let fresh = await value(of: startedReading(), by: deadline) {
            facts = fresh
        } else {
            facts = reading.withLock { $0.last } ?? PostgresFacts(dataDirectory: .present)
            facts.server = nil
            facts.sqlError = "the check of PostgreSQL did not end in time"
        }
        facts.storage = probe.health
        return facts
    }

    /// Carries out one action; each is idempotent. A second action while a clone or rewind runs fails as `busy`.
    package func perform(
        _ action: PostgresAction, progress: @escaping @Sendable (JobReport) -> Void = { _ in }
    ) async -> PostgresOutcome {
        await worker.perform(action, progress: progress)
    }

    /// How the guard starts the server.
    ///
    /// - Parameter asStandby: Sizes such as `max_connections` are raised to what the WAL was written under (D58).
    package func postmasterCommand(asStandby: Bool) async throws(BastionError) -> PostmasterCommand {
        try DurableFiles.makeDirectory(input.socketDirectory, mode: 0o755)
        let control = asStandby ? await reader.controlData() : nil
        var input = input
        input.commandLineSettings.merge(try await worker.keptCommandLine()) { _, managed in managed }
        let adopted = try AdoptedConfiguration.read(input.adoptedFile)
        try adopted?.makeDirectories()
        return PostmasterCommand(
            input: input, layout: try await worker.layout(), control: control, adopted: adopted?.settings ?? [:])
    }

    /// The server that somebody else started, to be adopted. Its configuration is learnt before anything is written to it:
    /// the files it runs with are those of its next start (AG17).
    package func runningServer() async throws(BastionError) -> RunningServer {
        guard let pid = DataDirectory.postmasterPID(input.dataDirectory) else {
            throw BastionError(.failed, "no server runs in \"\(input.dataDirectory)\"")
        }
        try await worker.learnRunning()
        return RunningServer(
            processID: pid, program: input.program("postgres"), dataDirectory: input.dataDirectory, port: input.port)
    }

    /// The end of flushed WAL of a primary, asked now; nil when it could not be asked or the server is in recovery.
    package func measureLatestFlush() async -> LSN? {
        let question = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END"
        do {
            return try await flushSession.run(question, within: .seconds(1)).first?.value.flatMap { LSN($0) }
        } catch {
            return nil
        }
    }

    /// From the next check on.
    package func setHealthTimeout(_ timeout: Duration) { input.healthTimeout = timeout }

    /// The tables of a batch that only reads; nil when it failed.
    func read(_ batch: String) async -> [[[String?]]]? {
        do { return try await flushSession.run(batch, within: .seconds(2)).map(\.rows) } catch { return nil }
    }

    /// Whether PostgreSQL would accept these values: name -> what is wrong. Nothing is changed.
    package func problems(of values: [String: String]) async throws(BastionError) -> [String: String] {
        try await worker.problems(of: values)
    }

    /// The running values of these settings.
    package func settings(_ names: [String]) async throws(BastionError) -> [SettingFacts] { try await worker.settings(names) }

    /// Refuses one that is in use.
    package func dropSlot(_ name: String) async throws(BastionError) { try await worker.dropUnusedSlot(name) }

    /// nil until the roles were made here or the secrets were adopted.
    package func secrets() async throws(BastionError) -> PostgresSecrets? { try await worker.secrets() }

    /// A joining node takes the secrets over that it got on the peer link.
    package func adopt(secrets: PostgresSecrets) async throws(BastionError) { try await worker.adopt(secrets) }

    /// Who may open replication and rewind connections; written with the next settings.
    package func setMemberAddresses(_ addresses: [String]) async throws(BastionError) {
        try await worker.setMembers(addresses)
    }

    /// Repeats what `setMemberAddresses` could not finish.
    package func admitMembers() async throws(BastionError) { try await worker.admitMembers() }

    /// Removes quarantined directories older than `days` or whose own time is over, and the oldest while the disk has less room.
    ///
    /// - Returns: The removed paths, oldest first.
    package func pruneQuarantine(keepingDays days: Int = 7, freePercent: UInt64 = 10) async throws(BastionError) -> [String] {
        try await keeper.prune(keepingDays: days, freePercent: freePercent)
    }

    /// A new reading, or the one that another caller began since.
    private func startedReading() -> Task<PostgresFacts, Never> {
        reading.withLock { reading in
            if let current = reading.current { return current }
            let task = Task { await self.read() }
            reading.current = task
            return task
        }
    }

    private func read() async -> PostgresFacts {
        let facts = await reader.read()
        reading.withLock { reading in
            reading.current = nil
            reading.last = facts
        }
        return facts
    }

    private func value(of task: Task<PostgresFacts, Never>, by deadline: Deadline) async -> PostgresFacts? {
        await FirstResult.of(within: .milliseconds(Int64(deadline.remainingMilliseconds))) { await task.value }
    }
}

/// How we connect to our own server: over its unix socket, as superuser by peer authentication (AG23).
enum LocalConnection {
    static func parameters(_ input: PostgresSettingsInput, timeout: Duration? = nil) -> [String: String] {
        var options = DataDirectory.version(input.dataDirectory)?.sessionOptions ?? [:]
        if let timeout { options["statement_timeout"] = "\(timeout.wholeMilliseconds)" }
        let text = options.sorted { $0.key < $1.key }.map { "-c \($0.key)=\($0.value)" }.joined(separator: " ")
        return [
            // A server that we did not start has its socket where its own configuration says.
            "host": DataDirectory.socketDirectory(input.dataDirectory) ?? input.socketDirectory, "port": "\(input.port)",
            "user": input.superuser, "dbname": "postgres",
            "application_name": "pgbastion", "options": text, "passfile": ProgramRunner.noPassfile,
            "client_encoding": "UTF8",
            "sslmode": "disable", "gssencmode": "disable",
        ]
    }
}

/// A race of one piece of work with a deadline, which the work may outlive.
enum FirstResult {
    static func of<Value: Sendable>(
        within limit: Duration, _ work: @escaping @Sendable () async -> Value
    ) async -> Value? {
        let once = Once<Value>()
        return await withCheckedContinuation { continuation in
            once.wait(continuation)
            let timer = Task {
                try await Task.sleep(for: limit)
                once.end(nil)
            }
            Task {
                let value = await work()
                timer.cancel()
                once.end(value)
            }
        }
    }

    private final class Once<Value: Sendable>: Sendable {
        private let waiting: Mutex<CheckedContinuation<Value?, Never>?> = Mutex(nil)

        func wait(_ continuation: CheckedContinuation<Value?, Never>) { waiting.withLock { $0 = continuation } }

        func end(_ value: Value?) {
            let continuation = waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }
            continuation?.resume(returning: value)
        }
    }
}

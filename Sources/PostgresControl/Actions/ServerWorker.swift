import ClusterModel

/// Carries out the actions of one server, one at a time.
actor ServerWorker {
    let input: PostgresSettingsInput
    let programs: ProgramRunner
    let reader: FactsReader
    let store: SecretStore
    /// For statements on a running server; facts have a session of their own.
    let session: SQLSession
    private var members: [String]
    /// The addresses that the running server has been told; nil: not known.
    private var membersInForce: [String]?
    private var isTaken = false
    private var isLongJobRunning = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private let executor = QueueExecutor(label: "pgbastion.worker")

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(input: PostgresSettingsInput, programs: ProgramRunner, reader: FactsReader) {
        self.input = input
        self.programs = programs
        self.reader = reader
        store = SecretStore(input: input)
        session = SQLSession(label: "actions") { LocalConnection.parameters(input) }
        members = input.memberAddresses
    }

    func perform(_ action: PostgresAction, progress: @escaping @Sendable (JobReport) -> Void) async -> PostgresOutcome {
        guard !isLongJobRunning else {
            return .failed(BastionError(.busy, "could not begin an action: a job of this node's PostgreSQL is running"))
        }
        // Minutes on a busy server; settings and pledges must not wait for it (D34).
        if case .checkpoint = action { return await outcome(of: action, progress) }
        if action.isLongJob { isLongJobRunning = true }
        defer { if action.isLongJob { isLongJobRunning = false } }
        await take()
        defer { release() }
        return await outcome(of: action, progress)
    }

    private func outcome(
        of action: PostgresAction, _ progress: @escaping @Sendable (JobReport) -> Void
    ) async -> PostgresOutcome {
        do {
            try DurableFiles.makeDirectory(input.ownDirectory)
            return try await carryOut(action, progress)
        } catch {
            return .failed(error)
        }
    }

    private func carryOut(
        _ action: PostgresAction, _ progress: @escaping @Sendable (JobReport) -> Void
    ) async throws(BastionError) -> PostgresOutcome {
        switch action {
        case .initialize: try await initialize()
        case .prepareStandby(let settings): try await prepareStandby(settings)
        case .prepareInPlaceStart(let settings): try prepareInPlaceStart(settings)
        case .applySettings(let settings): try await applySettings(settings)
        case .ensureRoles: try await ensureRoles()
        case .ensureSlots(let keep, let drop): try await ensureSlots(keep: keep, drop: drop)
        case .stopReceiver(let settings): return .stoppedReceiving(try await stopReceiver(settings))
        case .proveSynchronousWait(let settings): try await proveSynchronousWait(settings)
        case .checkpoint: try await checkpoint()
        case .reserveTimeline(let timeline): try await reserveTimeline(timeline)
        case .inspectStopped: return .inspected(try await inspectStopped())
        case .clone(let source, let slot, let keepOldSeconds):
            try await reporting("clone", progress) { reporter throws(BastionError) in
                try await self.clone(source, slot, keepOldSeconds, reporter)
            }
        case .rewind(let source):
            try await reporting("rewind", progress) { reporter throws(BastionError) in
                try await self.rewind(source, reporter)
            }
        case .finishRejoin: try DurableFiles.remove(input.markerFile)
        case .quarantine(let reason): try quarantine(reason)
        }
        return .done
    }

    private func reporting(
        _ kind: String, _ progress: @escaping @Sendable (JobReport) -> Void,
        _ job: (JobReporter) async throws(BastionError) -> Void
    ) async throws(BastionError) {
        let reporter = JobReporter(kind: kind, progress)
        do {
            try await job(reporter)
        } catch {
            reporter.fail(error)
            throw error
        }
        reporter.complete()
    }

    // MARK: - What several actions need

    func version() throws(BastionError) -> PostgresVersion {
        guard let version = DataDirectory.version(input.dataDirectory) else {
            throw BastionError(.preconditionFailed, "could not read the version of \"\(input.dataDirectory)\"")
        }
        return version
    }

    func layout() throws(BastionError) -> ConfigurationLayout {
        ConfigurationLayout(input, major: try version().major)
    }

    func configuration(_ layout: ConfigurationLayout) -> LocalConfiguration {
        LocalConfiguration(input: input, layout: layout, members: members)
    }

    /// Runs one batch of statements; `what` says in the error what could not be done.
    @discardableResult
    func query(_ batch: String, _ what: String, within limit: Duration = .seconds(5)) async throws(BastionError)
        -> SQLTable
    {
        do {
            return try await session.run(batch, within: limit).last ?? SQLTable()
        } catch {
            throw error.error("could not \(what)")
        }
    }

    func requireStopped() throws(BastionError) {
        guard !DataDirectory.hasPostmaster(input.dataDirectory) else {
            throw BastionError(
                .preconditionFailed, "cannot change \"\(input.dataDirectory)\": its server is running",
                hint: "stop the server first")
        }
    }

    /// AG23: from now on these may connect with the service roles. Files that are not ours yet are left as they are.
    func setMembers(_ addresses: [String]) async throws(BastionError) {
        members = addresses
        try await admitMembers()
    }

    /// Does nothing when the members' addresses are in force; repeated until they are.
    func admitMembers() async throws(BastionError) {
        guard membersInForce != members else { return }
        await take()
        defer { release() }
        let wanted = members
        guard DataDirectory.version(input.dataDirectory) != nil else { return }
        let configuration = configuration(try layout())
        // A server starts with the rules of its time; files that are not ours wait for the first settings.
        if try configuration.isInPlace {
            try configuration.apply()
            if DataDirectory.hasPostmaster(input.dataDirectory) {
                try await query("SELECT pg_reload_conf()", "reload the access rules")
            }
        }
        membersInForce = wanted
    }

    func secrets() throws(BastionError) -> PostgresSecrets? { try store.load() }
    func adopt(_ secrets: PostgresSecrets) throws(BastionError) {
        try DurableFiles.makeDirectory(input.ownDirectory)
        try store.save(secrets)
    }

    private func take() async {
        if !isTaken {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// The turn passes to the one who waited longest.
    private func release() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}

extension PostgresAction {
    /// AG15: nothing else is begun while one of these runs.
    var isLongJob: Bool {
        switch self {
        case .initialize, .clone, .rewind: true
        default: false
        }
    }
}

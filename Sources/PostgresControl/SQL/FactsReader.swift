import ClusterModel
import Glibc

/// Reads the facts of one server: SQL when it answers, else the control file. Blocking calls stay on its own queue.
actor FactsReader {
    private let input: PostgresSettingsInput
    private let session: SQLSession
    private let programs: ProgramRunner
    private let probe: StorageProbe
    private let executor = QueueExecutor(label: "pgbastion.facts")
    private var knownVersion: PostgresVersion?
    private var control: (stamp: FileStamp, data: ControlData)?
    private var histories: [TimelineID: [TimelineSwitch]] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(input: PostgresSettingsInput, session: SQLSession, programs: ProgramRunner, probe: StorageProbe) {
        self.input = input
        self.session = session
        self.programs = programs
        self.probe = probe
    }

    func read() async -> PostgresFacts {
        var facts = PostgresFacts(dataDirectory: DataDirectory.state(input.dataDirectory))
        do {
            let marker = try JobMarker.read(input.markerFile)
            facts.unfinishedJob = marker?.description
            facts.dataID = try dataID(facts.dataDirectory, hasRunningJob: marker?.isComplete == false)
        } catch {
            // An unreadable marker is as good as an unfinished job: the directory must not be started.
            facts.unfinishedJob = "unreadable"
        }
        if facts.dataDirectory == .present { await readServer(into: &facts) } else { probe.disable() }
        return facts
    }

    /// `pg_controldata` of the stopped server, kept as long as the file does not change; nil when it cannot be read.
    func controlData() async -> ControlData? {
        guard let stamp = FileStamp(input.dataDirectory + "/global/pg_control") else { return nil }
        if let control, control.stamp == stamp { return control.data }
        do {
            let result = try await programs.run("pg_controldata", [input.dataDirectory], within: .seconds(3))
            guard result.succeeded else { return nil }
            let data = try ControlData(result.text)
            control = (stamp, data)
            return data
        } catch {
            return nil
        }
    }

    private func readServer(into facts: inout PostgresFacts) async {
        guard let version = version() else { return }
        if DataDirectory.hasPostmaster(input.dataDirectory) {
            probe.enable()
            do {
                let answer = try await ask(FactsQuery(version: version))
                facts.control = answer.control
                facts.server = try completed(answer)
                return
            } catch let failure as SQLFailure {
                facts.sqlError = failure.message
            } catch {
                facts.sqlError = "\(error)"
            }
        } else {
            probe.disable()
            await session.close()
            facts.sqlError = "the server does not run"
        }
        facts.control = await controlData()?.file
    }

    private func ask(_ query: FactsQuery) async throws(SQLFailure) -> FactsQuery.Answer {
        do {
            return try query.read(await session.run(query.batch, within: input.healthTimeout))
        } catch {
            // 55000: recovery ended between two functions of the batch; asked again it is consistent.
            guard error.state == "55000" else { throw error }
            return try query.read(await session.run(query.batch, within: input.healthTimeout))
        }
    }

    private func completed(_ answer: FactsQuery.Answer) throws(BastionError) -> ServerFacts {
        var server = answer.server
        let waiting = PostmasterCommand.differences(of: answer.foreign, input: input)
        if !waiting.isEmpty {
            server.pendingRestartSettings = Set((server.pendingRestartSettings ?? []) + waiting).sorted()
            server.pendingRestart = true
        }
        server.commandLineWanted = try CommandLineFile.next(input)
        if server.isInRecovery {
            server.foundInRecovery = try AdoptedConfiguration.read(input.adoptedFile)?.foundInRecovery
            let position = max(server.receivedLSN ?? .zero, server.replayedLSN ?? .zero)
            let reached = max(
                server.receiver?.timeline ?? TimelineID(0), answer.control.timeline,
                answer.control.minimumRecoveryTimeline)
            server.timeline = try TimelineLookup(directory: input.walDirectory, segmentBytes: answer.segmentBytes)
                .timeline(at: position, reached: reached)
        }
        server.history = try history(of: server.timeline)
        return server
    }

    private func history(of timeline: TimelineID) throws(BastionError) -> [TimelineSwitch] {
        if let known = histories[timeline] { return known }
        let history = try TimelineHistoryFile.read(timeline, in: input.walDirectory)
        // Kept only when the file was there: its contents never change afterwards.
        if !history.isEmpty { histories[timeline] = history }
        return history
    }

    private func version() -> PostgresVersion? {
        if let knownVersion { return knownVersion }
        knownVersion = DataDirectory.version(input.dataDirectory)
        return knownVersion
    }

    /// A directory that somebody else put there gets an id when it is first seen.
    private func dataID(_ state: DataDirectoryState, hasRunningJob: Bool) throws(BastionError) -> DataID? {
        guard state == .present, !hasRunningJob, let inode = FileStamp(input.dataDirectory)?.inode else {
            return hasRunningJob ? try DataIdentity.read(input.dataIDFile)?.id : nil
        }
        var identity = try DataIdentity.read(input.dataIDFile) ?? .drawn()
        if identity.inode == inode { return identity.id }
        if identity.inode != nil { identity = .drawn() }
        identity.inode = inode
        // The facts are read before anything else is done on a node that is new.
        try DurableFiles.makeDirectory(input.ownDirectory)
        try identity.write(input.dataIDFile)
        return identity.id
    }
}

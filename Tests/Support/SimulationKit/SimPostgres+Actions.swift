import ClusterModel
import FailoverCore

/// The adapter's actions, with durations and failures.
extension SimPostgres {
    func duration(of action: PostgresAction) -> Int64 {
        switch action {
        case .initialize: sim.random.time(150...400)
        case .prepareStandby, .prepareInPlaceStart, .finishRejoin, .quarantine, .reserveTimeline: sim.random.time(2...15)
        case .applySettings: sim.random.time(10...60)
        case .ensureRoles, .ensureSlots: sim.random.time(5...30)
        case .stopReceiver: sim.random.time(40...150)
        case .proveSynchronousWait: sim.random.time(1010...1200)
        case .checkpoint: sim.random.time(20...300)
        case .inspectStopped: sim.random.time(20...120)
        case .clone: sim.random.time(400...1500)
        case .rewind: sim.random.time(200...900)
        }
    }

    func begin(_ action: PostgresAction) {
        switch action {
        case .clone, .rewind:
            guard server == nil else { return }
            files.dataID = DataID(rawValue: sim.random.wide())
            if case .rewind = action {
                files.marker = "rewind"
                files.isTorn = true
                files.hasStandbySignal = false
            } else {
                files.marker = "clone"
            }
        case .stopReceiver(let settings):
            // The reload reaches the receiver some time before the action sees that it is gone.
            takeSettings(settings)
        case .proveSynchronousWait(var settings):
            settings.synchronousStandbyNames = AckRule.placeholder
            takeSettings(settings)
        default: break
        }
    }

    func finish(_ action: PostgresAction) -> PostgresOutcome {
        if sim.random.chance(sim.plan.actionFailureRate) { return failed("a random failure") }
        switch action {
        case .initialize: return initialize()
        case .prepareStandby(let settings):
            guard server == nil, files.isPresent else { return failed("the server runs") }
            files.settings = settings
            files.hasStandbySignal = true
        case .prepareInPlaceStart(let settings):
            guard server == nil, files.isPresent else { return failed("the server runs") }
            files.settings = settings
            files.hasStandbySignal = false
        case .applySettings(let settings), .proveSynchronousWait(let settings):
            guard let server, server.acceptsSessions else { return failed("the server does not answer") }
            takeSettings(settings)
        case .ensureRoles, .ensureSlots:
            guard let server, server.acceptsSessions else { return failed("the server does not answer") }
        case .stopReceiver(let settings): return stopReceiver(settings)
        case .checkpoint:
            guard let server, server.acceptsSessions else { return failed("the server does not answer") }
            if server.phase == .primary { files.checkpointTimeline = files.timeline }
        case .reserveTimeline(let timeline):
            guard timeline.rawValue > files.timeline else { return failed("the number is used up") }
            guard files.newestKnownTimeline < timeline.rawValue else { return failed("timeline \(timeline) has a history file") }
            files.newestKnownTimeline = timeline.rawValue - 1
        case .inspectStopped: return inspect()
        case .clone(let source, _, _): return clone(source)
        case .rewind(let source): return rewind(source)
        case .finishRejoin: files.marker = nil
        case .quarantine:
            guard server == nil else { return failed("the server runs") }
            files.isPresent = false
        }
        return .done
    }

    private func failed(_ reason: String) -> PostgresOutcome { .failed(BastionError(.failed, reason)) }

    private func initialize() -> PostgresOutcome {
        guard !files.isPresent else { return .done }
        files = SimFiles()
        files.isPresent = true
        files.systemIdentifier = sim.random.number()
        files.records = [SimRecord(id: sim.nextRecordID(), timeline: 1, end: 0x0100_0000, row: nil)]
        files.flushed = 1
        files.dataID = DataID(rawValue: sim.random.wide())
        return .done
    }

    /// A reload: a new session shows it at once, running processes within 1 s (AS5).
    private func takeSettings(_ settings: ManagedSettings) {
        files.settings = settings
        guard let server, server.acceptsSessions else { return }
        let before = server.settings
        server.settings = settings
        server.namesGeneration += 1
        let generation = server.namesGeneration
        if server.names.text != settings.synchronousStandbyNames {
            sim.after(sim.random.time(1...990), on: server.process) { [self] in
                guard self.server === server, server.namesGeneration == generation else { return }
                server.names = SimSyncNames(settings.synchronousStandbyNames)
                acknowledge(server)
            }
        }
        guard before?.upstream != settings.upstream || before?.applicationName != settings.applicationName else { return }
        sim.after(sim.random.time(2...30), on: server.process) { [self] in
            guard self.server === server, server.settings?.upstream == settings.upstream else { return }
            if let stream = server.upstream { close(stream) } else { connect(server) }
        }
    }

    private func stopReceiver(_ settings: ManagedSettings) -> PostgresOutcome {
        guard let server, server.acceptsSessions, server.phase == .recovery else { return failed("the server is no replica") }
        guard server.settings?.upstream == nil else { return failed("the settings were not taken over") }
        if let stream = server.upstream { close(stream) }
        // The receiver flushes what it wrote when it ends.
        files.flushed = files.records.count
        server.received = server.received == nil ? nil : files.flushedEnd
        server.replayed = max(server.replayed, files.flushedEnd)
        return .stoppedReceiving(
            ReceivedPosition(
                timeline: TimelineID(files.timeline), lsn: LSN(files.end), replayed: LSN(server.replayed), history: files.history))
    }

    private func inspect() -> PostgresOutcome {
        guard server == nil, files.isPresent else { return failed("the server runs") }
        return .inspected(
            StoppedServer(
                control: files.control, end: WALPosition(timeline: TimelineID(files.timeline), lsn: LSN(files.end)),
                isCleanShutdown: files.state == .shutDown || files.state == .shutDownInRecovery,
                wasStandby: files.wasStandby, history: files.history))
    }

    // MARK: Rejoining

    private func source(_ endpoint: PostgresEndpoint) -> SimPostgres? {
        guard let other = sim.machine(endpoint.node), let server = other.postgres.server, server.acceptsSessions,
            sim.network.isConnected(machine.index, other.index)
        else { return nil }
        return other.postgres
    }

    private func clone(_ endpoint: PostgresEndpoint) -> PostgresOutcome {
        guard server == nil, files.marker == "clone" else { return failed("the server runs") }
        guard let source = source(endpoint) else { return failed("could not clone from \(endpoint.node)") }
        let dataID = files.dataID
        files = source.files
        files.cut(to: source.files.flushed)
        (files.settings, files.dataID, files.marker, files.isTorn) = (nil, dataID, "clone-complete", false)
        (files.hasStandbySignal, files.wasStandby, files.state) = (true, true, .inArchiveRecovery)
        return .done
    }

    private func rewind(_ endpoint: PostgresEndpoint) -> PostgresOutcome {
        guard server == nil, files.marker == "rewind", files.isPresent else { return failed("the server runs") }
        guard let source = source(endpoint), source.server?.phase == .primary,
            source.files.checkpointTimeline == source.files.timeline
        else { return failed("could not rewind to \(endpoint.node)") }
        let (dataID, settings) = (files.dataID, files.settings)
        files = source.files
        files.cut(to: source.files.flushed)
        (files.settings, files.dataID, files.marker, files.isTorn) = (settings, dataID, "rewind-complete", false)
        (files.hasStandbySignal, files.wasStandby, files.state) = (true, true, .inArchiveRecovery)
        return .done
    }

    // MARK: Facts

    var facts: PostgresFacts {
        var facts = PostgresFacts(dataDirectory: files.isPresent ? .present : .missing, storage: isStalledForLong ? .stalled : .healthy)
        facts.unfinishedJob = files.marker
        facts.dataID = files.isPresent || files.marker != nil ? files.dataID : nil
        guard files.isPresent else { return facts }
        facts.control = files.control
        guard let server, server.acceptsSessions else {
            facts.sqlError = "the server does not answer"
            return facts
        }
        facts.server = serverFacts(server)
        return facts
    }

    private func serverFacts(_ server: SimServer) -> ServerFacts {
        let inRecovery = server.phase == .recovery
        var result = ServerFacts(
            versionNumber: 170_000, systemIdentifier: files.systemIdentifier, isInRecovery: inRecovery,
            timeline: TimelineID(inRecovery ? files.flushedTimeline : files.timeline))
        result.history = files.history.filter { $0.timeline < result.timeline }
        result.synchronousStandbyNames = server.settings?.synchronousStandbyNames ?? ""
        result.primaryConninfoHost = server.settings?.upstream?.host
        result.primaryConninfoPort = server.settings?.upstream?.port
        guard inRecovery else {
            result.flushLSN = LSN(files.flushedEnd)
            result.replicas = server.downstreams.filter(\.isOpen).map { stream in
                var row = StreamingReplica(applicationName: stream.name, state: "streaming", syncState: "quorum")
                row.flushLSN = LSN(stream.confirmed)
                row.replayLSN = row.flushLSN
                return row
            }
            return result
        }
        result.receivedLSN = server.received.map { LSN($0) }
        result.replayedLSN = LSN(server.replayed)
        if let stream = server.upstream {
            result.receiver = ReceiverFacts(
                status: "streaming", host: stream.upstream.machine.name.rawValue, port: 5432, flushedLSN: LSN(files.flushedEnd),
                timeline: TimelineID(files.timeline))
            result.receiver?.upstreamEnd = LSN(stream.toldEnd)
        }
        return result
    }
}

import ClusterModel
import FailoverCore

/// PostgreSQL on one machine: its files, and its server while one runs.
package final class SimPostgres {
    unowned let machine: SimMachine
    var sim: Simulation { machine.sim }
    var files = SimFiles()
    private(set) var server: SimServer?
    /// Of the server that may commit now, as its clients see it.
    package var isWritable: Bool { server?.acceptsWrites == true }
    package var hasPostmaster: Bool { server?.postmasterIsAlive == true }
    package var processID: Int32? { server?.pid }
    private var lastPID: Int32 = 100
    /// SIGKILL is pending for a process in uninterruptible sleep until then (LE11).
    private var ghostsUntil: Int64 = 0
    package var unkillableFor: Int64 = 0
    /// The WAL disk does not answer until then.
    package var stalledUntil: Int64 = 0
    private var stalledSince: Int64 = 0

    init(_ machine: SimMachine) { self.machine = machine }

    var summary: String {
        guard let server else { return "stopped, marker \(files.marker ?? "none"), end \(files.timeline):\(LSN(files.end))" }
        return "\(server.phase), upstream \(server.settings?.upstream?.node.rawValue ?? "none"), end \(files.timeline):\(LSN(files.end))"
    }

    /// The running postmaster, as a guard sees one that it did not start.
    var stranger: StrangerServer? {
        guard let server, server.postmasterIsAlive else { return nil }
        return StrangerServer(
            pid: server.pid, mayBeWritable: files.state != .inArchiveRecovery && !files.hasStandbySignal,
            hasStandbySignal: files.hasStandbySignal, systemIdentifier: files.systemIdentifier)
    }

    // MARK: What the guard does

    /// - Returns: false when the program could not be started.
    func spawn(token: FencingToken?) -> Bool {
        guard files.isPresent, server == nil, !sim.random.chance(sim.plan.startFailureRate) else { return false }
        if files.isTorn {
            sim.violate("CH14", "\(machine.name) starts a directory with the marker \(files.marker ?? "none")")
        }
        lastPID += 1
        let started = SimServer(pid: lastPID)
        started.settings = files.settings
        started.names = SimSyncNames(files.settings?.synchronousStandbyNames ?? "")
        started.replayed = files.flushedEnd
        started.token = token
        server = started
        let asStandby = files.hasStandbySignal
        files.state = asStandby ? .inArchiveRecovery : .inProduction
        files.wasStandby = asStandby
        sim.tell("\(machine.name) postgres starts as \(asStandby ? "standby" : "primary")")
        sim.after(sim.random.time(sim.plan.startTime), on: started.process) { [self] in ready(started, asStandby: asStandby) }
        return true
    }

    private func ready(_ server: SimServer, asStandby: Bool) {
        guard server.phase == .starting, server.postmasterIsAlive else { return }
        if asStandby {
            server.phase = .recovery
            connect(server)
            if server.wantsPromotion { promote(server) }
        } else {
            server.phase = .primary
            becameWritable(server)
        }
    }

    func signal(_ signal: PostmasterSignal, token: FencingToken? = nil) {
        guard let server, server.postmasterIsAlive else { return }
        switch signal {
        case .fastStop: fastStop(server)
        case .immediate: sim.after(sim.random.time(5...100), on: server.process) { [self] in ended(server, waitStatus: 2 << 8) }
        case .stop, .reload: break
        case .kill: killPostmaster(server, exitsAfter: 0)
        case .promoteFileAndUSR1:
            server.token = token
            server.wantsPromotion = true
            sim.after(sim.random.time(5...40), on: server.process) { [self] in promote(server) }
        case .terminateBackends:
            for stream in server.downstreams { close(stream) }
            if server.phase == .stopping { sim.after(milliseconds(20), on: server.process) { [self] in finishStop(server) } }
        }
    }

    /// One pass over all processes. - Returns: how many were found.
    @discardableResult
    func sweep(kill: Bool) -> Int {
        guard let server else { return sim.now < ghostsUntil ? 1 : 0 }
        let found = (server.postmasterIsAlive ? 1 : 0) + 1
        guard kill else { return found }
        if unkillableFor > 0 {
            ghostsUntil = sim.now + unkillableFor
            unkillableFor = 0
        }
        ended(server, waitStatus: 9)
        return found
    }

    /// AS4 is broken: somebody stops the server and starts its directory as a primary.
    package func startRogue() {
        if let server { ended(server, waitStatus: 0) }
        sim.after(sim.random.time(30...300)) { [self] in
            guard machine.isUp, server == nil, files.isPresent, files.marker == nil else { return }
            files.hasStandbySignal = false
            guard spawn(token: nil) else { return }
            server?.isRogue = true
            sim.tell("\(machine.name) postgres was started by somebody else")
            sim.after(sim.random.time(0.1...2), on: machine.guardian.process) { [self] in
                machine.guardian.feed(.rogueSignal(.foreignPostmaster))
            }
        }
    }

    /// While a restored cluster waits, somebody starts the server that was primary as it was.
    ///
    /// - Returns: whether it was started.
    func startByHand() -> Bool {
        guard machine.isUp, server == nil, files.isPresent, files.marker == nil, !files.wasStandby else { return false }
        files.hasStandbySignal = false
        guard spawn(token: nil) else { return false }
        sim.tell("\(machine.name) postgres was started by hand")
        sim.after(sim.random.time(0.1...2), on: machine.guardian.process) { [self] in
            machine.guardian.feed(.rogueSignal(.foreignPostmaster))
        }
        return true
    }

    /// It belongs to another cluster: nothing is promised of it.
    func markOutside() { server?.isRogue = true }

    package var isStreaming: Bool { server?.isStreaming == true }
    package var isRogue: Bool { server?.isRogue == true }

    /// Whether every record here is the record of `other` at its place.
    package func isCopy(of other: SimPostgres) -> Bool { other.files.records.starts(with: files.records) }

    // MARK: How servers end

    /// kill -9 of the postmaster: orphaned backends finish what they do, and acknowledge it (LE11).
    package func killPostmaster() {
        guard let server, server.postmasterIsAlive else { return }
        sim.tell("\(machine.name) postmaster is killed")
        killPostmaster(server, exitsAfter: sim.random.time(0...1500))
    }

    private func killPostmaster(_ server: SimServer, exitsAfter delay: Int64) {
        server.postmasterIsAlive = false
        machine.guardian.postmasterEnded(9)
        sim.after(delay, on: server.process) { [self] in ended(server, waitStatus: 9) }
    }

    /// No process of `server` runs any more.
    private func ended(_ server: SimServer, waitStatus: Int32) {
        guard self.server === server, server.process.isAlive else { return }
        let tellsGuard = server.postmasterIsAlive
        leave(server, keeping: sim.random.int(files.flushed...files.records.count))
        if tellsGuard { machine.guardian.postmasterEnded(waitStatus) }
    }

    private func leave(_ server: SimServer, keeping kept: Int) {
        sim.tell("\(machine.name) postgres ended")
        server.postmasterIsAlive = false
        server.process.end()
        for stream in server.downstreams { close(stream) }
        if let stream = server.upstream { close(stream) }
        for session in server.sessions where session.isOpen { session.client.lost(session) }
        server.commits = []
        server.sessions = []
        files.cut(to: kept)
        self.server = nil
        sim.checks.writers.ended(machine.index)
    }

    func powerLost() {
        ghostsUntil = 0
        stalledUntil = 0
        guard let server else { return }
        leave(server, keeping: files.flushed)
    }

    /// All WAL goes to connected receivers, then the shutdown checkpoint.
    private func fastStop(_ server: SimServer) {
        guard server.phase != .stopping else { return }
        let wasPrimary = server.phase == .primary
        let wasStarting = server.phase == .starting
        for session in server.sessions where session.isOpen { session.client.lost(session) }
        server.commits = []
        server.phase = .stopping
        server.isPromoting = false
        sim.checks.writers.ended(machine.index)
        guard !wasStarting else { return ended(server, waitStatus: 1 << 8) }
        if let stream = server.upstream { close(stream) }
        sim.after(sim.random.time(10...120), on: server.process) { [self] in
            guard self.server === server else { return }
            if wasPrimary {
                append(row: nil)
                files.flushed = files.records.count
                files.checkpointTimeline = files.timeline
                pump(server)
            }
            files.state = wasPrimary ? .shutDown : .shutDownInRecovery
            finishStop(server)
        }
    }

    /// Walsenders stay until their receivers have everything.
    func finishStop(_ server: SimServer) {
        guard self.server === server, server.phase == .stopping, [.shutDown, .shutDownInRecovery].contains(files.state) else { return }
        let isDone = server.downstreams.allSatisfy { !$0.isOpen || $0.confirmed >= files.flushedEnd }
        guard isDone else { return }
        sim.after(sim.random.time(1...10), on: server.process) { [self] in
            guard self.server === server else { return }
            leave(server, keeping: files.records.count)
            machine.guardian.postmasterEnded(0)
        }
    }

    package func freeze() { server?.process.freeze() }
    package func thaw() { server?.process.thaw() }
    package func stall(for duration: Int64) {
        stalledSince = sim.now
        stalledUntil = sim.now + duration
    }
    var isStalledForLong: Bool { sim.now < stalledUntil && sim.now - stalledSince > seconds(2) }
    func daemonDied() {}

    // MARK: Promotion

    private func promote(_ server: SimServer) {
        guard self.server === server, server.postmasterIsAlive, server.phase == .recovery, !server.isPromoting else { return }
        server.isPromoting = true
        sim.after(sim.random.time(sim.plan.promotionTime), on: server.process) { [self] in
            guard self.server === server, server.phase == .recovery, server.postmasterIsAlive else { return }
            if let stream = server.upstream { close(stream) }
            files.flushed = files.records.count
            let old = files.timeline
            let new = max(files.newestKnownTimeline, old) + 1
            files.history.removeAll { $0.timeline.rawValue >= old }
            files.history.append(TimelineSwitch(timeline: TimelineID(old), switchPoint: LSN(files.end)))
            files.newestKnownTimeline = new
            files.hasStandbySignal = false
            files.wasStandby = false
            files.state = .inProduction
            server.phase = .primary
            append(row: nil, timeline: new)
            files.flushed = files.records.count
            server.replayed = files.end
            sim.tell("\(machine.name) promoted to timeline \(new) at \(LSN(files.end))")
            sim.checks.timelines.promoted(machine, to: new, token: server.token, sim)
            becameWritable(server)
        }
    }

    private func becameWritable(_ server: SimServer) {
        if server.isRogue {
            for _ in 0..<3 { append(row: nil) }
            files.flushed = files.records.count
            return
        }
        sim.checks.writers.began(machine, server, sim)
        sim.checks.commits.judge(files, on: machine.name, sim)
        pump(server)
    }

    func append(row: UInt64?, timeline: UInt32? = nil) {
        let size: UInt64 = row == nil ? 120 : 96
        files.records.append(
            SimRecord(id: sim.nextRecordID(), timeline: timeline ?? files.timeline, end: files.end + size, row: row))
    }
}

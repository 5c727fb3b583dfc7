import ClusterModel

/// Commits, walsenders and walreceivers.
extension SimPostgres {
    // MARK: Commits

    /// A client's row arrives in a session.
    func insert(_ row: UInt64, _ session: SimSession) {
        guard let server, server === session.server, server.phase == .primary, session.isOpen else { return }
        append(row: row)
        server.commits.append(SimCommit(row: row, end: files.end, session: session))
        flush(server)
    }

    private func flush(_ server: SimServer) {
        guard !server.isFlushing else { return }
        server.isFlushing = true
        let stall = max(0, stalledUntil - sim.now)
        sim.after(stall + sim.random.time(sim.plan.fsync), on: server.process) { [self] in
            guard self.server === server else { return }
            server.isFlushing = false
            guard server.phase == .primary else { return }
            files.flushed = files.records.count
            pump(server)
            acknowledge(server)
        }
    }

    /// Whoever waits and has enough confirmations is answered.
    func acknowledge(_ server: SimServer) {
        guard self.server === server, server.acceptsWrites, !server.commits.isEmpty else { return }
        var bound = files.flushedEnd
        if server.names.required > 0 {
            let confirmed = server.downstreams.filter { $0.isOpen && server.names.names.contains($0.name) }
                .map(\.confirmed).sorted(by: >)
            guard confirmed.count >= server.names.required else { return }
            bound = min(bound, confirmed[server.names.required - 1])
        }
        while let first = server.commits.first, first.end <= bound {
            server.commits.removeFirst()
            sim.checks.commits.acknowledged(first.row, on: machine, sim)
            if first.session.isOpen { first.session.client.acknowledged(first.row, in: first.session) }
        }
    }

    // MARK: Sending

    func pump(_ server: SimServer) {
        for stream in server.downstreams where stream.isOpen { pump(stream) }
    }

    private func pump(_ stream: SimStream) {
        guard stream.isOpen, server === stream.sender, stream.sent < files.flushed else { return }
        guard let delay = sim.network.streamDelay(machine.index, stream.downstream.machine.index),
            sim.network.isOpen(stream.downstream.machine.index, machine.index)
        else {
            return retry(stream)
        }
        let piece = Array(files.records[stream.sent..<files.flushed])
        stream.sent = files.flushed
        stream.arrivesAt = max(stream.arrivesAt, sim.now + delay)
        let (history, newest) = (files.history, files.newestKnownTimeline)
        stream.toldEnd = files.flushedEnd
        sim.after(stream.arrivesAt - sim.now, on: stream.receiver.process) {
            stream.downstream.receive(piece, history, newest, stream)
        }
    }

    /// Nothing gets through: TCP tries again; after 10 s both ends give up.
    private func retry(_ stream: SimStream) {
        guard !stream.isRetrying else { return }
        stream.isRetrying = true
        sim.after(milliseconds(50), on: stream.sender.process) { [self] in
            stream.isRetrying = false
            if sim.now - stream.progressAt > seconds(10) { close(stream) } else { pump(stream) }
        }
    }

    private func receive(_ piece: [SimRecord], _ history: [TimelineSwitch], _ newest: UInt32, _ stream: SimStream) {
        guard stream.isOpen, let server, server === stream.receiver, server.phase == .recovery else { return }
        files.records += piece
        files.history = history
        files.newestKnownTimeline = max(files.newestKnownTimeline, newest)
        let count = files.records.count
        let stall = max(0, stalledUntil - sim.now)
        sim.after(stall + sim.random.time(sim.plan.fsync), on: server.process) { [self] in flushed(count, stream) }
    }

    private func flushed(_ count: Int, _ stream: SimStream) {
        guard let server, server === stream.receiver, count <= files.records.count else { return }
        files.flushed = max(files.flushed, count)
        server.received = files.flushedEnd
        pump(server)  // Whoever streams from here.
        let end = files.flushedEnd
        sim.after(sim.random.time(sim.plan.replayLag), on: server.process) { server.replayed = max(server.replayed, end) }
        answer(end, stream)
    }

    /// The confirmation is on its way even when the connection is cut meanwhile.
    private func answer(_ end: UInt64, _ stream: SimStream) {
        guard stream.isOpen else { return }
        guard let delay = sim.network.streamDelay(machine.index, stream.upstream.machine.index) else {
            sim.after(milliseconds(50), on: stream.receiver.process) { [self] in answer(end, stream) }
            return
        }
        stream.answersAt = max(stream.answersAt, sim.now + delay)
        sim.after(stream.answersAt - sim.now, on: stream.sender.process) {
            stream.confirmed = max(stream.confirmed, end)
            stream.progressAt = stream.upstream.sim.now
            stream.upstream.acknowledge(stream.sender)
            if stream.sender.phase == .stopping { stream.upstream.finishStop(stream.sender) }
        }
    }

    func close(_ stream: SimStream) {
        guard stream.isOpen else { return }
        stream.isOpen = false
        stream.sender.downstreams.removeAll { $0 === stream }
        if stream.receiver.upstream === stream { stream.receiver.upstream = nil }
        if stream.receiver.process.isAlive { stream.downstream.connect(stream.receiver) }
        if stream.sender.phase == .stopping { finishStop(stream.sender) }
    }

    // MARK: Receiving

    /// Tries to stream from the configured upstream, every 500 ms.
    func connect(_ server: SimServer) {
        guard !server.isConnecting else { return }
        server.isConnecting = true
        sim.after(sim.random.time(10...60), on: server.process) { [self] in
            server.isConnecting = false
            guard self.server === server, server.phase == .recovery, !server.isPromoting, server.upstream == nil else { return }
            if !openStream(server) {
                server.isConnecting = true
                sim.after(milliseconds(450), on: server.process) { [self] in
                    server.isConnecting = false
                    connect(server)
                }
            }
        }
    }

    private func openStream(_ server: SimServer) -> Bool {
        guard let settings = server.settings, let upstream = settings.upstream, let source = sim.machine(upstream.node)?.postgres,
            let sender = source.server, sender.acceptsSessions, sim.network.isConnected(machine.index, source.machine.index)
        else { return false }
        files.flushed = files.records.count
        guard source.files.systemIdentifier == files.systemIdentifier,
            source.files.canBeFollowed(fromTimeline: files.timeline, end: files.end)
        else { return false }
        let start = files.records.count
        guard start <= source.files.records.count, start == 0 || source.files.records[start - 1].id == files.records[start - 1].id else {
            sim.violate(
                "D59", "\(machine.name) streams from \(upstream.node), but their data differ at \(files.timeline):\(LSN(files.end))")
            return false
        }
        let stream = SimStream(
            from: source, sender, to: self, server, name: settings.applicationName, sent: start, confirmed: files.flushedEnd, now: sim.now)
        server.upstream = stream
        server.received = files.flushedEnd
        sender.downstreams.append(stream)
        sim.tell("\(machine.name) streams from \(upstream.node) at \(files.timeline):\(LSN(files.end))")
        source.pump(stream)
        source.acknowledge(sender)
        return true
    }
}

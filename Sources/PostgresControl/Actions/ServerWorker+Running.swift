import ClusterModel

extension ServerWorker {
    /// Safety: SE3. After this returned, nothing reaches this replica any more: no receiver runs, and none that would still
    /// be started by an old setting could log in, because the passfile is empty since before the reload.
    func stopReceiver(_ settings: ManagedSettings) async throws(BastionError) -> ReceivedPosition {
        guard settings.upstream == nil else {
            throw BastionError(.internal, "cannot stop the receiver with settings that name an upstream")
        }
        guard try version().upstreamIsReloadable else {
            throw BastionError(.preconditionFailed, "cannot stop the receiver of this version without a restart")
        }
        try await applySettings(settings)
        let question = """
            SELECT (SELECT count(*) FROM pg_stat_wal_receiver)
              + (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walreceiver')
            """
        let deadline = Deadline.after(.seconds(5))
        var quiet = 0
        while quiet < 2 {
            let running = try await query(question, "look for the WAL receiver").value
            quiet = running == "0" ? quiet + 1 : 0
            guard quiet > 0 || !deadline.isOver else {
                throw BastionError(.timeout, "could not stop the WAL receiver", detail: "it still runs after 5 s")
            }
            if quiet < 2 { await pause(.milliseconds(10)) }
        }
        try await awaitLocalReplay()
        return try await receivedPosition()
    }

    /// SE3: a replica that was just restarted has no received position yet, although WAL that it acknowledged may lie in
    /// its `pg_wal`; it has told everything only when the startup process waits for more.
    ///
    /// - Source: PostgreSQL manual, "Wait Events" (`RecoveryRetrieveRetryInterval`, `RecoveryWalStream`).
    private func awaitLocalReplay() async throws(BastionError) {
        let deadline = Deadline.after(.seconds(60))
        var quiet = 0
        while quiet < 2 {
            let row = try await query(
                """
                SELECT pg_last_wal_receive_lsn() IS NOT NULL,
                  (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup')
                """, "see whether local WAL is replayed"
            ).rows.first
            if row?[0] == "t" { return }
            let event = row?[1] ?? ""
            quiet = ["RecoveryRetrieveRetryInterval", "RecoveryWalStream"].contains(event) ? quiet + 1 : 0
            guard !deadline.isOver else {
                throw BastionError(
                    .timeout, "could not learn the received position", detail: "local WAL is still being replayed after 60 s")
            }
            if quiet < 2 { await pause(.milliseconds(10)) }
        }
    }

    private func receivedPosition() async throws(BastionError) -> ReceivedPosition {
        let table = try await query(
            """
            SELECT pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), c.timeline_id, y.min_recovery_end_timeline,
              i.bytes_per_wal_segment
            FROM pg_control_checkpoint() c, pg_control_recovery() y, pg_control_init() i
            """, "read the received position")
        guard let row = table.rows.first, let checkpoint = row[2].flatMap({ UInt32($0) }),
            let bytes = row[4].flatMap({ UInt64($0) }), let replayed = row[1].flatMap({ LSN($0) })
        else { throw BastionError(.failed, "could not read the received position", detail: "the server is no replica") }
        let received = row[0].flatMap { LSN($0) } ?? .zero
        let position = max(received, replayed)
        let reached = max(checkpoint, row[3].flatMap { UInt32($0) } ?? 0)
        let timeline = try TimelineLookup(directory: input.walDirectory, segmentBytes: bytes)
            .timeline(at: position, reached: TimelineID(reached))
        return ReceivedPosition(
            timeline: timeline, lsn: position, replayed: replayed,
            history: try TimelineHistoryFile.read(timeline, in: input.walDirectory))
    }

    /// SE9: a new session showing the setting does not prove that commits wait, since the checkpointer publishes it.
    func proveSynchronousWait(_ settings: ManagedSettings) async throws(BastionError) {
        guard !settings.synchronousStandbyNames.isEmpty else { return try await applySettings(settings) }
        var waiting = settings
        waiting.synchronousStandbyNames = SettingsFile.placeholder
        try await applySettings(waiting)
        let input = self.input
        let prober = SQLSession(label: "probe") {
            var parameters = LocalConnection.parameters(input)
            parameters["options"] = (parameters["options"] ?? "") + " -c synchronous_commit=on"
            return parameters
        }
        do {
            try await observeWait(prober)
        } catch {
            // The placeholder must not stay: every commit would wait. Nor may the wanted names stand there unproven: with
            // none a later try begins anew.
            var without = settings
            without.synchronousStandbyNames = ""
            try await applySettings(without)
            await prober.close()
            throw error
        }
        try await applySettings(settings)
        // The probe's commit is local and durable; whether a standby confirms it does not matter.
        await prober.close()
    }

    private func observeWait(_ prober: SQLSession) async throws(BastionError) {
        let deadline = Deadline.after(.seconds(5))
        while !deadline.isOver {
            do {
                let pid = try await prober.begin(
                    "SELECT pg_logical_emit_message(true, 'pgbastion', '')", within: .seconds(2))
                while !deadline.isOver {
                    let event = try await query(
                        "SELECT wait_event FROM pg_stat_activity WHERE pid = \(pid)", "watch a commit"
                    ).value
                    if event == "SyncRep" {
                        // Ends the wait without a doubt about the transaction: it stays committed.
                        try await query("SELECT pg_cancel_backend(\(pid))", "cancel the probe")
                        return
                    }
                    if try await prober.hasEnded() { break }
                    await pause(.milliseconds(2))
                }
            } catch let failure as SQLFailure {
                throw failure.error("could not commit a probe")
            } catch let error as BastionError {
                throw error
            } catch {
                throw BastionError(.internal, "could not commit a probe")
            }
        }
        throw BastionError(.timeout, "could not prove that commits wait for standbys", detail: "none waited for 5 s")
    }

    /// Limit: 10 min.
    func checkpoint() async throws(BastionError) {
        let input = self.input
        let own = SQLSession(label: "checkpoint") { LocalConnection.parameters(input) }
        do {
            _ = try await own.run("CHECKPOINT", within: .seconds(600))
            await own.close()
        } catch {
            throw error.error("could not make a checkpoint")
        }
    }

    /// AG9: PostgreSQL takes the first number without a history file. The files say that these branches have nothing to do
    /// with ours, so recovery passes over them.
    func reserveTimeline(_ timeline: TimelineID) async throws(BastionError) {
        let facts = await reader.read()
        guard let current = facts.server?.timeline ?? facts.control?.timeline else {
            throw BastionError(.failed, "could not reserve timeline \(timeline)", detail: facts.sqlError)
        }
        if facts.server?.isInRecovery == false && current == timeline { return }
        guard current < timeline else {
            throw BastionError(
                .preconditionFailed, "cannot promote to timeline \(timeline): the server is on timeline \(current)")
        }
        var number = current.next
        while number < timeline {
            let path = input.walDirectory + "/" + TimelineHistoryFile.name(number)
            if !DurableFiles.exists(path) { try DurableFiles.write("# reserved by pgbastion\n", to: path) }
            number = number.next
        }
        guard !DurableFiles.exists(input.walDirectory + "/" + TimelineHistoryFile.name(timeline)) else {
            throw BastionError(.preconditionFailed, "cannot promote to timeline \(timeline): its number is used up")
        }
    }
}

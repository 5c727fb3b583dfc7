import ClusterModel

/// The statement batch behind `ServerFacts`, and how its tables are read.
struct FactsQuery: Sendable {
    let batch: String

    /// A file that differs from the command line counts as pending for PostgreSQL, although a restart would not take it.
    init(version: PostgresVersion) {
        let clients = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        let baseBackup =
            version.hasBaseBackupProgress
            ? "EXISTS (SELECT FROM pg_stat_progress_basebackup)" : "false"
        batch = """
            SELECT current_setting('server_version_num'), s.system_identifier, r.rec,
              CASE WHEN NOT r.rec THEN pg_current_wal_flush_lsn() END,
              CASE WHEN NOT r.rec THEN pg_walfile_name(pg_current_wal_insert_lsn()) END,
              CASE WHEN r.rec THEN pg_last_wal_receive_lsn() END,
              CASE WHEN r.rec THEN pg_last_wal_replay_lsn() END,
              CASE WHEN r.rec THEN pg_is_wal_replay_paused() END,
              current_setting('synchronous_standby_names'), current_setting('primary_conninfo'),
              current_setting('wal_log_hints'), (SELECT count(*) \(clients)),
              (SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) \(clients)),
              \(baseBackup), (SELECT string_agg(name, ',' ORDER BY name) FROM pg_settings
                WHERE pending_restart AND source <> 'command line'),
              pg_postmaster_start_time(), c.checkpoint_lsn, c.redo_lsn, c.timeline_id,
              y.min_recovery_end_lsn, y.min_recovery_end_timeline, i.data_page_checksum_version,
              i.bytes_per_wal_segment, \(FactsQuery.commandLineValues), \(FactsQuery.foreignValues)
            FROM pg_control_system() s, pg_control_checkpoint() c, pg_control_recovery() y, pg_control_init() i,
              (SELECT pg_is_in_recovery() AS rec) r;
            SELECT status, sender_host, sender_port, \(version.receiverFlushColumn), received_tli, latest_end_lsn
            FROM pg_stat_wal_receiver;
            SELECT application_name, client_addr, state, sync_state, sent_lsn, write_lsn, flush_lsn, replay_lsn,
              extract(epoch FROM replay_lag) FROM pg_stat_replication ORDER BY application_name, pid;
            SELECT slot_name, slot_type = 'physical', active, restart_lsn, wal_status,
              CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), restart_lsn)
                ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END
            FROM pg_replication_slots ORDER BY slot_name
            """
    }

    /// What the batch says of the server and of its control file. Timeline of a replica and history come from files.
    struct Answer: Sendable {
        var server: ServerFacts
        var control: ControlFile
        var segmentBytes: UInt64
        /// Settings that our command line would give, but another start gave: name -> running value (AG17).
        var foreign: [String: String]
    }

    func read(_ tables: [SQLTable]) throws(SQLFailure) -> Answer {
        guard tables.count == 4, let row = tables[0].rows.first, row.count == 25 else { throw FactsQuery.unreadable }
        func text(_ column: Int) -> String { row[column] ?? "" }
        guard let number = Int(text(0)), let system = UInt64(text(1)), let timeline = UInt32(text(18)),
            let checkpoint = LSN(text(16)), let redo = LSN(text(17)), let bytes = UInt64(text(22))
        else { throw FactsQuery.unreadable }
        let inRecovery = text(2) == "t"
        let current = row[4].flatMap { UInt32($0.prefix(8), radix: 16) } ?? timeline
        var server = ServerFacts(
            versionNumber: number, systemIdentifier: system, isInRecovery: inRecovery, timeline: TimelineID(current))
        server.flushLSN = row[3].flatMap { LSN($0) }
        server.receivedLSN = row[5].flatMap { LSN($0) }
        server.replayedLSN = row[6].flatMap { LSN($0) }
        server.isReplayPaused = text(7) == "t"
        server.synchronousStandbyNames = text(8)
        server.primaryConninfoHost = ConnectionText.value(of: "host", in: text(9))
        server.primaryConninfoPort = ConnectionText.value(of: "port", in: text(9)).flatMap { Int($0) }
        server.connections = Int(text(11)) ?? 0
        server.longestTransactionSeconds = row[12].flatMap { Double($0) }
        server.isBaseBackupRunning = text(13) == "t"
        let pending = text(14).split(separator: ",").map(String.init)
        server.pendingRestart = !pending.isEmpty
        server.pendingRestartSettings = pending
        server.commandLineValues = FactsQuery.readCommandLine(text(23))
        let foreign = FactsQuery.readForeign(text(24))
        server.postmasterStartedAt = row[15]
        server.receiver = tables[1].rows.first.map(FactsQuery.receiver)
        server.replicas = tables[2].rows.map(FactsQuery.replica)
        server.slots = tables[3].rows.map(FactsQuery.slot)
        let control = ControlFile(
            systemIdentifier: system, state: inRecovery ? .inArchiveRecovery : .inProduction,
            timeline: TimelineID(timeline), checkpointLSN: checkpoint, redoLSN: redo,
            minimumRecoveryLSN: row[19].flatMap { LSN($0) } ?? .zero,
            minimumRecoveryTimeline: TimelineID(UInt32(text(20)) ?? 0), hasChecksums: (Int(text(21)) ?? 0) != 0,
            logHints: text(10) == "on")
        return Answer(server: server, control: control, segmentBytes: bytes, foreign: foreign)
    }

    /// One text with all of them, in the order of `PostgresParameterRules.commandLine`.
    private static let commandLineValues =
        "concat_ws(',', \(PostgresParameterRules.commandLine.map { "current_setting('\($0)')" }.joined(separator: ", ")))"

    /// Empty for a server that was started with our command line.
    private static let foreignValues: String = {
        let names = PostmasterCommand.comparedNames.map { "'\($0)'" }.joined(separator: ", ")
        return """
            (SELECT string_agg(name || '=' || setting, '|') FROM pg_settings
              WHERE source <> 'command line' AND name IN (\(names)))
            """
    }()

    private static func readForeign(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for pair in text.split(separator: "|") {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            values[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        return values
    }

    private static func readCommandLine(_ text: String) -> [String: Int] {
        let pairs = zip(PostgresParameterRules.commandLine, text.split(separator: ","))
        return Dictionary(uniqueKeysWithValues: pairs.compactMap { name, value in Int(value).map { (name, $0) } })
    }

    private static let unreadable = SQLFailure(
        kind: .refused, message: "the server's answer to the check is not understood")

    private static func receiver(_ row: [String?]) -> ReceiverFacts {
        var receiver = ReceiverFacts(
            status: row[0] ?? "", host: row[1], port: row[2].flatMap { Int($0) },
            flushedLSN: row[3].flatMap { LSN($0) },
            timeline: row[4].flatMap { UInt32($0) }.map { TimelineID($0) })
        receiver.upstreamEnd = row[5].flatMap { LSN($0) }
        return receiver
    }

    private static func replica(_ row: [String?]) -> StreamingReplica {
        var replica = StreamingReplica(applicationName: row[0] ?? "", state: row[2] ?? "", syncState: row[3] ?? "")
        replica.clientAddress = row[1]
        replica.sentLSN = row[4].flatMap { LSN($0) }
        replica.writeLSN = row[5].flatMap { LSN($0) }
        replica.flushLSN = row[6].flatMap { LSN($0) }
        replica.replayLSN = row[7].flatMap { LSN($0) }
        replica.replayLagSeconds = row[8].flatMap { Double($0) }
        return replica
    }

    private static func slot(_ row: [String?]) -> SlotFacts {
        var slot = SlotFacts(name: row[0] ?? "", isPhysical: row[1] == "t", isActive: row[2] == "t")
        slot.restartLSN = row[3].flatMap { LSN($0) }
        slot.walStatus = row[4]
        // A position ahead of the replayed one retains nothing.
        slot.retainedBytes = row[5].flatMap { Int64($0) }.map { UInt64(max(0, $0)) }
        return slot
    }
}

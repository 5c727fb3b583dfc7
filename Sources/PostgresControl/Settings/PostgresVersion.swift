/// What differs between PostgreSQL's major versions. Nothing outside this file asks for a version number.
struct PostgresVersion: Sendable, Hashable {
    let major: Int

    /// `pg_rewind` recovers an unclean target itself and knows `--restore-target-wal`.
    var rewindRecoversTarget: Bool { major >= 13 }
    /// `pg_rewind --config-file`.
    var rewindTakesConfigFile: Bool { major >= 15 }
    /// `primary_conninfo` and `primary_slot_name` follow a reload; before, a restart.
    var upstreamIsReloadable: Bool { major >= 13 }
    /// The column of `pg_stat_wal_receiver` with the flushed position.
    var receiverFlushColumn: String { major >= 13 ? "flushed_lsn" : "received_lsn" }
    var hasBaseBackupProgress: Bool { major >= 13 }
    /// Options of our own sessions: quiet in the server's log, never waiting for a standby, never idled out.
    var sessionOptions: [String: String] {
        var options = [
            "search_path": "pg_catalog", "synchronous_commit": "local", "log_statement": "none", "log_duration": "off",
            "log_min_duration_statement": "-1", "client_min_messages": "error", "DateStyle": "ISO",
            "lock_timeout": "2000",
        ]
        if major >= 14 { options["idle_session_timeout"] = "0" }
        return options
    }
    /// Settings of the WAL stream that this version knows; part of the settings file.
    var streamSettings: [String: String] {
        [
            "wal_retrieve_retry_interval": "500ms", "wal_receiver_timeout": "10s", "wal_sender_timeout": "10s",
            "recovery_target_timeline": "latest", "recovery_target": "", "recovery_target_lsn": "",
            "recovery_target_name": "", "recovery_target_time": "", "recovery_target_xid": "",
        ]
    }
    var slotSizeLimit: [String: String] { major >= 13 ? ["max_slot_wal_keep_size": "16GB"] : [:] }

    /// From the text of the file `PG_VERSION`, for example `15`.
    init?(text: String) {
        let digits = text.prefix { $0.isNumber }
        guard let value = Int(digits) else { return nil }
        major = value
    }

    /// From `postgres --version`: `postgres (PostgreSQL) 15.14 (Debian …)`.
    init?(programVersion text: String) {
        guard let word = text.split(separator: " ").first(where: { $0.first?.isNumber == true }) else { return nil }
        self.init(text: String(word))
    }

    init(major: Int) { self.major = major }
}

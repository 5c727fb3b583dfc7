/// Which settings of PostgreSQL an operator may manage for the whole cluster (X07, 8.5).
package enum PostgresParameterRules {
    /// Given to the server at its start; a change needs a restart.
    package static let commandLine = [
        "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
        "max_locks_per_transaction", "max_replication_slots",
    ]
    /// D58: must not be smaller on a replica than on the primary.
    package static let replicaMinimum: Set<String> = Set(commandLine).subtracting(["max_replication_slots"])

    /// Smallest values with which pgbastion itself can still work.
    package static let least: [String: Int] = ["max_connections": 20, "max_wal_senders": 4, "max_replication_slots": 4]

    private static let ours: Set<String> = [
        "primary_conninfo", "primary_slot_name", "restore_command", "synchronous_standby_names", "cluster_name", "port",
        "hot_standby", "wal_level", "wal_log_hints", "restart_after_crash", "listen_addresses", "bonjour", "bonjour_name",
        "wal_retrieve_retry_interval", "wal_receiver_timeout", "wal_sender_timeout", "allow_alter_system",
        "include", "include_dir", "include_if_exists", "external_pid_file", "idle_replication_slot_timeout",
        "data_sync_retry", "fsync", "full_page_writes", "role", "session_authorization", "is_superuser",
        "zero_damaged_pages", "ignore_checksum_failure", "remove_temp_files_after_crash", "wal_sync_method",
    ]
    private static let ourPrefixes = ["pgbastion.", "recovery_", "unix_socket_", "ssl", "krb_", "trace_", "transaction_"]
    private static let programParts = ["command", "library", "libraries", "preload", "provider", "dynamic_library_path"]
    private static let fileEndings = ["_file", "_directory", "_path", "_program"]

    /// Why `name` cannot be managed; nil: it can.
    package static func refusal(of name: String) -> String? {
        guard isName(name) else { return "\"\(name.prefix(64))\" is not the name of a setting" }
        if commandLine.contains(name) { return nil }
        if ours.contains(name) || ourPrefixes.contains(where: name.hasPrefix) {
            return "\"\(name)\" belongs to pgbastion or protects what it promises"
        }
        if programParts.contains(where: name.contains) { return "\"\(name)\" runs programs or loads code" }
        if fileEndings.contains(where: name.hasSuffix) { return "\"\(name)\" names files of one machine" }
        return nil
    }

    /// Lower case, at most 63 bytes; an extension's name has one dot.
    package static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 63, parts.count <= 2 else { return false }
        return parts.allSatisfy { part in
            guard let first = part.utf8.first, first < 48 || first > 57 else { return false }
            return part.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
        }
    }

    /// Why `value` cannot be the value of `name` in a file of one line per setting; nil: it can.
    package static func problem(with value: String, of name: String) -> String? {
        guard value.utf8.count <= 4096 else { return "the value is longer than 4096 bytes" }
        guard value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else { return "the value has a control character" }
        guard commandLine.contains(name) else { return nil }
        guard let number = Int(value), number >= 0 else { return "the value must be a whole number" }
        guard number >= least[name] ?? 0 else { return "the value must be at least \(least[name] ?? 0)" }
        return nil
    }
}

/// The managed settings as everybody sees them.
package struct PostgresParametersView: Sendable, Codable, Hashable {
    package var values: [String: String]
    package var version: UInt64
    /// RFC 3339.
    package var updatedAt: String
    package var updatedBy: String
    package init(values: [String: String], version: UInt64, updatedAt: String, updatedBy: String) {
        self.values = values
        self.version = version
        self.updatedAt = updatedAt
        self.updatedBy = updatedBy
    }
}

/// One setting of one running server.
package struct SettingFacts: Sendable, Codable, Hashable {
    package var name: String
    /// As `SHOW` prints it.
    package var value: String
    /// As written in a file, without conversion to another unit; nil: from no file.
    package var fileValue: String?
    package var pendingRestart: Bool
    package init(name: String, value: String, fileValue: String?, pendingRestart: Bool) {
        self.name = name
        self.value = value
        self.fileValue = fileValue
        self.pendingRestart = pendingRestart
    }
}

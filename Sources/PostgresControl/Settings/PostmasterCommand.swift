import ClusterModel

/// How to start the server; the guard executes it without a shell.
package struct PostmasterCommand: Sendable, Hashable {
    package var program: String
    package var arguments: [String]
    package var environment: [String]
    package var dataDirectory: String
    package var logFile: String
}

extension PostmasterCommand {
    /// Settings that are owned by the command line, with the values used when the configuration names none (8.5).
    static let ownedDefaults: [String: String] = [
        "wal_level": "replica", "max_connections": "100", "max_worker_processes": "8", "max_wal_senders": "10",
        "max_prepared_transactions": "0", "max_locks_per_transaction": "64", "max_replication_slots": "20",
    ]
    static let fixed: [String: String] = ["hot_standby": "on", "wal_log_hints": "on", "restart_after_crash": "off"]
    /// `pg_controldata` abbreviates two names.
    static let controlNames = [
        "max_prepared_transactions": "max_prepared_xacts", "max_locks_per_transaction": "max_locks_per_xact",
    ]

    /// - Parameters:
    ///   - control: For a standby: it starts with no smaller value than the one its WAL was written under (D58), since
    ///     PostgreSQL refuses or pauses recovery otherwise.
    ///   - adopted: What the operator's own configuration said (AG17); a larger value than our default stays.
    init(
        input: PostgresSettingsInput, layout: ConfigurationLayout, control: ControlData?, adopted: [String: String] = [:]
    ) {
        var settings = AdoptedConfiguration.raising(PostmasterCommand.ownedDefaults, by: adopted)
        for (name, value) in input.commandLineSettings { settings[name] = value }
        for name in PostmasterCommand.ownedDefaults.keys {
            let least = control?.minimumSettings[PostmasterCommand.controlNames[name] ?? name]
            if let least, let value = settings[name].flatMap({ Int($0) }), value < least { settings[name] = "\(least)" }
        }
        for (name, value) in PostmasterCommand.fixed { settings[name] = value }
        settings["config_file"] = layout.configFile
        settings["hba_file"] = layout.hbaFile
        settings["ident_file"] = layout.identFile
        settings["listen_addresses"] = input.listenAddresses.joined(separator: ",")
        settings["port"] = "\(input.port)"
        settings["unix_socket_directories"] = AdoptedConfiguration.socketDirectories(input.socketDirectory, adopted)
        // Whatever the configuration file says: this directory, and no other one, is started.
        settings["data_directory"] = input.dataDirectory
        settings["cluster_name"] = input.clusterName
        program = input.program("postgres")
        arguments = ["-D", input.dataDirectory]
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) { arguments += ["-c", "\(name)=\(value)"] }
        // Backends do not inherit a protection from the out-of-memory killer that was meant for the supervisor.
        environment = [
            "PATH=\(input.binDirectory):/usr/local/bin:/usr/bin:/bin", "LC_ALL=\(input.locale)",
            "PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj", "PG_OOM_ADJUST_VALUE=0",
        ]
        dataDirectory = input.dataDirectory
        logFile = input.logFile
    }

    /// Settings that are compared when somebody else started the server.
    static let comparedNames = Set(ownedDefaults.keys).union(fixed.keys).union(["listen_addresses", "cluster_name", "port"]).sorted()

    /// Names of settings that the next start changes, of a server that runs with `running` (AG17).
    static func differences(of running: [String: String], input: PostgresSettingsInput) -> [String] {
        var next = AdoptedConfiguration.raising(ownedDefaults, by: running)
        for (name, value) in input.commandLineSettings { next[name] = value }
        for (name, value) in fixed { next[name] = value }
        next["listen_addresses"] = input.listenAddresses.joined(separator: ",")
        next["cluster_name"] = input.clusterName
        next["port"] = "\(input.port)"
        return running.filter { next[$0.key] != nil && next[$0.key] != $0.value }.map(\.key).sorted()
    }

    /// Every setting the command line owns: the settings file never carries one.
    static let ownedNames: Set<String> = Set(ownedDefaults.keys).union(fixed.keys).union([
        "config_file", "hba_file", "ident_file", "listen_addresses", "port", "unix_socket_directories", "cluster_name",
        "data_directory",
    ])
}

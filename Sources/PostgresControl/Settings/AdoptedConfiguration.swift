import ClusterModel

/// What the operator's own configuration said before pgbastion wrote to it (AG17), kept for every later start: the files,
/// and the settings that the command line owns from then on.
struct AdoptedConfiguration: Codable, Sendable, Hashable {
    var configFile: String
    var hbaFile: String
    var identFile: String
    var settings: [String: String]
    /// Somebody had put the running server there as a standby: it waits for a failover, also after a restart (P01).
    var foundInRecovery: Bool?

    /// Settings that are learnt; `stats_temp_directory` exists until version 14.
    static func names(major: Int) -> [String] {
        PostmasterCommand.ownedDefaults.keys.sorted() + ["unix_socket_directories"] + (major < 15 ? ["stats_temp_directory"] : [])
    }

    static func read(_ path: String) throws(BastionError) -> AdoptedConfiguration? {
        guard let text = try DurableFiles.read(path) else { return nil }
        return try OwnJSON.decode(AdoptedConfiguration.self, text, path)
    }

    func write(_ path: String) throws(BastionError) { try DurableFiles.update(try OwnJSON.encode(self, path), at: path) }

    /// What the distribution's own start would make: Debian keeps the statistics of versions before 15 on a temporary
    /// file system, where the directory is gone after a reboot.
    func makeDirectories() throws(BastionError) {
        guard let directory = settings["stats_temp_directory"], directory.hasPrefix("/") else { return }
        try DurableFiles.makeDirectory(directory)
    }

    /// The larger number of both; `wal_level = logical` is more than `replica`.
    static func raising(_ defaults: [String: String], by adopted: [String: String]) -> [String: String] {
        var result = defaults
        for (name, value) in adopted where defaults[name] != nil {
            if name == "wal_level" {
                if value == "logical" { result[name] = value }
            } else if let theirs = Int(value), let ours = defaults[name].flatMap({ Int($0) }), theirs > ours {
                result[name] = value
            }
        }
        return result
    }

    /// Clients on this machine keep finding the socket where it was.
    static func socketDirectories(_ ours: String, _ adopted: [String: String]) -> String {
        let theirs = (adopted["unix_socket_directories"] ?? "").split(separator: ",").map { String($0).trimmedLine }
        return ([ours] + theirs.filter { !$0.isEmpty && $0 != ours }).joined(separator: ",")
    }
}

/// A running server that the guard is to take over.
package struct RunningServer: Sendable, Hashable {
    package var processID: Int32
    package var program: String
    package var dataDirectory: String
    package var port: Int
}

/// A postmaster found by its pid file (D61: that alone proves nothing; here it only explains).
package struct RunningPostmaster: Sendable, Hashable {
    package var processID: Int32
    package var port: Int

    /// nil when no server runs in the directory.
    package init?(dataDirectory: String) {
        guard let pid = DataDirectory.postmasterPID(dataDirectory), let port = DataDirectory.port(dataDirectory) else { return nil }
        processID = pid
        self.port = port
    }
}

import ClusterModel

/// AG17: a server or a data directory that was there before pgbastion.
extension ServerWorker {
    /// From the running server, which knows best.
    func learnRunning() async throws(BastionError) {
        let names = AdoptedConfiguration.names(major: try version().major) + ["config_file", "hba_file", "ident_file"]
        let list = names.map(ServerWorker.literal).joined(separator: ", ")
        let rows = try await query("SELECT name, setting FROM pg_settings WHERE name IN (\(list))", "read the server's settings").rows
        var settings: [String: String] = [:]
        for row in rows { if let name = row[0] { settings[name] = row[1] } }
        let layout = try layout()
        var found = AdoptedConfiguration(
            configFile: settings.removeValue(forKey: "config_file") ?? layout.configFile,
            hbaFile: settings.removeValue(forKey: "hba_file") ?? layout.hbaFile,
            identFile: settings.removeValue(forKey: "ident_file") ?? layout.identFile, settings: settings)
        found.foundInRecovery = try await query("SELECT pg_is_in_recovery()", "see whether it is a standby").value == "t"
        try DurableFiles.makeDirectory(input.ownDirectory)
        try found.write(input.adoptedFile)
    }

    /// From the files of a stopped server, unless we wrote to them before. A configuration that PostgreSQL cannot read is
    /// reported here, before anything is changed.
    func learnStopped(_ layout: ConfigurationLayout, dataDirectory: String) async throws(BastionError) {
        guard let text = try DurableFiles.read(layout.configFile), !text.contains(LocalConfiguration.includeMark) else { return }
        let names = AdoptedConfiguration.names(major: DataDirectory.version(dataDirectory)?.major ?? 15)
        try await learn(names, layout, dataDirectory: dataDirectory)
    }

    /// A directory that was cloned or made by us: its own file may still ask for more than our defaults.
    func learnSizesOnce(_ layout: ConfigurationLayout) async throws(BastionError) {
        guard !DurableFiles.exists(input.adoptedFile) else { return }
        try await learn(PostmasterCommand.ownedDefaults.keys.sorted(), layout, dataDirectory: input.dataDirectory)
    }

    private func learn(_ names: [String], _ layout: ConfigurationLayout, dataDirectory: String) async throws(BastionError) {
        var settings: [String: String] = [:]
        for name in names {
            let result = try await programs.run(
                "postgres", ["-C", name, "-D", dataDirectory, "-c", "config_file=\(layout.configFile)"], within: .seconds(10))
            guard result.succeeded else {
                throw result.error("could not read setting \"\(name)\" from \"\(layout.configFile)\"", code: .invalidConfiguration)
            }
            settings[name] = result.lines.last ?? ""
        }
        var found = AdoptedConfiguration(
            configFile: layout.configFile, hbaFile: layout.hbaFile, identFile: layout.identFile, settings: settings)
        found.foundInRecovery = try AdoptedConfiguration.read(input.adoptedFile)?.foundInRecovery
        try found.write(input.adoptedFile)
    }
}

import ClusterModel

extension ServerWorker {
    /// AG14: the server is stopped; its next start is as a standby.
    func prepareStandby(_ settings: ManagedSettings) async throws(BastionError) {
        try requireStopped()
        let layout = try layout()
        try await learnStopped(layout, dataDirectory: input.dataDirectory)
        try writeWhileStopped(settings)
        try await learnSizesOnce(layout)
        try DurableFiles.update("", at: input.standbySignal)
        try DurableFiles.remove(input.dataDirectory + "/recovery.signal")
        try DurableFiles.flushDirectory(input.dataDirectory)
    }

    /// The only start without `standby.signal`: the crashed primary under the lease it still holds.
    func prepareInPlaceStart(_ settings: ManagedSettings) throws(BastionError) {
        try writeWhileStopped(settings)
        try DurableFiles.remove(input.dataDirectory + "/recovery.signal")
        try DurableFiles.remove(input.standbySignal)
    }

    /// Succeeds when a new session shows the settings.
    func applySettings(_ settings: ManagedSettings) async throws(BastionError) {
        let file = try write(settings)
        try await dropOverrides(file)
        try await reload(file, tolerating: Set(settings.parameters.keys))
    }

    // MARK: - Parts

    private func writeWhileStopped(_ settings: ManagedSettings) throws(BastionError) {
        try requireStopped()
        let file = try write(settings)
        let auto = input.dataDirectory + "/postgresql.auto.conf"
        if let text = try DurableFiles.read(auto) {
            let names = Set(file.settings.keys)
            try DurableFiles.update(AutoConfiguration.removing(names, from: text), at: auto)
        }
    }

    /// Writes the settings file and our parts of the operator's files.
    func write(_ settings: ManagedSettings) throws(BastionError) -> SettingsFile {
        let file = SettingsFile(settings, input: input, version: try version())
        // Closed first and opened last: no moment with a password and without the settings that belong to it.
        if settings.upstream == nil { try store.writePassfiles(forReceiver: false) }
        try DurableFiles.update(file.text, at: input.settingsFile)
        try CommandLineFile.write(settings.parameters, input)
        try configuration(try layout()).apply()
        if settings.upstream != nil { try store.writePassfiles(forReceiver: true) }
        return file
    }

    /// `ALTER SYSTEM RESET` for names that `postgresql.auto.conf` would override.
    private func dropOverrides(_ file: SettingsFile) async throws(BastionError) {
        guard let text = try DurableFiles.read(input.dataDirectory + "/postgresql.auto.conf") else { return }
        for name in AutoConfiguration.overridden(text, managed: Set(file.settings.keys)) {
            let quoted = name.filter { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
            try await query("ALTER SYSTEM RESET \(quoted)", "reset setting \"\(quoted)\" of postgresql.auto.conf")
        }
    }

    /// Reloads, and waits until a new session shows the fingerprint of the file and the settings that decide.
    ///
    /// - Parameter tolerated: Managed parameters of the cluster: PostgreSQL kept their old values, which `pgconfig diff` shows,
    ///   and nothing that fences or promotes may wait for them.
    func reload(_ file: SettingsFile, tolerating tolerated: Set<String> = []) async throws(BastionError) {
        try await query("SELECT pg_reload_conf()", "reload the settings")
        let deadline = Deadline.after(.seconds(5))
        while true {
            if try await newSessionShows(file) { break }
            guard !deadline.isOver else {
                let refused = try await refusedSettings(anywhere: true)
                throw notTaken(refused.isEmpty ? "another file overrides them" : refused.joined(separator: ", "))
            }
            await pause(.milliseconds(5))
        }
        // PostgreSQL applies what it can; the fingerprint alone does not prove that every line was good.
        let refused = try await refusedSettings(anywhere: false).filter { !tolerated.contains($0) }
        if !refused.isEmpty { throw notTaken(refused.joined(separator: ", ")) }
    }

    private func newSessionShows(_ file: SettingsFile) async throws(BastionError) -> Bool {
        let question = """
            SELECT current_setting('\(SettingsFile.fingerprintSetting)', true),
              current_setting('synchronous_standby_names'), current_setting('primary_conninfo'),
              current_setting('primary_slot_name')
            """
        let input = self.input
        let fresh = SQLSession(label: "reload") { LocalConnection.parameters(input) }
        do {
            let row = try await fresh.run(question, within: .seconds(2)).first?.rows.first
            await fresh.close()
            let decisive = ["synchronous_standby_names", "primary_conninfo", "primary_slot_name"]
            return row == [file.fingerprint] + decisive.map { file.settings[$0] }
        } catch {
            throw error.error("could not look at the settings of a new session")
        }
    }

    /// Names of settings that PostgreSQL refused; values stay out, since a connection string may be one.
    ///
    /// - Parameter anywhere: false looks at our own file only.
    private func refusedSettings(anywhere: Bool) async throws(BastionError) -> [String] {
        let place = anywhere ? "true" : "f.sourcefile = \(ServerWorker.literal(input.settingsFile))"
        return try await query(
            """
            SELECT DISTINCT coalesce(f.name, 'line ' || f.sourceline) FROM pg_file_settings f
            WHERE f.error IS NOT NULL AND \(place)
              AND NOT EXISTS (SELECT FROM pg_settings s WHERE s.name = f.name AND s.pending_restart)
            """, "read the errors of the settings files"
        ).rows.compactMap { $0[0] }.sorted()
    }

    private func notTaken(_ refused: String) -> BastionError {
        BastionError(
            .failed, "could not apply the settings of \"\(input.settingsFile)\"", detail: "refused: \(refused)",
            hint: "compare with the view pg_file_settings")
    }

    /// A cancelled wait ends early; the loop around it has its own end.
    func pause(_ duration: Duration) async {
        do { try await Task.sleep(for: duration) } catch { return }
    }
}

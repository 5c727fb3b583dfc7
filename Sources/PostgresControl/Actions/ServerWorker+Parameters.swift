import ClusterModel

/// Managed parameters of the cluster: checking values, reading what runs, and those that only the command line carries.
extension ServerWorker {
    /// PostgreSQL's own check of each value, without touching the running server: `postgres -C` parses its settings and ends.
    ///
    /// - Returns: Name -> PostgreSQL's words.
    func problems(of values: [String: String]) async throws(BastionError) -> [String: String] {
        var problems: [String: String] = [:]
        let layout = try layout()
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if let problem = PostgresParameterRules.problem(with: value, of: name) {
                problems[name] = problem
                continue
            }
            let result = try await programs.run(
                "postgres",
                [
                    "-C", name, "-D", input.dataDirectory, "-c", "config_file=\(layout.configFile)", "-c", "\(name)=\(value)",
                    "-c", "log_min_messages=warning", "-c", "lc_messages=C",
                ], within: .seconds(20))
            if !result.succeeded { problems[name] = ServerWorker.reason(result) }
        }
        return problems
    }

    private static func reason(_ result: ProgramResult) -> String {
        let line = result.lines.first { $0.contains("FATAL:") || $0.contains("ERROR:") } ?? result.lines.last ?? result.status
        for word in ["FATAL: ", "ERROR: "] {
            if let found = line.firstRange(of: word) { return String(line[found.upperBound...].drop { $0 == " " }) }
        }
        return line
    }

    /// The running values, in the order of the names; unknown names are left out.
    func settings(_ names: [String]) async throws(BastionError) -> [SettingFacts] {
        guard !names.isEmpty else { return [] }
        let list = names.map(ServerWorker.literal).joined(separator: ", ")
        let table = try await query(
            """
            SELECT s.name, current_setting(s.name), s.pending_restart,
              (SELECT f.setting FROM pg_file_settings f WHERE f.name = s.name ORDER BY f.seqno DESC LIMIT 1)
            FROM pg_settings s WHERE s.name IN (\(list)) ORDER BY s.name
            """, "read settings")
        return table.rows.compactMap { row in
            guard let name = row[0], let value = row[1] else { return nil }
            return SettingFacts(name: name, value: value, fileValue: row[3], pendingRestart: row[2] == "t")
        }
    }

    /// Only one that nobody uses: PostgreSQL refuses an active one.
    func dropUnusedSlot(_ name: String) async throws(BastionError) {
        let known = try await query(
            "SELECT active FROM pg_replication_slots WHERE slot_name = \(ServerWorker.literal(name))", "look for the slot")
        guard let row = known.rows.first else { throw BastionError(.notFound, "slot \"\(name)\" does not exist on this node") }
        guard row[0] != "t" else {
            throw BastionError(
                .preconditionFailed, "refused: slot \"\(name)\" is in use", detail: "check slot.inactive. Nothing was changed",
                checks: [FailedCheck(id: "slot.inactive", actual: "active", expected: "inactive")])
        }
        try await query("SELECT pg_drop_replication_slot(\(ServerWorker.literal(name)))", "drop the slot")
    }

    func keptCommandLine() throws(BastionError) -> [String: String] { try CommandLineFile.read(input) }
}

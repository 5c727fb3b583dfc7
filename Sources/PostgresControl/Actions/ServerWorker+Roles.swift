import ClusterModel

extension ServerWorker {
    /// AG23: makes the replication and the rewind role, and gives them our passwords as SCRAM verifiers.
    func ensureRoles() async throws(BastionError) {
        guard try await query("SELECT pg_is_in_recovery()", "ask for the server's role").value == "f" else {
            throw BastionError(.preconditionFailed, "cannot make roles: the server is a replica")
        }
        var secrets = try store.load() ?? .generated()
        try store.save(secrets)
        secrets.replicationVerifier = try await ensureRole(
            input.replicationUser, "LOGIN REPLICATION", secrets.replicationPassword, secrets.replicationVerifier)
        secrets.rewindVerifier = try await ensureRole(
            input.rewindUser, "LOGIN", secrets.rewindPassword, secrets.rewindVerifier)
        try await grantRewindFunctions()
        try store.save(secrets)
    }

    /// - Returns: The verifier the role has now.
    private func ensureRole(
        _ name: String, _ options: String, _ password: String, _ known: String?
    ) async throws(BastionError) -> String {
        let role = ServerWorker.identifier(name)
        let stored = try await query(
            "SELECT rolpassword, rolreplication FROM pg_authid WHERE rolname = \(ServerWorker.literal(name))",
            "look for role \"\(name)\"")
        if stored.rows.isEmpty { try await query("CREATE ROLE \(role) \(options)", "make role \"\(name)\"") }
        if let known, stored.value == known { return known }
        let verifier: String
        do {
            verifier = try await session.verifier(of: password, user: name, within: .seconds(5))
        } catch {
            throw error.error("could not encrypt the password of role \"\(name)\"")
        }
        try await query(
            "ALTER ROLE \(role) \(options) PASSWORD \(ServerWorker.literal(verifier))", "set up role \"\(name)\"")
        return verifier
    }

    /// The functions `pg_rewind` calls on its source (PostgreSQL manual, pg_rewind).
    private func grantRewindFunctions() async throws(BastionError) {
        let functions = [
            "pg_ls_dir(text,boolean,boolean)", "pg_stat_file(text,boolean)", "pg_read_binary_file(text)",
            "pg_read_binary_file(text,bigint,bigint,boolean)",
        ]
        let user = ServerWorker.literal(input.rewindUser)
        for function in functions {
            let granted = try await query(
                "SELECT has_function_privilege(\(user), 'pg_catalog.\(function)', 'EXECUTE')",
                "look at the privileges of role \"\(input.rewindUser)\"")
            guard granted.value != "t" else { continue }
            try await query(
                "GRANT EXECUTE ON FUNCTION pg_catalog.\(function) TO \(ServerWorker.identifier(input.rewindUser))",
                "grant role \"\(input.rewindUser)\" what pg_rewind needs")
        }
    }

    static func literal(_ text: String) -> String {
        let doubled = text.flatMap { $0 == "'" ? ["'", "'"] : [$0] }
        // Without a backslash the meaning does not depend on standard_conforming_strings.
        return "'" + String(doubled).filter { $0 != "\\" && $0 != "\0" } + "'"
    }

    static func identifier(_ text: String) -> String {
        "\"" + String(text.flatMap { $0 == "\"" ? ["\"", "\""] : [$0] }) + "\""
    }
}

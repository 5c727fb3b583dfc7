import ClusterModel

/// The generated passwords of the two service roles. They leave the node only over the authenticated peer link (AG23).
package struct PostgresSecrets: Codable, Sendable, Hashable, CustomStringConvertible {
    package var replicationPassword: String
    package var rewindPassword: String
    /// The SCRAM verifiers given to PostgreSQL; nil until the roles were made. They tell whether a role has our password.
    package var replicationVerifier: String?
    package var rewindVerifier: String?

    package init(replicationPassword: String, rewindPassword: String) {
        self.replicationPassword = replicationPassword
        self.rewindPassword = rewindPassword
    }

    /// Never the contents.
    package var description: String { "PostgresSecrets(hidden)" }

    static func generated() -> PostgresSecrets {
        PostgresSecrets(replicationPassword: password(), rewindPassword: password())
    }

    private static func password() -> String {
        var generator = SystemRandomNumberGenerator()
        return DataID(rawValue: UInt128.random(in: 0...UInt128.max, using: &generator)).description
    }
}

/// Keeps the secrets on disk, and writes libpq's password files from them.
struct SecretStore: Sendable {
    let input: PostgresSettingsInput

    func load() throws(BastionError) -> PostgresSecrets? {
        guard let text = try DurableFiles.read(input.secretsFile) else { return nil }
        return try OwnJSON.decode(PostgresSecrets.self, text, input.secretsFile)
    }

    func save(_ secrets: PostgresSecrets) throws(BastionError) {
        try DurableFiles.update(try OwnJSON.encode(secrets, input.secretsFile), at: input.secretsFile)
        try writePassfiles(forReceiver: true)
    }

    /// Without secrets nothing is written.
    ///
    /// - Parameter forReceiver: false empties the passfile of `primary_conninfo`: whatever still starts a receiver with an
    ///   old setting cannot log in any more (SE3).
    func writePassfiles(forReceiver: Bool) throws(BastionError) {
        guard let secrets = try load() else { return }
        let text = """
            *:*:*:\(input.replicationUser):\(secrets.replicationPassword)
            *:*:*:\(input.rewindUser):\(secrets.rewindPassword)

            """
        try DurableFiles.update(text, at: input.jobPassfile)
        try DurableFiles.update(forReceiver ? text : "# pledged: no upstream\n", at: input.passfile)
    }
}

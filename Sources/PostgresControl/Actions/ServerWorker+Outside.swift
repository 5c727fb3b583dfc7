import ClusterModel

/// The primary of another cluster, which this one follows: it is asked for a copy and a stream, and nothing there is managed.
extension ServerWorker {
    /// What a copy from there needs: its passwords, which nobody can hand to us, and the slot, if one is configured.
    func prepareOutside(_ source: PostgresEndpoint, _ slot: String?) async throws(BastionError) {
        guard try store.load() != nil else {
            throw BastionError(
                .preconditionFailed,
                "cannot clone from \(source.host):\(source.port): the password of its role \"\(input.replicationUser)\" is not known",
                hint: "copy its secrets.json to \(input.secretsFile)")
        }
        guard let slot else { return }
        let session = remoteSession(source, user: input.replicationUser, replication: true)
        let made = await makeSlot(slot, session)
        await session.close()
        if let made { throw made.error("could not make slot \"\(slot)\" at \(source.host):\(source.port)") }
    }

    /// - Returns: Why it is not there; nil: it is.
    private func makeSlot(_ slot: String, _ session: SQLSession) async -> SQLFailure? {
        do {
            let name = ServerWorker.identifier(slot)
            _ = try await session.run("CREATE_REPLICATION_SLOT \(name) PHYSICAL RESERVE_WAL", within: .seconds(10))
            return nil
        } catch {
            // 42710: duplicate_object; it was made before.
            return error.state == "42710" ? nil : error
        }
    }
}

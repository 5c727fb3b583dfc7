/// What concerns more than one key: ports, tokens, times of consensus and lease.
extension ConfigurationReader {
    func check(_ configuration: NodeConfiguration) {
        checkPorts(configuration)
        checkToken(configuration.api)
        checkElection(configuration.raft)
        checkLease(configuration)
        checkSockets(configuration)
        checkVirtualAddress(configuration)
        let pool = configuration.proxy.pool
        if pool.minIdleConnections > pool.maxPoolSize {
            collector.error(
                about: "proxy.pool.min_idle_conns",
                "proxy.pool.min_idle_conns (\(pool.minIdleConnections)) is above max_pool_size (\(pool.maxPoolSize))")
        }
    }

    /// What is left over of the virtual address is removed at the start: a node's own address must not be taken for it.
    private func checkVirtualAddress(_ configuration: NodeConfiguration) {
        guard let vip = configuration.vip, IPAddress(configuration.node.address.text) == vip.address else { return }
        collector.error(
            about: "vip.address", "vip.address is this node's own address", hint: "choose an address that no machine has")
    }

    // MARK: ports

    /// A port this machine listens on; no address means all of them.
    private struct Listener {
        let key: String
        let port: TCPPort
        var addresses: [IPAddress] = []

        func overlaps(_ other: Listener) -> Bool {
            guard port == other.port else { return false }
            let isAnywhere = listensEverywhere || other.listensEverywhere
            return isAnywhere || addresses.contains { other.addresses.contains($0) }
        }
        private var listensEverywhere: Bool { addresses.isEmpty || addresses.contains(where: \.isWildcard) }
    }

    private func checkPorts(_ configuration: NodeConfiguration) {
        var listeners = [
            Listener(key: "raft.bind_port", port: configuration.raft.bindPort),
            Listener(key: "proxy.primary_port", port: configuration.proxy.primaryPort),
            Listener(key: "proxy.replica_port", port: configuration.proxy.replicaPort),
            Listener(key: "api.port", port: configuration.api.port, addresses: configuration.api.bindAddresses),
            Listener(
                key: "metrics.port", port: configuration.metrics.port, addresses: configuration.metrics.bindAddresses),
        ]
        if let postgresql = configuration.postgresql {
            let isFromDSN = postgresql.portOrigin == .connectDSN
            let key = isFromDSN ? "postgresql.connect_dsn" : "postgresql.port"
            listeners.append(Listener(key: key, port: postgresql.port))
        }
        for (index, second) in listeners.enumerated() {
            for first in listeners[..<index] where first.overlaps(second) {
                // The place of the key that is written: a default has none.
                let key = collector.isWritten(second.key) ? second.key : first.key
                collector.error(
                    about: key, "port \(second.port) is used by both \(first.key) and \(second.key)",
                    hint: "give one of them another port")
            }
        }
    }

    // MARK: token

    /// K10, K11: who can reach the API from outside must prove who he is.
    private func checkToken(_ api: NodeConfiguration.API) {
        guard api.authToken == nil, api.authTokenFile == nil, !collector.isWritten("api.auth_token_file") else {
            return
        }
        let hint = "set api.auth_token_file to a file with a long random text"
        if let open = api.bindAddresses.first(where: { !$0.isLoopback }) {
            // A token that was refused has its own error.
            guard !collector.errors.contains(where: { $0.message.contains("the token has characters") }) else { return }
            collector.error(
                about: "api.bind_address", "api.bind_address \(open) is not loopback, and there is no token", hint: hint
            )
        } else {
            collector.warning(
                about: "api", "there is no api.auth_token: everybody on this machine may change the cluster", hint: hint
            )
        }
    }

    // MARK: times

    private func checkElection(_ raft: NodeConfiguration.Raft) {
        guard raft.heartbeatInterval * 4 > raft.electionTimeout else { return }
        let isHeartbeatWritten = collector.isWritten("raft.heartbeat_interval")
        collector.error(
            about: isHeartbeatWritten ? "raft.heartbeat_interval" : "raft.election_timeout",
            "raft.heartbeat_interval (\(DurationText.format(raft.heartbeatInterval))) is more than a quarter of "
                + "raft.election_timeout (\(DurationText.format(raft.electionTimeout)))")
    }

    /// The relations of `failover.md` 2.3 and 4.9 that hold between keys.
    private func checkLease(_ configuration: NodeConfiguration) {
        let failover = configuration.failover
        let lease = DurationText.format(failover.primaryLease)
        if failover.pauseLease < failover.primaryLease {
            collector.error(
                about: "failover.pause_lease",
                "failover.pause_lease (\(DurationText.format(failover.pauseLease))) is shorter than "
                    + "failover.primary_lease (\(lease))",
                hint: "a pause makes the lease longer, never shorter")
        }
        if failover.restartHold < failover.primaryLease {
            collector.error(
                about: "failover.restart_hold",
                "failover.restart_hold (\(DurationText.format(failover.restartHold))) is shorter than "
                    + "failover.primary_lease (\(lease))",
                hint: "a restart hold must outlast the lease it replaces")
        }
        let election = configuration.raft.maximumElectionTimeout
        if election >= failover.primaryLease - failover.stopBudget {
            collector.warning(
                about: "failover.primary_lease",
                "an election of up to \(DurationText.format(election)) outlasts the lease of \(lease): PostgreSQL would "
                    + "be stopped whenever the Raft leader is lost",
                hint: "use a longer failover.primary_lease or a shorter raft.election_timeout")
        }
    }

    /// Limit: `sun_path` has 108 bytes with the final zero.
    private func checkSockets(_ configuration: NodeConfiguration) {
        let sockets = [("api.socket", configuration.api.socket), ("node.run_dir", configuration.node.guardSocket)]
        for (key, path) in sockets where path.utf8.count > 107 {
            let written = collector.isWritten(key) ? key : "node.run_dir"
            collector.error(about: written, "the socket path \"\(Diagnostic.excerpt(path))\" is longer than 107 bytes")
        }
    }
}

extension NodeConfiguration.Failover {
    /// S of `failover.md` 2.3: a sixth of the lease, within 200 ms to 1 s.
    package var stopBudget: Duration { min(max(primaryLease / 6, .milliseconds(200)), .seconds(1)) }
    /// A tenth of the lease, within 100 ms to 1 s.
    package var renewalInterval: Duration { min(max(primaryLease / 10, .milliseconds(100)), .seconds(1)) }
}

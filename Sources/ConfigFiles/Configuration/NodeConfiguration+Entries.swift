import ClusterModel

/// One effective value of a configuration, by the name it has in the file.
package struct ConfigurationEntry: Sendable, Hashable {
    package let key: String
    /// As it would be written; of a secret only that it is there.
    package let value: String
    /// The secret behind `value`, for comparison only.
    fileprivate let secret: Secret?

    fileprivate init(_ key: String, _ value: String, secret: Secret? = nil) {
        self.key = key
        self.value = value
        self.secret = secret
    }
}

extension NodeConfiguration {
    /// Every key that has a value, in the order of the documentation.
    package var entries: [ConfigurationEntry] {
        var list = EntryList()
        list.add("version", "\(version)")
        list.add("cluster.name", cluster.name)
        list.add("cluster.peers", cluster.peers.map(\.description))
        addNode(to: &list)
        addProxy(to: &list)
        addSurfaces(to: &list)
        addPostgreSQL(to: &list)
        addFailover(to: &list)
        addRest(to: &list)
        return list.entries
    }

    /// One `key: value` a line, secrets hidden.
    package var redacted: String { entries.map { "\($0.key): \($0.value)" }.joined(separator: "\n") }

    private func addNode(to list: inout EntryList) {
        list.add("node.name", node.name.rawValue)
        list.add("node.address", node.address.text)
        list.add("node.state_dir", node.stateDirectory)
        list.add("node.run_dir", node.runDirectory)
        list.add("raft.data_dir", raft.dataDirectory)
        list.add("raft.bind_port", raft.bindPort.description)
        list.add("raft.bootstrap", "\(raft.bootstrap)")
        list.add("raft.log_level", raft.logLevel.rawValue)
        list.add("raft.snapshot_retain", "\(raft.snapshotRetain)")
        list.add("raft.transport_timeout", raft.transportTimeout)
        list.add("raft.election_timeout", raft.electionTimeout)
        list.add("raft.heartbeat_interval", raft.heartbeatInterval)
        list.add("raft.tls_enabled", "\(raft.tls != nil)")
        list.add("raft.tls_cert", raft.tls?.certificateFile)
        list.add("raft.tls_key", raft.tls?.keyFile)
        list.add("raft.tls_ca", raft.tls?.authorityFile)
    }

    private func addProxy(to list: inout EntryList) {
        list.add("proxy.primary_port", proxy.primaryPort.description)
        list.add("proxy.replica_port", proxy.replicaPort.description)
        list.add("proxy.drain_timeout", proxy.drainTimeout)
        list.add("proxy.connect_timeout", proxy.connectTimeout)
        list.add("proxy.replica_max_lag", proxy.replicaMaxLag.description)
        list.add("proxy.pool.enabled", "\(proxy.pool.isEnabled)")
        list.add("proxy.pool.max_pool_size", "\(proxy.pool.maxPoolSize)")
        list.add("proxy.pool.min_idle_conns", "\(proxy.pool.minIdleConnections)")
        list.add("proxy.pool.idle_timeout", proxy.pool.idleTimeout)
        list.add("proxy.pool.max_conn_lifetime", proxy.pool.maxConnectionLifetime)
        list.add("proxy.pool.health_check_period", proxy.pool.healthCheckPeriod)
        list.add("proxy.pool.acquire_timeout", proxy.pool.acquireTimeout)
    }

    private func addSurfaces(to list: inout EntryList) {
        if let vip {
            list.add("vip.address", "\(vip.address)/\(vip.prefixLength)")
            list.add("vip.interface", vip.interface)
            list.add("vip.renew_interval", vip.renewInterval)
            list.add("vip.follows", vip.follows.rawValue)
        }
        list.add("api.port", api.port.description)
        list.add("api.bind_address", api.bindAddresses.map(\.description))
        list.add("api.auth_token", api.authToken)
        list.add("api.auth_token_file", api.authTokenFile)
        list.add("api.shutdown_timeout", api.shutdownTimeout)
        list.add("api.tls_cert", api.tls?.certificateFile)
        list.add("api.tls_key", api.tls?.keyFile)
        list.add("api.tls_ca", api.tls?.authorityFile)
        list.add("api.socket", api.socket)
        list.add("api.protect_reads", "\(api.protectReads)")
        list.add("metrics.port", metrics.port.description)
        list.add("metrics.bind_address", metrics.bindAddresses.map(\.description))
        list.add("log.level", log.level.rawValue)
        list.add("log.format", log.format.rawValue)
    }

    private func addPostgreSQL(to list: inout EntryList) {
        guard let postgresql else { return }
        list.add("postgresql.bin_dir", postgresql.binDirectory)
        list.add("postgresql.data_dir", postgresql.dataDirectory)
        list.add("postgresql.connect_dsn", postgresql.connection.description, secret: postgresql.connection.password)
        list.add("postgresql.port", postgresql.port.description)
        list.add("postgresql.superuser", postgresql.superuser)
        list.add("postgresql.replication_user", postgresql.replicationUser)
        list.add("postgresql.health_interval", postgresql.healthInterval)
        list.add("postgresql.health_timeout", postgresql.healthTimeout)
        list.add("postgresql.clone_max_rate", postgresql.cloneMaxRate?.description ?? "unlimited")
        list.add("postgresql.manage_hba", "\(postgresql.managesHBA)")
    }

    private func addFailover(to list: inout EntryList) {
        list.add("failover.primary_lease", failover.primaryLease)
        list.add("failover.restart_hold", failover.restartHold)
        list.add("failover.confirmation_period", failover.confirmationPeriod)
        list.add("failover.max_lag_threshold", failover.maxLagThreshold?.description ?? "0")
        list.add("failover.pause_lease", failover.pauseLease)
        list.add("failover.unresponsive_after", failover.unresponsiveAfter)
        list.add("failover.primary_start_timeout", failover.primaryStartTimeout)
        list.add("failover.promote_timeout", failover.promoteTimeout)
        list.add("failover.on_postmaster_crash", failover.onPostmasterCrash.rawValue)
        list.add("watchdog.mode", watchdog.mode.rawValue)
        list.add("synchronous.mode", synchronous.mode?.rawValue)
        list.add("synchronous.degrade_after", synchronous.degradeAfter)
    }

    private func addRest(to list: inout EntryList) {
        list.add("backup.dir", backup.directory)
        list.add("backup.retention.keep_last", "\(backup.retention.last)")
        list.add("backup.retention.keep_hourly", "\(backup.retention.hourly)")
        list.add("backup.retention.keep_daily", "\(backup.retention.daily)")
        list.add("backup.retention.keep_weekly", "\(backup.retention.weekly)")
        list.add("backup.retention.keep_monthly", "\(backup.retention.monthly)")
        list.add("backup.retention.keep_within", backup.retention.within)
        list.add("backup.retention.min_redundancy", "\(backup.retention.minimumRedundancy)")
        list.add("backup.max_age", backup.maxAge)
        list.add("backup.drill_max_age", backup.drillMaxAge)
        list.add("backup.require_mount", "\(backup.requiresMount)")
        list.add("backup.copy_to", backup.copyTo)
        list.add("backup.include_runbooks", "\(backup.includesRunbooks)")
        list.add("backup.lock_wait", backup.lockWait)
        list.add("backup.splay", backup.splay)
        list.add("backup.ping_url", backup.pingURL.map(Secret.init))
        list.add("backup.textfile", backup.textfile)
        if let standbyCluster {
            list.add("standby_cluster.host", standbyCluster.host.text)
            list.add("standby_cluster.port", standbyCluster.port.description)
            list.add("standby_cluster.slot", standbyCluster.slot)
        }
        list.add("tracing.enabled", "\(tracing.isEnabled)")
        list.add("tracing.exporter", tracing.exporter)
        list.add("tracing.endpoint", tracing.endpoint)
        list.add("tracing.service_name", tracing.serviceName)
        list.add("tracing.sample_rate", tracing.sampleRate)
        list.add("tracing.insecure", "\(tracing.isInsecure)")
    }
}

private struct EntryList {
    var entries: [ConfigurationEntry] = []

    mutating func add(_ key: String, _ value: String?, secret: Secret? = nil) {
        guard let value else { return }
        entries.append(ConfigurationEntry(key, value, secret: secret))
    }
    mutating func add(_ key: String, _ duration: Duration) { add(key, DurationText.format(duration)) }
    mutating func add(_ key: String, _ values: [String]) {
        add(key, values.count == 1 ? values[0] : "[\(values.joined(separator: ", "))]")
    }
    mutating func add(_ key: String, _ secret: Secret?) { add(key, secret?.description, secret: secret) }
}

/// The sections that concern PostgreSQL and its safety.
extension ConfigurationReader {
    func readPostgreSQL(proxy: NodeConfiguration.Proxy) -> NodeConfiguration.PostgreSQL? {
        let section = root.section("postgresql")
        defer { section.finish() }
        var postgresql = NodeConfiguration.PostgreSQL()
        postgresql.binDirectory = section.path("bin_dir")
        postgresql.dataDirectory = section.path("data_dir")
        set(&postgresql.connection, readConnection(section))
        let port = section.port("port")
        set(&postgresql.superuser, section.value("superuser", roleName) { text, _ in isRoleName(text) ? text : nil })
        let replicationUser = section.value("replication_user", roleName) { text, _ in isRoleName(text) ? text : nil }
        set(&postgresql.replicationUser, replicationUser)
        let times: ClosedRange<Duration> = .milliseconds(100) ... .seconds(600)
        set(&postgresql.healthInterval, section.duration("health_interval", in: times))
        set(&postgresql.healthTimeout, section.duration("health_timeout", in: times))
        postgresql.cloneMaxRate = readCloneRate(section)
        set(&postgresql.managesHBA, section.flag("manage_hba"))
        section.ignored("health_max_backoff", hint: "use postgresql.health_interval; local checks keep their interval")
        section.ignored(
            "health_backoff_multiplier", hint: "use postgresql.health_interval; local checks keep their interval")
        guard section.isPresent else {
            if collector.isWritten("postgresql") {
                collector.warning(about: "postgresql", "section \"postgresql\" is empty: this node is a witness")
            }
            return nil
        }
        if collector.isWritten("postgresql.data_dir"), !collector.isWritten("postgresql.bin_dir") {
            collector.error(
                about: "postgresql.data_dir", "postgresql.data_dir needs \"postgresql.bin_dir\"",
                hint: "give the directory of PostgreSQL's programs, such as /usr/lib/postgresql/16/bin")
        }
        choosePort(&postgresql, configured: port, proxy: proxy)
        return postgresql
    }

    private func readConnection(_ section: SectionReader) -> ConnectionSettings? {
        guard let dsn = section.secret("connect_dsn") else { return nil }
        do throws(ConnectionSettings.Problem) {
            return try ConnectionSettings(parsing: dsn.revealed)
        } catch {
            // The value is never quoted: it may hold a password (K14).
            collector.error(about: "postgresql.connect_dsn", "postgresql.connect_dsn cannot be used: \(error.reason)")
            return nil
        }
    }

    private func readCloneRate(_ section: SectionReader) -> ByteSize? {
        let expected = "\"unlimited\" or a rate in bytes per second, such as 50MiB"
        return section.value("clone_max_rate", expected, form: .rate) { text, _ in
            text == "unlimited" ? .zero : ByteSize(text)
        }.flatMap { $0 == .zero ? nil : $0 }
    }

    /// The port in the file; else the one in the DSN; else 5432, or 5434 when a proxy port is 5432 (1.2).
    private func choosePort(
        _ postgresql: inout NodeConfiguration.PostgreSQL, configured: TCPPort?, proxy: NodeConfiguration.Proxy
    ) {
        if let configured {
            postgresql.port = configured
            postgresql.portOrigin = .configured
            if let port = postgresql.connection.port, port != configured {
                collector.error(
                    about: "postgresql.port",
                    "postgresql.port is \(configured), but the port in postgresql.connect_dsn is \(port)",
                    hint: "remove one of them")
            }
        } else if let port = postgresql.connection.port {
            postgresql.port = port
            postgresql.portOrigin = .connectDSN
        } else if proxy.primaryPort == 5432 || proxy.replicaPort == 5432 {
            postgresql.port = 5434
            postgresql.portOrigin = .besideProxy
        }
    }

    func readFailover() -> NodeConfiguration.Failover {
        let section = root.section("failover")
        defer { section.finish() }
        var failover = NodeConfiguration.Failover()
        set(&failover.primaryLease, section.duration("primary_lease", in: .seconds(1) ... .seconds(60)))
        set(&failover.restartHold, section.duration("restart_hold", in: .seconds(1) ... .seconds(600)))
        set(&failover.confirmationPeriod, section.duration("confirmation_period", in: .zero ... .seconds(3600)))
        if let size = section.size("max_lag_threshold") { failover.maxLagThreshold = size == .zero ? nil : size }
        set(&failover.pauseLease, section.duration("pause_lease", in: .seconds(1) ... .seconds(600)))
        let waits: ClosedRange<Duration> = .seconds(1) ... .seconds(3600)
        set(&failover.unresponsiveAfter, section.duration("unresponsive_after", in: waits))
        set(&failover.primaryStartTimeout, section.duration("primary_start_timeout", in: waits))
        set(&failover.promoteTimeout, section.duration("promote_timeout", in: waits))
        let reaction = section.choice("on_postmaster_crash", NodeConfiguration.Failover.CrashReaction.self)
        set(&failover.onPostmasterCrash, reaction)
        section.ignored("quorum_loss_timeout", hint: "use failover.primary_lease")
        for key in ["fencing_enabled", "split_brain_protection"] where section.flag(key, form: .constantFlag(true)) == false {
            collector.error(
                about: "failover.\(key)", "failover.\(key) cannot be switched off",
                hint: "remove the key; without fencing two servers could accept writes")
        }
        return failover
    }

    func readWatchdog() -> NodeConfiguration.Watchdog {
        let section = root.section("watchdog")
        defer { section.finish() }
        var watchdog = NodeConfiguration.Watchdog()
        set(&watchdog.mode, section.choice("mode", NodeConfiguration.Watchdog.Mode.self))
        // Who requires the device believes to be protected where nothing feeds one: that is no matter for a warning.
        switch watchdog.mode {
        case .off: break
        case .automatic:
            collector.warning(
                about: "watchdog.mode", "this version drives no watchdog device: \"automatic\" is the same as \"off\"",
                hint: "set watchdog.mode: off")
        case .required:
            collector.error(
                about: "watchdog.mode", "watchdog.mode is \"required\", and this version drives no watchdog device",
                hint: "set watchdog.mode: off; the guard stops PostgreSQL when the lease ends, unless the machine itself hangs")
        }
        return watchdog
    }

    func readSynchronous() -> NodeConfiguration.Synchronous {
        let section = root.section("synchronous")
        defer { section.finish() }
        var synchronous = NodeConfiguration.Synchronous()
        synchronous.mode = section.choice("mode", NodeConfiguration.Synchronous.Mode.self)
        set(&synchronous.degradeAfter, section.duration("degrade_after", in: .milliseconds(100) ... .seconds(3600)))
        return synchronous
    }

    func readStandbyCluster() -> NodeConfiguration.StandbyCluster? {
        let section = root.section("standby_cluster")
        defer { section.finish() }
        let host = section.value("host", "an IP address or host name") { text, _ in HostAddress(text) }
        let port = section.port("port")
        let slot = section.value("slot", "a slot name: 1 to 63 of a-z, 0-9 and \"_\"", form: .pattern("^[a-z0-9_]{1,63}$")) {
            text, _ in
            let isName =
                (1...63).contains(text.utf8.count)
                && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "_") }
            return isName ? text : nil
        }
        guard section.isPresent else { return nil }
        require("standby_cluster.host", hint: "give the host of the cluster to follow, or remove the section")
        guard let host else { return nil }
        return NodeConfiguration.StandbyCluster(host: host, port: port ?? 5432, slot: slot)
    }

    func readBackup() -> NodeConfiguration.Backup {
        let section = root.section("backup")
        defer { section.finish() }
        var backup = NodeConfiguration.Backup()
        let times: ClosedRange<Duration> = .zero ... .seconds(3650 * 86400)
        set(&backup.directory, section.path("dir"))
        set(&backup.maxAge, section.duration("max_age", in: times))
        set(&backup.drillMaxAge, section.duration("drill_max_age", in: times))
        set(&backup.requiresMount, section.flag("require_mount"))
        set(
            &backup.copyTo,
            section.list("copy_to", "an absolute path", form: .path) { text, _ in
                text.hasPrefix("/") ? text : nil
            })
        set(&backup.includesRunbooks, section.flag("include_runbooks"))
        set(&backup.lockWait, section.duration("lock_wait", in: times))
        set(&backup.splay, section.duration("splay", in: times))
        backup.pingURL = section.secret("ping_url").flatMap { $0.isEmpty ? nil : $0.revealed }
        if let url = backup.pingURL, !url.hasPrefix("https://"), !url.hasPrefix("http://") {
            collector.error(about: "backup.ping_url", "backup.ping_url is not an http or https address")
        }
        backup.textfile = section.optionalText("textfile")
        backup.retention = readRetention(section.section("retention"))
        return backup
    }

    private func readRetention(_ section: SectionReader) -> NodeConfiguration.Retention {
        defer { section.finish() }
        var retention = NodeConfiguration.Retention()
        let counts = 0...100_000
        set(&retention.last, section.integer("keep_last", in: counts))
        set(&retention.hourly, section.integer("keep_hourly", in: counts))
        set(&retention.daily, section.integer("keep_daily", in: counts))
        set(&retention.weekly, section.integer("keep_weekly", in: counts))
        set(&retention.monthly, section.integer("keep_monthly", in: counts))
        set(&retention.within, section.duration("keep_within", in: .zero ... .seconds(36_500 * 86400)))
        set(&retention.minimumRedundancy, section.integer("min_redundancy", in: counts))
        let kept = [retention.last, retention.hourly, retention.daily, retention.weekly, retention.monthly]
        if kept.allSatisfy({ $0 == 0 }), retention.within == .zero {
            collector.error(
                about: "backup.retention", "backup.retention keeps nothing", hint: "set one of the keep_ keys above 0")
        }
        return retention
    }

    private var roleName: String { "the name of a role, 1 to 63 bytes" }
    private func isRoleName(_ text: String) -> Bool { (1...63).contains(text.utf8.count) }
}

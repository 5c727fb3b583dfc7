import ClusterModel
import Testing

@testable import ConfigFiles

/// The further keys: section 1.2 of the acceptance table.
@Suite struct ConfigurationSectionTests {
    @Test func `every default is the documented one`() throws {
        let all = try loadedWith("postgresql: {}")
        #expect(all.cluster.name == "main")
        #expect(all.raft.logLevel == .warn)
        #expect(all.raft.snapshotRetain == 2)
        #expect(all.raft.transportTimeout == .seconds(10))
        #expect(all.raft.electionTimeout == .milliseconds(600))
        #expect(all.raft.heartbeatInterval == .milliseconds(100))
        #expect(all.raft.tls == nil)
        #expect(all.proxy.drainTimeout == .seconds(30))
        #expect(all.proxy.connectTimeout == .seconds(5))
        #expect(all.proxy.replicaMaxLag == .mebibytes(16))
        #expect(!all.proxy.pool.isEnabled)
        #expect(all.vip == nil)
        #expect(all.api.shutdownTimeout == .seconds(5))
        #expect(!all.api.protectReads)
        #expect(all.metrics == .init())
        #expect(all.log == .init(level: .info, format: .text))
        #expect(all.failover.primaryLease == .seconds(3))
        #expect(all.failover.restartHold == .seconds(60))
        #expect(all.failover.confirmationPeriod == .zero)
        #expect(all.failover.maxLagThreshold == .mebibytes(1))
        #expect(all.failover.pauseLease == .seconds(30))
        #expect(all.failover.unresponsiveAfter == .seconds(30))
        #expect(all.failover.primaryStartTimeout == .seconds(30))
        #expect(all.failover.promoteTimeout == .seconds(10))
        #expect(all.failover.onPostmasterCrash == .auto)
        #expect(all.watchdog.mode == .off)
        #expect(all.synchronous == .init(mode: nil, degradeAfter: .seconds(3)))
        #expect(all.backup.directory == "/backup/pgbastion")
        #expect(all.backup.maxAge == .seconds(26 * 3600))
        #expect(all.backup.retention == .init())
        #expect(all.standbyCluster == nil)
        #expect(!all.tracing.isEnabled)
        #expect(all.postgresql?.superuser == "postgres")
        #expect(all.postgresql?.replicationUser == "replicator")
        #expect(all.postgresql?.healthInterval == .seconds(1))
        #expect(all.postgresql?.healthTimeout == .seconds(3))
        #expect(all.postgresql?.cloneMaxRate == nil)
        #expect(all.postgresql?.managesHBA == true)
        #expect(all.node.guardSocket == "/run/pgbastion/guard.sock")
        #expect(all.node.guardDirectory == "/var/lib/pgbastion/guard")
    }

    @Test func `the default ports are 8300, 8080, 9090, 5432 and 5433, and one beside them for PostgreSQL (F07)`() throws {
        let all = try loadedWith("postgresql: {}")
        let ports = [all.raft.bindPort, all.api.port, all.metrics.port, all.proxy.primaryPort, all.proxy.replicaPort]
        #expect(ports.map(\.number) == [8300, 8080, 9090, 5432, 5433])
        #expect(all.postgresql?.port.number == 5434)
    }

    @Test(arguments: [
        ("memberlist: {bind_port: 7946}", "raft.bind_port"),
        ("raft: {heartbeat_timeout: 1s}", "raft.heartbeat_interval"),
        ("postgresql: {health_max_backoff: 30s}", "postgresql.health_interval"),
        ("postgresql: {health_backoff_multiplier: 2}", "postgresql.health_interval"),
        ("failover: {quorum_loss_timeout: 10s}", "failover.primary_lease"),
    ])
    func `a key without effect gives one warning that names the key to use`(section: String, instead: String) throws {
        let warnings = try warningsWith(section + "\napi: {auth_token: t}")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("has no effect") == true)
        #expect(warnings.first?.contains(instead) == true)
    }

    @Test func `fencing and split-brain protection cannot be switched off`() throws {
        let found = errorsWith("failover: {fencing_enabled: false, split_brain_protection: false}")
        #expect(found.count == 2)
        #expect(found.first?.contains("failover.fencing_enabled cannot be switched off") == true)
        _ = try loadedWith("failover: {fencing_enabled: true, split_brain_protection: true}")
    }

    @Test(arguments: [
        "failover: {primary_lease: 999ms}", "failover: {primary_lease: 61s}", "failover: {restart_hold: 11m}",
        "failover: {pause_lease: 2s}", "failover: {primary_lease: 31s}", "failover: {restart_hold: 2s}",
        "failover: {pause_lease: 11m}", "raft: {heartbeat_interval: 151ms}", "raft: {election_timeout: 399ms}",
        "failover: {primary_lease: 3}", "failover: {primary_lease: -3s}",
    ])
    func `values that break the arithmetic of lease and election are errors`(section: String) {
        #expect(errorsWith(section).count == 1)
    }

    @Test func `a lease shorter than an election is allowed and warned about`() throws {
        let warnings = try warningsWith("failover: {primary_lease: 1s}\napi: {auth_token: t}")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("outlasts the lease of 1s") == true)
        #expect(try loadedWith("failover: {primary_lease: 1s}").failover.stopBudget == .milliseconds(200))
        #expect(NodeConfiguration.Failover().renewalInterval == .milliseconds(300))
    }

    @Test func `port conflicts on one address are errors`() throws {
        #expect(
            errorsWith("api: {port: 8300}") == [
                "2:13: port 8300 is used by both raft.bind_port and api.port (give one of them another port)"
            ])
        #expect(errorsWith("raft: {bind_port: 9090}").count == 1)
        #expect(errorsWith("proxy: {primary_port: 6000, replica_port: 6000}").count == 1)
        #expect(errorsWith("postgresql: {port: 5432}").count == 1)
        #expect(errorsWith("postgresql: {connect_dsn: \"port=5433\"}").count == 1)
        #expect(errorsWith("api: {port: 9090}").count == 1)
        let apart = try loadedWith(
            "api: {port: 9000, bind_address: 127.0.0.1}\nmetrics: {port: 9000, bind_address: 127.0.0.2}")
        #expect(apart.metrics.bindAddresses.map(\.description) == ["127.0.0.2"])
        #expect(errorsWith("api: {port: 9000}\nmetrics: {port: 9000, bind_address: 0.0.0.0}").count == 1)
    }

    @Test func `the port of PostgreSQL comes from its key, the DSN, or what the proxy leaves`() throws {
        func port(_ text: String) throws -> (Int?, NodeConfiguration.PostgreSQL.PortOrigin?) {
            let postgresql = try loadedWith(text).postgresql
            return (postgresql?.port.number, postgresql?.portOrigin)
        }
        #expect(try port("postgresql: {port: 7000}") == (7000, .configured))
        #expect(try port("postgresql: {connect_dsn: \"host=/tmp port=7001\"}") == (7001, .connectDSN))
        #expect(try port("postgresql: {}") == (5434, .besideProxy))
        #expect(try port("postgresql: {}\nproxy: {primary_port: 6000}") == (5432, .standard))
        #expect(errorsWith("postgresql: {port: 7000, connect_dsn: \"port=7001\"}").count == 1)
    }

    @Test func `the virtual address needs address and interface`() throws {
        let vip = try loadedWith("vip: {address: 10.0.1.100/24, interface: eth0, follows: primary}").vip
        #expect(vip?.address.description == "10.0.1.100")
        #expect(vip?.prefixLength == 24)
        #expect(vip?.renewInterval == .seconds(3))
        #expect(vip?.follows == .primary)
        #expect(try loadedWith("vip: {address: \"fd00::1\", interface: eth0}").vip?.prefixLength == 128)
        #expect(errorsWith("vip: {address: 10.0.1.100}").first?.contains("\"vip.interface\" is missing") == true)
        #expect(errorsWith("vip: {interface: eth0}").first?.contains("\"vip.address\" is missing") == true)
        #expect(errorsWith("vip: {address: 10.0.1.100/33, interface: eth0}").count == 1)
        #expect(errorsWith("vip: {address: 10.0.1.100, interface: an-interface-name}").count == 1)
        #expect(errorsWith("vip: {address: 10.0.1.1, interface: eth0}").first?.contains("this node's own address") == true)
    }

    @Test func `TLS between members needs certificate, key and authority`() throws {
        #expect(errorsWith("raft: {tls_enabled: true}").count == 3)
        #expect(errorsWith("raft: {tls_enabled: true, tls_cert: /c, tls_key: /k}").count == 1)
        let raft = try loadedWith("raft: {tls_enabled: true, tls_cert: /c, tls_key: /k, tls_ca: /a}").raft
        #expect(raft.tls == .init(certificateFile: "/c", keyFile: "/k", authorityFile: "/a"))
        #expect(errorsWith("api: {tls_cert: /c}").count == 1)
    }

    @Test func `other sections are read as they stand`() throws {
        let all = try loadedWith(
            """
            synchronous: {mode: strict, degrade_after: 5s}
            watchdog: {mode: automatic}
            backup: {dir: /b, retention: {keep_last: 3, keep_within: 1d12h}, max_age: 1h30m, copy_to: [/c, /d]}
            standby_cluster: {host: old.example.org, slot: blue}
            failover: {max_lag_threshold: 0, on_postmaster_crash: promote}
            postgresql: {clone_max_rate: 50MiB, connect_dsn: "postgresql://%2Ftmp/db"}
            proxy: {replica_max_lag: 1048576, pool: {enabled: true, max_pool_size: 7}}
            raft: {log_level: WARN}
            """)
        #expect(all.synchronous.mode == .strict)
        #expect(all.watchdog.mode == .automatic)
        #expect(all.backup.retention.within == .seconds(129_600))
        #expect(all.backup.copyTo == ["/c", "/d"])
        #expect(all.standbyCluster?.port == 5432)
        #expect(all.failover.maxLagThreshold == nil)
        #expect(all.failover.onPostmasterCrash == .promote)
        #expect(all.postgresql?.cloneMaxRate == .mebibytes(50))
        #expect(all.postgresql?.connection.host == "/tmp")
        #expect(all.proxy.replicaMaxLag == .mebibytes(1))
        #expect(all.proxy.pool.maxPoolSize == 7)
    }

    @Test func `what cannot work is refused in each section`() {
        #expect(errorsWith("standby_cluster: {slot: a}").count == 1)
        #expect(errorsWith("synchronous: {mode: on}").count == 1)
        #expect(
            errorsWith(
                "backup: {retention: {keep_last: 0, keep_hourly: 0, keep_daily: 0, keep_weekly: 0, keep_monthly: 0, keep_within: 0}}"
            ).count == 1)
        #expect(errorsWith("backup: {ping_url: ftp://x}").count == 1)
        #expect(errorsWith("proxy: {pool: {max_pool_size: 1, min_idle_conns: 2}}").count == 1)
        #expect(errorsWith("cluster: {name: \"a b\"}").count == 1)
        #expect(errorsWith("log: {level: loud}").count == 1)
        #expect(errorsWith("log: text").first == "2:6: \"log\" must hold \"key: value\" lines, not a single value")
        #expect(errorsWith("log: {level: [info]}").count == 1)
        #expect(errorsWith("log: {level: }").first?.contains("\"log.level\" has no value") == true)
        #expect(errorsWith("node: {run_dir: /\(String(repeating: "x", count: 120))}").isEmpty == false)
    }

    @Test func `tracing is accepted, and said to be without effect`() throws {
        let warnings = try warningsWith("tracing: {enabled: true, sample_rate: 0.5}\napi: {auth_token: t}")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("exports no traces") == true)
        #expect(errorsWith("tracing: {sample_rate: 2}").count == 1)
    }

    @Test func `a watchdog that is required is refused, since no version drives one, and an automatic one is warned about`() throws {
        let refused = errorsWith("watchdog: {mode: required}")
        #expect(refused.count == 1)
        #expect(refused.first?.contains("drives no watchdog device (set watchdog.mode: off") == true)
        let warnings = try warningsWith("watchdog: {mode: automatic}\napi: {auth_token: t}")
        #expect(warnings.count == 1 && warnings.first?.contains("set watchdog.mode: off") == true)
        #expect(try warningsWith("watchdog: {mode: off}\napi: {auth_token: t}").isEmpty)
    }

    @Test func `a pool that is switched on and a log level of Raft are accepted, and said to be without effect`() throws {
        let warnings = try warningsWith("proxy: {pool: {enabled: true}}\nraft: {log_level: debug}\napi: {auth_token: t}")
        #expect(warnings.count == 2)
        #expect(warnings.contains { $0.contains("set proxy.pool.enabled: false") })
        #expect(warnings.contains { $0.contains("raft.log_level") && $0.contains("log.level") })
        // The guide's example has both as they are by default.
        #expect(try warningsWith("proxy: {pool: {enabled: false}}\nraft: {log_level: WARN}\napi: {auth_token: t}").isEmpty)
    }

    @Test func `extra directories follow node.state_dir and node.run_dir`() throws {
        let text = "node: {name: n, address: a, state_dir: /s/1, run_dir: /s/1/run}"
        let all = try loaded(text).configuration
        #expect(all.raft.dataDirectory == "/s/1/raft")
        #expect(all.api.socket == "/s/1/run/api.sock")
        #expect(all.node.guardSocket == "/s/1/run/guard.sock")
        #expect(all.node.generationFile == "/s/1/generation")
        #expect(all.node.postgresqlDirectory == "/s/1/postgresql")
    }

    @Test func `a reload takes over only what may change while running`() throws {
        let old = try loadedWith("api: {auth_token: a}\npostgresql: {port: 7000}")
        let new = try loadedWith(
            """
            api: {auth_token: b, port: 8081}
            postgresql: {port: 7001, health_interval: 2s}
            log: {level: debug}
            failover: {primary_lease: 4s}
            backup: {max_age: 1h}
            """)
        let changes = ConfigurationChanges(from: old, to: new)
        #expect(
            changes.reloadable.map(\.key) == [
                "api.auth_token", "backup.max_age", "failover.primary_lease", "log.level", "postgresql.health_interval",
            ])
        #expect(changes.needsRestart.map(\.description) == ["api.port: 8080 -> 8081", "postgresql.port: 7000 -> 7001"])
        let merged = old.reloaded(from: new)
        let rest = ConfigurationChanges(from: merged, to: new)
        #expect(rest.reloadable.isEmpty)
        #expect(rest.needsRestart == changes.needsRestart)
        #expect(ConfigurationChanges(from: old, to: old).isEmpty)
    }
}

/// The sections that concern PostgreSQL and its safety.
extension NodeConfiguration {
    package struct PostgreSQL: Sendable, Hashable {
        /// Where `pg_ctl` and its siblings are.
        package var binDirectory: String?
        /// When set, pgbastion starts, stops and supervises this server.
        package var dataDirectory: String?
        package var connection = ConnectionSettings()
        package var port: TCPPort = 5432
        package var portOrigin = PortOrigin.standard
        package var superuser = "postgres"
        package var replicationUser = "replicator"
        package var healthInterval = Duration.seconds(1)
        package var healthTimeout = Duration.seconds(3)
        /// Bytes per second; nil is unlimited.
        package var cloneMaxRate: ByteSize?
        package var managesHBA = true

        /// Why the port is what it is (K14); logged at start.
        package enum PortOrigin: String, Sendable, Hashable {
            case configured = "postgresql.port"
            case connectDSN = "the port in postgresql.connect_dsn"
            case standard = "PostgreSQL's default"
            case besideProxy = "a proxy port is 5432"
        }
    }

    package struct Failover: Sendable, Hashable {
        package var primaryLease = Duration.seconds(3)
        package var restartHold = Duration.seconds(60)
        package var confirmationPeriod = Duration.zero
        /// nil is unlimited (0 in the file).
        package var maxLagThreshold: ByteSize? = .mebibytes(1)
        package var pauseLease = Duration.seconds(30)
        package var unresponsiveAfter = Duration.seconds(30)
        package var primaryStartTimeout = Duration.seconds(30)
        package var promoteTimeout = Duration.seconds(10)
        package var onPostmasterCrash = CrashReaction.auto

        package enum CrashReaction: String, Sendable, Hashable, CaseIterable { case auto, restart, promote }
    }

    package struct Watchdog: Sendable, Hashable {
        package var mode = Mode.off

        package enum Mode: String, Sendable, Hashable, CaseIterable { case off, automatic, required }
    }

    package struct Synchronous: Sendable, Hashable {
        /// nil when the file gives none: `quorum` with at least two replicas, else `off`.
        package var mode: Mode?
        package var degradeAfter = Duration.seconds(3)

        package enum Mode: String, Sendable, Hashable, CaseIterable { case off, quorum, strict }
    }

    package struct Backup: Sendable, Hashable {
        package var directory = "/backup/pgbastion"
        package var retention = Retention()
        package var maxAge = Duration.seconds(26 * 3600)
        package var drillMaxAge = Duration.seconds(100 * 86400)
        package var requiresMount = false
        package var copyTo: [String] = []
        package var includesRunbooks = true
        package var lockWait = Duration.zero
        package var splay = Duration.zero
        package var pingURL: String?
        package var textfile: String?
    }

    package struct Retention: Sendable, Hashable {
        package var last = 7
        package var hourly = 24
        package var daily = 7
        package var weekly = 5
        package var monthly = 12
        package var within = Duration.seconds(7 * 86400)
        package var minimumRedundancy = 3
    }

    package struct StandbyCluster: Sendable, Hashable {
        package var host: HostAddress
        package var port: TCPPort = 5432
        package var slot: String?
    }

    package struct Tracing: Sendable, Hashable {
        package var isEnabled = false
        package var exporter: String?
        package var endpoint: String?
        package var serviceName: String?
        package var sampleRate: String?
        package var isInsecure = false
    }
}

import ClusterModel

/// Everything one node reads from its configuration file, with units in the types and every default filled in.
///
/// `docs/configuration.md` describes each key. Build one with `ConfigurationFile`; values checked against each other
/// (ports, lease arithmetic, tokens) are only known to be sound when they came from there.
package struct NodeConfiguration: Sendable, Hashable, CustomStringConvertible {
    package static let supportedVersion = 1
    package static let defaultPath = "/etc/pgbastion/pgbastion.yaml"

    package var version = NodeConfiguration.supportedVersion
    package var cluster = Cluster()
    package var node: Node
    package var raft = Raft()
    package var proxy = Proxy()
    /// nil when no virtual address is configured.
    package var vip: VirtualAddress?
    package var api = API()
    package var metrics = Metrics()
    package var log = Log()
    /// nil on a witness.
    package var postgresql: PostgreSQL?
    package var failover = Failover()
    package var watchdog = Watchdog()
    package var synchronous = Synchronous()
    package var backup = Backup()
    /// nil when this cluster follows no other one.
    package var standbyCluster: StandbyCluster?
    package var tracing = Tracing()

    package init(name: NodeName, address: HostAddress) { node = Node(name: name, address: address) }

    /// A witness votes and proxies, and has no data.
    package var kind: NodeKind { postgresql == nil ? .witness : .data }

    /// All keys with their values; secrets are hidden.
    package var description: String { redacted }
}

extension NodeConfiguration {
    package struct Cluster: Sendable, Hashable {
        package var name = "main"
        /// Asked for a running cluster before a bootstrap (K06).
        package var peers: [HostAndPort] = []
    }

    package struct Node: Sendable, Hashable {
        package var name: NodeName
        /// Where peers and proxies reach this node.
        package var address: HostAddress
        /// `guard/`, `generation` and `postgresql/` live below it.
        package var stateDirectory = "/var/lib/pgbastion"
        /// Holds the sockets of guard and API.
        package var runDirectory = "/run/pgbastion"

        package var guardDirectory: String { stateDirectory + "/guard" }
        package var guardSocket: String { runDirectory + "/guard.sock" }
        package var generationFile: String { stateDirectory + "/generation" }
        package var postgresqlDirectory: String { stateDirectory + "/postgresql" }
    }

    package struct Raft: Sendable, Hashable {
        package var dataDirectory = "/var/lib/pgbastion/raft"
        package var bindPort: TCPPort = 8300
        package var bootstrap = false
        package var logLevel = LogLevel.warn
        package var snapshotRetain = 2
        package var transportTimeout = Duration.seconds(10)
        /// The lower end of the random range; the upper end is twice that.
        package var electionTimeout = Duration.milliseconds(600)
        package var heartbeatInterval = Duration.milliseconds(100)
        /// nil when peers talk without TLS.
        package var tls: TransportSecurity?

        package var maximumElectionTimeout: Duration { electionTimeout * 2 }
    }

    /// Certificates of one listener; `authority` makes both sides verify.
    package struct TransportSecurity: Sendable, Hashable {
        package var certificateFile: String
        package var keyFile: String
        package var authorityFile: String?
    }

    package struct Proxy: Sendable, Hashable {
        package var primaryPort: TCPPort = 5432
        package var replicaPort: TCPPort = 5433
        package var drainTimeout = Duration.seconds(30)
        package var connectTimeout = Duration.seconds(5)
        /// PX4: a replica further behind leaves the rotation.
        package var replicaMaxLag = ByteSize.mebibytes(16)
        package var pool = ConnectionPool()
    }

    package struct ConnectionPool: Sendable, Hashable {
        package var isEnabled = false
        package var maxPoolSize = 20
        package var minIdleConnections = 2
        package var idleTimeout = Duration.seconds(300)
        package var maxConnectionLifetime = Duration.seconds(1800)
        package var healthCheckPeriod = Duration.seconds(30)
        package var acquireTimeout = Duration.seconds(5)
    }

    package struct VirtualAddress: Sendable, Hashable {
        package var address: IPAddress
        /// Bits of the network; 32 or 128 when the file gives none.
        package var prefixLength: Int
        package var interface: String
        package var renewInterval = Duration.seconds(3)
        package var follows = Follows.leader

        package enum Follows: String, Sendable, Hashable, CaseIterable { case leader, primary }
    }

    package struct API: Sendable, Hashable {
        package var port: TCPPort = 8080
        package var bindAddresses: [IPAddress] = [.loopback]
        /// nil when changes are open, which is allowed on loopback only (K11). From `auth_token` or `auth_token_file`.
        package var authToken: Secret?
        package var authTokenFile: String?
        package var shutdownTimeout = Duration.seconds(5)
        package var tls: TransportSecurity?
        package var socket = "/run/pgbastion/api.sock"
        package var protectReads = false
    }

    package struct Metrics: Sendable, Hashable {
        package var port: TCPPort = 9090
        package var bindAddresses: [IPAddress] = [.loopback]
    }

    package struct Log: Sendable, Hashable {
        package var level = LogLevel.info
        package var format = Format.text

        package enum Format: String, Sendable, Hashable, CaseIterable { case text, json }
    }

    package enum LogLevel: String, Sendable, Hashable, CaseIterable { case debug, info, warn, error }
}

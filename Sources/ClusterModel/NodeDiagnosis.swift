/// What one node, or a machine without a daemon, found out about itself for `doctor`, `upgrade-check` and `config diff`.
///
/// Facts only: what they mean is decided by the checks of the catalogue. A fact that could not be found out is nil, and
/// `reason` fields say why.
package struct NodeDiagnosis: Sendable, Codable, Hashable {
    /// nil when the configuration cannot be read.
    package var node: NodeName?
    /// A running daemon tells this; otherwise a client looked at its own machine.
    package var isDaemon = false
    package var version = ""
    package var kind: NodeKind = .data
    package var machine = MachineFacts()
    package var configuration = ConfigurationFacts()
    package var ports: [PortFacts] = []
    package var certificates: [CertificateFacts] = []
    package var systemd = SystemdFacts()
    package var backup = BackupFacts()
    package var rollbackCopy = RollbackFacts()
    package var vip = VIPFacts()
    /// nil on a witness.
    package var postgres: PostgresDiagnosis?
    /// Told by daemons only.
    package var raft: RaftDiagnosis?
    /// Every other member as this node reaches it; empty when it was not tried.
    package var peers: [PeerDial] = []
    package init() {}
}

/// What may be asked for: an answer costs a connection or a write to the disk, so nobody is asked for everything.
package enum DiagnosisTopic: String, Sendable, Codable, Hashable, CaseIterable { case machine, network, raft, postgres }

package struct MachineFacts: Sendable, Codable, Hashable {
    package struct Directory: Sendable, Codable, Hashable {
        /// `raft`, `data`, `state`
        package var purpose: String
        package var path: String
        package var exists = false
        package var owner: String?
        package var isOwn = false
        package var mode: Int?
        package var freeBytes: UInt64?
        package var totalBytes: UInt64?
        package init(purpose: String, path: String) {
            self.purpose = purpose
            self.path = path
        }
    }
    package var user = ""
    package var isRoot = false
    /// The user the daemon runs as, or would run as: the owner of the data directory.
    package var serviceUser: String?
    package var directories: [Directory] = []
    package var clockSynchronised: Bool?
    package var fileLimit: UInt64 = 0
    /// Effective ones among `net_admin`, `net_raw`, `sys_nice`, `ipc_lock`.
    package var capabilities: [String] = []
    package init() {}
}

package struct ConfigurationValue: Sendable, Codable, Hashable {
    package var key: String
    package var value: String
    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

package struct ConfigurationFacts: Sendable, Codable, Hashable {
    package var path = ""
    package var isReadable = false
    package var mode: Int?
    package var errors: [String] = []
    package var warnings: [String] = []
    /// In effect now, secrets hidden.
    package var values: [ConfigurationValue] = []
    /// Those of `values` that should be the same on all nodes.
    package var clusterWide: [ConfigurationValue] = []
    /// Keys of the file whose value a running daemon does not have yet.
    package var notApplied: [String] = []
    package var hasToken = false
    package var tokenFile: String?
    package var tokenFileMode: Int?
    package var hasRaftState = false
    package init() {}

    package subscript(key: String) -> String? { values.first { $0.key == key }?.value }
}

package struct PortFacts: Sendable, Codable, Hashable {
    package enum State: String, Sendable, Codable, CaseIterable { case free, taken, listening, unknown }
    /// `raft.bind_port`
    package var key: String
    package var host: String
    package var port: Int
    package var state: State
    package var reason: String?
    package init(key: String, host: String, port: Int, state: State, reason: String? = nil) {
        self.key = key
        self.host = host
        self.port = port
        self.state = state
        self.reason = reason
    }
}

package struct CertificateFacts: Sendable, Codable, Hashable {
    /// `api.tls_cert`
    package var key: String
    package var path: String
    /// Seconds until it expires; negative when it has.
    package var secondsLeft: Int64?
    package var reason: String?
    package init(key: String, path: String) {
        self.key = key
        self.path = path
    }
}

package struct SystemdFacts: Sendable, Codable, Hashable {
    /// systemd runs this machine.
    package var isPresent = false
    package var unitFile: String?
    /// `Type`, `KillMode`, `WatchdogSec` and others of section `[Service]`, drop-ins applied.
    package var service: [String: String] = [:]
    /// The distribution's units that would start this data directory's server.
    package var distributionUnits: [String] = []
    package var hasNeedrestart = false
    /// needrestart was told to leave pgbastion and PostgreSQL alone.
    package var needrestartSpares = false
    package init() {}
}

package struct BackupFacts: Sendable, Codable, Hashable {
    package var directory = ""
    package var exists = false
    package var isWritable = false
    /// `backup.max_age`, `backup.drill_max_age`; nil from a member of an older release.
    package var maxAgeSeconds: Double?
    package var drillMaxAgeSeconds: Double?
    /// `backup.retention.min_redundancy`
    package var minRedundancy: Int?
    package init() {}
}

package struct RollbackFacts: Sendable, Codable, Hashable {
    package var path = ""
    package var exists = false
    /// What the copy says about itself when it is run.
    package var version: String?
    package init() {}
}

package struct VIPFacts: Sendable, Codable, Hashable {
    package var interface: String?
    package var interfaceExists: Bool?
    /// Other machines that answered for the address; nil when nobody was asked.
    package var duplicateHardwareAddress: String?
    package init() {}
}

package struct PostgresDiagnosis: Sendable, Codable, Hashable {
    /// What came of a connection with `postgresql.connect_dsn` as it stands.
    package enum Connection: Sendable, Codable, Hashable {
        case connected
        /// Nobody listens there, the name is unknown, or there is no answer.
        case unreachable(String)
        /// The server answered and refused; the SQLSTATE says why.
        case refused(state: String, message: String)
    }
    package var binDirectory: String?
    package var missingPrograms: [String] = []
    package var programVersion: Int?
    package var dataDirectory: String?
    package var dataVersion: Int?
    package var dataIsEmpty = false
    package var postmasterPID: Int32?
    package var guardedPID: Int32?
    package var connection: Connection?
    /// The target of the connection, without a password.
    package var target = ""
    package var facts: PostgresFacts?
    /// Settings as the server has them now.
    package var settings: [String: String] = [:]
    /// Roles that should exist and do not; nil when nobody could be asked.
    package var missingRoles: [String]?
    package init() {}
}

package struct RaftDiagnosis: Sendable, Codable, Hashable {
    package var clusterID: String?
    package var appliedIndex: UInt64 = 0
    /// Of the replicated state at `appliedIndex`.
    package var stateDigest: String?
    package var featureLevel: UInt32 = 1
    package var supportedFeatureLevel: UInt32 = 1
    /// Median of several small writes with fdatasync beside the log.
    package var diskLatencySeconds: Double?
    package init() {}
}

/// One node's Raft port as another node reaches it.
package struct PeerDial: Sendable, Codable, Hashable {
    package var name: NodeName?
    package var address: String
    /// nil: it answered the handshake.
    package var error: String?
    package var seconds: Double?
    /// The other clock minus this one.
    package var clockOffsetSeconds: Double?
    package var version: String?
    package init(name: NodeName?, address: String) {
        self.name = name
        self.address = address
    }
}

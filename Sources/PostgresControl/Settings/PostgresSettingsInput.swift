import ClusterModel
import Synchronization

/// Everything the adapter must be told about its PostgreSQL. Paths are absolute.
package struct PostgresSettingsInput: Sendable {
    /// PostgreSQL's programs, for example `/usr/lib/postgresql/15/bin`.
    package var binDirectory: String
    package var dataDirectory: String
    /// Our own directory of state; everything of this target lies in its folder `postgresql`.
    package var stateDirectory: String
    /// Where the server makes its unix socket, and where we connect.
    package var socketDirectory: String
    package var port: Int
    /// `listen_addresses`; empty: only the unix socket.
    package var listenAddresses: [String]
    package var superuser = "postgres"
    package var replicationUser = "replicator"
    package var rewindUser = "pgbastion_rewind"
    package var clusterName = "pgbastion"
    /// Settings of the command line (8.5), for example `max_connections`; they override the defaults of `PostmasterCommand`.
    package var commandLineSettings: [String: String] = [:]
    /// `--max-rate` of `pg_basebackup`, for example `100M`; nil: unlimited.
    package var cloneMaxRate: String?
    /// Addresses or host names from which members connect; the own machine is always allowed.
    package var memberAddresses: [String] = []
    /// Whether the marked block of `pg_hba.conf` is ours to write.
    package var managesHBA = true
    /// `sslmode` of replication and rewind connections; `require` and above make the access rules `hostssl`.
    package var sslMode = "prefer"
    /// Locale of a new cluster.
    package var locale = "C.UTF-8"
    /// Standard output and error of the server.
    package var logFile: String
    /// Deadline of `facts()`.
    package var healthTimeout: Duration {
        get { healthLimit.value }
        nonmutating set { healthLimit.value = newValue }
    }
    /// Explicit paths of an adopted layout (AG17); nil: in the data directory, else Debian's place.
    package var configFile: String?
    package var hbaFile: String?
    package var identFile: String?
    /// The name suffix of quarantined directories, for example `20260102T030405Z`.
    package var timestamp: @Sendable () -> String = { WallClock.compactTimestamp() }

    /// Shared by all copies: a reload changes it.
    private let healthLimit = LiveDuration(.seconds(3))

    package init(
        binDirectory: String, dataDirectory: String, stateDirectory: String, socketDirectory: String, port: Int,
        listenAddresses: [String], logFile: String
    ) {
        self.binDirectory = binDirectory
        self.dataDirectory = dataDirectory
        self.stateDirectory = stateDirectory
        self.socketDirectory = socketDirectory
        self.port = port
        self.listenAddresses = listenAddresses
        self.logFile = logFile
    }
}

/// A duration that may change while it is in use.
final class LiveDuration: Sendable {
    private let duration: Mutex<Duration>
    init(_ duration: Duration) { self.duration = Mutex(duration) }
    var value: Duration {
        get { duration.withLock { $0 } }
        set { duration.withLock { $0 = newValue } }
    }
}

extension PostgresSettingsInput {
    /// Settings file, passfile, secrets and markers lie here.
    var ownDirectory: String { stateDirectory + "/postgresql" }
    var settingsFile: String { ownDirectory + "/pgbastion.conf" }
    var passfile: String { ownDirectory + "/passfile" }
    /// Passwords for our own jobs (clone, rewind): a pledge never empties it.
    var jobPassfile: String { ownDirectory + "/passfile-jobs" }
    var secretsFile: String { ownDirectory + "/secrets.json" }
    /// What the operator's own configuration said before we first wrote to it (AG17).
    var adoptedFile: String { ownDirectory + "/adopted.json" }
    /// Managed parameters that only the command line carries.
    var commandLineFile: String { ownDirectory + "/command-line.conf" }
    var markerFile: String { ownDirectory + "/job.json" }
    var dataIDFile: String { ownDirectory + "/data-id.json" }
    var savedConfiguration: String { ownDirectory + "/saved-configuration" }
    var walDirectory: String { dataDirectory + "/pg_wal" }
    var standbySignal: String { dataDirectory + "/standby.signal" }
    func program(_ name: String) -> String { binDirectory + "/" + name }
}

import ClusterModel

/// Which running postmaster a guard is to take over, and as what (4.7, D61).
package struct AdoptionRequest: Sendable, Codable, Hashable {
    package enum Role: Sendable, Codable, Hashable {
        /// It runs with `standby.signal`.
        case standby
        /// It is the server of this token, which somebody else started again while the guard held the lease.
        case primary(FencingToken)
        /// It is writable, and the cluster has not given a token to anybody yet (AG5).
        case firstPrimary
        /// It is writable under a lease of the former cluster, and the restored cluster accepted this node (4.12).
        case accepted
    }
    package var role: Role
    package var pid: Int32
    /// Absolute path of the `postgres` program it must run.
    package var program: String
    package var dataDirectory: String
    package var port: Int
    package init(role: Role, pid: Int32, program: String, dataDirectory: String, port: Int) {
        self.role = role
        self.pid = pid
        self.program = program
        self.dataDirectory = dataDirectory
        self.port = port
    }
}

/// A server in the data directory that the guard neither started nor adopted (AS4). From files only: the guard asks no
/// SQL.
package struct StrangerServer: Sendable, Codable, Hashable {
    package var pid: Int32
    /// It accepts writes, or will when it has started, as far as `pg_control` and `standby.signal` tell.
    package var mayBeWritable: Bool
    package var hasStandbySignal: Bool
    /// nil when `pg_control` could not be read.
    package var systemIdentifier: UInt64?
    package init(pid: Int32, mayBeWritable: Bool, hasStandbySignal: Bool, systemIdentifier: UInt64?) {
        self.pid = pid
        self.mayBeWritable = mayBeWritable
        self.hasStandbySignal = hasStandbySignal
        self.systemIdentifier = systemIdentifier
    }
}

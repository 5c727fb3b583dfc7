import ClusterModel

/// A running PostgreSQL server: postmaster and backends of one start.
final class SimServer {
    enum Phase { case starting, recovery, primary, stopping }

    let pid: Int32
    /// Its backends; they may outlive the postmaster.
    let process = SimProcess()
    var phase = Phase.starting
    var postmasterIsAlive = true
    /// As a new session sees them.
    var settings: ManagedSettings?
    /// As every running process has them (AS5).
    var names = SimSyncNames("")
    var namesGeneration = 0
    var upstream: SimStream?
    var downstreams: [SimStream] = []
    var commits: [SimCommit] = []
    var sessions: [SimSession] = []
    /// Received in this life (`pg_last_wal_receive_lsn`).
    var received: UInt64?
    var replayed: UInt64 = 0
    var wantsPromotion = false
    var isPromoting = false
    var isFlushing = false
    var isConnecting = false
    /// Somebody started it behind the guard's back (AS4); nothing is promised of it but its end.
    var isRogue = false
    /// Under which it was promoted or started in place.
    var token: FencingToken?

    init(pid: Int32) {
        self.pid = pid
        process.begin()
    }

    /// A backend of it could acknowledge a commit now.
    var acceptsWrites: Bool { phase == .primary && process.isAlive && !process.isFrozen }
    var acceptsSessions: Bool { postmasterIsAlive && process.isAlive && !process.isFrozen && (phase == .primary || phase == .recovery) }
    var isStreaming: Bool { process.isAlive && phase == .recovery && upstream?.isOpen == true }
}

/// A commit that waits for its flush and its standbys.
struct SimCommit {
    var row: UInt64
    var end: UInt64
    var session: SimSession
}

/// One client connection.
final class SimSession {
    let client: SimClient
    let server: SimServer
    let epoch: FencingToken
    var isOpen = true

    init(client: SimClient, server: SimServer, epoch: FencingToken) {
        self.client = client
        self.server = server
        self.epoch = epoch
    }
}

/// A walsender and its walreceiver.
final class SimStream {
    let upstream: SimPostgres
    let downstream: SimPostgres
    let sender: SimServer
    let receiver: SimServer
    let name: String
    var isOpen = true
    /// So many of the sender's records were sent.
    var sent: Int
    var confirmed: UInt64
    var arrivesAt: Int64 = 0
    var answersAt: Int64 = 0
    var progressAt: Int64
    var isRetrying = false
    /// The sender's end of WAL, as far as it told.
    var toldEnd: UInt64 = 0

    init(
        from upstream: SimPostgres, _ sender: SimServer, to downstream: SimPostgres, _ receiver: SimServer, name: String, sent: Int,
        confirmed: UInt64, now: Int64
    ) {
        self.upstream = upstream
        self.downstream = downstream
        self.sender = sender
        self.receiver = receiver
        self.name = name
        self.sent = sent
        self.confirmed = confirmed
        progressAt = now
    }
}

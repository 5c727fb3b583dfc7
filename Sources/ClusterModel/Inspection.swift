/// What one node can be asked about its log, its state and its PostgreSQL, or told to do there without a word in the log.
package enum Inspection: Sendable, Codable, Hashable {
    /// The digest of the applied state (CS6).
    case digest
    /// Which build runs there.
    case release
    /// The last entries of the log, without what they contain.
    case entries(last: Int)
    /// Write a snapshot of the applied state now.
    case snapshot
    /// A checkpoint of the server, on a replica a restart point.
    case checkpoint
    case dropSlot(String)
    /// Whether PostgreSQL would accept these values; nothing is changed.
    case checkSettings([String: String])
    /// The running values of these settings.
    case settings([String])
    /// What became of the request with this idempotency key.
    case outcome(RequestID)
    /// The digest of the state at one of the last 16 marks.
    case digestAt(index: UInt64)

    package var name: String {
        switch self {
        case .digest: "raft.digest"
        case .release: "version"
        case .entries: "raft.log"
        case .snapshot: "raft.snapshot"
        case .checkpoint: "postgres.checkpoint"
        case .dropSlot: "slot.drop"
        case .checkSettings: "pgconfig.check"
        case .settings: "pgconfig.read"
        case .outcome: "request.outcome"
        case .digestAt: "raft.digest_at"
        }
    }
}

/// The answer to an `Inspection`.
package enum InspectionReply: Sendable, Codable, Hashable {
    case done
    case digest(StateMark)
    case release(version: String, commit: String)
    case entries([LogEntryView])
    /// Where the snapshot that was written stands.
    case snapshot(term: UInt64, index: UInt64)
    case checkpoint(lsn: LSN?, seconds: Double)
    /// Name -> what is wrong with its value; empty: all good.
    case problems([String: String])
    case settings([SettingFacts])
    /// nil: never heard of it.
    case outcome(RequestOutcome?)
}

/// An entry of the Raft log as an operator may see it: what it does, never its values.
package struct LogEntryView: Sendable, Codable, Hashable {
    package var index: UInt64
    package var term: UInt64
    /// `command empty membership`
    package var kind: String
    /// The name of the command: `assignPrimary`.
    package var command: String?
    package var actor: String?
    package var requestID: RequestID?
    package var rules: [String]
    /// RFC 3339.
    package var at: String?
    package var bytes: Int
    package init(index: UInt64, term: UInt64, kind: String, bytes: Int) {
        self.index = index
        self.term = term
        self.kind = kind
        self.bytes = bytes
        rules = []
    }
}

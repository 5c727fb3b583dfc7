import ClusterModel

/// The output of `pg_controldata`, read with `LC_ALL=C`.
struct ControlData: Sendable, Hashable {
    var file: ControlFile
    var segmentBytes: UInt64
    /// The values a replica must not fall below (D58), by setting name.
    var minimumSettings: [String: Int]

    init(_ text: String) throws(BastionError) {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...]
            fields[String(line[..<colon])] = String(value.drop { $0 == " " })
        }
        func field<Value>(_ name: String, _ parse: (String) -> Value?) throws(BastionError) -> Value {
            guard let value = fields[name].flatMap(parse) else {
                throw BastionError(.corrupt, "could not read pg_controldata's line \"\(name)\"", detail: fields[name])
            }
            return value
        }
        func flag(_ name: String) throws(BastionError) -> Bool { try field(name) { $0 == "on" } }
        file = ControlFile(
            systemIdentifier: try field("Database system identifier") { UInt64($0) },
            state: try field("Database cluster state", ControlData.state),
            timeline: TimelineID(try field("Latest checkpoint's TimeLineID") { UInt32($0) }),
            checkpointLSN: try field("Latest checkpoint location") { LSN($0) },
            redoLSN: try field("Latest checkpoint's REDO location") { LSN($0) },
            minimumRecoveryLSN: try field("Minimum recovery ending location") { LSN($0) },
            minimumRecoveryTimeline: TimelineID(try field("Min recovery ending loc's timeline") { UInt32($0) }),
            hasChecksums: try field("Data page checksum version") { Int($0) } != 0,
            logHints: try flag("wal_log_hints setting"))
        segmentBytes = try field("Bytes per WAL segment") { UInt64($0) }
        minimumSettings = [:]
        for name in ControlData.guardedSettings {
            minimumSettings[name] = try field("\(name) setting") { Int($0) }
        }
    }

    static let guardedSettings = [
        "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_xacts", "max_locks_per_xact",
    ]

    private static func state(_ text: String) -> ControlFile.State? {
        // PostgreSQL writes "starting up", "shut down", …; an unknown word is not guessed.
        ControlFile.State(rawValue: text)
    }
}

/// One line of the backup catalogue: what became of one run of `backup create`, or of a drill (backup-restore.md, 4.11).
package struct BackupRecord: Sendable, Codable, Hashable {
    package enum Kind: String, Sendable, Codable, Hashable { case backup, drill }
    package var kind: Kind
    /// Archive id; of a failed run the empty string.
    package var id: String
    package var series: String
    /// Milliseconds of the wall clock, when the run ended.
    package var at: Int64
    package var index: UInt64
    package var sizeBytes: UInt64
    /// SHA-256 of the archive file, hex.
    package var sha256: String
    package var stateSHA256: String
    /// The node on which the command ran.
    package var node: NodeName
    /// Exit status of the run: 0 is success, 7 success with an incomplete follow-up.
    package var exitStatus: Int32
    package var durationSeconds: Double
    package var isVerified: Bool
    /// Good archives of the series after the run.
    package var goodCount: Int
    package var copiesFailed: Int
    package init(kind: Kind = .backup, id: String, series: String, at: Int64, node: NodeName, exitStatus: Int32) {
        self.kind = kind
        self.id = id
        self.series = series
        self.at = at
        self.node = node
        self.exitStatus = exitStatus
        index = 0
        sizeBytes = 0
        sha256 = ""
        stateSHA256 = ""
        durationSeconds = 0
        isVerified = false
        goodCount = 0
        copiesFailed = 0
    }

    package var isSuccess: Bool { exitStatus == 0 || exitStatus == 7 }
}

/// `--once-per D`: the window of a series that some node has claimed already.
package struct BackupClaim: Sendable, Codable, Hashable {
    package var series: String
    /// The number of the window since 1970: wall clock divided by its length.
    package var window: Int64
    package var windowSeconds: Int64
    package var by: NodeName
    package init(series: String, window: Int64, windowSeconds: Int64, by: NodeName) {
        self.series = series
        self.window = window
        self.windowSeconds = windowSeconds
        self.by = by
    }
}

import ClusterModel

/// What is asked of a daemon that builds an archive of the cluster state.
package struct ArchiveRequest: Sendable, Hashable, Codable {
    package enum Mode: String, Sendable, Codable, Hashable { case linearizable, stale }
    package var mode: Mode
    package var series: String
    package var labels: [String: String]
    /// Id of the newest good archive of the group, as the asking command knows it.
    package var previousID: String?
    /// The cluster of that archive: of another one it is no predecessor.
    package var previousClusterID: String?
    package var includesConfiguration: Bool
    package var includesRunbooks: Bool
    /// Seconds since 1970 instead of the present time (`SOURCE_DATE_EPOCH`).
    package var createdAt: Int64?

    package init(
        mode: Mode = .linearizable, series: String = "default", labels: [String: String] = [:], previousID: String? = nil,
        previousClusterID: String? = nil, includesConfiguration: Bool = true, includesRunbooks: Bool = true, createdAt: Int64? = nil
    ) {
        self.mode = mode
        self.series = series
        self.labels = labels
        self.previousID = previousID
        self.previousClusterID = previousClusterID
        self.includesConfiguration = includesConfiguration
        self.includesRunbooks = includesRunbooks
        self.createdAt = createdAt
    }
}

/// An archive that a daemon has built and hands out piece by piece.
package struct BuiltArchive: Sendable {
    /// `<cluster name>-<id>.tar.gz`
    package var name: String
    package var size: UInt64
    /// 64 hexadecimal digits.
    package var sha256: String
    /// The next bytes; empty at the end.
    package var next: @Sendable () throws(BastionError) -> [UInt8]

    package init(name: String, size: UInt64, sha256: String, next: @escaping @Sendable () throws(BastionError) -> [UInt8]) {
        self.name = name
        self.size = size
        self.sha256 = sha256
        self.next = next
    }
}

/// Fetches an archive from a daemon, and tells the cluster what became of it.
package protocol ArchiveClient: Sendable {
    /// Hands the bytes to `sink` as they come, and checks them against the trailers.
    ///
    /// - Returns: The archive's name.
    /// - Throws: `integrity` when the stream was cut or a trailer is missing or different.
    func fetchArchive(
        _ request: ArchiveRequest, timeout: Duration, into sink: @escaping @Sendable ([UInt8]) throws(BastionError) -> Void
    ) async throws(BastionError) -> String
    func record(_ record: BackupRecord, requestID: RequestID) async throws(BastionError)
    /// - Returns: false when the window was claimed before.
    func claim(_ claim: BackupClaim, requestID: RequestID) async throws(BastionError) -> Bool
}

import ClusterModel

/// `backup.records`: what the cluster has recorded about runs of `backup create` and `backup drill`, for the status page.
///
/// Other than `backup list` it looks into no directory: any node answers it.
package enum BackupRecordsOperation: CatalogueOperation {
    package struct Input: Codable, Sendable {
        package init() {}
    }

    package struct Output: OperationOutput {
        package struct Row: Codable, Sendable, Hashable {
            /// Empty for a run that failed.
            package var id: String
            /// `backup drill`
            package var kind: String
            package var series: String
            package var at: String
            package var node: NodeName
            package var sizeBytes: UInt64
            package var succeeded: Bool
            package var verified: Bool
        }
        /// Newest first.
        package var records: [Row]
        package var text: String { "\(records.count) records" }
        package var names: [String] { records.map(\.id) }
    }

    package static let definition = OperationDefinition(name: "backup.records", summary: "list what the cluster knows of its backups")

    package static func perform(_ input: Input, in context: OperationContext) async throws(BastionError) -> Output {
        Output(records: await context.gateway.view().backups.reversed().map(Output.Row.init))
    }
}

extension BackupRecordsOperation.Output.Row {
    init(_ record: BackupRecord) {
        self.init(
            id: record.id, kind: record.kind.rawValue, series: record.series, at: BackupStanding.time(record), node: record.node,
            sizeBytes: record.sizeBytes, succeeded: record.isSuccess, verified: record.isVerified)
    }
}

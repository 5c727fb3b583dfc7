import ClusterModel

extension OutsideProgram {
    /// What `pg_controldata` says of a data directory, whether its server runs or not; nil when it cannot be read.
    package static func controlFile(programs: String, dataDirectory: String) async -> ControlFile? {
        guard let text = await output("\(programs)/pg_controldata", [dataDirectory]) else { return nil }
        do throws(BastionError) { return try ControlData(text).file } catch { return nil }
    }
}

import ClusterModel
import Glibc

/// Removes data directories that were replaced, when their time is over (D49).
///
/// On a queue of its own: the files of a large server take minutes, and nothing else may wait for that (D34).
actor QuarantineKeeper {
    private let dataDirectory: String
    private let markerFile: String
    private let executor = QueueExecutor(label: "pgbastion.quarantine")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ input: PostgresSettingsInput) {
        dataDirectory = input.dataDirectory
        markerFile = input.markerFile
    }

    private static let keepFile = "pgbastion.keep-until"

    /// `node reinit --keep-old`: the time after which the directory may go, beside its files.
    static func note(_ path: String, keepSeconds seconds: UInt64) throws(BastionError) {
        let (until, isOver) = Int64(time(nil)).addingReportingOverflow(Int64(clamping: seconds))
        try DurableFiles.write("\(isOver ? Int64.max : until)\n", to: path + "/" + keepFile)
    }

    /// Kept `days` or what was asked for, or until less than `freePercent` of the disk is free: then the oldest goes first.
    ///
    /// None goes while there is no data directory, nor before the one that replaced it has been seen streaming.
    func prune(keepingDays days: Int, freePercent: UInt64) throws(BastionError) -> [String] {
        guard DataDirectory.state(dataDirectory) == .present, try JobMarker.read(markerFile) == nil else { return [] }
        let parent = DurableFiles.parent(of: dataDirectory)
        let prefix = DurableFiles.name(of: dataDirectory) + ".quarantine-"
        var removed: [String] = []
        for name in try DurableFiles.list(parent) ?? [] where name.hasPrefix(prefix) {
            let path = parent + "/" + name
            guard try isOver(path, days) || isDiskShort(parent, freePercent) else { continue }
            try DurableFiles.removeTree(path)
            removed.append(path)
        }
        return removed
    }

    private func isOver(_ path: String, _ days: Int) throws(BastionError) -> Bool {
        let text = try DurableFiles.read(path + "/" + Self.keepFile) ?? ""
        if let until = Int64(text.filter(\.isNumber)) { return Int64(time(nil)) >= until }
        return isOlder(path, days)
    }

    private func isOlder(_ path: String, _ days: Int) -> Bool {
        var status = stat()
        // The change time is that of the rename.
        guard lstat(path, &status) == 0 else { return false }
        return time(nil) - status.st_ctim.tv_sec > days * 86_400
    }

    private func isDiskShort(_ path: String, _ percent: UInt64) -> Bool {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return false }
        return UInt64(status.f_bavail) * 100 < UInt64(status.f_blocks) * percent
    }
}

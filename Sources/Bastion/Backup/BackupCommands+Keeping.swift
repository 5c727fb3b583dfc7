import BackupArchive
import ClusterModel
import ConfigFiles
import Glibc
import Operations

/// prune, keep, unkeep: under the lock of the repository (R17).
extension BackupCommands {
    func prune(_ input: BackupInput, dryRun: Bool) throws(BastionError) -> BackupPruneOutput {
        let configuration = try configuration()
        let repository = repository(input.dir ?? configuration.backup.directory, configuration)
        let policy = policy(configuration, keepWithin: input.retention?.duration)
        let lock = try lock(repository, wait: input.lockWait?.duration ?? configuration.backup.lockWait)
        let entries = try repository.list()
        var output = BackupPruneOutput(archives: [], deleted: [], quarantined: [], warnings: [])
        var failures: [String] = []
        var groups: [(cluster: String, series: String)] = []
        for manifest in entries.compactMap(\.manifest) where manifest.cluster.name == configuration.cluster.name {
            guard input.series.map({ $0 == manifest.series }) ?? true else { continue }
            if !groups.contains(where: { $0 == (manifest.cluster.id, manifest.series) }) {
                groups.append((manifest.cluster.id, manifest.series))
            }
        }
        var rows: [String: BackupPruneOutput.Row] = [:]
        for group in groups {
            let pruned = try repository.prune(
                policy, clusterID: group.cluster, series: group.series, holding: lock, now: .now, dryRun: dryRun)
            for decision in pruned.plan.decisions where decision.verdict != .ignore || rows[decision.name] == nil {
                let id = entries.first { $0.name == decision.name }?.manifest?.id
                rows[decision.name] = .init(name: decision.name, id: id, decision: decision.verdict.rawValue, reasons: decision.reasons)
            }
            output.deleted += pruned.deleted
            output.quarantined += pruned.quarantined
            output.warnings += pruned.plan.warnings
            if let incomplete = pruned.incomplete { failures.append(incomplete.detail ?? incomplete.message) }
        }
        // R16: every archive is named, also those of other clusters.
        for entry in entries where rows[entry.name] == nil {
            let reason = entry.manifest == nil ? "R3: it cannot be read" : "R2: an archive of another cluster or series"
            rows[entry.name] = .init(name: entry.name, id: entry.manifest?.id, decision: "ignore", reasons: [reason])
        }
        output.archives = rows.values.sorted { $0.name < $1.name }
        guard failures.isEmpty else {
            throw BastionError(
                .incomplete, "could not remove every archive that is to go", detail: failures.joined(separator: "; "),
                hint: "see `pgbastion backup prune --dry-run`")
        }
        return output
    }

    /// R10
    func pin(_ input: BackupInput, _ keep: Bool, dryRun: Bool) throws(BastionError) -> BackupKeepOutput {
        let place = try place(input)
        let path = try resolve(input.archive?.words.first ?? "latest", place)
        let id = try ArchiveReader.manifest(try ArchiveFile(path: path)).id
        guard !dryRun else { return BackupKeepOutput(id: id, keep: keep) }
        let repository = beside(path)
        let lock = try lock(repository, wait: input.lockWait?.duration ?? .zero)
        if keep {
            try repository.keep(name(path), by: Self.user, note: input.note ?? "", holding: lock, now: .now)
        } else {
            try repository.unkeep(name(path), holding: lock)
        }
        return BackupKeepOutput(id: id, keep: keep)
    }

    static var user: String {
        if geteuid() == 0, let caller = getenv("SUDO_USER") { return String(cString: caller) }
        return getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid \(geteuid())"
    }
}

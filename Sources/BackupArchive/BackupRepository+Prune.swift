import ClusterModel

extension BackupRepository {
    /// What `prune` decided and did.
    package struct Pruned: Sendable {
        package var plan: RetentionPolicy.Plan
        package var deleted: [String]
        package var quarantined: [String]
        /// Code `.incomplete`: something could not be removed; the rest was tried all the same.
        package var incomplete: BastionError?
    }

    /// R15, R16: decides about one group and, unless `dryRun`, carries it out.
    package func prune(
        _ policy: RetentionPolicy, clusterID: String, series: String, holding lock: borrowing Lock, now: ArchiveTime, dryRun: Bool
    ) throws(BastionError) -> Pruned {
        let entries = try list()
        let plan = try policy.plan(for: entries.compactMap(\.retained), clusterID: clusterID, series: series, now: now)
        var pruned = Pruned(plan: plan, deleted: [], quarantined: [], incomplete: nil)
        for entry in entries where entry.retained == nil {
            pruned.plan.decisions.append(.init(name: entry.name, verdict: .ignore, reasons: ["R3: it cannot be read"]))
        }
        guard !dryRun else { return pruned }
        var failures: [String] = []
        for entry in entries where entry.status == .damaged && entry.manifest?.cluster.id == clusterID {
            do throws(BastionError) {
                try quarantine(entry.name)
                pruned.quarantined.append(entry.name)
            } catch { failures.append(error.description) }
        }
        for decision in plan.decisions where decision.verdict == .delete {
            do throws(BastionError) {
                try delete(decision.name)
                pruned.deleted.append(decision.name)
            } catch { failures.append(error.description) }
        }
        if let name = entries.first(where: { pruned.quarantined.contains($0.name) })?.manifest?.cluster.name {
            do throws(BastionError) { try link(clusterName: name) } catch { failures.append(error.description) }
        }
        if !failures.isEmpty {
            pruned.incomplete = BastionError(
                .incomplete, "could not remove every archive that is to go", detail: failures.joined(separator: "; "))
        }
        return pruned
    }

    /// Without its archive a sidecar is nothing; the other way round the archive would be listed as unsealed.
    private func delete(_ name: String) throws(BastionError) {
        try RepositoryFile.remove(path(name))
        passed(.archiveRemoved)
        try RepositoryFile.remove(path(name + ".sha256"))
        passed(.sidecarRemoved)
        try RepositoryFile.sync(directory)
        passed(.removalSynced)
    }

    /// The archive keeps its content for whoever looks into it, and is never listed as good again.
    package func quarantine(_ name: String) throws(BastionError) {
        guard try RepositoryFile.move(path(name), to: path(name + ".quarantine")) else {
            throw BastionError(.io, "could not move \"\(name)\" aside", detail: "there is a quarantined archive of that name")
        }
        try RepositoryFile.remove(path(name + ".sha256"))
        try RepositoryFile.sync(directory)
    }

    private struct Pin: Encodable {
        var at: ArchiveTime
        var by: String
        var note: String
    }

    /// R10: `backup keep`.
    package func keep(_ name: String, by: String, note: String, holding lock: borrowing Lock, now: ArchiveTime) throws(BastionError) {
        _ = try ArchiveFile(path: path(name))
        let pin = try CanonicalJSON.encode(Pin(at: now, by: by, note: note))
        try RepositoryFile.replace(name + ".keep", in: directory, with: pin)
    }

    /// `backup unkeep`; an archive that is not pinned is left as it is.
    package func unkeep(_ name: String, holding lock: borrowing Lock) throws(BastionError) {
        _ = try ArchiveFile(path: path(name))
        try RepositoryFile.remove(path(name + ".keep"))
        try RepositoryFile.sync(directory)
    }
}

import ClusterModel
import Glibc

extension BackupRepository {
    /// What `create` made.
    package struct Created: Sendable {
        package var name: String
        package var sha256: String
        package var manifest: BackupManifest
        /// Things worth saying that are no failures.
        package var notes: [String]
        /// Code `.incomplete`: the archive has its name, but it is not known to be durable, or its sidecar or `latest.tar.gz` is missing.
        package var incomplete: BastionError?
    }

    /// Steps 2 and 4 to 8 of the write protocol. The lock is held by the caller, who may go on to prune.
    ///
    /// - Parameters:
    ///   - name: `<cluster name>-<id>.tar.gz`; compared with the manifest of what was written.
    ///   - write: Hands the archive, piece by piece, to the sink it is given.
    /// - Throws: `.io`, `.integrity`, or what `write` throws; nothing is left behind then.
    package func create(
        named name: String, holding lock: borrowing Lock, now: ArchiveTime, write: (@escaping ArchiveSink) throws(BastionError) -> Void
    ) throws(BastionError) -> Created {
        var notes = try preflight(now)
        passed(.preflight)
        guard !name.contains("/"), !name.hasPrefix("."), name.hasSuffix(BackupRepository.suffix) else {
            throw BastionError(.integrity, "\"\(name)\" is not the name of an archive")
        }
        let partial = path(".\(name).partial-\(getpid())")
        try RepositoryFile.remove(partial)
        try RepositoryFile.create(partial) { (descriptor) throws(BastionError) in
            try write { (piece) throws(BastionError) in try RepositoryFile.write(descriptor, piece, partial) }
        }
        passed(.partialWritten)
        let report: ArchiveVerifier.Report
        let manifest: BackupManifest
        do throws(BastionError) {
            (report, manifest) = try verifyPartial(partial, name)
            passed(.verified)
            try publish(partial, name, report.sha256)
        } catch {
            unlink(partial)
            throw error
        }
        notes += report.findings
        var created = Created(name: name, sha256: report.sha256 ?? "", manifest: manifest, notes: notes, incomplete: nil)
        do throws(BastionError) {
            // Step 7 is behind the point of no return: the archive has its name, and without a sidecar it is listed as unsealed.
            try RepositoryFile.sync(directory)
            passed(.directorySynced)
            try seal(name, created.sha256)
            passed(.sealed)
            try link(clusterName: manifest.cluster.name)
            passed(.linked)
        } catch {
            created.incomplete = BastionError(
                .incomplete, "backup \"\(name)\" was written, but not sealed", detail: error.description)
        }
        return created
    }

    /// Step 2. Removes partials older than a day and deals with archives that a crash left without a sidecar.
    private func preflight(_ now: ArchiveTime) throws(BastionError) -> [String] {
        var status = stat()
        guard lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw RepositoryFile.failure("use directory", directory)
        }
        guard status.st_mode & 0o022 == 0 else { throw unfit("it is writable by its group or by others") }
        guard status.st_uid == geteuid() || geteuid() == 0 else { throw unfit("it belongs to another user") }
        var root = stat()
        if requireMount, stat("/", &root) == 0, root.st_dev == status.st_dev {
            throw unfit("it is on the file system of /, and backup.require_mount is set")
        }
        for name in try RepositoryFile.names(in: directory) where name.hasPrefix(".") && name.contains(".partial-") {
            guard lstat(path(name), &status) == 0, Int64(status.st_mtim.tv_sec) < now.seconds - 86_400 else { continue }
            try RepositoryFile.remove(path(name))
        }
        let entries = try list()
        for entry in entries where entry.status == .unsealed {
            // Anything else than a failed check of the content is left for `verify` to tell.
            let report = try verify(entry.name, level: .full)
            if report.outcome == .unsealed, let hash = report.sha256 { try seal(entry.name, hash) }
        }
        let newest = entries.filter { $0.status == .good }.compactMap { $0.manifest?.createdAt }.max()
        try requireSpace(entries)
        guard let newest, now.seconds < newest.seconds - 300 else { return [] }
        return ["the clock says \(now), before the newest archive of \(newest)"]
    }

    private func requireSpace(_ entries: [Entry]) throws(BastionError) {
        var space = statvfs()
        guard statvfs(directory, &space) == 0 else { throw RepositoryFile.failure("examine", directory) }
        let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
        let needed = max(16 << 20, 2 * UInt64(entries.map(\.size).max() ?? 0))
        guard free >= needed else { throw unfit("\(free) bytes are free, \(needed) are needed") }
    }

    /// Step 5. An archive on which voters disagree is kept aside for whoever looks into it.
    private func verifyPartial(
        _ partial: String, _ name: String
    ) throws(BastionError) -> (ArchiveVerifier.Report, BackupManifest) {
        let file = try ArchiveFile(path: partial)
        var report = try verifier.verify(file, sealed: nil, level: .full)
        if let failure = report.failure {
            if let manifest = try disagreement(file) {
                _ = try RepositoryFile.move(partial, to: path(name + ".quarantine"))
                throw BastionError(
                    .integrity, "nodes hold different states at the same index",
                    detail: "other than the archive: \(manifest.state.disagree.joined(separator: ", "))",
                    hint: "the archive is kept as \"\(name).quarantine\"")
            }
            throw failure
        }
        guard let manifest = report.manifest, manifest.archiveName == name else {
            throw BastionError(.integrity, "the archive is not the one that was announced", detail: "expected \"\(name)\"")
        }
        report.findings.removeAll { $0 == "there is no sidecar" }
        return (report, manifest)
    }

    private func disagreement(_ file: ArchiveFile) throws(BastionError) -> BackupManifest? {
        do throws(BastionError) {
            let manifest = try ArchiveReader.manifest(file)
            return manifest.state.disagree.isEmpty ? nil : manifest
        } catch {
            guard error.code == .io else { return nil }
            throw error
        }
    }

    /// Step 6.
    private func publish(_ partial: String, _ name: String, _ hash: String?) throws(BastionError) {
        if try !RepositoryFile.move(partial, to: path(name)) {
            guard try ArchiveFile(path: path(name)).sha256() == hash else {
                throw BastionError(.integrity, "there is another archive named \"\(name)\"")
            }
            try RepositoryFile.remove(partial)
        }
        passed(.renamed)
    }

    /// Step 8.
    func seal(_ name: String, _ hash: String) throws(BastionError) {
        try RepositoryFile.replace(name + ".sha256", in: directory, with: Array("\(hash)  \(name)\n".utf8))
    }

    /// Points `latest.tar.gz` to the newest good archive of the cluster; leaves it when there is none.
    package func link(clusterName: String) throws(BastionError) {
        guard let newest = newest(of: clusterName, in: try list()) else { return }
        let temporary = path(".latest.partial-\(getpid())")
        try RepositoryFile.remove(temporary)
        guard symlink(newest.name, temporary) == 0 else { throw RepositoryFile.failure("create", temporary) }
        try RepositoryFile.rename(temporary, over: path(BackupRepository.latestName))
        try RepositoryFile.sync(directory)
    }

    private func unfit(_ reason: String) -> BastionError {
        BastionError(.io, "backup directory \"\(directory)\" cannot be used", detail: reason)
    }
}

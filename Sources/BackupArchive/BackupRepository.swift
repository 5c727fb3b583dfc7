import CLinux
import ClusterModel
import Glibc

/// The directory `backup.dir`: a flat folder of archives, each with its sidecar.
///
/// Whatever the name of a file, what it is comes from its manifest. A reader sees the old archives or a complete new one,
/// whenever the writer dies.
package struct BackupRepository: Sendable {
    /// The points of the write protocol at which a crash is tested.
    package enum Step: String, Sendable, CaseIterable, Codable {
        case locked, preflight, partialWritten, verified, renamed, directorySynced, sealed, linked
        case archiveRemoved, sidecarRemoved, removalSynced
    }

    package enum Status: String, Sendable { case good, unsealed, damaged, unreadable, quarantined }

    package struct Entry: Sendable {
        package var name: String
        package var status: Status
        package var size: Int64
        package var sha256: String?
        /// Nil when it cannot be read.
        package var manifest: BackupManifest?
        package var isPinned: Bool
    }

    static let latestName = "latest.tar.gz"
    static let suffix = ".tar.gz"

    package let directory: String
    /// Whether a directory on the file system of `/` is refused: the mount for backups is missing then.
    package var requireMount = false
    /// A directory made by root belongs to the owner of this path, the service user's.
    package var newDirectoryOwner: String?
    let verifier: ArchiveVerifier
    let passed: @Sendable (Step) -> Void

    package init(directory: String, reload: @escaping StateReload, passed: @escaping @Sendable (Step) -> Void = { _ in }) {
        self.directory = directory
        verifier = ArchiveVerifier(reload: reload)
        self.passed = passed
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Step 1 and R17. The kernel frees the lock when the process ends.
    package final class Lock {
        let descriptor: Int32
        fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit {
            // Said, and not left to `close`: a process that is just being started has a copy of the descriptor until it executes its
            // program, and the lock would live as long as the copy.
            flock(descriptor, LOCK_UN)
            close(descriptor)
        }
    }

    /// Does not wait: whoever wants to wait tries again.
    /// - Throws: `.locked` when another process has it.
    package func lock() throws(BastionError) -> Lock {
        try createDirectory()
        let descriptor = pgb_flock_exclusive(path(".lock"))
        guard descriptor >= 0 else {
            guard errno == EWOULDBLOCK else { throw RepositoryFile.failure("lock", path(".lock")) }
            throw BastionError(.locked, "backup directory \"\(directory)\" is used by another backup or prune")
        }
        passed(.locked)
        return Lock(descriptor)
    }

    /// Parents are made as well; only the directory itself is private.
    private func createDirectory() throws(BastionError) {
        if mkdir(directory, 0o700) != 0 {
            if errno == EEXIST { return }
            guard errno == ENOENT else { throw notCreated(directory) }
            var parent = ""
            for part in directory.split(separator: "/").dropLast() {
                parent += "/" + part
                guard mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw notCreated(parent) }
            }
            guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw notCreated(directory) }
        }
        var owner = stat()
        guard geteuid() == 0, let path = newDirectoryOwner, stat(path, &owner) == 0 else { return }
        guard chown(directory, owner.st_uid, owner.st_gid) == 0 else { throw RepositoryFile.failure("give away", directory) }
    }

    private func notCreated(_ path: String) -> BastionError {
        var error = RepositoryFile.failure("create directory", path)
        error.hint = "make it and give it to the service user, or name another one with backup.dir or --dir"
        return error
    }

    // MARK: reading

    /// Every archive in the directory, by name. Files that are no archives of ours are left out (R2).
    package func list() throws(BastionError) -> [Entry] {
        var entries: [Entry] = []
        for name in try RepositoryFile.names(in: directory) where !name.hasPrefix(".") && name != BackupRepository.latestName {
            if name.hasSuffix(BackupRepository.suffix) {
                if let entry = try entry(name) { entries.append(entry) }
            } else if name.hasSuffix(BackupRepository.suffix + ".quarantine"), let entry = try entry(name) {
                entries.append(entry)
            }
        }
        return entries
    }

    /// Nil for a link, a folder, or a file that is not one of ours.
    private func entry(_ name: String) throws(BastionError) -> Entry? {
        let file: ArchiveFile
        do throws(BastionError) {
            file = try ArchiveFile(path: path(name))
        } catch {
            // Another process may have removed it since the directory was read.
            guard [.invalidData, .notFound].contains(error.code) else { throw error }
            return nil
        }
        var entry = Entry(
            name: name, status: .good, size: file.size, sha256: nil, manifest: nil, isPinned: access(path(name + ".keep"), F_OK) == 0)
        do throws(BastionError) {
            entry.manifest = try ArchiveReader.manifest(file)
        } catch {
            guard [.integrity, .invalidData].contains(error.code) else { throw error }
            // Damage can hide what a file is: with a sidecar of ours that tells another hash it is no foreign file (R2).
            if error.code == .invalidData {
                guard let told = try sidecar(of: name), told != "malformed", try file.sha256() != told else { return nil }
            }
            entry.status = .unreadable
        }
        let sealed = try sidecar(of: name)
        let hash = try file.sha256()
        entry.sha256 = hash
        if name.hasSuffix(".quarantine") {
            entry.status = .quarantined
        } else if entry.manifest != nil {
            entry.status = sealed == nil ? .unsealed : sealed == hash ? .good : .damaged
        }
        return entry
    }

    /// The hash in the sidecar; nil without one. A sidecar of another form counts as a wrong hash.
    package func sidecar(of name: String) throws(BastionError) -> String? {
        let file: ArchiveFile
        do throws(BastionError) {
            file = try ArchiveFile(path: path(name + ".sha256"))
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        let line = String(decoding: try file.bytes(at: 0, count: 4_096), as: UTF8.self)
        let hash = String(line.prefix(64))
        return line == "\(hash)  \(name)\n" && HexDigest.isSHA256(hash) ? hash : "malformed"
    }

    package func verify(_ name: String, level: ArchiveVerifier.Level) throws(BastionError) -> ArchiveVerifier.Report {
        try verifier.verify(try ArchiveFile(path: path(name)), sealed: try sidecar(of: name), level: level)
    }

    /// The newest good archive of the cluster of that name (R4), first among `entries` that are not of a reserved series:
    /// a safety backup made before a restore holds what the restore was to replace.
    func newest(of clusterName: String, in entries: [Entry], until: ArchiveTime? = nil) -> Entry? {
        newestFirst(of: clusterName, in: entries).first { entry in
            until.map { limit in entry.manifest.map { $0.createdAt <= limit } ?? false } ?? true
        }
    }

    private func newestFirst(of clusterName: String, in entries: [Entry]) -> [Entry] {
        entries.filter { entry in
            guard entry.status == .good, let manifest = entry.manifest else { return false }
            return manifest.cluster.name == clusterName && !RetentionPolicy.reservedSeries.contains(manifest.series)
        }.sorted { first, second in
            guard let a = first.retained, let b = second.retained else { return false }
            return b.isOlder(than: a)
        }
    }

    /// Finds what an operator names: `latest`, `latest-verified`, `@TIME`, an id, a file name, or a path.
    ///
    /// - Returns: The path of the archive.
    /// - Throws: `.notFound`; `.usage` for a time that is none.
    package func resolve(_ word: String, clusterName: String) throws(BastionError) -> String {
        if word.contains("/") {
            return try ArchiveFile(path: word).path
        }
        let entries = try list()
        if word == "latest-verified" {
            for entry in newestFirst(of: clusterName, in: entries) {
                if try verify(entry.name, level: .full).outcome == .passed { return path(entry.name) }
            }
        } else if word == "latest" {
            if let entry = newest(of: clusterName, in: entries) { return path(entry.name) }
        } else if word.hasPrefix("@") {
            guard let time = ArchiveTime(String(word.dropFirst())) else {
                throw BastionError(.usage, "\"\(word)\" is not a time", hint: "write it as @2026-02-17T02:00:00Z")
            }
            if let entry = newest(of: clusterName, in: entries, until: time) { return path(entry.name) }
        } else if let entry = entries.first(where: { $0.name == word || $0.manifest?.id == word }) {
            return path(entry.name)
        }
        throw BastionError(.notFound, "there is no backup \"\(word)\" in \"\(directory)\"", hint: "`pgbastion backup list`")
    }
}

extension BackupRepository.Entry {
    /// As retention sees it; nil for an archive whose manifest cannot be read.
    package var retained: RetentionPolicy.Archive? {
        manifest.map {
            RetentionPolicy.Archive(
                name: name, clusterID: $0.cluster.id, series: $0.series, epoch: $0.cluster.epoch, index: $0.raft.index,
                createdAt: $0.createdAt, isGood: status == .good, isPinned: isPinned)
        }
    }
}

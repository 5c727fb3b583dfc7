import ClusterModel
import Glibc
import Synchronization

extension ServerWorker {
    /// AG16: `pg_basebackup` into a new directory; the old one goes to quarantine before the new one gets its name.
    func clone(_ source: PostgresEndpoint, _ slot: String?, _ keepOldSeconds: UInt64?, _ reporter: JobReporter) async throws(BastionError) {
        try requireStopped()
        try LeftoverPrograms.end(dataDirectory: input.dataDirectory)
        try removeOldAttempts()
        let identity = DataIdentity.drawn()
        var marker = JobMarker(kind: .clone, id: identity.id.short, isComplete: false)
        try marker.write(input.markerFile)
        try identity.write(input.dataIDFile)
        let target = input.dataDirectory + ".clone-" + marker.id
        try DurableFiles.makeDirectory(DurableFiles.parent(of: target), mode: 0o755)
        do {
            try await baseBackup(source, slot, into: target, reporter)
        } catch {
            try DurableFiles.removeTree(target)
            throw error
        }
        try await makeStandby(of: target)
        try replaceDataDirectory(with: target, keepingOld: keepOldSeconds)
        marker.isComplete = true
        try marker.write(input.markerFile)
    }

    private func baseBackup(
        _ source: PostgresEndpoint, _ slot: String?, into target: String, _ reporter: JobReporter
    ) async throws(BastionError) {
        try store.writePassfiles(forReceiver: false)
        if source.isOutside { try await prepareOutside(source, slot) }
        let connection = ConnectionText.text(
            source, user: input.replicationUser, passfile: input.jobPassfile, sslMode: input.sslMode,
            extra: [("application_name", "pgbastion_clone")])
        var arguments = [
            "-D", target, "-d", connection, "-X", "stream", "--checkpoint=fast", "-P", "-w", "-l", "pgbastion clone",
        ]
        if let slot { arguments += ["-S", slot] }
        if let rate = input.cloneMaxRate { arguments.append("--max-rate=\(rate)") }
        if let external = externalWAL() { arguments.append("--waldir=\(ClonePlace.beside(external, for: target))") }
        // Another cluster need not let us ask; without a mapping `pg_basebackup` uses the same places, or says that it cannot.
        for place in source.isOutside ? [] : try await tablespaces(of: source) {
            arguments += [
                "-T", "\(ClonePlace.escaped(place))=\(ClonePlace.escaped(ClonePlace.beside(place, for: target)))",
            ]
        }
        let watcher = CloneWatcher(directory: DurableFiles.parent(of: target), target: target, reporter: reporter)
        let result = try await programs.run("pg_basebackup", arguments, passfile: input.jobPassfile) {
            line throws(BastionError) in try watcher.read(line)
        }
        let place = source.isOutside ? "\(source.host):\(source.port)" : "\"\(source.node)\""
        guard result.succeeded else { throw result.error("could not clone from \(place)") }
    }

    /// A `pg_wal` that is a link to another disk is built there again.
    private func externalWAL() -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(input.walDirectory, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Tablespaces are put beside the places they have on the source.
    private func tablespaces(of source: PostgresEndpoint) async throws(BastionError) -> [String] {
        let session = remoteSession(source, user: input.rewindUser)
        let question = "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE pg_tablespace_location(oid) <> ''"
        do {
            let places = try await session.run(question, within: .seconds(10)).last?.rows.compactMap { $0[0] } ?? []
            await session.close()
            return places
        } catch {
            throw error.error("could not ask \"\(source.node)\" for its tablespaces")
        }
    }

    func remoteSession(_ source: PostgresEndpoint, user: String, replication: Bool = false) -> SQLSession {
        let input = self.input
        return SQLSession(label: "remote") {
            var parameters = [
                "host": source.host, "port": "\(source.port)", "user": user, "dbname": "postgres",
                "passfile": input.jobPassfile, "sslmode": input.sslMode, "application_name": "pgbastion",
            ]
            if replication { parameters["replication"] = "true" }
            return parameters
        }
    }

    /// Slots are not part of a base backup; our files and `standby.signal` are put in before the directory gets its name.
    private func makeStandby(of target: String) async throws(BastionError) {
        let major = DataDirectory.version(target)?.major ?? 0
        let layout = ConfigurationLayout(input, major: major, copy: target)
        try DurableFiles.remove(target + "/pg_wal/pgbastion.probe")
        // The copy brings its own configuration: what an earlier one said does not count any more.
        if layout.configFile.hasPrefix(target + "/") { try DurableFiles.remove(input.adoptedFile) }
        try await learnStopped(layout, dataDirectory: target)
        let hasRules = DurableFiles.exists(layout.hbaFile)
        try configuration(layout).apply()
        if !hasRules { try writeFirstRules(layout.hbaFile) }
        try DurableFiles.write("", to: target + "/standby.signal")
        try DurableFiles.flushDirectory(target)
    }

    /// The source keeps its access rules outside its data directory, and this node has none: without any, nobody could use
    /// the node once it is the primary.
    private func writeFirstRules(_ path: String) throws(BastionError) {
        guard input.managesHBA, let text = try DurableFiles.read(path) else { return }
        try DurableFiles.write(text + "local all all peer\nhost all all all scram-sha-256\n", to: path)
    }

    private func replaceDataDirectory(with target: String, keepingOld seconds: UInt64?) throws(BastionError) {
        if DataDirectory.state(input.dataDirectory) == .present {
            let old = try moveToQuarantine()
            if let seconds { try QuarantineKeeper.note(old, keepSeconds: seconds) }
        } else if rmdir(input.dataDirectory) != 0, errno != ENOENT {
            throw DurableFiles.failure("could not replace", input.dataDirectory)
        }
        try DurableFiles.move(target, to: input.dataDirectory)
    }

    /// What an interrupted clone of ours left; it never held the node's data.
    private func removeOldAttempts() throws(BastionError) {
        let parent = DurableFiles.parent(of: input.dataDirectory)
        let prefix = DurableFiles.name(of: input.dataDirectory) + ".clone-"
        for name in try DurableFiles.list(parent) ?? [] where name.hasPrefix(prefix) {
            try DurableFiles.removeTree(parent + "/" + name)
        }
    }
}

/// Directories outside the data directory get new names beside their old ones, since several copies may exist.
enum ClonePlace {
    private static let mark = ".clone-"

    /// `<path>.clone-<node directory>-<id>`; the mark of an earlier clone is replaced, not lengthened.
    static func beside(_ path: String, for target: String) -> String {
        let base = path.firstRange(of: mark).map { path[..<$0.lowerBound] } ?? path[...]
        let owner = DurableFiles.name(of: target).split(separator: mark).joined(separator: "-")
        return base + mark + owner
    }

    /// `pg_basebackup` splits a mapping at its first plain equals sign.
    static func escaped(_ path: String) -> String { String(path.flatMap { $0 == "=" ? ["\\", "="] : [$0] }) }
}

/// Follows the output of `pg_basebackup`, and ends it before the disk is full.
private final class CloneWatcher: Sendable {
    private let directory: String
    private let reporter: JobReporter
    private let isSpaceChecked = Mutex(false)
    private let target: String
    private let lastCount = Mutex(ContinuousClock.now - .seconds(60))

    init(directory: String, target: String, reporter: JobReporter) {
        self.directory = directory
        self.target = target
        self.reporter = reporter
    }

    func read(_ line: String) throws(BastionError) {
        let now = reporter.read(line)
        guard let total = now.bytesTotal, total > 0 else { return }
        let isFirst = isSpaceChecked.withLock { checked in
            defer { checked = true }
            return !checked
        }
        if isFirst { try checkSpace(total, alreadyCopied: now.bytesCopied ?? 0) }
        countFiles()
    }

    /// X03. Limit: looked at every 2 s, and no further than 200,000 files.
    private func countFiles() {
        let isDue = lastCount.withLock { last in
            guard ContinuousClock.now - last >= .seconds(2) else { return false }
            last = ContinuousClock.now
            return true
        }
        guard isDue else { return }
        var count: UInt64 = 0
        var open = [target]
        while let directory = open.popLast(), count < 200_000 {
            let entries = DurableFiles.entries(directory)
            count += UInt64(entries.files)
            open += entries.directories
        }
        reporter.noteFiles(count)
    }

    /// The size is known with the first line; 5 % are kept for WAL that arrives meanwhile.
    private func checkSpace(_ total: UInt64, alreadyCopied: UInt64) throws(BastionError) {
        let needed = total - min(total, alreadyCopied) + total / 20
        guard let free = DurableFiles.freeBytes(at: directory), free < needed else { return }
        throw BastionError(
            .preconditionFailed, "could not clone: not enough free space in \"\(directory)\"",
            detail: "\(needed / 1_048_576) MiB needed, \(free / 1_048_576) MiB free",
            hint: "remove quarantined directories or enlarge the disk")
    }
}

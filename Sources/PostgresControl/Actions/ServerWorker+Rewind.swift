import ClusterModel
import Glibc

extension ServerWorker {
    /// The procedure of 8.3. After a failure the marker stays and the directory must not be started (D48).
    func rewind(_ source: PostgresEndpoint, _ reporter: JobReporter) async throws(BastionError) {
        try requireStopped()
        try LeftoverPrograms.end(dataDirectory: input.dataDirectory)
        let version = try version()
        guard version.rewindRecoversTarget else {
            throw BastionError(.preconditionFailed, "cannot rewind PostgreSQL \(version.major)", hint: "clone instead")
        }
        guard !DurableFiles.exists(input.dataDirectory + "/backup_label") else {
            throw BastionError(
                .preconditionFailed, "cannot rewind: the directory has a backup_label", hint: "clone instead")
        }
        let layout = try layout()
        let identity = DataIdentity.drawn()
        var marker = JobMarker(kind: .rewind, id: identity.id.short, isComplete: false)
        try marker.write(input.markerFile)
        try identity.write(input.dataIDFile)
        try store.writePassfiles(forReceiver: false)
        try await archiveReadySegments(layout)
        try await exportLostWAL(source)
        try saveConfiguration()
        // Single-user recovery of an unclean directory refuses to run with this file.
        try DurableFiles.remove(input.standbySignal)
        try await runRewind(source, layout, version, reporter)
        try restoreConfiguration()
        try removeCopiedSlots()
        try configuration(layout).apply()
        try DurableFiles.write("", to: input.standbySignal)
        try DurableFiles.flushDirectory(input.dataDirectory)
        try rebindIdentity(identity)
        marker.isComplete = true
        try marker.write(input.markerFile)
    }

    private func runRewind(
        _ source: PostgresEndpoint, _ layout: ConfigurationLayout, _ version: PostgresVersion, _ reporter: JobReporter
    ) async throws(BastionError) {
        let connection = ConnectionText.text(
            source, user: input.rewindUser, passfile: input.jobPassfile, sslMode: input.sslMode,
            extra: [
                ("dbname", "postgres"), ("options", "-c statement_timeout=0"), ("application_name", "pgbastion_rewind"),
            ])
        var arguments = ["-D", input.dataDirectory, "--source-server=\(connection)", "-P"]
        if version.rewindTakesConfigFile { arguments.append("--config-file=\(layout.configFile)") }
        if try await !configured("restore_command", layout).isEmpty { arguments.append("--restore-target-wal") }
        let watcher = RewindWatcher(directory: input.dataDirectory, reporter: reporter)
        let result = try await programs.run("pg_rewind", arguments, passfile: input.jobPassfile) {
            line throws(BastionError) in try watcher.read(line)
        }
        guard result.succeeded else {
            throw result.error("could not rewind \"\(input.dataDirectory)\" to \"\(source.node)\"")
        }
    }

    /// What the configuration of the stopped server says of one setting.
    func configured(_ name: String, _ layout: ConfigurationLayout) async throws(BastionError) -> String {
        let result = try await programs.run(
            "postgres", ["-C", name, "-D", input.dataDirectory, "-c", "config_file=\(layout.configFile)"],
            within: .seconds(10))
        guard result.succeeded else { throw result.error("could not read setting \"\(name)\"") }
        return result.lines.last ?? ""
    }

    // MARK: - Local files (D47)

    private func saveConfiguration() throws(BastionError) {
        try DurableFiles.removeTree(input.savedConfiguration)
        try DurableFiles.makeDirectory(input.savedConfiguration)
        for name in try localFiles() {
            try DurableFiles.copy(input.dataDirectory + "/" + name, to: input.savedConfiguration + "/" + name)
        }
        try DurableFiles.flushDirectory(input.savedConfiguration)
    }

    private func restoreConfiguration() throws(BastionError) {
        let saved = try DurableFiles.list(input.savedConfiguration) ?? []
        // Files that only the source has came along with the rewind.
        for name in try localFiles() where !saved.contains(name) {
            try DurableFiles.remove(input.dataDirectory + "/" + name)
        }
        for name in saved {
            try DurableFiles.copy(input.savedConfiguration + "/" + name, to: input.dataDirectory + "/" + name)
        }
    }

    private func localFiles() throws(BastionError) -> [String] {
        let endings = [".conf", ".crt", ".key", ".pem", ".crl"]
        return (try DurableFiles.list(input.dataDirectory) ?? []).filter { name in
            endings.contains { name.hasSuffix($0) }
        }
    }

    private func removeCopiedSlots() throws(BastionError) {
        let directory = input.dataDirectory + "/pg_replslot"
        for name in try DurableFiles.list(directory) ?? [] { try DurableFiles.removeTree(directory + "/" + name) }
    }

    /// The directory stayed the same, only its contents are new: the new id is bound to it.
    private func rebindIdentity(_ identity: DataIdentity) throws(BastionError) {
        var bound = identity
        bound.inode = FileStamp(input.dataDirectory)?.inode
        try bound.write(input.dataIDFile)
    }
}

/// Follows the output of `pg_rewind`, and ends it before it changes anything when the disk is too small.
private final class RewindWatcher: Sendable {
    private let directory: String
    private let reporter: JobReporter

    init(directory: String, reporter: JobReporter) {
        self.directory = directory
        self.reporter = reporter
    }

    func read(_ line: String) throws(BastionError) {
        reporter.read(line)
        guard let needed = RewindWatcher.neededMegabytes(line), let free = DurableFiles.freeBytes(at: directory),
            free / 1_048_576 < needed
        else { return }
        throw BastionError(
            .preconditionFailed, "could not rewind: not enough free space in \"\(directory)\"",
            detail: "\(needed) MiB needed, \(free / 1_048_576) MiB free")
    }

    /// `pg_rewind: need to copy 52 MB (total source directory size is 73 MB)`; printed before the first write.
    static func neededMegabytes(_ line: String) -> UInt64? {
        guard let range = line.firstRange(of: "need to copy ") else { return nil }
        return UInt64(line[range.upperBound...].prefix { $0.isNumber })
    }
}

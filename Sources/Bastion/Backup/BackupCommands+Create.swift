import BackupArchive
import ClusterModel
import ConfigFiles
import FoundationEssentials
import Glibc
import Operations

/// `backup create`: the write protocol (backup-restore.md, 4).
extension BackupCommands {
    func create(_ input: BackupInput, dryRun: Bool) async throws(BastionError) -> LocalAnswer {
        let configuration = try configuration()
        var run = BackupRun(commands: self, configuration: configuration, input: input)
        guard !dryRun else { return LocalAnswer(text: run.intention, data: run.intentionData) }
        await run.splay()
        if let reason = try await run.reasonToSkip() {
            return try LocalAnswer(BackupCreateOutput(series: run.series, mode: run.mode, skipped: reason))
        }
        await run.ping(.start)
        do throws(BastionError) {
            var output = try await run.carryOut()
            await run.finish(exitStatus: 0)
            output.warnings = run.warnings
            return try LocalAnswer(output)
        } catch {
            await run.finish(exitStatus: error.code.exitStatus, error)
            // On success they stand in the result.
            run.warnings.forEach { note("warning: \($0)") }
            throw error
        }
    }
}

/// One run of `backup create`.
struct BackupRun {
    let commands: BackupCommands
    let configuration: NodeConfiguration
    let input: BackupInput
    let began = ContinuousClock.now
    let startedAt = wallClockMilliseconds()
    private(set) var warnings: [String] = []
    private var created: BackupRepository.Created?
    private var goodCount = 0
    private var copiesFailed = 0
    /// What was said, for the ping: at most its last 10 kB.
    private var log: [String] = []
    private var isRecorded = false

    init(commands: BackupCommands, configuration: NodeConfiguration, input: BackupInput) {
        self.commands = commands
        self.configuration = configuration
        self.input = input
    }

    var series: String { input.series ?? "default" }
    var mode: String { input.offline == true ? "offline" : input.stale == true ? "stale" : "linearizable" }
    private var directory: String { input.dir ?? configuration.backup.directory }
    private var isOnline: Bool { input.offline != true }
    private var elapsed: Double { (ContinuousClock.now - began).inSeconds }

    // MARK: before

    var intention: String {
        "would store a \(mode) backup of series \(series) in \(directory)\(copyDirectories.map { ", and in \($0)" }.joined())"
            + (input.noPrune == true ? "" : ", then apply retention")
    }
    var intentionData: JSONValue {
        .record([
            ("dir", .string(directory)), ("mode", .string(mode)), ("series", .string(series)),
            ("copy_to", .array(copyDirectories.map { .string($0) })), ("prunes", .bool(input.noPrune != true)),
        ])
    }

    func splay() async {
        let limit = input.splay?.duration ?? configuration.backup.splay
        guard limit > .zero else { return }
        do { try await Task.sleep(for: limit * Double.random(in: 0..<1)) } catch {}
    }

    /// `--if-leader`, `--once-per`: why there is nothing to do here.
    func reasonToSkip() async throws(BastionError) -> String? {
        if input.ifLeader == true, isOnline {
            let state = try await ask("raft.status")
            guard let leader = state["leader_id"]?.string else {
                throw BastionError(.noLeader, "the cluster has no leader", hint: "wait with `pgbastion wait leader`")
            }
            if state["is_leader"] != .bool(true) { return "\(leader) leads" }
        }
        if let window = input.oncePer?.duration {
            let seconds = window.components.seconds
            guard seconds > 0, isOnline else {
                throw BastionError(.usage, "--once-per needs a time of at least 1s and a running daemon")
            }
            let claim = BackupClaim(
                series: series, window: wallClockMilliseconds() / 1_000 / seconds, windowSeconds: seconds, by: configuration.node.name)
            guard try await client().claim(claim, requestID: Self.requestID()) else {
                return "series \(series) has its backup of this window"
            }
        }
        return nil
    }

    private func ask(_ operation: String) async throws(BastionError) -> JSONValue {
        let call = OperationCall(
            operation: operation, input: Array("{}".utf8), requestID: Self.requestID(), forward: false, timeout: .seconds(10))
        let envelope = try OperationEnvelope(parsing: try await commands.connect().invoke(call))
        if let error = envelope.error { throw error }
        return envelope.data ?? .null
    }

    private func client() throws(BastionError) -> any ArchiveClient {
        guard let client = try commands.connect() as? any ArchiveClient else {
            throw BastionError(.unavailable, "this connection cannot carry an archive")
        }
        return client
    }

    static func requestID() -> RequestID {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        guard let id = RequestID("backup-\(digits)") else { preconditionFailure("hexadecimal digits are a request id: \(digits)") }
        return id
    }

    // MARK: the protocol

    mutating func carryOut() async throws(BastionError) -> BackupCreateOutput {
        if input.assumeCommitted == true || input.dataDir != nil, isOnline {
            throw BastionError(.usage, "--data-dir and --assume-committed need --offline")
        }
        let repository = commands.repository(directory, configuration)
        let policy = commands.policy(configuration, keepWithin: input.retention?.duration)
        // R14 before anything is written.
        _ = try policy.plan(for: [], clusterID: "", series: series, now: .now)
        let lock = try commands.lock(repository, wait: input.lockWait?.duration ?? configuration.backup.lockWait)
        let (name, spool) = try await fetch(repository)
        commands.passed(.fetched)
        let created = try repository.create(named: name, holding: lock, now: .now) { (sink) throws(BastionError) in
            try spool.forEach { (piece) throws(BastionError) in
                var outcome = Result<Void, BastionError>.success(())
                piece.withUnsafeBytes { bytes in outcome = Result { () throws(BastionError) in try sink(bytes) } }
                try outcome.get()
            }
        }
        self.created = created
        created.notes.forEach { warn($0) }
        var output = output(created, spool)
        var incomplete = [created.incomplete].compactMap { $0?.detail ?? $0?.message }
        if input.keep == true {
            note(&incomplete) { () throws(BastionError) in
                try repository.keep(name, by: BackupCommands.user, note: input.note ?? "", holding: lock, now: .now)
            }
        }
        for target in copyDirectories {
            let failures = incomplete.count
            note(&incomplete) { () throws(BastionError) in try copy(name, from: spool, to: target, created.sha256) }
            if incomplete.count == failures { output.copies.append(target) } else { copiesFailed += 1 }
        }
        commands.passed(.copied)
        if incomplete.isEmpty, input.noPrune != true {
            note(&incomplete) { () throws(BastionError) in
                let pruned = try repository.prune(
                    policy, clusterID: created.manifest.cluster.id, series: series, holding: lock, now: .now, dryRun: false)
                output.pruned = pruned.deleted
                pruned.plan.warnings.forEach { warn($0) }
                pruned.quarantined.forEach { warn("\($0) does not pass verification and was put aside") }
                if let failure = pruned.incomplete { throw failure }
            }
        }
        commands.passed(.pruned)
        goodCount = try repository.list().filter {
            $0.status == .good && $0.manifest?.cluster.id == created.manifest.cluster.id && $0.manifest?.series == series
        }.count
        output.kept = goodCount
        await record(exitStatus: incomplete.isEmpty ? 0 : 7, &incomplete)
        output.durationSeconds = elapsed
        guard incomplete.isEmpty else {
            throw BastionError(
                .incomplete, "backup \(created.manifest.id) was stored, but not everything that follows was done",
                detail: incomplete.joined(separator: "; "), hint: "`pgbastion backup list --all`, then `pgbastion backup prune --dry-run`")
        }
        return output
    }

    /// Step 3: everything that is needed to go on without the daemon, or nothing.
    private mutating func fetch(_ repository: BackupRepository) async throws(BastionError) -> (name: String, spool: Spool) {
        let spool = Spool(folder: repository.directory)
        let request = try self.request(repository)
        guard isOnline else {
            let directory = input.dataDir ?? configuration.raft.dataDirectory
            let (contents, notes) = try OfflineArchive.contents(
                dataDirectory: directory, configuration: configuration, path: commands.configurationPath, request: request,
                assumesCommitted: input.assumeCommitted == true)
            notes.forEach { warn($0) }
            let prepared = try contents.prepared()
            try ArchiveWriter.write(prepared) { (piece) throws(BastionError) in try spool.append(piece) }
            return (prepared.manifest.archiveName, spool)
        }
        let name = try await client().fetchArchive(request, timeout: .seconds(3_600)) { (bytes) throws(BastionError) in
            try spool.append(bytes)
        }
        return (name, spool)
    }

    private func request(_ repository: BackupRepository) throws(BastionError) -> ArchiveRequest {
        var labels: [String: String] = [:]
        for text in input.label ?? [] {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw BastionError(.usage, "the label \"\(text)\" is not KEY=VALUE") }
            labels[String(parts[0])] = String(parts[1])
        }
        let entries = try repository.list()
        waitForNextSecond(entries)
        let newest = entries.filter { entry in
            entry.status == .good && entry.manifest?.series == series && entry.manifest?.cluster.name == configuration.cluster.name
        }.compactMap(\.retained).max { $1.isOlder(than: $0) ? false : $0.isOlder(than: $1) }
        let previous = entries.first { $0.name == newest?.name }?.manifest
        return ArchiveRequest(
            mode: input.stale == true ? .stale : .linearizable, series: series, labels: labels, previousID: previous?.id,
            previousClusterID: previous?.cluster.id, includesConfiguration: input.noConfig != true,
            includesRunbooks: input.noRunbooks != true && configuration.backup.includesRunbooks,
            createdAt: getenv("SOURCE_DATE_EPOCH").flatMap { Int64(String(cString: $0)) })
    }

    /// Names count seconds: a second archive of the same state in the same second would need the name of the first.
    private func waitForNextSecond(_ entries: [BackupRepository.Entry]) {
        guard getenv("SOURCE_DATE_EPOCH") == nil, entries.contains(where: { $0.manifest?.createdAt == .now }) else { return }
        pause(milliseconds: UInt32(1_005 - wallClockMilliseconds() % 1_000))
    }

    private func output(_ created: BackupRepository.Created, _ spool: Spool) -> BackupCreateOutput {
        let manifest = created.manifest
        var output = BackupCreateOutput(series: manifest.series, mode: manifest.source.mode.rawValue)
        output.id = manifest.id
        output.path = "\(directory)/\(created.name)"
        output.sizeBytes = spool.size
        output.sha256 = created.sha256
        output.term = manifest.raft.term
        output.index = manifest.raft.index
        output.stateSHA256 = manifest.state.sha256
        output.agreedBy = manifest.state.agreedBy
        output.unreachable = manifest.state.unreachable
        output.verified = true
        return output
    }

    // MARK: follow-ups

    private var copyDirectories: [String] {
        (input.copyTo ?? []) + configuration.backup.copyTo.filter { !(input.copyTo ?? []).contains($0) }
    }

    /// Step 9.
    private func copy(_ name: String, from spool: Spool, to target: String, _ sha256: String) throws(BastionError) {
        let repository = commands.repository(target, configuration)
        let lock = try commands.lock(repository, wait: input.lockWait?.duration ?? configuration.backup.lockWait)
        let copied = try repository.create(named: name, holding: lock, now: .now) { (sink) throws(BastionError) in
            try spool.forEach { (piece) throws(BastionError) in
                var outcome = Result<Void, BastionError>.success(())
                piece.withUnsafeBytes { bytes in outcome = Result { () throws(BastionError) in try sink(bytes) } }
                try outcome.get()
            }
        }
        guard copied.sha256 == sha256 else { throw BastionError(.integrity, "the copy in \"\(target)\" differs") }
        if let incomplete = copied.incomplete { throw incomplete }
    }

    /// A step behind the point of no return: its failure is told, the next is tried.
    private func note(_ failures: inout [String], _ body: () throws(BastionError) -> Void) {
        do throws(BastionError) { try body() } catch {
            failures.append([error.message, error.detail].compactMap { $0 }.joined(separator: ": "))
        }
    }

    private mutating func warn(_ text: String) {
        warnings.append(text)
        log.append("warning: \(text)")
    }

    private func catalogueLine(exitStatus: Int32) -> BackupRecord {
        var line = BackupRecord(
            id: created?.manifest.id ?? "", series: series, at: wallClockMilliseconds(), node: configuration.node.name,
            exitStatus: exitStatus)
        line.durationSeconds = elapsed
        line.goodCount = goodCount
        line.copiesFailed = copiesFailed
        guard let created else { return line }
        line.index = UInt64(clamping: created.manifest.raft.index)
        line.sizeBytes = UInt64(clamping: size(created))
        line.sha256 = created.sha256
        line.stateSHA256 = created.manifest.state.sha256
        line.isVerified = true
        return line
    }

    private func size(_ created: BackupRepository.Created) -> Int64 {
        do { return try ArchiveFile(path: "\(directory)/\(created.name)").size } catch { return 0 }
    }

    /// Step 11. Stale and offline there may be nobody to tell.
    private mutating func record(exitStatus: Int32, _ failures: inout [String]) async {
        isRecorded = true
        do throws(BastionError) {
            guard isOnline else { throw BastionError(.unavailable, "the daemon is stopped") }
            try await client().record(catalogueLine(exitStatus: exitStatus), requestID: Self.requestID())
        } catch {
            let text = "the catalogue of the cluster does not have this backup: \(error.message)"
            if mode == "linearizable" { failures.append(text) } else { warn(text) }
        }
        commands.passed(.recorded)
    }

    /// Steps 12 and 13, and the catalogue line of a run that failed: none of them changes the exit status.
    mutating func finish(exitStatus: Int32, _ error: BastionError? = nil) async {
        if let error { log.append("\(error.code.rawValue): \(error.message)\(error.detail.map { ": \($0)" } ?? "")") }
        if error != nil, !isRecorded, isOnline {
            do throws(BastionError) {
                try await client().record(catalogueLine(exitStatus: exitStatus), requestID: Self.requestID())
            } catch {
                log.append("the catalogue does not have this run: \(error.message)")
            }
        }
        if let path = configuration.backup.textfile {
            do throws(BastionError) {
                try BackupTextfile(line: catalogueLine(exitStatus: exitStatus), startedAt: startedAt).write(to: path)
            } catch {
                warn("the metrics could not be written to \"\(path)\": \(error.message)")
            }
        }
        commands.passed(.measured)
        await ping(exitStatus == 0 || exitStatus == 7 ? .success : .failure)
        commands.passed(.pinged)
    }

    mutating func ping(_ kind: BackupPing.Kind) async {
        guard let url = configuration.backup.pingURL else { return }
        let tail = log.joined(separator: "\n") + "\nrid=\(created?.manifest.id ?? "")\n"
        do throws(BastionError) {
            try await BackupPing(url: url).send(kind, Array(tail.utf8.suffix(10_000)))
        } catch {
            // The address may hold a secret and is not named.
            warn("the monitoring of backups could not be told: \(error.message)")
        }
    }
}

import BackupArchive
import ClusterModel
import Glibc
import Operations
import RaftCore
import RaftIO
import Testing

@testable import Bastion

/// Refusals of `restore`, `raft recover` and `node reset` that need no other node, and the way back (backup-restore.md, 7 to 10).
@Suite struct RecoveryCommandsTests {
    private let folder = StoppedNode()

    private var entry: RecoveryEntry { RecoveryEntry(configurationPath: folder.path("pgbastion.yaml")) }
    private var site: RecoverySite { get throws { try RecoverySite(configurationPath: folder.path("pgbastion.yaml")) } }

    /// A stopped node, and an archive of its state.
    private func prepare() async throws {
        try folder.make(entries: 3, committed: 3)
        try await store()
    }

    private func store(_ fields: [(String, JSONValue)] = []) async throws {
        let commands = BackupCommands(
            configurationPath: folder.path("pgbastion.yaml"),
            connect: { () throws(BastionError) in throw BastionError(.unavailable, "no daemon runs in this test") }, note: { _ in })
        _ = try await commands.run("backup.create", input: .record([("offline", .bool(true))] + fields), dryRun: false)
    }

    private func plan(
        _ archive: String = "latest", now: Int64 = wallClockMilliseconds(), _ edit: (inout RestoreBootstrap.Options) -> Void = { _ in }
    ) async throws -> RestoreBootstrap.Plan {
        var options = RestoreBootstrap.Options(archive: archive)
        edit(&options)
        return try await RestoreBootstrap(site: try site, wallClock: { now }).plan(options)
    }

    private func restore() async throws -> LocalAnswer { try await entry.restore(RestoreBootstrap.Options(archive: "latest")) }

    private func expect<Value>(
        _ id: String, _ status: Int32, at location: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
    ) async {
        do {
            _ = try await body()
            Issue.record("not refused with \(id)", sourceLocation: location)
        } catch let error as BastionError {
            let ids = error.checks.map(\.id) + [error.code.rawValue]
            #expect(ids.contains(id) && error.code.exitStatus == status, "\(error)", sourceLocation: location)
        } catch {
            Issue.record("\(error)", sourceLocation: location)
        }
    }

    // MARK: restore

    @Test func `undo goes back one restore at a time, to the byte-identical directory (7_3, B10)`() async throws {
        try await prepare()
        let first = folder.files()
        _ = try await restore()
        let second = folder.files()
        _ = try await restore()
        #expect(folder.files() != second && second != first)
        _ = try entry.undo()
        #expect(folder.files() == second)
        _ = try entry.undo()
        #expect(folder.files() == first)
        await expect("not_found", 10) { try entry.planUndo() }
        #expect(TextFiles.entries(folder.directory).filter { $0.hasPrefix("raft.undone-") }.count == 2)
    }

    @Test func `once the restored node has committed something nothing is undone (already_started)`() async throws {
        try await prepare()
        _ = try await restore()
        let running = try RaftLogStore.open(directory: folder.raft)
        await expect("node_running", 3) { try entry.planUndo() }
        running.noteCommit(LogIndex(1_000_003))
        try running.close()
        #expect(try await !plan().warnings.isEmpty, "started without a commit it may still be restored again")
        let started = try RaftLogStore.open(directory: folder.raft)
        started.noteCommit(LogIndex(1_000_004))
        try started.close()
        await expect("already_started", 3) { try entry.planUndo() }
    }

    @Test func `while the daemon runs nothing is restored, recovered or reset (node_running)`() async throws {
        try await prepare()
        let running = try RaftLogStore.open(directory: folder.raft)
        await expect("node_running", 3) { try await plan() }
        await expect("node_running", 3) { try await entry.recoverPlan(with: []) }
        await expect("node_running", 3) { try await entry.planRecover(with: [], overrides: []) }
        await expect("node_running", 3) { try await entry.planReset(NodeReset.Options()) }
        try running.close()
    }

    @Test func `what is doubtful is warned of, and a restore without doubt is 0 (7_1, row 14)`() async throws {
        try await prepare()
        #expect(try await plan().warnings == ["this node has no PostgreSQL: it is a witness"])
        let name = try #require(TextFiles.entries(folder.backups).first { $0.hasSuffix(".tar.gz") && $0 != "latest.tar.gz" })
        try await store()
        #expect(try await plan("\(folder.backups)/\(name)").warnings.contains { $0.contains("a newer good archive") })
        let year = wallClockMilliseconds() + 365 * 86_400_000
        #expect(try await plan(now: year).warnings.contains { $0.contains("backup.max_age") })
        unlink("\(folder.backups)/\(name).sha256")
        await expect("unsealed", 9) { try await plan("\(folder.backups)/\(name)") }
        let unsealed = try await plan("\(folder.backups)/\(name)") { $0.overrides = ["unsealed"] }
        #expect(unsealed.warnings.contains { $0.contains("no sidecar") })
        #expect(try await plan { $0.assumeDead = true }.warnings.contains { $0.contains("--assume-dead") })
        try await store([("assume_committed", .bool(true))])
        #expect(try await plan().warnings.contains { $0.contains("assumed to be committed") })
        let text = try #require(TextFiles.read(folder.path("pgbastion.yaml")))
        try TextFiles.write(
            text + "postgresql:\n  data_dir: \(folder.directory)/data\n  bin_dir: /usr/bin\n", to: folder.path("pgbastion.yaml"))
        try await store()
        let clean = try await entry.planRestore(RestoreBootstrap.Options(archive: "latest"))
        #expect(clean.answer.exitStatus == 0 && clean.answer.warnings.isEmpty, "\(clean.answer.warnings)")
    }

    @Test func `a node that the archive does not know needs --as-new-node, a full disk is no_space (rows 9 and 13)`() async throws {
        try await prepare()
        let text = try #require(TextFiles.read(folder.path("pgbastion.yaml")))
        try TextFiles.write(text.replacing("name: node1", with: "name: nodex"), to: folder.path("pgbastion.yaml"))
        await expect("node_unknown", 3) { try await plan() }
        #expect(try await plan { $0.asNewNode = true }.movesTo != nil)
        let site = try site
        await expect("no_space", 74) { try site.requireRoom(for: .max) }
    }

    // MARK: recover and reset

    @Test func `a single node needs no recovery, an empty or unreadable directory has none to give (9)`() async throws {
        try await prepare()
        await expect("quorum_exists", 3) { try await entry.planRecover(with: [], overrides: []) }
        let damaged = folder.raft + "/raft.db"
        let descriptor = open(damaged, O_WRONLY | O_CLOEXEC)
        let junk = [UInt8](repeating: 0x5a, count: 8_192)
        #expect(pwrite(descriptor, junk, junk.count, 0) == junk.count)
        close(descriptor)
        await expect("corrupt", 9) { try await entry.recoverPlan(with: []) }
        TextFiles.removeTree(folder.raft)
        mkdir(folder.raft, 0o700)
        await expect("empty_state", 10) { try await entry.recoverPlan(with: []) }
    }

    @Test func `the only voter is not reset by mistake, and an empty directory has nothing to reset (10)`() async throws {
        try await prepare()
        await expect("only_voter", 3) { try await entry.planReset(NodeReset.Options()) }
        let before = folder.files()
        _ = try await entry.reset(NodeReset.Options(overrides: ["only_voter"]))
        #expect(folder.files().isEmpty)
        let kept = try #require(TextFiles.entries(folder.directory).first { $0.hasPrefix("raft.reset-") })
        #expect(TextFiles.entries(folder.path(kept)).count >= Set(before.keys.map { $0.split(separator: "/").last }).count - 2)
        let again = try await entry.reset(NodeReset.Options())
        #expect(again.text.contains("nothing to do"), "\(again.text)")
    }
}

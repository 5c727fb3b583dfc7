import BackupArchive
import ClusterModel
import Glibc
import Operations
import Testing

@testable import Bastion

/// The exit statuses of `backup create` and `backup verify` (backup-restore.md, 4 and 5.2).
@Suite struct BackupOutcomeTests {
    private let folder = StoppedNode()

    private var commands: BackupCommands {
        BackupCommands(
            configurationPath: folder.path("pgbastion.yaml"),
            connect: { () throws(BastionError) in throw BastionError(.unavailable, "no daemon runs in this test") }, note: { _ in })
    }

    private func run(_ operation: String, _ fields: [(String, JSONValue)] = []) async throws -> LocalAnswer {
        try await commands.run(operation, input: .record(fields), dryRun: false)
    }

    private func create(_ fields: [(String, JSONValue)] = []) async throws -> LocalAnswer {
        try await run("backup.create", [("offline", .bool(true))] + fields)
    }

    private func status(_ body: () async throws -> LocalAnswer) async throws -> Int32 {
        do { return try await body().exitStatus } catch let error as BastionError { return error.code.exitStatus }
    }

    private func path(_ answer: LocalAnswer) throws -> String { try #require(answer.data["path"]?.string) }

    private func damage(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        pwrite(descriptor, "x", 1, 200)
        close(descriptor)
    }

    // MARK: verify

    @Test func `verify: 0 for good, 2 for unsealed, 9 for damaged, 65 for what is none of ours, 10 for what is not there`() async throws {
        try folder.make(entries: 3, committed: 3)
        let (good, unsealed, damaged) = (try path(try await create()), try path(try await create()), try path(try await create()))
        unlink(unsealed + ".sha256")
        damage(damaged)
        try TextFiles.write("not ours", to: folder.path("foreign.tar.gz"))
        func verify(_ word: String) async throws -> Int32 {
            try await status { try await run("backup.verify", [("archive", .array([.string(word)]))]) }
        }
        #expect(try await verify(good) == 0)
        #expect(try await verify(unsealed) == 2)
        #expect(try await verify(damaged) == 9)
        #expect(try await verify(folder.path("foreign.tar.gz")) == 65)
        #expect(try await verify("20200101T000000Z-e1-i1-00000000") == 10)
        #expect(try await status { try await run("backup.verify", [("all", .bool(true))]) } == 9)
        // Nothing was changed without being asked for.
        #expect(access(damaged, F_OK) == 0 && access(unsealed + ".sha256", F_OK) != 0)
    }

    @Test func `verify --quarantine puts aside what fails, and the link names the newest good archive`() async throws {
        try folder.make(entries: 3, committed: 3)
        let good = try path(try await create())
        let newest = try path(try await create())
        damage(newest)
        #expect(try await status { try await run("backup.verify", [("all", .bool(true)), ("quarantine", .bool(true))]) } == 9)
        #expect(access(newest, F_OK) != 0 && access(newest + ".quarantine", F_OK) == 0)
        #expect(try await status { try await run("backup.verify", [("all", .bool(true))]) } == 0)
        let link = try #require(realpath(folder.backups + "/latest.tar.gz", nil))
        defer { free(link) }
        #expect(String(cString: link).hasSuffix(String(try #require(good.split(separator: "/").last))))
    }

    // MARK: create

    @Test func `a held directory is 8 at once, and with --lock-wait it is waited for`() async throws {
        try folder.make(entries: 3, committed: 3)
        _ = try await create()
        let repository = BackupRepository(directory: folder.backups, reload: StateReloading.reload)
        var held: BackupRepository.Lock? = try repository.lock()
        #expect(try await status { try await create() } == 8)
        async let waiting = create([("lock_wait", .string("120s"))])
        held = nil
        #expect(held == nil)
        #expect(try await waiting.exitStatus == 0)
    }

    @Test func `copies have the same bytes; one that fails is 7, and the archive itself is good`() async throws {
        try folder.make(entries: 3, committed: 3)
        let copies = folder.path("copies")
        let made = try path(try await create([("copy_to", .array([.string(copies)]))]))
        let name = String(try #require(made.split(separator: "/").last))
        #expect(try ArchiveFile(path: made).sha256() == ArchiveFile(path: "\(copies)/\(name)").sha256())
        #expect(access("\(copies)/\(name).sha256", F_OK) == 0)
        try TextFiles.write("a file", to: folder.path("file"))
        #expect(try await status { try await create([("copy_to", .array([.string(folder.path("file"))]))]) } == 7)
        #expect(try await status { try await run("backup.verify", [("all", .bool(true))]) } == 0)
    }

    @Test func `a policy that keeps nothing is 78 before anything is written, --retention takes the place of keep_within (R14)`()
        async throws
    {
        try folder.make(entries: 3, committed: 3)
        let text = try #require(TextFiles.read(folder.path("pgbastion.yaml")))
        let keeping = ["last", "hourly", "daily", "weekly", "monthly"].map { "    keep_\($0): 0\n" }.joined()
        try TextFiles.write(
            text + "  retention:\n\(keeping)    keep_within: 7d\n    min_redundancy: 1\n", to: folder.path("pgbastion.yaml"))
        #expect(try await status { try await create([("retention", .string("0s"))]) } == 78)
        #expect(!TextFiles.entries(folder.backups).contains { $0.hasSuffix(".tar.gz") })
        for _ in 0..<2 { _ = try await create([("no_prune", .bool(true))]) }
        #expect(try await create().data["pruned"]?.elements?.isEmpty == true)
        let pruned = try await create([("retention", .string("1s")), ("keep", .bool(true))])
        #expect(pruned.data["pruned"]?.elements?.count ?? 0 >= 2)
        #expect(access(try path(pruned) + ".keep", F_OK) == 0)
    }

    @Test func `what needs a running daemon is a usage error offline, and without a daemon the default is 5 with the hint`() async throws {
        try folder.make(entries: 3, committed: 3)
        #expect(try await status { try await create([("once_per", .string("1h"))]) } == 64)
        let failure = await #expect(throws: BastionError.self) { try await run("backup.create") }
        #expect(failure?.code.exitStatus == 5)
        #expect(TextFiles.entries(folder.backups).filter { $0 != ".lock" }.isEmpty)
    }

    @Test func `offline the catalogue cannot be told, which is a warning`() async throws {
        try folder.make(entries: 3, committed: 3)
        let made = try await create()
        #expect(made.exitStatus == 0 && made.warnings.contains { $0.contains("catalogue") }, "\(made.warnings)")
    }
}

import BackupArchive
import ClusterModel
import FailoverCore
import Glibc
import NodeCore
import Operations
import RaftCore
import RaftIO
import Testing

@testable import Bastion

/// `backup ...` on the directory of a stopped daemon, and what is read from it (P11).
@Suite struct BackupCommandsTests {
    private let folder = StoppedNode()

    private func commands() -> BackupCommands {
        BackupCommands(
            configurationPath: folder.path("pgbastion.yaml"),
            connect: { () throws(BastionError) in throw BastionError(.unavailable, "no daemon runs in this test") }, note: { _ in })
    }

    private func run(_ operation: String, _ fields: [(String, JSONValue)] = [], dryRun: Bool = false) async throws -> LocalAnswer {
        try await commands().run(operation, input: .record(fields), dryRun: dryRun)
    }

    private func create(_ fields: [(String, JSONValue)] = []) async throws -> LocalAnswer {
        try await run("backup.create", [("offline", .bool(true))] + fields)
    }

    @Test func `a stopped directory gives what it knew to be committed, and stays as it is`() throws {
        try folder.make(entries: 5, committed: 3)
        let before = folder.files()
        let stopped = try StoppedDirectory.open(folder.raft)
        #expect(folder.files() == before)
        #expect(stopped.commitIndex == LogIndex(3) && stopped.lastIndex == LogIndex(5) && stopped.uncommittedEntries == 2)
        #expect(stopped.committed.state.nodes.count == 1)
        #expect(stopped.complete.state.nodes.count == 3)
        #expect(StoppedDirectory.members(of: stopped.complete).voters.count == 1)
    }

    @Test func `offline: list, show, verify, keep, prune, diff and drill work on what create stored`() async throws {
        try folder.make(entries: 5, committed: 3)
        let made = try await create()
        #expect(made.data["mode"] == .string("offline") && made.data["verified"] == .bool(true))
        #expect(made.data["index"] == .number("3"))
        #expect(made.warnings.contains { $0.contains("2 entries") })
        let all = try await create([("assume_committed", .bool(true)), ("series", .string("all"))])
        #expect(all.data["index"] == .number("5"))
        let listed = try await run("backup.list")
        #expect(listed.names.count == 2)
        let shown = try await run("backup.show", [("archive", .string("latest"))])
        #expect(shown.data["source"]?["assumed_committed"] == .bool(true))
        #expect(shown.text.contains("PostgreSQL data"))
        #expect(try await run("backup.verify", [("all", .bool(true))]).exitStatus == 0)
        #expect(try await run("backup.keep", [("archive", .string("latest"))]).data["keep"] == .bool(true))
        let plan = try await run("backup.prune", dryRun: true)
        #expect(plan.data["archives"]?.elements?.count == 2)
        let names = listed.data["backups"]?.elements?.compactMap { $0["id"]?.string } ?? []
        let diff = try await run("backup.diff", [("a", .string(names[1])), ("b", .string(names[0]))])
        #expect(diff.text.contains("nodes"))
        let drilled = try await run("backup.drill", [("temp", .string(folder.path("")))])
        #expect(drilled.data["ok"] == .bool(true))
        #expect(!TextFiles.entries(folder.path("")).contains { $0.hasPrefix("pgbastion-drill") })
    }

    @Test func `no secret of the configuration reaches an archive (F4)`() async throws {
        try folder.make(entries: 2, committed: 2)
        let made = try await create()
        let path = try #require(made.data["path"]?.string)
        let clean = try ArchiveReader.member(ArchiveMember.configuration, of: try ArchiveFile(path: path))
        #expect(String(decoding: clean, as: UTF8.self).contains("auth_token: \"!redacted\""))
        var everything: [UInt8] = []
        _ = try ArchiveReader.read(try ArchiveFile(path: path)) { (_, piece) throws(BastionError) in everything += Array(piece) }
        #expect(!String(decoding: everything, as: UTF8.self).contains(StoppedNode.secret))
    }

    @Test func `refusals keep their exit statuses and leave nothing`() async throws {
        try folder.make(entries: 2, committed: 2)
        let running = try RaftLogStore.open(directory: folder.raft)
        let refused = await #expect(throws: BastionError.self) { try await create() }
        #expect(refused?.code == .nodeRunning)
        try running.close()
        let usage = await #expect(throws: BastionError.self) { try await run("backup.create", [("assume_committed", .bool(true))]) }
        #expect(usage?.code == .usage)
        let unknown = await #expect(throws: BastionError.self) { try await run("backup.show", [("archive", .string("none"))]) }
        #expect(unknown?.code == .notFound)
        let field = await #expect(throws: BastionError.self) { try await run("backup.list", [("nonsense", .bool(true))]) }
        #expect(field?.code == .invalidRequest)
        #expect(TextFiles.entries(folder.backups).filter { $0 != ".lock" }.isEmpty)
    }

    @Test func `an unreadable configuration is 78 with the hint, and --no-config goes on`() async throws {
        try folder.make(entries: 2, committed: 2)
        let source = try ArchiveSource(
            state: StoppedDirectory.open(folder.raft).committed.state, index: 2, term: 1, configIndex: 1, members: [],
            source: .init(node: "node1", role: .offline, mode: .offline), configurationPath: folder.path("none.yaml"),
            request: ArchiveRequest(includesRunbooks: false))
        let error = #expect(throws: BastionError.self) { try source.contents(now: ArchiveTime(seconds: 1_771_293_600)) }
        #expect(error?.code == .invalidConfiguration && error?.hint?.contains("--no-config") == true)
    }

    @Test(arguments: ["fetched", "copied", "pruned", "recorded", "measured", "pinged"])
    func `killed behind any step, only whole archives are listed (C1)`(step: String) async throws {
        try folder.make(entries: 2, committed: 2)
        _ = try await create()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.directory as String, step = step as String] in
            setenv("PGBASTION_TEST_KILL_AT", step, 1)
            let dying = BackupCommands(
                configurationPath: path + "/pgbastion.yaml",
                connect: { () throws(BastionError) in throw BastionError(.unavailable, "no daemon") }, note: { _ in })
            _ = try await dying.run("backup.create", input: .record([("offline", .bool(true)), ("label", .array([.string("n=2")]))]))
        }
        #expect(try await run("backup.verify", [("all", .bool(true))]).exitStatus == 0)
        _ = try await create()
        #expect(!TextFiles.entries(folder.backups).contains { $0.contains(".partial-") })
    }

    @Test func `the textfile keeps the last success when a run fails`() throws {
        let path = folder.path("backup.prom")
        var line = BackupRecord(id: "x", series: "default", at: 5_000, node: try #require(NodeName("node1")), exitStatus: 0)
        line.isVerified = true
        try BackupTextfile(line: line, startedAt: 4_000).write(to: path)
        line.exitStatus = 9
        line.at = 9_000
        try BackupTextfile(line: line, startedAt: 8_000).write(to: path)
        let text = try #require(TextFiles.read(path))
        #expect(text.contains("pgbastion_backup_last_success_timestamp_seconds{series=\"default\"} 5\n"))
        #expect(text.contains("pgbastion_backup_last_exit_code{series=\"default\"} 9\n"))
        #expect(text.contains("# TYPE pgbastion_backup_verified gauge\n"))
    }
}

/// The directory of a node that was stopped: a log of a few commands, of which some are known to be committed.
final class StoppedNode: Sendable {
    static let secret = "TOPSECRET-token-77"
    let directory: String
    var raft: String { directory + "/raft" }
    var backups: String { directory + "/backups" }

    init() {
        directory = "/tmp/pgbastion-stopped-test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        mkdir(directory, 0o700)
    }
    deinit { TextFiles.removeTree(directory) }

    func path(_ name: String) -> String { name.isEmpty ? directory : "\(directory)/\(name)" }

    func make(entries: Int, committed: UInt64) throws {
        try TextFiles.write(
            """
            node:
              name: node1
              address: 127.0.0.1
              state_dir: \(directory)/state
              run_dir: \(directory)/run
            raft:
              data_dir: \(raft)
            api:
              auth_token: \(Self.secret)
            backup:
              dir: \(backups)

            """, to: path("pgbastion.yaml"))
        let store = try RaftLogStore.open(directory: raft)
        let cluster = ClusterID(rawValue: 77)
        try store.adopt(clusterID: cluster, epoch: 1)
        let member = store.identity.memberID
        var log = [
            LogEntry(
                index: LogIndex(1), term: Term(1), kind: .membership,
                payload: Membership(voters: [ServerID(rawValue: member.rawValue)]).encoded())
        ]
        func add(_ command: ClusterCommand) throws {
            let entry = ClusterEntry(actor: "test", proposedTerm: 1, wallTime: 1_771_293_600_000, command: command)
            log.append(
                LogEntry(
                    index: LogIndex(UInt64(log.count + 1)), term: Term(1), kind: .command, payload: try StateCodec.encode(entry)))
        }
        try add(.initCluster(id: cluster, epoch: 1, name: "main", leaseMilliseconds: 3000))
        for number in 1...max(1, entries - 2) where log.count < entries {
            try add(
                .registerNode(
                    NodeRecord(
                        name: try #require(NodeName("node\(number)")), memberID: number == 1 ? member : MemberID(rawValue: UInt128(number)),
                        host: "127.0.0.\(number)", raftPort: 8300, postgresPort: 5432, kind: .data)))
        }
        try store.persist([PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: log)])
        store.noteCommit(LogIndex(committed))
        try store.close()
    }

    /// Every file below the directory with its size and content.
    func files() -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        func walk(_ path: String) {
            for name in TextFiles.entries(path) {
                let inner = "\(path)/\(name)"
                var status = stat()
                guard lstat(inner, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR { walk(inner) } else { found[inner] = Array((TextFiles.read(inner) ?? "").utf8) }
            }
        }
        walk(raft)
        return found
    }
}

import ClusterModel
import Glibc
import Testing

@testable import BackupArchive

/// C1, R15-R17: what is in the directory after success, refusal and death.
@Suite struct RepositoryTests {
    private let folder = Folder()
    private var directory: String { folder.file("r") }

    private func later(_ hours: Int64) -> ArchiveTime { ArchiveTime(seconds: Fixture.time.seconds + hours * 3_600) }

    @Test(arguments: [
        BackupRepository.Step.locked, .preflight, .partialWritten, .verified, .renamed, .directorySynced, .sealed, .linked,
    ])
    func `killed while creating, the old or the new archive is listed, and is the latest (GD4)`(step: BackupRepository.Step) async throws {
        let repository = Fixture.repository(directory)
        let old = try Fixture.create(repository, index: 1)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory as String, name = step.rawValue as String] in
            let dying = Fixture.repository(path) { if $0.rawValue == name { kill(getpid(), SIGKILL) } }
            try Fixture.create(dying, index: 2, at: ArchiveTime(seconds: Fixture.time.seconds + 3_600))
        }
        for entry in try repository.list() {
            #expect([.passed, .unsealed].contains(try repository.verify(entry.name, level: .full).outcome))
        }
        let latest = try repository.resolve("latest", clusterName: "main")
        #expect(try repository.list().contains { directory + "/" + $0.name == latest && $0.status == .good })
        #expect(system("gzip -t '\(directory)/latest.tar.gz'") == 0)
        // The next run repairs what was left, and its archive is the newest.
        let new = try Fixture.create(repository, index: 3, at: later(30))
        #expect(try repository.resolve("latest", clusterName: "main") == "\(directory)/\(new.name)")
        #expect(try repository.list().allSatisfy { $0.status == .good })
        #expect(try repository.list().contains { $0.name == old.name })
    }

    @Test(arguments: [BackupRepository.Step.archiveRemoved, .sidecarRemoved, .removalSynced])
    func `killed while pruning, every archive is there as a whole or not at all`(step: BackupRepository.Step) async throws {
        let repository = Fixture.repository(directory)
        for index in 1...4 { try Fixture.create(repository, index: Int64(index), at: later(Int64(index) * 24)) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory as String, name = step.rawValue as String] in
            let dying = Fixture.repository(path) { if $0.rawValue == name { kill(getpid(), SIGKILL) } }
            let lock = try dying.lock()
            let now = ArchiveTime(seconds: Fixture.time.seconds + 200 * 3_600)
            _ = try dying.prune(RetentionTests.lastOnly(1), clusterID: "c1", series: "default", holding: lock, now: now, dryRun: false)
        }
        #expect(try repository.list().map(\.status) == [.good, .good, .good])
        let lock = try repository.lock()
        let rest = try repository.prune(
            RetentionTests.lastOnly(1), clusterID: "c1", series: "default", holding: lock, now: later(200), dryRun: false)
        #expect(rest.deleted.count == 2)
        #expect(try repository.list().compactMap { $0.manifest?.raft.index } == [4])
    }

    @Test func `a second user of the directory is refused`() throws {
        let repository = Fixture.repository(directory)
        let first = try repository.lock()
        let error = #expect(throws: BastionError.self) { try repository.lock() }
        #expect(error?.code == .locked)
        withExtendedLifetime(first) {}
    }

    @Test func `a lock ends with its holder, also while a process that is just being started has a copy of the descriptor`() throws {
        let repository = Fixture.repository(directory)
        var copies: [Int32] = []
        do {
            let first = try repository.lock()
            // What a fork gives to the child until it executes its program.
            copies = [dup(first.descriptor)]
        }
        defer { for copy in copies { close(copy) } }
        #expect(copies.allSatisfy { $0 >= 0 })
        let second = try repository.lock()
        withExtendedLifetime(second) {}
    }

    @Test func `voters that disagree put the archive aside`() throws {
        let repository = Fixture.repository(directory)
        let prepared = try Fixture.contents(disagree: ["node2"]).prepared()
        let lock = try repository.lock()
        let error = #expect(throws: BastionError.self) {
            try repository.create(named: prepared.manifest.archiveName, holding: lock, now: Fixture.time) { (sink) throws(BastionError) in
                try ArchiveWriter.write(prepared, to: sink)
            }
        }
        #expect(error?.code == .integrity)
        #expect(try repository.list().map(\.status) == [.quarantined])
    }

    @Test func `a cut or foreign stream leaves nothing behind`() throws {
        let repository = Fixture.repository(directory)
        let prepared = try Fixture.contents().prepared()
        let bytes = try ArchiveWriter.bytes(of: prepared)
        let lock = try repository.lock()
        for (name, part) in [(prepared.manifest.archiveName, Array(bytes.dropLast(5))), ("main-other.tar.gz", bytes)] {
            #expect(throws: BastionError.self) {
                try repository.create(named: name, holding: lock, now: Fixture.time) { (sink) throws(BastionError) in
                    var outcome = Result<Void, BastionError>.success(())
                    part.withUnsafeBytes { piece in outcome = Result { () throws(BastionError) in try sink(piece) } }
                    try outcome.get()
                }
            }
        }
        #expect(try RepositoryFile.names(in: directory) == [".lock"])
    }

    @Test func `archives are found by every kind of word`() throws {
        let repository = Fixture.repository(directory)
        let old = try Fixture.create(repository, index: 1)
        let new = try Fixture.create(repository, index: 2, at: later(1))
        func found(_ word: String) throws -> String { try repository.resolve(word, clusterName: "main") }
        let (oldPath, newPath) = ("\(directory)/\(old.name)", "\(directory)/\(new.name)")
        for word in ["latest", "latest-verified", new.name, new.manifest.id, newPath, "@\(later(5))"] {
            #expect(try found(word) == newPath)
        }
        #expect(try found("@\(Fixture.time)") == oldPath)
        for word in ["@2001-01-01T00:00:00Z", "nothing"] {
            #expect(#expect(throws: BastionError.self) { try found(word) }?.code == .notFound)
        }
        try Fixture.overwrite(newPath, try Fixture.bytes())
        for word in ["latest", "latest-verified"] { #expect(try found(word) == oldPath) }
    }

    @Test func `prune leaves foreign files and pins, and puts damaged archives aside`() throws {
        let repository = Fixture.repository(directory)
        let names = try (1...5).map { try Fixture.create(repository, index: Int64($0), at: later(Int64($0) * 24)).name }
        try Fixture.overwrite("\(directory)/notes.tar.gz", Array("mine".utf8))
        try Fixture.overwrite("\(directory)/\(names[1])", try Fixture.bytes(Fixture.contents(index: 2)))
        let lock = try repository.lock()
        try repository.keep(names[0], by: "me", note: "audit", holding: lock, now: later(200))
        let before = try RepositoryFile.names(in: directory)
        func prune(_ dryRun: Bool) throws -> BackupRepository.Pruned {
            try repository.prune(
                RetentionTests.lastOnly(1), clusterID: "c1", series: "default", holding: lock, now: later(200), dryRun: dryRun)
        }
        let plan = try prune(true).plan
        #expect(plan.decisions.map(\.verdict) == [.keep, .ignore, .delete, .delete, .keep])
        #expect(try RepositoryFile.names(in: directory) == before)
        let done = try prune(false)
        #expect(done.deleted == [names[2], names[3]])
        #expect(done.quarantined == [names[1]])
        #expect(try repository.list().map(\.name) == [names[0], names[1] + ".quarantine", names[4]])
        #expect(access("\(directory)/notes.tar.gz", F_OK) == 0)
        try repository.unkeep(names[0], holding: lock)
        #expect(try prune(false).deleted == [names[0]])
    }

    // MARK: Preflight (section 4, step 2)

    @Test func `a directory that others may write to is refused with 74, and so is one without its mount`() throws {
        let repository = Fixture.repository(directory)
        try Fixture.create(repository, index: 1)
        chmod(directory, 0o770)
        let open = #expect(throws: BastionError.self) { try Fixture.create(repository, index: 2) }
        #expect(open?.code == .io && open?.code.exitStatus == 74 && open?.detail?.contains("writable by its group") == true)
        chmod(directory, 0o700)
        var (root, own) = (stat(), stat())
        #expect(stat("/", &root) == 0 && stat(directory, &own) == 0)
        var mounted = repository
        mounted.requireMount = true
        if root.st_dev == own.st_dev {
            #expect(#expect(throws: BastionError.self) { try Fixture.create(mounted, index: 2) }?.code == .io)
        } else {
            try Fixture.create(mounted, index: 2)
        }
    }

    @Test func `partials older than a day go, younger ones stay, and neither is ever listed`() throws {
        let repository = Fixture.repository(directory)
        try Fixture.create(repository, index: 1)
        for (name, age) in [(".main-old.tar.gz.partial-1", 90_000), (".main-new.tar.gz.partial-2", 80_000)] {
            try Fixture.overwrite("\(directory)/\(name)", Array("cut".utf8))
            var times = [timeval](repeating: timeval(tv_sec: Int(later(50).seconds) - age, tv_usec: 0), count: 2)
            #expect(utimes("\(directory)/\(name)", &times) == 0)
        }
        #expect(try repository.list().count == 1)
        try Fixture.create(repository, index: 2, at: later(50))
        #expect(try RepositoryFile.names(in: directory).filter { $0.contains(".partial-") } == [".main-new.tar.gz.partial-2"])
        #expect(try repository.list().count == 2)
    }

    @Test func `an unsealed archive is sealed by the next run when it is whole, and left alone when it is not`() throws {
        let repository = Fixture.repository(directory)
        let whole = try Fixture.create(repository, index: 1)
        let broken = try Fixture.create(repository, index: 2, at: later(1))
        for name in [whole.name, broken.name] { unlink("\(directory)/\(name).sha256") }
        let bytes = try Fixture.bytes(Fixture.contents(index: 2, at: later(1)))
        try Fixture.overwrite("\(directory)/\(broken.name)", Array(bytes.dropLast(3)))
        let new = try Fixture.create(repository, index: 3, at: later(2))
        let states = try repository.list().map {
            "\($0.name == whole.name ? "whole" : $0.name == new.name ? "new" : "broken") \($0.status)"
        }
        #expect(Set(states) == ["whole good", "new good", "broken unreadable"])
        #expect(try repository.resolve("latest", clusterName: "main") == "\(directory)/\(new.name)")
    }

    @Test func `wherever an archive is damaged, it stays in the list, and is not taken for somebody else's file`() throws {
        let repository = Fixture.repository(directory)
        let made = try Fixture.create(repository, index: 1)
        let bytes = try Fixture.bytes(Fixture.contents(index: 1))
        for offset in stride(from: 0, to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[offset] ^= 0x20
            try Fixture.overwrite("\(directory)/\(made.name)", damaged)
            let entry = try #require(try repository.list().first, "byte \(offset)")
            #expect([.damaged, .unreadable].contains(entry.status), "byte \(offset): \(entry.status)")
            #expect(try repository.verify(made.name, level: .full).failure?.code == .integrity, "byte \(offset)")
        }
    }

    @Test func `a clock before the newest archive is warned of, and an archive that is there already is a success`() throws {
        let repository = Fixture.repository(directory)
        try Fixture.create(repository, index: 1, at: later(5))
        let early = try Fixture.create(repository, index: 2)
        #expect(early.notes.contains { $0.contains("the clock says") })
        let again = try Fixture.create(repository, index: 2)
        #expect(again.name == early.name && again.sha256 == early.sha256)
        #expect(try repository.list().count == 2)
        try Fixture.overwrite("\(directory)/\(early.name)", try Fixture.bytes())
        #expect(#expect(throws: BastionError.self) { try Fixture.create(repository, index: 2) }?.code == .integrity)
    }
}

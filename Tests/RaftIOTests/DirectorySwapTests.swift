import ClusterModel
import Glibc
import RaftCore
import Testing

@testable import RaftIO

/// How a Raft directory is replaced: C2 and B10 of backup-restore.md, section 12.
@Suite struct DirectorySwapTests {
    let directory: TemporaryDirectory
    var raft: String { directory.path + "/raft" }

    init() throws {
        directory = try TemporaryDirectory()
        try OldDirectory.make(directory.path + "/raft")
    }

    static func staged(_ path: String) throws -> StagedDirectory {
        let marker = RestoredMarker(
            archive: "a", sha256: "s", clusterID: ClusterID(rawValue: 7), parentID: ClusterID(rawValue: 5), epoch: 2,
            at: "2026-02-17T10:00:00Z", by: "test", previous: "raft.pre-restore-T")
        return try StagedDirectory(
            path,
            StagedDirectory.Content(
                clusterID: ClusterID(rawValue: 7), epoch: 2, memberID: MemberID(rawValue: 70), index: LogIndex(1_000_004),
                state: [1, 2, 3],
                files: [RestoredMarker.fileName: try marker.encoded()]), owner: nil)
    }

    @Test func `a staged directory starts as the only voter, behind its snapshot, in term 1 without a vote`() throws {
        let path = directory.path + "/new"
        do { _ = try Self.staged(path) }
        let store = try RaftLogStore.open(directory: path)
        let state = try store.load()
        #expect(store.identity.clusterID == ClusterID(rawValue: 7) && store.identity.epoch == 2)
        #expect(state.hardState == HardState(term: Term(1)) && state.entries.isEmpty)
        #expect(state.snapshot?.index == LogIndex(1_000_004) && state.snapshot?.data == [1, 2, 3])
        #expect(state.snapshot?.membership == Membership(voters: [ServerID(70)]))
    }

    @Test func `nobody opens a staged directory before it is in its place`() throws {
        let staged = try Self.staged(directory.path + "/new")
        let error = #expect(throws: BastionError.self) { try RaftLogStore.open(directory: directory.path + "/new") }
        #expect(error?.code == .nodeRunning)
        withExtendedLifetime(staged) {}
    }

    @Test func `the marker is consumed by the first commit behind the snapshot, not by the start (7_2)`() throws {
        let path = directory.path + "/new"
        do { _ = try Self.staged(path) }
        let store = try RaftLogStore.open(directory: path)
        store.noteCommit(LogIndex(1_000_004))
        #expect(try RestoredMarker.unconsumed(in: path)?.archive == "a")
        store.noteCommit(LogIndex(1_000_005))
        #expect(try RestoredMarker.unconsumed(in: path) == nil)
        #expect(try RestoredMarker.consumed(in: path)?.epoch == 2)
    }

    @Test(arguments: [DirectorySwap.Step.exchanged, .renamed, .done])
    func `killed while two directories are exchanged, the old or the new one is complete (C2)`(step: DirectorySwap.Step) async throws {
        let before = try fingerprint(raft)
        await #expect(processExitsWith: .signal(SIGKILL)) { [raft = raft as String, step = step.rawValue as String] in
            let swap = DirectorySwap(raft) { if $0.rawValue == step { kill(getpid(), SIGKILL) } }
            let staged = try DirectorySwapTests.staged(swap.sibling("restore", "T"))
            _ = try swap.replace(by: staged.path, keepingAs: swap.sibling("pre-restore", "T"))
        }
        let now = try RaftLogStore.storedIdentity(in: raft)
        #expect(now?.identity.clusterID == ClusterID(rawValue: 7))
        // The old one is there as a whole, under one of its two names.
        let swap = DirectorySwap(raft)
        let kept = try (swap.siblings("pre-restore") + swap.siblings("restore"))
        #expect(kept.count == 1)
        #expect(try fingerprint(kept[0]) == before)
    }

    @Test func `killed while the new directory is written, the old one is as it was (C2)`() async throws {
        let before = try fingerprint(raft)
        await #expect(processExitsWith: .signal(SIGKILL)) { [raft = raft as String] in
            let staged = try DirectorySwapTests.staged(DirectorySwap(raft).sibling("restore", "T"))
            withExtendedLifetime(staged) { _ = kill(getpid(), SIGKILL) }
        }
        #expect(try fingerprint(raft) == before)
        // What was left does not hinder the next attempt.
        let swap = DirectorySwap(raft)
        let again = try Self.staged(swap.sibling("restore", "T"))
        #expect(try swap.replace(by: again.path, keepingAs: swap.sibling("pre-restore", "T")))
    }

    @Test(arguments: 1...16)
    func `killed in the middle of a mount point, no daemon starts until it is taken back (C2)`(point: Int) async throws {
        let before = try fingerprint(raft)
        await #expect(processExitsWith: .signal(SIGKILL)) { [raft = raft as String, point = point as Int] in
            let count = Countdown(point)
            let swap = DirectorySwap(mountPoint: raft) { _ in count.step() }
            let staged = try DirectorySwapTests.staged(swap.sibling("restore", "T"))
            _ = try swap.replace(by: staged.path, keepingAs: swap.sibling("pre-restore", "T"))
            kill(getpid(), SIGKILL)
        }
        let swap = DirectorySwap(mountPoint: raft) { _ in }
        if swap.isUnfinished {
            let error = #expect(throws: BastionError.self) { try DirectorySwap.refuseUnfinished(raft) }
            #expect(error?.code == .preconditionFailed && error?.hint?.contains("restore --undo") == true)
            try swap.takeBack()
            #expect(!swap.isUnfinished)
            #expect(try fingerprint(raft, only: try swap.content()) == before)
        } else {
            #expect(try RaftLogStore.storedIdentity(in: raft)?.identity.clusterID == ClusterID(rawValue: 7))
        }
    }

    @Test func `a mount point keeps its inode, and putting back gives the same bytes (B10)`() throws {
        let before = try fingerprint(raft)
        let inode = inode(raft)
        let swap = DirectorySwap(mountPoint: raft) { _ in }
        do {
            let staged = try Self.staged(swap.sibling("restore", "T"))
            #expect(try swap.replace(by: staged.path, keepingAs: swap.sibling("pre-restore", "T")))
        }
        #expect(try RaftLogStore.storedIdentity(in: raft)?.identity.clusterID == ClusterID(rawValue: 7))
        try swap.putBack(swap.sibling("pre-restore", "T"), keepingAs: swap.sibling("undone", "T"))
        #expect(try fingerprint(raft, only: try swap.content()) == before)
        #expect(self.inode(raft) == inode)
        #expect(try swap.siblings("undone").count == 1)
    }

    @Test func `putting back gives the byte-identical old directory (B10)`() throws {
        let before = try fingerprint(raft)
        let swap = DirectorySwap(raft)
        let staged = try Self.staged(swap.sibling("restore", "T"))
        _ = try swap.replace(by: staged.path, keepingAs: swap.sibling("pre-restore", "T"))
        try swap.putBack(swap.sibling("pre-restore", "T"), keepingAs: swap.sibling("undone", "T"))
        #expect(try fingerprint(raft) == before)
    }

    @Test(arguments: [DirectorySwap.Step.exchanged, .renamed, .done])
    func `killed while the old directory is put back, it is complete in its place (C2, 7_3)`(step: DirectorySwap.Step) async throws {
        let before = try fingerprint(raft)
        let swap = DirectorySwap(raft)
        do {
            let staged = try Self.staged(swap.sibling("restore", "T"))
            _ = try swap.replace(by: staged.path, keepingAs: swap.sibling("pre-restore", "T"))
        }
        await #expect(processExitsWith: .signal(SIGKILL)) { [raft = raft as String, step = step.rawValue as String] in
            let dying = DirectorySwap(raft) { if $0.rawValue == step { kill(getpid(), SIGKILL) } }
            try dying.putBack(dying.sibling("pre-restore", "T"), keepingAs: dying.sibling("undone", "T"))
        }
        #expect(try fingerprint(raft) == before)
        let kept = try swap.siblings("pre-restore") + swap.siblings("undone")
        #expect(try kept.map { try RaftLogStore.storedIdentity(in: $0)?.identity.clusterID } == [ClusterID(rawValue: 7)])
    }

    @Test(arguments: 1...9)
    func `killed while an interrupted exchange is taken back, the next attempt takes it back (C2)`(point: Int) async throws {
        let before = try fingerprint(raft)
        // Interrupted behind the first move into the directory: parts of both are in it.
        await #expect(processExitsWith: .signal(SIGKILL)) { [raft = raft as String] in
            let swap = DirectorySwap(mountPoint: raft) { if $0 == .movedIn { kill(getpid(), SIGKILL) } }
            let staged = try DirectorySwapTests.staged(swap.sibling("restore", "T"))
            _ = try swap.replace(by: staged.path, keepingAs: swap.sibling("pre-restore", "T"))
        }
        await #expect(processExitsWith: .signal(SIGKILL)) { [raft = raft as String, point = point as Int] in
            let count = Countdown(point)
            try DirectorySwap(mountPoint: raft) { _ in count.step() }.takeBack()
            kill(getpid(), SIGKILL)
        }
        let swap = DirectorySwap(mountPoint: raft) { _ in }
        try swap.takeBack()
        #expect(!swap.isUnfinished)
        #expect(try fingerprint(raft, only: try swap.content()) == before)
    }

    @Test func `two commands do not replace one directory at once`() throws {
        let first = try DirectoryHold(raft)
        let error = #expect(throws: BastionError.self) { try DirectoryHold.requireFree(raft) }
        #expect(error?.code == .nodeRunning || error?.checks.first?.id == "restore_in_progress")
        withExtendedLifetime(first) {}
        // Without a lock file of a daemon it is the lock beside the directory that says so.
        let other = directory.path + "/none"
        let second = try DirectoryHold(other)
        let busy = #expect(throws: BastionError.self) { try DirectoryHold(other) }
        #expect(busy?.code == .locked)
        withExtendedLifetime(second) {}
    }

    @Test func `looking leaves nothing behind`() throws {
        let before = try DurableFile.names(in: directory.path)
        try DirectoryHold.requireFree(raft)
        _ = try RaftLogStore.storedIdentity(in: raft)
        #expect(try DurableFile.names(in: directory.path) == before)
    }

    /// Every file below a directory with its bytes.
    private func fingerprint(_ path: String, only names: [String]? = nil) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for name in try names ?? DurableFile.names(in: path) {
            let inner = "\(path)/\(name)"
            if DurableTree.isDirectory(inner) {
                for (below, bytes) in try fingerprint(inner) { found["\(name)/\(below)"] = bytes }
            } else {
                found[name] = try DurableFile.read(inner, limit: .max) ?? []
            }
        }
        return found
    }

    private func inode(_ path: String) -> UInt {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_ino) : 0
    }
}

/// A directory of a daemon that ran and was stopped.
private enum OldDirectory {
    static func make(_ path: String) throws {
        let store = try RaftLogStore.open(directory: path)
        try store.adopt(clusterID: ClusterID(rawValue: 5), epoch: 1)
        try store.persist([PersistBatch(number: 1, hardState: HardState(term: Term(1)), entries: entries(1...4))])
        store.noteCommit(LogIndex(3))
        try store.close()
        unlink(path + "/reserve")
    }
}

/// Kills the process at the nth call.
private final class Countdown: @unchecked Sendable {
    private var left: Int
    init(_ left: Int) { self.left = left }
    func step() {
        left -= 1
        if left == 0 { kill(getpid(), SIGKILL) }
    }
}

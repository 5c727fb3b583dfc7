import ClusterModel
import FailoverCore
import NodeCore
import RaftCore
import Testing

/// Runs of runbooks, backups, archives and outcomes, as the leader answers for them.
@Suite struct RunRequestTests {
    private func failure(_ result: Result<ClusterReply, BastionError>?) -> BastionError? {
        if case .failure(let error) = result { error } else { nil }
    }
    private func lock(_ run: String) -> RunLock {
        RunLock(runID: run, runbook: "rolling-upgrade", node: nil, holder: "ann@host", at: 1)
    }

    @Test func `the lock carries the index of its entry, and others are refused with exit 8 and a way to look at it`() throws {
        let bench = try TestNodes("a")
        _ = try #require(bench.ask("a", .acquireLock(lock("r1")))).get()
        let held = try #require(bench.view("a")?.locks.first)
        #expect(held.fencing > 0 && held.fencing <= bench.raft("a")?.appliedIndex.rawValue ?? 0)
        for request: ClusterRequest in [
            .acquireLock(lock("r2")), .pause(forSeconds: nil, reason: ""), .resume, .drain(node: name("a"), timeoutSeconds: nil),
            .patchPostgresParameters(expectedVersion: nil, set: ["work_mem": "8MB"], unset: []),
        ] {
            let error = try #require(failure(bench.ask("a", request)), "\(request)")
            #expect(error.code == .locked && error.code.exitStatus == 8)
            #expect(error.message.contains("r1") && error.message.contains("ann@host"))
            #expect(error.hint?.contains("pgbastion runbook status") == true)
        }
    }

    @Test func `the holder's own requests pass, with an older number they do not, and a pause names the run`() throws {
        let bench = try TestNodes("a")
        _ = try #require(bench.ask("a", .acquireLock(lock("r1")))).get()
        let fencing = try #require(bench.view("a")?.locks.first?.fencing)
        let late = RunClaim(runID: "r1", fencing: fencing - 1)
        #expect(failure(bench.ask("a", .pause(forSeconds: nil, reason: ""), run: late))?.code == .locked)
        _ = try #require(bench.ask("a", .pause(forSeconds: nil, reason: ""), run: RunClaim(runID: "r1", fencing: fencing))).get()
        #expect(bench.view("a")?.paused?.byRun == "r1")
        _ = try #require(bench.ask("a", .releaseLock(runID: "r1"))).get()
        #expect(try #require(bench.ask("a", .releaseLock(runID: "r1"))).get().alreadySo)
        _ = try #require(bench.ask("a", .resume)).get()
    }

    @Test func `a heartbeat without a lock and a claimed window are refused by their checks, notes are taken under any lock`() throws {
        let bench = try TestNodes("a")
        #expect(failure(bench.ask("a", .beatLock(runID: "r1")))?.checks.first?.id == "lock.held")
        _ = try #require(bench.ask("a", .acquireLock(lock("r1")))).get()
        _ = try #require(bench.ask("a", .beatLock(runID: "r1"))).get()
        let claim = BackupClaim(series: "default", window: 5, windowSeconds: 3600, by: name("a"))
        _ = try #require(bench.ask("a", .claimBackup(claim))).get()
        #expect(failure(bench.ask("a", .claimBackup(claim)))?.checks.first?.id == "backup.window_unclaimed")
        _ = try #require(bench.ask("a", .recordBackup(BackupRecord(id: "i", series: "s", at: 1, node: name("a"), exitStatus: 0)))).get()
        let run = RunSummary(id: "r1", runbook: "x", sha256: "", status: "running", user: "u", startedAt: 1)
        _ = try #require(bench.ask("a", .recordRun(run))).get()
        #expect(bench.view("a")?.backups.count == 1)
        #expect(bench.view("a")?.runs == [run])
    }

    @Test func `what became of a request is known by its key, also when it was rejected (Q10)`() throws {
        let bench = try TestNodes("a")
        _ = bench.ask("a", .pause(forSeconds: nil, reason: ""), key: "k1")
        _ = bench.ask("a", .claimBackup(BackupClaim(series: "s", window: 1, windowSeconds: 60, by: name("a"))), key: "k2")
        _ = bench.ask("a", .claimBackup(BackupClaim(series: "s", window: 1, windowSeconds: 60, by: name("a"))), key: "k3")
        let node = try #require(bench.nodes["a"])
        #expect(node.outcome(of: requestID("k1")) == RequestOutcome(isApplied: true, message: "applied", operation: nil))
        #expect(node.outcome(of: requestID("k2"))?.isApplied == true)
        #expect(node.outcome(of: requestID("k3"))?.isApplied == false)
        #expect(node.outcome(of: requestID("never")) == nil)
    }

    @Test func `the node that waits for a mark hands out its state at exactly that index, and everybody digests it there`() throws {
        let bench = try TestNodes("a")
        try bench.add("b")
        bench.feed("b", .awaitArchive(id: "x1"))
        _ = try #require(bench.ask("a", .pause(forSeconds: nil, reason: "before"))).get()
        _ = try #require(bench.ask("a", .digestMark(id: "x1"))).get()
        bench.run(until: { !bench.archives.isEmpty })
        _ = try #require(bench.ask("a", .resume)).get()
        #expect(bench.archives.map(\.node) == ["b"], "only who waits")
        let snapshot = try #require(bench.archives.first?.snapshot)
        #expect(snapshot.state.paused?.reason == "before", "what completed before is in it, what came after is not")
        #expect(snapshot.members.map(\.name) == [name("a"), name("b")])
        #expect(snapshot.members.allSatisfy { $0.suffrage == .voter })
        #expect(snapshot.members.first?.address == "host-a:7000")
        #expect(snapshot.configIndex > 0 && snapshot.configIndex < snapshot.index && snapshot.term > 0)
        let digest = try StateCodec.digest(of: snapshot.state)
        bench.run(until: { bench.nodes["a"]?.mark(at: snapshot.index) != nil })
        #expect(bench.nodes["a"]?.mark(at: snapshot.index)?.sha256 == digest)
        #expect(bench.nodes["b"]?.mark(at: snapshot.index)?.sha256 == digest)
        #expect(bench.nodes["a"]?.mark(at: snapshot.index + 1) == nil)
    }

    @Test func `a stale archive is handed out at once, without a leader`() throws {
        let bench = try TestNodes("a")
        try bench.add("b")
        bench.cut = ["a", "b"]
        bench.run(seconds: 4)
        bench.feed("b", .archiveNow(id: "x"))
        let snapshot = try #require(bench.archives.first?.snapshot)
        #expect(snapshot.index == bench.raft("b")?.appliedIndex.rawValue)
        #expect(snapshot.state == bench.state("b"))
    }

    @Test func `the last 16 marks are remembered`() throws {
        let bench = try TestNodes("a")
        for number in 0..<20 { _ = bench.ask("a", .digestMark(id: "m\(number)")) }
        let last = try #require(bench.raft("a")?.appliedIndex.rawValue)
        let known = (1...last).filter { bench.nodes["a"]?.mark(at: $0) != nil }
        #expect(known.count == 16)
    }
}

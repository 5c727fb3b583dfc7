import ClusterModel
import FailoverCore
import Testing

/// Locks of runbooks' runs, their records, and the backup catalogue (runbooks.md 7.2; backup-restore.md 4).
@Suite struct RunLockTests {
    private func lock(_ run: String, node: String? = nil) -> RunLock {
        RunLock(runID: run, runbook: "rolling-upgrade", node: node.map(name), holder: "ann@host", at: 5)
    }

    private func apply(
        _ bench: StateBench, _ command: ClusterCommand, index: UInt64 = 0, run: RunClaim? = nil, actor: String = "test"
    ) -> ApplyResult {
        let entry = ClusterEntry(actor: actor, proposedTerm: 1, wallTime: 50, run: run, command: command)
        return bench.state.apply(entry, term: 1, index: index)
    }

    private func isLocked(_ result: ApplyResult) -> Bool {
        if case .rejected("locked", _) = result { true } else { false }
    }

    @Test func `the fencing number is the index of the acquisition, and a second run is refused with the holder's name`() {
        let bench = StateBench.serving()
        #expect(apply(bench, .acquireLock(lock("r1")), index: 812) == .applied)
        #expect(bench.state.lock(ofRun: "r1")?.fencing == 812)
        guard case .rejected(let rule, let reason) = apply(bench, .acquireLock(lock("r2")), index: 813) else {
            Issue.record("was applied")
            return
        }
        #expect(rule == "locked")
        #expect(reason.contains("r1") && reason.contains("ann@host") && reason.contains("rolling-upgrade"))
        #expect(isLocked(apply(bench, .acquireLock(lock("r2", node: "a")), index: 813)), "the cluster is locked, so is each node")
    }

    @Test func `locks of different nodes do not exclude each other, and one of the cluster excludes both`() {
        let bench = StateBench.serving()
        #expect(apply(bench, .acquireLock(lock("r1", node: "a")), index: 1) == .applied)
        #expect(apply(bench, .acquireLock(lock("r2", node: "b")), index: 2) == .applied)
        #expect(isLocked(apply(bench, .acquireLock(lock("r3", node: "b")), index: 3)))
        #expect(isLocked(apply(bench, .acquireLock(lock("r3")), index: 3)))
    }

    @Test func `the same run takes its lock again with a new number, and what its earlier process sends is refused`() {
        let bench = StateBench.serving()
        #expect(apply(bench, .acquireLock(lock("r1")), index: 10) == .applied)
        #expect(apply(bench, .acquireLock(lock("r1")), index: 20) == .applied)
        #expect(bench.state.locks?.count == 1)
        #expect(isLocked(apply(bench, .pause(pause("p")), run: RunClaim(runID: "r1", fencing: 10))))
        #expect(apply(bench, .pause(pause("p")), run: RunClaim(runID: "r1", fencing: 20)) == .applied)
    }

    @Test func `while the cluster is locked others change nothing, the policy does as it must, and notes are taken`() {
        let bench = StateBench.serving()
        #expect(apply(bench, .acquireLock(lock("r1")), index: 10) == .applied)
        #expect(isLocked(apply(bench, .pause(pause("p")))))
        #expect(isLocked(apply(bench, .setDrained(node: name("b"), drained: true))))
        let failover = operation("op", .failover, from: "a", fromToken: 1, ballot: 2)
        #expect(apply(bench, .startOperation(failover), actor: DecisionRecord.policy) == .applied)
        let backup = BackupRecord(id: "i", series: "s", at: 1, node: name("a"), exitStatus: 0)
        #expect(apply(bench, .recordBackup(backup)) == .applied)
        #expect(apply(bench, .beatLock(runID: "r1")) == .applied)
        #expect(apply(bench, .releaseLock(runID: "r1")) == .applied)
        #expect(apply(bench, .releaseLock(runID: "r1")) == .applied, "it is idempotent")
        #expect(apply(bench, .pause(pause("p"))) == .applied)
    }

    @Test func `a lock of one node only excludes what is about that node`() {
        let bench = StateBench.serving()
        #expect(apply(bench, .acquireLock(lock("r1", node: "b")), index: 10) == .applied)
        #expect(isLocked(apply(bench, .setDrained(node: name("b"), drained: true))))
        #expect(apply(bench, .setDrained(node: name("c"), drained: true)) == .applied)
        #expect(apply(bench, .pause(pause("p"))) == .applied)
    }

    @Test func `a heartbeat is noted, and refused without a lock`() {
        let bench = StateBench.serving()
        #expect(apply(bench, .acquireLock(lock("r1")), index: 10) == .applied)
        bench.refuses(.beatLock(runID: "r2"), "lock.held")
        bench.must(.beatLock(runID: "r1"))
        #expect(bench.state.lock(ofRun: "r1")?.heartbeatAt == bench.wallTime)
        #expect(bench.state.decisions.last?.kind == "lock.acquired", "a heartbeat decides nothing")
    }

    @Test func `a run has one record, and the last 100 are kept`() {
        let bench = StateBench.serving()
        for number in 0..<(ClusterState.Caps.runs + 5) {
            bench.must(.recordRun(RunSummary(id: "r\(number)", runbook: "x", sha256: "", status: "running", user: "u", startedAt: 1)))
        }
        #expect(bench.state.runs?.count == ClusterState.Caps.runs)
        bench.must(.recordRun(RunSummary(id: "r50", runbook: "x", sha256: "", status: "succeeded", user: "u", startedAt: 1)))
        #expect(bench.state.runs?.filter { $0.id == "r50" }.map(\.status) == ["succeeded"])
    }

    @Test func `a window of a series is claimed once, and the next one again`() {
        let bench = StateBench.serving()
        func claim(_ window: Int64, _ series: String = "default", by node: String = "a") -> ClusterCommand {
            .claimBackup(BackupClaim(series: series, window: window, windowSeconds: 3600, by: name(node)))
        }
        bench.must(claim(5))
        bench.refuses(claim(5, by: "b"), "backup.window_unclaimed")
        bench.must(claim(5, "other", by: "b"))
        bench.must(claim(6, by: "b"))
        #expect(bench.state.backupClaims?.count == 2)
    }

    @Test func `the catalogue keeps the last 50 backups`() {
        let bench = StateBench.serving()
        for number in 0..<60 {
            bench.must(.recordBackup(BackupRecord(id: "i\(number)", series: "s", at: 1, node: name("a"), exitStatus: 0)))
        }
        #expect(bench.state.backups?.count == ClusterState.Caps.backups)
        #expect(bench.state.backups?.last?.id == "i59")
    }
}

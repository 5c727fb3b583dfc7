import ClusterModel
import FailoverCore
import Testing

/// The phases of a switchover, its undo and its end (section 7).
@Suite struct SwitchoverPolicyTests {
    @Test func `a switchover checkpoints, holds, stops, waits for the receipt, assigns (D37, SW5)`() throws {
        let bench = switching()
        #expect(bench.decide().command == nil, "the checkpoint is under way")
        bench.reports[name("a")]?.directiveResults = ["sw-checkpoint-1": nil]
        #expect(bench.step().advancedTo == .hold)
        #expect(bench.decide().command == nil, "the proxies get a moment")
        bench.wait(30)
        #expect(bench.step().advancedTo == .stop)
        stop(bench, lsn: 1000)
        #expect(bench.decide().command == nil, "the target has not received the shutdown checkpoint")
        bench.set("b", .replica, lsn: 1000)
        guard case .fence(FencingToken(1), _) = bench.decide().orders[name("a")] else {
            Issue.record("the lease is to be released")
            return
        }
        bench.cluster.release(.cleanStop)
        let assigned = try #require(bench.step().assigned)
        #expect(assigned.node == name("b") && assigned.basis == .released)
        #expect(assigned.certificate?.provenZero == true)
        #expect(assigned.certificate?.lastKnownPrimaryLSN == LSN(1000))
        #expect(bench.operation?.phase == .promote)
    }

    @Test func `a failed or endless checkpoint ends it, and nothing was changed (7_2, D40)`() {
        let failed = switching()
        failed.reports[name("a")]?.directiveResults = ["sw-checkpoint-1": "no space"]
        #expect(failed.step().finished == .failed)
        let slow = switching()
        _ = slow.decide()
        for _ in 0..<60 {
            slow.wait(1000)
            slow.renew()
        }
        #expect(slow.step().finished == .failed)
        #expect(slow.primary?.phase == .serving)
    }

    @Test(arguments: ["slow", "unclean", "not received"])
    func `a stop that fails is undone, the old primary goes on under its lease (SW2, D39, D40)`(_ failure: String) {
        let bench = stopping()
        _ = bench.decide()
        switch failure {
        case "slow": pass(bench, 5)
        case "unclean": bench.set("a", .crashed, lsn: 1000)
        default:
            stop(bench, lsn: 1000)
            pass(bench, 7)
        }
        #expect(bench.step().advancedTo == .undo)
        bench.set("a", .stopped, lsn: 1000)
        #expect(bench.decide().orders[name("a")] == .restartInPlace(FencingToken(1)))
        bench.set("a", .primary, lsn: 1000)
        #expect(bench.step().finished == .undone)
        #expect(bench.primary?.phase == .serving)
        #expect(bench.primary?.token == FencingToken(1))
    }

    @Test func `an undo that does not succeed becomes a failover (SW2)`() {
        let bench = stopping()
        bench.set("a", .crashed, lsn: 1000)
        #expect(bench.step().advancedTo == .undo)
        _ = bench.decide()
        pass(bench, 30)
        #expect(bench.step().advancedTo == .pledge)
        #expect(bench.primary?.phase == .ended)
        #expect(bench.operation?.kind == .failover)
    }

    @Test(arguments: ["checkpoint", "stop"])
    func `a primary lost during a switchover is failed over (DE2)`(_ phase: String) {
        let bench = phase == "stop" ? stopping() : switching()
        bench.silent = [name("a")]
        _ = bench.decide()
        bench.wait(3100)
        let decision = bench.step()
        #expect(decision.started?.kind == .failover)
        #expect(bench.cluster.state.finished.last?.id == "sw")
    }

    @Test func `a new leader goes on from the committed phase (SW3)`() {
        let bench = stopping()
        bench.policy = FailoverPolicy(settings: PolicySettings())
        stop(bench, lsn: 1000)
        bench.set("b", .replica, lsn: 1000)
        bench.cluster.release(.cleanStop)
        #expect(bench.step().assigned?.node == name("b"))
    }

    private func switching() -> PolicyBench {
        let bench = PolicyBench()
        bench.cluster.must(
            .startOperation(operation("sw", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2, automatic: false))
        )
        return bench
    }

    private func stopping() -> PolicyBench {
        let bench = switching()
        bench.cluster.must(.advanceOperation(id: "sw", from: .checkpoint, to: .hold, detail: ""))
        bench.cluster.must(.advanceOperation(id: "sw", from: .hold, to: .stop, detail: ""))
        return bench
    }

    /// `a` shut down cleanly under its lease.
    private func stop(_ bench: PolicyBench, lsn: UInt64) { bench.set("a", .stopped, lsn: lsn) }

    private func pass(_ bench: PolicyBench, _ seconds: Int) {
        for _ in 0..<seconds {
            bench.wait(1000)
            bench.renew()
        }
    }
}

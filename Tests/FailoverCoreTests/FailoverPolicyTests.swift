import ClusterModel
import FailoverCore
import Testing

/// When the primary is replaced, and how a failover goes on (sections 5 and 6).
@Suite struct FailoverPolicyTests {
    @Test func `a healthy cluster is left alone (D4, CH17)`() {
        let bench = PolicyBench()
        for _ in 0..<20 {
            bench.wait(500)
            bench.renew()
            let decision = bench.decide()
            #expect(decision.command == nil && decision.orders.isEmpty && !decision.splitBrain)
        }
    }

    @Test func `the mode of the configuration file is proposed once, and only when it differs (SE1)`() {
        let bench = PolicyBench()
        bench.policy.settings.synchronousMode = .off
        guard case .setSyncPolicy(mode: .off, wanted: 1) = bench.step().command else {
            Issue.record("the policy did not propose the configured mode")
            return
        }
        bench.renew()
        if case .setSyncPolicy = bench.decide().command { Issue.record("the mode was proposed again") }
    }

    @Test func `an expired lease starts a failover, not a moment earlier (DE2, LE8, D10)`() {
        let bench = PolicyBench()
        bench.silent = [name("a")]
        bench.wait(3089)
        #expect(bench.decide().started == nil)
        bench.wait(1)
        let decision = bench.step()
        #expect(decision.started?.kind == .failover)
        #expect(decision.started?.isAutomatic == true)
        #expect(decision.rules.contains("LE8"))
        #expect(bench.primary?.phase == .ended)
    }

    @Test func `the confirmation period is waited for on top (DE2)`() {
        let bench = PolicyBench()
        bench.policy.settings.confirmationPeriod = .seconds(2)
        bench.silent = [name("a")]
        bench.wait(3090)
        #expect(bench.decide().started == nil)
        bench.wait(2000)
        #expect(bench.decide().started != nil)
    }

    @Test func `while paused nothing is started (D65, AG12)`() {
        let bench = PolicyBench()
        bench.cluster.must(.pause(pause("p")))
        bench.silent = [name("a")]
        _ = bench.decide()
        bench.wait(60_000)
        #expect(bench.decide().command == nil)
        #expect(bench.policy.explanation.contains("D65"))
    }

    @Test func `a hold is waited for although the lease is over (LE8, LE12)`() {
        let bench = PolicyBench()
        bench.cluster.must(.setHold(hold(1)))
        bench.silent = [name("a")]
        bench.wait(61_799)
        #expect(bench.decide().started == nil)
        bench.wait(1)
        #expect(bench.decide().started != nil)
    }

    @Test func `a crash with a provable candidate is a failover without waiting (5_2, DE1)`() {
        let bench = PolicyBench()
        bench.set("a", .crashed)
        #expect(bench.decide().started?.kind == .failover)
    }

    @Test func `a crash without one is restarted in place (5_2, SE4)`() {
        let bench = PolicyBench()
        bench.set("a", .crashed)
        bench.silent = [name("b"), name("c")]
        _ = bench.decide()
        bench.renew()
        bench.wait(2000)
        bench.renew()
        let decision = bench.decide()
        #expect(decision.started == nil)
        #expect(decision.orders == [name("a"): .restartInPlace(FencingToken(1))])
    }

    @Test
    func `in mode off a replica that has everything may be promoted after a crash, one that has not may not (5_2)`() {
        let bench = PolicyBench(StateBench.serving())
        bench.set("a", .crashed, lsn: 901)
        #expect(bench.decide().orders == [name("a"): .restartInPlace(FencingToken(1))])
        bench.set("b", .replica, lsn: 901)
        #expect(bench.decide().started != nil)
    }

    @Test func `on_postmaster_crash decides between restart and promotion (5_2)`() {
        let restart = PolicyBench()
        restart.policy.settings.onPostmasterCrash = .restart
        restart.set("a", .crashed)
        #expect(restart.decide().started == nil)
        restart.wait(30_000)
        restart.renew()
        #expect(restart.decide().started != nil, "not accepting within primary_start_timeout")
        let promote = PolicyBench(StateBench.serving())
        promote.policy.settings.onPostmasterCrash = .promote
        promote.set("a", .crashed, lsn: 5000)
        #expect(promote.decide().started != nil)
    }

    @Test func `a third crash in 10 min is a failover (5_2)`() {
        let bench = PolicyBench(StateBench.serving())
        for crash in 1...3 {
            bench.set("a", .crashed, lsn: 901)
            #expect((bench.decide().started != nil) == (crash == 3), "crash \(crash)")
            bench.wait(1000)
            bench.renew()
            bench.set("a", .primary, lsn: 901)
            _ = bench.decide()
        }
    }

    @Test func `a guard that was restarted has lost its lease (LE5)`() {
        let bench = PolicyBench()
        bench.reports[name("a")]?.guardStatus?.incarnation = guardOf("a", life: 2)
        #expect(bench.decide().started != nil)
    }

    @Test func `a server that does not answer is replaced after unresponsive_after only (DE3, D63)`() {
        let bench = PolicyBench()
        bench.set("a", .silentServer)
        for _ in 0..<29 {
            #expect(bench.decide().started == nil)
            bench.wait(1000)
            bench.renew()
        }
        _ = bench.decide()
        bench.wait(1000)
        bench.renew()
        #expect(bench.decide().started != nil)
    }

    @Test func `a stalled disk ends a primary, a full one does not, and not when it stalls everywhere (D64, DE4, DE5)`() {
        let bench = PolicyBench()
        bench.reports[name("a")]?.facts?.storage = .full
        #expect(bench.decide().started == nil)
        bench.reports[name("a")]?.facts?.storage = .stalled
        for node in ["b", "c"] { bench.reports[name(node)]?.facts?.storage = .stalled }
        #expect(bench.decide().started == nil)
        bench.reports[name("b")]?.facts?.storage = .healthy
        #expect(bench.decide().started != nil)
    }

    @Test func `a writable server without the current token is fenced and shown (DE8, D29)`() {
        let bench = PolicyBench()
        bench.set("b", .primary, token: 7)
        let decision = bench.decide()
        #expect(decision.splitBrain)
        guard case .fence(let token, _) = decision.orders[name("b")] else {
            Issue.record("no order")
            return
        }
        #expect(token == FencingToken(7))
    }

    // MARK: The failover itself

    @Test func `a failover asks, proves, waits for the end of the lease, assigns and records (6_4)`() throws {
        let bench = failingOver()
        #expect(bench.decide().pledgeBallot == FencingToken(2))
        bench.pledge("b", at(2, 950))
        #expect(bench.decide().assigned == nil, "one silent member of two")
        #expect(!bench.policy.explanation.isEmpty, "PR8: the wait is explained")
        bench.pledge("c", at(2, 900))
        let assigned = try #require(bench.step().assigned)
        #expect(assigned.node == name("b") && assigned.basis == .expired && assigned.token == FencingToken(2))
        #expect(assigned.timeline == TimelineID(3) && assigned.parent == TimelineID(2))
        #expect(assigned.rule == rule(2, "b", ["c"], 1), "SE8: pledged nodes not ahead; never the dead primary (D22)")
        #expect(assigned.certificate?.provenZero == true && assigned.certificate?.bytesMax == 0)
        #expect(assigned.certificate?.silent == [name("a")])
        bench.reports[name("b")]?.promoted = PromotionReport(
            token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(960))
        bench.step()
        #expect(bench.primary?.phase == .serving)
        #expect(bench.operation?.phase == .settle)
    }

    @Test func `while the lease may still count nobody is assigned, a release ends the wait (LE8)`() throws {
        let bench = PolicyBench()
        bench.cluster.failover(automatic: false)
        _ = bench.decide()
        bench.set("a", .crashed)
        for node in ["b", "c"] { bench.pledge(node, at(2, 950)) }
        bench.silent = [name("a")]
        bench.wait(1600)
        #expect(bench.decide().assigned == nil)
        #expect(bench.policy.explanation.contains("LE8"))
        bench.cluster.release()
        #expect(bench.decide().assigned?.basis == .released)
    }

    @Test func `an answer that may still come is waited for 300 ms (SE6)`() {
        let bench = PolicyBench()
        bench.cluster.failover(released: true)
        _ = bench.decide()
        for node in ["b", "c"] { bench.pledge(node, at(2, 950)) }
        #expect(bench.decide().assigned == nil, "a reports and may answer")
        bench.wait(299)
        #expect(bench.decide().assigned == nil)
        bench.wait(1)
        #expect(bench.decide().assigned != nil)
    }

    @Test func `an answer to another ballot does not count (D36)`() {
        let bench = failingOver()
        _ = bench.decide()
        for node in ["b", "c"] { bench.policy.receive(answer(node, at(2, 950), ballot: 1), now: stamp(bench.now)) }
        #expect(bench.decide().assigned == nil)
    }

    @Test func `while a split brain is seen nobody is assigned (D29)`() {
        let bench = failingOver()
        _ = bench.decide()
        for node in ["b", "c"] { bench.pledge(node, at(2, 950)) }
        bench.reports[name("b")]?.guardStatus = status("b", .primary, token: 9)
        bench.reports[name("b")]?.facts?.server = server(inRecovery: false, timeline: 3, lsn: 5)
        let decision = bench.decide()
        #expect(decision.splitBrain && decision.assigned == nil)
    }

    @Test(arguments: ["silent", "failed", "guard", "timeline", "stuck", "released"])
    func `a promotion that fails is abandoned and another node is taken (SE10, D33)`(_ failure: String) throws {
        let bench = failingOver()
        _ = bench.decide()
        for node in ["b", "c"] { bench.pledge(node, at(2, 950)) }
        bench.step()
        #expect(bench.primary?.node == name("b"))
        #expect(bench.decide().abandoned == nil)
        switch failure {
        case "silent":
            bench.silent = [name("a"), name("b")]
            bench.wait(3000)
        case "failed": bench.reports[name("b")]?.failedToken = FencingToken(2)
        case "guard": bench.reports[name("b")]?.guardStatus?.incarnation = guardOf("b", life: 2)
        case "timeline":
            bench.reports[name("b")]?.promoted = PromotionReport(
                token: FencingToken(2), timeline: TimelineID(9), forkLSN: LSN(1))
        case "stuck": bench.wait(10_000)
        default: bench.cluster.release()
        }
        #expect(bench.step().abandoned == FencingToken(2))
        #expect(bench.operation?.ballot == FencingToken(3))
        bench.wait(10)
        #expect(bench.decide().pledgeBallot == FencingToken(3))
        bench.wait(6000)
        for node in ["b", "c"] { bench.pledge(node, at(2, 950)) }
        if let assigned = bench.decide().assigned { #expect(assigned.timeline == TimelineID(4), "D59") }
    }

    @Test func `an operation that settles ends when the others follow (6_4 settle)`() {
        let bench = failingOver()
        _ = bench.decide()
        for node in ["b", "c"] { bench.pledge(node, at(2, 950)) }
        bench.step()
        bench.reports[name("b")]?.promoted = PromotionReport(
            token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(960))
        bench.step()
        bench.reports[name("b")] = report("b", .primary, lsn: 970, timeline: 3, token: 2, replicas: ["c"])
        bench.set("c", .replica, timeline: 3)
        for _ in 0..<10 where bench.operation != nil {
            bench.wait(300)
            bench.renew()
            bench.step()
        }
        #expect(bench.operation == nil)
        #expect(bench.cluster.state.finished.last?.result == .succeeded)
    }

    // MARK: Bootstrap and upkeep

    @Test func `the first data node becomes the first primary (AG5, LE8 never)`() throws {
        let state = StateBench()
        state.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000))
        state.must(.registerNode(record("a")))
        let bench = PolicyBench(state)
        bench.reports = [name("a"): report("a", .catchingUp, lsn: 10, timeline: 1)]
        guard case .setSystemIdentifier(systemID, timeline: TimelineID(1)) = bench.step().command else {
            Issue.record("the identifier comes first")
            return
        }
        #expect(bench.step().started?.kind == .bootstrap)
        let assigned = try #require(bench.step().assigned)
        #expect(assigned.basis == .never && assigned.timeline == TimelineID(2) && assigned.token == FencingToken(1))
    }

    @Test func `a first promotion that failed is tried again (SE10, AG5)`() throws {
        let state = StateBench()
        state.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000))
        state.must(.registerNode(record("a")))
        let bench = PolicyBench(state)
        bench.reports = [name("a"): report("a", .catchingUp, lsn: 10, timeline: 1)]
        for _ in 0..<3 { bench.step() }
        bench.reports[name("a")]?.failedToken = FencingToken(1)
        #expect(bench.step().abandoned == FencingToken(1))
        bench.cluster.release()
        bench.reports[name("a")]?.failedToken = nil
        bench.wait(1000)
        let again = try #require(bench.step().assigned)
        #expect(again.token == FencingToken(2) && again.node == name("a") && again.basis == .released)
    }

    @Test func `one data node gets a lease without an end after 30 s (4_10)`() {
        let state = StateBench.serving()
        for node in ["b", "c"] { state.must(.removeNode(name: name(node), memberID: member(node))) }
        let bench = PolicyBench(state)
        bench.reports = [name("a"): report("a", .primary, lsn: 900, replicas: [])]
        _ = bench.decide()
        for _ in 0..<30 {
            #expect(bench.decide().command == nil)
            bench.wait(1000)
            bench.renew()
        }
        #expect(bench.decide().command == .setLeaseMode(.sole, token: FencingToken(1), confirmed: false))
    }

    @Test func `a directive nobody finishes expires, a finished one is closed (CS7, CS8)`() {
        let bench = PolicyBench()
        bench.cluster.must(.publishDirective(directive("d", "b")))
        #expect(bench.decide().command == nil)
        bench.reports[name("b")]?.directiveResults = ["d": nil]
        #expect(bench.decide().command == .completeDirective(id: "d", status: .completed, error: nil))
        bench.reports[name("b")]?.directiveResults = ["d": "no space"]
        #expect(bench.decide().command == .completeDirective(id: "d", status: .failed, error: "no space"))
        bench.reports[name("b")]?.directiveResults = [:]
        bench.wait(60_000)
        bench.renew()
        #expect(bench.decide().command == .completeDirective(id: "d", status: .cancelled, error: "expired"))
    }

    @Test func `a hold ends only after the guard confirmed the lowering (LE12)`() {
        let bench = PolicyBench()
        bench.cluster.must(.setHold(hold(5)))
        #expect(bench.decide().orders == [name("a"): .lower(FencingToken(1), .endHold(id: 5))])
        bench.reports[name("a")]?.guardStatus?.lowered = [.endHold(id: 5)]
        #expect(bench.decide().command == .clearHold(id: 5))
    }

    /// The lease of `a` has expired and a failover was started; `a` is silent.
    private func failingOver() -> PolicyBench {
        let bench = PolicyBench()
        bench.silent = [name("a")]
        _ = bench.decide()
        bench.wait(3090)
        bench.step()
        #expect(bench.operation?.phase == .pledge)
        return bench
    }
}

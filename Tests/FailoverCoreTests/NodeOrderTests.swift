import ClusterModel
import FailoverCore
import Testing

/// Drain, fence, restart, ordered holds and the lease's terms: the state, the policy and the agent.
@Suite struct NodeOrderTests {
    // MARK: drain

    @Test func `the primary's node and the target of a change are not drained (PX3)`() {
        let bench = StateBench.serving()
        bench.refuses(.setDrained(node: name("a"), drained: true), "node.not_primary")
        bench.must(.startOperation(operation("s", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2, automatic: false)))
        bench.refuses(.setDrained(node: name("b"), drained: true), "no_operation_in_progress")
        bench.must(.setDrained(node: name("c"), drained: true, milliseconds: 5000))
        #expect(bench.state.nodes[name("c")]?.drainMilliseconds == 5000)
        bench.must(.setDrained(node: name("c"), drained: false))
        #expect(bench.state.nodes[name("c")]?.drainMilliseconds == nil)
    }

    @Test func `the routing table drains a drained node and leads nobody there (PX3, PX4)`() {
        let bench = StateBench.serving()
        bench.must(.setDrained(node: name("b"), drained: true, milliseconds: 5000))
        let reports = ["a": report("a", .primary, lsn: 900), "b": report("b", .replica, lsn: 900), "c": report("c", .replica, lsn: 900)]
        let timed = Dictionary(uniqueKeysWithValues: reports.map { (name($0.key), TimedReport(report: $0.value, at: stamp(0))) })
        let table = RoutingView(
            state: bench.state, reports: timed, me: name("c"), holdsLease: false, isCutOff: false, splitBrain: false,
            settings: PolicySettings(), now: stamp(0)
        ).table
        #expect(table.drained == [name("b"): RoutingTable.Drain(limit: .seconds(5))])
        #expect(table.replicas.map(\.node) == [name("c")])
    }

    // MARK: fence

    @Test func `fencing the primary ends its token, another node is promoted, and it stays fenced until the order (D15)`() throws {
        let bench = PolicyBench()
        bench.cluster.must(.fenceNode(node: name("a"), memberID: member("a"), reason: "test"))
        #expect(bench.primary?.phase == .ended)
        #expect(bench.step().started?.kind == .failover)
        bench.cluster.release()
        #expect(bench.step().command == nil || bench.operation?.phase == .pledge)
        for node in ["a", "b", "c"] { bench.pledge(node, at(2, 900), stopped: node == "a") }
        let assigned = try #require(bench.step().assigned)
        #expect(assigned.node != name("a"))
        // It follows again: that alone lifts nothing.
        bench.cluster.must(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(900)))
        let winner = assigned.node.rawValue
        let other = winner == "b" ? "c" : "b"
        bench.set(winner, .primary, timeline: 3, token: 2)
        bench.set(other, .replica, timeline: 3)
        bench.set("a", .replica, timeline: 3)
        for _ in 0..<20 {
            bench.step()
            bench.wait(200)
            bench.renew()
        }
        let fenced = try #require(bench.cluster.state.nodes[name("a")])
        #expect(fenced.standing == .fenced)
        #expect(fenced.fence?.method == .guardConfirmation)
        bench.cluster.must(.unfenceNode(node: name("a"), memberID: member("a"), dataID: dataOf("a")))
        #expect(bench.cluster.state.nodes[name("a")]?.standing == .ready)
        #expect(bench.cluster.state.nodes[name("a")]?.fence == nil)
    }

    @Test func `a silent primary's fence is proven by the end of its lease (LE8)`() {
        let bench = PolicyBench()
        bench.cluster.must(.pause(pause("p")))
        bench.silent = [name("a")]
        _ = bench.decide()
        bench.wait(2000)
        bench.cluster.must(.fenceNode(node: name("a"), memberID: member("a"), reason: "test"))
        #expect(bench.decide().command == nil)
        bench.wait(1090)
        #expect(bench.decide().command == .proveFence(node: name("a"), method: .leaseEnd))
    }

    @Test func `a fenced replica is proven by its guard and is no candidate (SE5)`() {
        let bench = PolicyBench()
        bench.cluster.must(.fenceNode(node: name("b"), memberID: member("b"), reason: "test"))
        #expect(bench.primary?.phase == .serving)
        for _ in 0..<5 { bench.step() }
        #expect(bench.cluster.state.nodes[name("b")]?.fence?.method == .guardConfirmation)
        bench.cluster.refuses(.fenceNode(node: name("b"), memberID: member("b"), reason: "again"), "CS4")
    }

    @Test func `a node that is being promoted is not fenced`() {
        let bench = StateBench.serving()
        bench.failover(released: true)
        bench.must(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op")))
        bench.refuses(.fenceNode(node: name("b"), memberID: member("b"), reason: "x"), "no_operation_in_progress")
    }

    // MARK: restart

    @Test func `an ordered restart of the primary is no failover, also while paused (5_2)`() {
        for isPaused in [false, true] {
            let bench = PolicyBench()
            if isPaused { bench.cluster.must(.pause(pause("p"))) }
            bench.cluster.must(.publishDirective(restarting("a", pid: 100)))
            bench.set("a", .stopped)
            for _ in 0..<8 {
                let decision = bench.decide()
                #expect(decision.started == nil)
                if case .setLeaseTerms = decision.command { bench.step() }
            }
            #expect(bench.decide().orders[name("a")] == .restartInPlace(FencingToken(1)))
        }
    }

    @Test func `a restart that does not come back is a failover after the start timeout (5_2)`() {
        let bench = PolicyBench()
        bench.cluster.must(.publishDirective(restarting("a", pid: 100)))
        bench.set("a", .stopped)
        _ = bench.decide()
        for _ in 0..<30 {
            #expect(bench.decide().started == nil)
            bench.wait(1000)
            bench.renew()
        }
        #expect(bench.decide().started?.kind == .failover)
    }

    @Test func `an agent stops exactly the server that was meant, and reports how long it was away`() {
        let bench = AgentBench("b")
        bench.context.state.directives = [restarting("b", pid: 100)]
        bench.order(.lower(FencingToken(9), .endHold(id: 1)))
        for _ in 0..<6 where !bench.evaluate().contains(.order(.stop(budgetMilliseconds: 5000))) { bench.turn() }
        #expect(bench.evaluate().contains(.order(.stop(budgetMilliseconds: 5000))))
        bench.wait(1500)
        bench.context.guardStatus?.postmasterPID = 101
        let steps = bench.evaluate()
        #expect(!steps.contains(.order(.stop(budgetMilliseconds: 5000))))
        let report = bench.agent.report(bench.context, version: "1")
        #expect(report.directiveResults["r"] == .some(nil))
        #expect((report.outages?["r"] ?? 0) >= 1.5)
    }

    @Test func `a restart for an earlier primary is not carried out (D36)`() {
        let bench = AgentBench("b")
        var directive = restarting("b", pid: 100)
        directive.token = FencingToken(7)
        bench.context.state.directives = [directive]
        bench.order(.lower(FencingToken(9), .endHold(id: 1)))
        #expect(!bench.evaluate().contains(.order(.stop(budgetMilliseconds: 5000))))
        #expect(bench.agent.report(bench.context, version: "1").directiveResults["r"]??.contains("D36") == true)
    }

    // MARK: hold and lease terms

    @Test func `an ordered hold lasts for its time although its daemon is there, and a release ends it sooner (CS7)`() {
        for isReleased in [false, true] {
            let bench = PolicyBench()
            var record = hold(5, milliseconds: 4000)
            record.isOrdered = true
            bench.cluster.must(.setHold(record))
            #expect(bench.decide().orders[name("a")] == nil)
            if isReleased {
                bench.cluster.must(.releaseHold(id: 5))
                bench.cluster.refuses(.releaseHold(id: 5), "LE12")
            } else {
                bench.wait(3900)
                bench.renew()
                #expect(bench.decide().orders[name("a")] == nil)
                bench.wait(100)
                bench.renew()
            }
            #expect(bench.decide().orders[name("a")] == .lower(FencingToken(1), .endHold(id: 5)))
            bench.reports[name("a")]?.guardStatus?.lowered = [.endHold(id: 5)]
            #expect(bench.decide().command == .clearHold(id: 5))
        }
    }

    @Test func `a restart of the daemon inside an ordered hold keeps it ordered`() {
        let bench = StateBench.serving()
        var record = hold(5)
        record.isOrdered = true
        bench.must(.setHold(record))
        bench.must(.setHold(hold(6)))
        #expect(bench.state.hold?.id == 6)
        #expect(bench.state.hold?.isOrdered == true)
    }

    @Test func `a pause lengthens the lease, and a resume shortens the wait only after this very change was confirmed (4_11, LE12)`() {
        let bench = PolicyBench()
        let a = name("a")
        func settle() { for _ in 0..<6 { bench.step() } }
        for round in 1...2 {
            bench.cluster.must(.pause(pause("p\(round)")))
            settle()
            #expect(bench.cluster.state.leases.durationMilliseconds == 30_000)
            #expect(bench.cluster.state.leases.waitMilliseconds == 30_000)
            bench.cluster.must(.resume(id: nil))
            settle()
            #expect(bench.cluster.state.leases.durationMilliseconds == 3000)
            // The confirmation of the first round is not one for the second.
            #expect(bench.cluster.state.leases.waitMilliseconds == 30_000, "round \(round)")
            guard case .lower(_, let lowering) = bench.decide().orders[a] else {
                Issue.record("no order to lower the lease in round \(round)")
                return
            }
            bench.reports[a]?.guardStatus?.lowered.append(lowering)
            settle()
            #expect(bench.cluster.state.leases.waitMilliseconds == 3000)
            #expect(bench.cluster.state.leases.usualMilliseconds == nil)
        }
    }

    @Test func `without a confirmation the longer wait is kept until the last longer lease has passed (LE12)`() {
        let bench = PolicyBench()
        bench.cluster.must(.pause(pause("p")))
        for _ in 0..<3 { bench.step() }
        bench.cluster.must(.resume(id: nil))
        for _ in 0..<3 { bench.step() }
        for _ in 0..<30 {
            #expect(bench.step().command == nil)
            bench.wait(1000)
            bench.renew()
        }
        bench.wait(900)
        bench.renew()
        #expect(bench.decide().command == .settleLeaseWait(milliseconds: 3000))
    }

    @Test func `a leader forgets the longer leases it granted when the shorter wait is settled (LE8)`() {
        let bench = StateBench.serving()
        bench.state.leases.durationMilliseconds = 30_000
        bench.state.leases.waitMilliseconds = 30_000
        var ledger = LeaseLedger(term: 1, becameLeaderAt: stamp(0))
        let request = LeaseRequest(
            clusterID: clusterID, epoch: 1, memberID: member("a"), token: FencingToken(1), guardIncarnation: guardOf("a"),
            daemon: DaemonIncarnation(rawValue: 1), sequence: 1)
        _ = ledger.accept(request, from: member("a"), context: 1, state: bench.state, now: stamp(100))
        bench.state.leases.durationMilliseconds = 3000
        bench.state.leases.waitMilliseconds = 3000
        #expect(!ledger.hasExpired(FencingToken(1), state: bench.state, now: stamp(20_000)))
        ledger.settled(milliseconds: 3000)
        #expect(ledger.hasExpired(FencingToken(1), state: bench.state, now: stamp(3190)))
    }

    // MARK: cancel

    @Test func `an operation is cancelled only before its point of no return (D40)`() {
        let bench = StateBench.serving()
        bench.must(.startOperation(operation("s", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2, automatic: false)))
        bench.refuses(.cancelOperation(id: "s", phase: .hold, message: "x"), "operation.cancellable")
        bench.must(.cancelOperation(id: "s", phase: .checkpoint, message: "no"))
        #expect(bench.state.operation == nil)
        #expect(bench.state.finished.last?.result == .undone)
        bench.must(.startOperation(operation("t", .switchover, from: "a", to: "b", fromToken: 1, ballot: 2, automatic: false)))
        bench.must(.advanceOperation(id: "t", from: .checkpoint, to: .hold, detail: ""))
        bench.must(.advanceOperation(id: "t", from: .hold, to: .stop, detail: ""))
        bench.must(.cancelOperation(id: "t", phase: .stop, message: "no"))
        #expect(bench.state.operation?.phase == .undo)
        bench.refuses(.cancelOperation(id: "t", phase: .undo, message: "x"), "operation.cancellable")
    }

    @Test func `only a directive that nobody has begun is cancelled (CS8)`() {
        let bench = StateBench.serving()
        bench.must(.publishDirective(restarting("b", pid: 100)))
        bench.must(.completeDirective(id: "r", status: .running, error: nil))
        bench.refuses(.cancelDirective(id: "r", message: "x"), "directive.pending")
        bench.must(.completeDirective(id: "r", status: .completed, error: nil, seconds: 1.5))
        #expect(bench.state.directives.last?.seconds == 1.5)
        var second = restarting("b", pid: 100)
        second.id = "q"
        bench.must(.publishDirective(second))
        bench.must(.cancelDirective(id: "q", message: "by test"))
        #expect(bench.state.directives.last?.status == .cancelled)
    }

    private func restarting(_ node: String, pid: Int32) -> DirectiveRecord {
        DirectiveRecord(
            id: "r", type: .restart, targetNode: name(node), params: ["pid": "\(pid)"], token: FencingToken(1), createdAt: 0,
            ttlMilliseconds: 120_000, term: 1)
    }
}

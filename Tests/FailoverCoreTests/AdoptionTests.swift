import ClusterModel
import FailoverCore
import Testing

/// Servers that no guard started: taken over, left alone, or ended (AG1, AG2, AG5, DE8).
@Suite struct AdoptionTests {
    // MARK: The node

    @Test func `AG5: the bootstrapping node adopts a writable server of a cluster without a token`() {
        let bench = AgentBench.founding()
        bench.stranger(writable: true, inRecovery: false)
        #expect(bench.evaluate().contains(.adopt(.firstPrimary)))
        #expect(bench.starts.isEmpty && bench.jobs.isEmpty)
    }

    @Test func `AG5: it waits for a server that does not answer yet, since only SQL says what it is`() {
        let bench = AgentBench.founding()
        bench.stranger(writable: true, inRecovery: nil)
        for _ in 0..<5 { #expect(bench.evaluate() == [.order(.status), .watchClosely]) }
    }

    @Test func `P01: a running standby is adopted as a standby`() {
        let bench = AgentBench.founding()
        bench.stranger(writable: false, inRecovery: true)
        #expect(bench.evaluate().contains(.adopt(.standby)))
    }

    @Test func `AG5: a node that does not bootstrap adopts nothing before there is a token`() {
        let bench = AgentBench.founding()
        bench.context.mayInitialise = false
        bench.stranger(writable: true, inRecovery: false)
        #expect(bench.evaluate() == [.order(.status)])
    }

    @Test func `AG1: a writable server without the token is fenced`() {
        let bench = AgentBench("b")
        bench.stranger(writable: true, inRecovery: false)
        #expect(bench.fences(FencingToken(1)))
        // Also when only the control file can be read.
        bench.stranger(writable: true, inRecovery: nil)
        #expect(bench.fences(FencingToken(1)))
        // Also when only SQL shows it.
        bench.stranger(writable: false, inRecovery: false)
        #expect(bench.fences(FencingToken(1)))
    }

    @Test func `AG14: a standby that the distribution's unit started is adopted`() {
        let bench = AgentBench("b")
        bench.stranger(writable: false, inRecovery: true)
        #expect(bench.evaluate().contains(.adopt(.standby)))
    }

    @Test func `D48: a directory with an unfinished job is not adopted`() {
        let bench = AgentBench("b")
        bench.stranger(writable: false, inRecovery: true)
        bench.context.facts?.unfinishedJob = "clone"
        #expect(!bench.evaluate().contains(.adopt(.standby)))
    }

    @Test func `D60: a server of another system is left as it is`() {
        let bench = AgentBench("b")
        bench.stranger(writable: true, inRecovery: false, system: 7)
        #expect(bench.evaluate() == [.order(.status)])
        #expect(bench.agent.report(bench.context, version: "1").agentState == "failed")
    }

    @Test func `AG12: what was started again by hand under the lease that is still held is adopted`() {
        let bench = AgentBench("a")
        bench.stranger(writable: true, inRecovery: false, guardState: .armed, token: 1)
        #expect(bench.evaluate().contains(.adopt(.primary(FencingToken(1)))))
    }

    @Test func `AG1: an adopted server whose cluster appointed another node is fenced`() {
        let bench = AgentBench("b")
        bench.context.guardStatus = status("b", .primary, token: nil)
        #expect(bench.fences(FencingToken(1)))
    }

    @Test func `D42: what ran writable without the token is cloned, and answers no pledge`() {
        let bench = AgentBench("b")
        bench.stopped(at(2, 500), wasStandby: false)
        guard case .clone = bench.job(.inspectStopped) else {
            Issue.record("it is not cloned")
            return
        }
        let other = AgentBench("b")
        other.context.state.primary?.phase = .ended
        other.stopped(at(2, 5000), wasStandby: false)
        other.agent.received(pledgeRequest: FencingToken(2))
        other.context.pledgedBallot = FencingToken(2)
        for _ in 0..<10 { other.turn() }
        #expect(other.pledges.isEmpty)
    }

    @Test func `AG5: an adopted primary reports itself promoted under its lease, also on timeline 1`() {
        let bench = AgentBench.founding()
        bench.assignedByAdoption()
        bench.context.guardStatus = status("a", .primary, token: nil)
        bench.context.facts = facts("a", server(inRecovery: false, timeline: 1, lsn: 700))
        bench.evaluate()
        #expect(bench.agent.report(bench.context, version: "1").promoted == nil, "not without the lease")
        bench.context.guardStatus = status("a", .primary, token: 1)
        bench.evaluate()
        #expect(
            bench.agent.report(bench.context, version: "1").promoted
                == PromotionReport(token: FencingToken(1), timeline: TimelineID(1), forkLSN: .zero))
        #expect(bench.jobs.isEmpty && bench.starts.isEmpty)
    }

    // MARK: The leader

    @Test func `AG5: the adopted server becomes the first primary on the timeline it is on`() {
        let bench = PolicyBench(.founded())
        bench.reports = [name("a"): adopted("a", timeline: 4)]
        guard case .setSystemIdentifier(systemID, timeline: TimelineID(4)) = bench.step().command else {
            Issue.record("the system identifier is not recorded first")
            return
        }
        #expect(bench.step().started?.kind == .bootstrap)
        let assigned = bench.step().assigned
        #expect(assigned?.timeline == TimelineID(4))
        #expect(assigned?.parent == TimelineID(3))
        #expect(assigned?.basis == .never)
        #expect(bench.primary?.token == FencingToken(1))
    }

    @Test(arguments: [true, false])
    func `P01: an adopted standby is not promoted by itself, also after a restart by the guard`(isAdopted: Bool) {
        let bench = PolicyBench(.founded())
        var standby = report("a", .replica, lsn: 900)
        standby.guardStatus?.isAdopted = isAdopted ? true : nil
        standby.facts?.server?.foundInRecovery = true
        bench.reports = [name("a"): standby]
        guard case .setSystemIdentifier = bench.step().command else {
            Issue.record("the system identifier is not recorded")
            return
        }
        for _ in 0..<20 {
            bench.wait(500)
            #expect(bench.decide().command == nil)
        }
    }

    @Test func `DE8: a writable stranger is a split brain until it is gone, and nobody is appointed`() {
        let bench = PolicyBench()
        var strange = report("b", .replica, lsn: 900)
        strange.guardStatus = status("b", .empty, pid: nil)
        strange.guardStatus?.allProcessesGone = false
        strange.guardStatus?.stranger = StrangerServer(
            pid: 9, mayBeWritable: true, hasStandbySignal: false, systemIdentifier: systemID)
        bench.reports[name("b")] = strange
        bench.renew()
        #expect(bench.decide().splitBrain)
        bench.reports[name("b")]?.guardStatus?.stranger?.systemIdentifier = 7
        #expect(!bench.decide().splitBrain, "D60: another system's server is none of this cluster")
        bench.set("b", .replica)
        #expect(!bench.decide().splitBrain)
    }

    @Test func `D59: only an adoption keeps its timeline`() {
        let bench = StateBench.founded()
        bench.must(.setSystemIdentifier(systemID, timeline: TimelineID(4)))
        bench.must(.startOperation(operation("first", .bootstrap, to: "a", fromToken: 0, ballot: 1)))
        bench.must(.assignPrimary(assignment(1, "a", timeline: 4, parent: 3, .never, operation: "first")))
        bench.must(.recordPromotion(token: FencingToken(1), timeline: TimelineID(4), forkLSN: LSN(100)))
        #expect(bench.state.lastTimeline == TimelineID(4))
        let other = StateBench.serving()
        other.failover(released: true)
        other.refuses(.assignPrimary(assignment(2, "b", timeline: 2, parent: 2, .released, operation: "op")), "D59")
    }

    private func adopted(_ node: String, timeline: UInt32) -> NodeReport {
        var found = report(node, .primary, lsn: 900, timeline: timeline, replicas: [])
        found.guardStatus = status(node, .primary, token: nil)
        found.guardStatus?.isAdopted = true
        found.facts?.server?.history = [TimelineSwitch(timeline: TimelineID(timeline - 1), switchPoint: LSN(300))]
        return found
    }
}

extension StateBench {
    /// A cluster of one data node `a` that has had no primary.
    static func founded() -> StateBench {
        let bench = StateBench()
        bench.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000))
        bench.must(.registerNode(record("a")))
        return bench
    }
}

extension AgentBench {
    /// The bootstrapping node `a` of a new cluster.
    static func founding() -> AgentBench {
        let bench = AgentBench("a")
        bench.context.state = StateBench.founded().state
        bench.context.mayInitialise = true
        return bench
    }

    func assignedByAdoption() {
        let bench = StateBench.founded()
        bench.must(.setSystemIdentifier(systemID, timeline: TimelineID(1)))
        bench.must(.startOperation(operation("first", .bootstrap, to: "a", fromToken: 0, ballot: 1)))
        bench.must(.assignPrimary(assignment(1, "a", timeline: 1, parent: 0, .never, operation: "first")))
        context.state = bench.state
    }

    /// Somebody else's server runs in the data directory; `inRecovery` nil: it does not answer.
    func stranger(
        writable: Bool, inRecovery: Bool?, system: UInt64 = systemID, guardState: GuardState = .empty, token: UInt64? = nil
    ) {
        var found = status("\(context.me)", guardState, token: token, pid: nil)
        found.allProcessesGone = false
        found.stranger = StrangerServer(pid: 9, mayBeWritable: writable, hasStandbySignal: !writable, systemIdentifier: system)
        context.guardStatus = found
        context.facts = facts("\(context.me)", inRecovery.map { server(inRecovery: $0, timeline: 2, lsn: 900) })
    }

    func fences(_ token: FencingToken) -> Bool {
        evaluate().contains { if case .order(.fence(token, _)) = $0 { true } else { false } }
    }
}

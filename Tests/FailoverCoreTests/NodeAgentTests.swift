import ClusterModel
import FailoverCore
import Testing

/// How one node converges (8.1): what is in, the first steps out.
@Suite struct NodeAgentTests {
    @Test func `a stopped former replica starts as a standby, prepared first (AG8, AG14)`() {
        let bench = AgentBench("b")
        bench.stopped(at(2, 900), wasStandby: true)
        guard case .prepareStandby(let settings) = bench.job(.inspectStopped) else {
            Issue.record("it is not prepared")
            return
        }
        #expect(settings.upstream?.node == name("a"))
        #expect(settings.slot == "b")
        #expect(!bench.starts.contains(.startStandby), "not before standby.signal is durable")
        bench.finish(.prepareStandby(settings), .done)
        #expect(bench.evaluate().contains(.startStandby))
    }

    @Test func `nothing but a restart in place starts without standby_signal (AG14)`() {
        for phase in [PrimaryRecord.Phase.assigned, .serving, .ended] {
            let bench = AgentBench("a")
            bench.context.state.primary?.phase = phase
            bench.context.guardStatus = status("a", .armed, token: 1, pid: nil)
            bench.stopped(at(2, 900), wasStandby: false, guardState: .armed, token: 1)
            for _ in 0..<20 { bench.turn() }
            #expect(!bench.starts.contains { if case .startInPlace = $0 { true } else { false } }, "\(phase)")
        }
    }

    @Test func `a crashed holder looks at its files and starts in place when the leader says so (5_2)`() {
        let bench = AgentBench("a")
        bench.stopped(at(2, 900), wasStandby: false, guardState: .armed, token: 1)
        #expect(bench.job(.inspectStopped) == nil, "then it waits for the leader")
        bench.order(.restartInPlace(FencingToken(1)))
        for _ in 0..<3 { bench.turn() }
        #expect(bench.starts == [.startInPlace(FencingToken(1))])
    }

    @Test func `an order for another token is not obeyed (D36)`() {
        let bench = AgentBench("a")
        bench.stopped(at(2, 900), wasStandby: false, guardState: .armed, token: 1)
        bench.order(.restartInPlace(FencingToken(9)))
        for _ in 0..<5 { bench.turn() }
        #expect(bench.starts.isEmpty)
    }

    @Test func `a former primary stays stopped while nobody serves (AG10, D43)`() {
        let bench = AgentBench("a")
        bench.context.state.primary?.phase = .ended
        bench.context.state.primary?.released = ReleaseEvidence(manner: .crash, endOfWAL: nil)
        bench.stopped(at(2, 900), wasStandby: false)
        for _ in 0..<20 { bench.turn() }
        #expect(bench.starts.isEmpty)
        #expect(bench.jobs == [.inspectStopped])
    }

    @Test func `a diverged former primary is rewound before it is started (D42, D43)`() throws {
        let bench = AgentBench("a")
        bench.bServesTimeline3(fork: 800)
        bench.stopped(at(2, 900), wasStandby: false)
        guard case .rewind(let source) = bench.job(.inspectStopped) else {
            Issue.record("no rewind: \(bench.evaluate())")
            return
        }
        #expect(source.node == name("b"))
        #expect(bench.starts.isEmpty)
        bench.finish(.rewind(source: source), .failed(BastionError(.failed, "rewind failed")))
        bench.wait(1000)
        for _ in 0..<3 { bench.turn(failing: true) }
        #expect(bench.starts.isEmpty, "D48: an interrupted rewind is never started")
        #expect(bench.jobs.contains { if case .clone = $0 { true } else { false } })
    }

    @Test func `without checksums a diverged node is cloned (AG19)`() {
        let bench = AgentBench("a")
        bench.bServesTimeline3(fork: 800)
        bench.stopped(at(2, 900), wasStandby: false, checksums: false)
        guard case .clone = bench.job(.inspectStopped) else {
            Issue.record("no clone")
            return
        }
    }

    @Test func `a former primary that ends before the fork only follows (AG8, D42)`() {
        let bench = AgentBench("a")
        bench.bServesTimeline3(fork: 900)
        bench.stopped(at(2, 900), wasStandby: false)
        guard case .prepareStandby(let settings) = bench.job(.inspectStopped) else {
            Issue.record("no start")
            return
        }
        #expect(settings.upstream?.node == name("b"))
    }

    @Test func `another system identifier is never started, and stopped if it runs (AG2, D60)`() {
        let bench = AgentBench("b")
        bench.stopped(at(2, 900), wasStandby: true)
        bench.context.facts?.control?.systemIdentifier = 1
        for _ in 0..<5 { bench.turn() }
        #expect(bench.starts.isEmpty && bench.jobs.isEmpty)
        bench.context.guardStatus = status("b", .standby)
        #expect(bench.evaluate().contains { if case .order(.stop) = $0 { true } else { false } })
    }

    @Test(arguments: ["unreadable", "clone", "clone-complete", "rewind-complete"])
    func `another system's data are not replaced either, whatever the job marker says (AG2, D60)`(marker: String) {
        let bench = AgentBench("b")
        bench.stopped(at(2, 900), wasStandby: false)
        bench.context.facts?.control?.systemIdentifier = 1
        bench.context.facts?.unfinishedJob = marker
        for _ in 0..<5 { bench.turn() }
        #expect(bench.starts.isEmpty && bench.jobs.isEmpty)
        #expect(bench.agent.report(bench.context, version: "1").failure?.contains("D60") == true)
    }

    @Test func `an interrupted job is never started, it is cloned anew (AG3, D48)`() {
        let bench = AgentBench("b")
        bench.stopped(at(2, 900), wasStandby: true)
        bench.context.facts?.unfinishedJob = "rewind"
        bench.turn()
        #expect(bench.starts.isEmpty)
        guard case .clone = bench.jobs.first else {
            Issue.record("\(bench.jobs)")
            return
        }
    }

    @Test func `an empty data directory is cloned from the primary (AG4)`() {
        let bench = AgentBench("b")
        bench.stopped(at(2, 900), wasStandby: true)
        bench.context.facts = PostgresFacts(dataDirectory: .empty)
        bench.turn()
        #expect(
            bench.jobs == [.clone(source: PostgresEndpoint(node: name("a"), host: "127.0.0.1", port: 5432), slot: "b")])
    }

    @Test func `while paused nothing is started, rewound or cloned (AG12, D65)`() {
        for flaw in ["stopped", "diverged", "empty"] {
            let bench = AgentBench("a")
            bench.bServesTimeline3(fork: flaw == "diverged" ? 100 : 900)
            bench.context.state.paused = pause("p")
            bench.stopped(at(2, 900), wasStandby: false)
            if flaw == "empty" { bench.context.facts = PostgresFacts(dataDirectory: .empty) }
            for _ in 0..<20 { bench.turn() }
            #expect(bench.starts.isEmpty, "\(flaw)")
            #expect(bench.jobs.allSatisfy { $0 == .inspectStopped }, "\(flaw): \(bench.jobs)")
        }
    }

    // MARK: Pledges

    @Test func `a pledge is durable before it is answered, and the receiver has stopped (SE3)`() throws {
        let bench = AgentBench("b")
        bench.agent.received(pledgeRequest: FencingToken(2))
        let first = bench.evaluate()
        #expect(first.contains(.persistPledge(FencingToken(2))))
        guard case .stopReceiver(let settings) = bench.action(in: first) else {
            Issue.record("the receiver goes on")
            return
        }
        #expect(settings.upstream == nil)
        bench.begin(.stopReceiver(settings))
        let position = ReceivedPosition(timeline: TimelineID(2), lsn: LSN(950), replayed: LSN(940), history: [])
        bench.finish(.stopReceiver(settings), .stoppedReceiving(position))
        #expect(bench.pledge(in: bench.evaluate()) == nil, "not yet durable")
        bench.context.pledgedBallot = FencingToken(2)
        let pledge = try #require(bench.pledge(in: bench.evaluate()))
        #expect(pledge.ballot == FencingToken(2) && pledge.position == at(2, 950) && !pledge.isStopped)
        #expect(pledge.dataID == dataOf("b"))
    }

    @Test func `a pledge of an older ballot is not answered (SE3)`() {
        let bench = AgentBench("b")
        bench.agent.received(pledgeRequest: FencingToken(1))
        #expect(!bench.evaluate().contains { if case .persistPledge = $0 { true } else { false } })
    }

    @Test func `who pledged follows no older primary (SE3)`() {
        let bench = AgentBench("b")
        bench.context.pledgedBallot = FencingToken(2)
        for _ in 0..<5 { bench.turn() }
        #expect(bench.jobs.isEmpty)
    }

    @Test func `a stopped server answers with its end of WAL only when its lease is gone (SE4)`() throws {
        let bench = AgentBench("a")
        bench.context.pledgedBallot = FencingToken(2)
        bench.context.state.primary?.phase = .ended
        bench.context.state.primary?.released = ReleaseEvidence(manner: .crash, endOfWAL: nil)
        bench.stopped(at(2, 900), wasStandby: false, guardState: .armed, token: 1)
        bench.agent.received(pledgeRequest: FencingToken(2))
        for _ in 0..<3 { bench.turn() }
        #expect(bench.pledge(in: bench.evaluate()) == nil)
        bench.context.guardStatus = status("a", .fenced, token: 1, pid: nil)
        bench.turn()
        let pledge = try #require(bench.pledges.last ?? bench.pledge(in: bench.evaluate()))
        #expect(pledge.isStopped && pledge.position == at(2, 900))
    }

    @Test(arguments: ["clone", "clone-complete"])
    func `a marker left from before its appointment does not silence a former primary (D48, SE4, seed 1185)`(marker: String) {
        let bench = AgentBench("a")
        bench.context.pledgedBallot = FencingToken(2)
        bench.context.state.primary?.phase = .ended
        bench.stopped(at(2, 900), wasStandby: false, guardState: .fenced, token: 1)
        bench.context.facts?.unfinishedJob = marker
        bench.agent.received(pledgeRequest: FencingToken(2))
        for _ in 0..<4 { bench.turn() }
        #expect(bench.pledges.isEmpty == (marker == "clone"))
        // Data that were never appointed still answer nothing before they have streamed.
        let other = AgentBench("b")
        other.context.pledgedBallot = FencingToken(2)
        other.stopped(at(2, 900), wasStandby: true)
        other.context.facts?.unfinishedJob = marker
        other.agent.received(pledgeRequest: FencingToken(2))
        for _ in 0..<4 { other.turn() }
        #expect(other.pledges.isEmpty)
    }

    // MARK: Lease and release

    @Test func `a server that is writable under an old token is fenced (AG1)`() {
        let bench = AgentBench("a")
        bench.bServesTimeline3(fork: 800)
        bench.context.guardStatus = status("a", .primary, token: 1)
        bench.context.facts = facts("a", server(inRecovery: false, timeline: 2, lsn: 900))
        #expect(bench.evaluate().contains { if case .order(.fence(FencingToken(1), _)) = $0 { true } else { false } })
    }

    @Test func `the lease is released only when the guard is fenced (LE10, LE11)`() throws {
        let bench = AgentBench("a")
        bench.context.state.primary?.phase = .ended
        bench.context.guardStatus = status("a", .primary, token: 1)
        bench.context.facts = facts("a", server(inRecovery: false, timeline: 2, lsn: 900))
        var steps = bench.evaluate()
        #expect(steps.contains(.order(.stop(budgetMilliseconds: 1000))), "SE6: a live primary gets up to 1 s")
        #expect(bench.release(in: steps) == nil)
        bench.context.guardStatus = status("a", .armed, token: 1, pid: nil)
        bench.context.guardStatus?.allProcessesGone = false
        #expect(bench.release(in: bench.evaluate()) == nil, "LE11: a process is left")
        bench.context.guardStatus?.allProcessesGone = true
        steps = bench.evaluate()
        #expect(bench.release(in: steps) == nil)
        #expect(steps.contains { if case .order(.fence(FencingToken(1), _)) = $0 { true } else { false } })
        bench.context.guardStatus = status("a", .fenced, token: 1, pid: nil)
        #expect(bench.release(in: bench.evaluate())?.manner == .fenced)
        bench.context.guardStatus?.incarnation = guardOf("a", life: 2)
        #expect(bench.release(in: bench.evaluate()) == nil, "LE8: another guard proves nothing")
    }

    @Test func `promotion is ordered only under the lease, with timeline and settings prepared (AG6, AG9)`() {
        let bench = AgentBench("b")
        bench.assignedToB()
        bench.context.guardStatus = status("b", .standby)
        for _ in 0..<4 { bench.turn() }
        #expect(bench.jobs.contains { if case .applySettings = $0 { true } else { false } })
        let promote = AgentStep.order(.promote(token: FencingToken(2)))
        #expect(!bench.evaluate().contains(promote), "no lease yet")
        bench.context.guardStatus = status("b", .armed, token: 2)
        #expect(bench.evaluate().contains(promote))
    }

    @Test func `a skipped timeline number is reserved first (AG9, D59)`() {
        let bench = AgentBench("b")
        bench.assignedToB(timeline: 4)
        bench.context.guardStatus = status("b", .armed, token: 2)
        #expect(bench.evaluate().contains(.act(.reserveTimeline(TimelineID(4)))))
    }

    @Test func `an empty directory gives the assignment up (D52, D33)`() {
        let bench = AgentBench("b")
        bench.assignedToB()
        bench.stopped(at(2, 900), wasStandby: true, guardState: .armed, token: 2)
        bench.context.facts = PostgresFacts(dataDirectory: .missing)
        #expect(bench.evaluate().contains { if case .order(.fence(FencingToken(2), _)) = $0 { true } else { false } })
        #expect(bench.agent.report(bench.context, version: "1").failedToken == FencingToken(2))
    }

    @Test func `one job at a time (AG15)`() throws {
        let bench = AgentBench("b")
        bench.context.facts = PostgresFacts(dataDirectory: .empty)
        bench.context.guardStatus = status("b", .empty, pid: nil)
        let job = try #require(bench.action(in: bench.evaluate()))
        bench.begin(job)
        for _ in 0..<5 { #expect(bench.action(in: bench.evaluate()) == nil) }
    }

    @Test func `a witness does nothing`() {
        let bench = AgentBench("w")
        #expect(bench.evaluate().isEmpty)
    }
}

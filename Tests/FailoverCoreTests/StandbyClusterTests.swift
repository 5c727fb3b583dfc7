import ClusterModel
import FailoverCore
import Testing

/// A cluster that follows another one has no primary until an operator asks for it, and exactly one afterwards.
@Suite struct StandbyClusterTests {
    private let upstream = StandbyUpstream(host: "old.example.org", port: 5433, slot: "green")

    // MARK: State

    @Test func `the mode begins only in a cluster that never had a primary`() {
        StateBench.serving().refuses(.followCluster(upstream), "D1")
        let bench = StateBench.following(upstream)
        #expect(bench.state.isStandby)
    }

    @Test func `nothing but an operator's promotion may start an operation while the cluster follows`() {
        let bench = StateBench.following(upstream)
        bench.refuses(.startOperation(operation("x", .bootstrap, to: "a", fromToken: 0, ballot: 1)), "standby.active")
        bench.refuses(.startOperation(operation("x", .failover, to: "a", fromToken: 0, ballot: 1, automatic: false)), "standby.active")
        bench.refuses(.startOperation(operation("x", .standbyPromote, fromToken: 0, ballot: 1)), "standby.active")
        bench.must(.startOperation(operation("x", .standbyPromote, fromToken: 0, ballot: 1, automatic: false)))
        #expect(bench.state.isStandby, "the mode ends with the appointment, not with the wish")
    }

    @Test func `the appointment ends the mode for ever, also when the promotion fails`() {
        let bench = StateBench.following(upstream)
        bench.must(.setSystemIdentifier(systemID, timeline: TimelineID(4)))
        bench.must(.startOperation(operation("x", .standbyPromote, fromToken: 0, ballot: 1, automatic: false)))
        bench.must(.assignPrimary(assignment(1, "a", timeline: 5, parent: 4, .never, operation: "x")))
        #expect(!bench.state.isStandby)
        #expect(bench.state.operation?.oldTimeline == TimelineID(4))
        bench.must(.abandonAssignment(token: FencingToken(1), reason: "test"))
        #expect(!bench.state.isStandby)
        bench.refuses(.followCluster(upstream), "D1")
        bench.refuses(.setStandbySource(name("a")), "CS4")
    }

    @Test func `a promotion that is cancelled before the appointment leaves the cluster following`() {
        let bench = StateBench.following(upstream)
        bench.must(.startOperation(operation("x", .standbyPromote, fromToken: 0, ballot: 1, automatic: false)))
        bench.must(.cancelOperation(id: "x", phase: .pledge, message: "test"))
        #expect(bench.state.isStandby)
        #expect(bench.state.operation == nil)
    }

    @Test func `the address of the followed cluster may change, and the source stays`() {
        let bench = StateBench.following(upstream)
        bench.must(.setStandbySource(name("b")))
        bench.must(.followCluster(StandbyUpstream(host: "new.example.org", port: 5432, slot: nil)))
        #expect(bench.state.standby?.upstream.host == "new.example.org")
        #expect(bench.state.standby?.source == name("b"))
        bench.refuses(.setStandbySource(name("w")), "CS4")
    }

    // MARK: Policy

    @Test func `nobody is appointed while the cluster follows, whatever the nodes report`() {
        var dice = Dice(seed: 7)
        for _ in 0..<200 {
            let bench = PolicyBench(StateBench.following(upstream))
            if dice.chance(30) { bench.policy = FailoverPolicy(settings: PolicySettings()) }
            for _ in 0..<20 {
                for node in ["a", "b", "c"] {
                    let lsn = UInt64(dice.roll(800..<1000))
                    bench.reports[name(node)] = dice.chance(20) ? nil : following(node, lsn: lsn, streams: dice.chance(60))
                }
                bench.wait(Int64(dice.roll(100..<4000)))
                bench.step()
                #expect(bench.primary == nil)
                #expect(bench.operation == nil)
                #expect(bench.cluster.state.lastToken == .never)
            }
        }
    }

    @Test func `the most advanced node streams from the followed cluster, and keeps that while it is there`() {
        let bench = bench(["a": 800, "b": 900, "c": 850])
        #expect(bench.step().command == .setStandbySource(name("b")))
        bench.reports[name("c")] = following("c", lsn: 950, streams: true)
        #expect(bench.settled(8).contains { $0 == .setStandbySource(name("c")) } == false)
        #expect(bench.cluster.state.systemIdentifier == systemID)
        #expect(bench.cluster.state.lastTimeline == TimelineID(4))
    }

    @Test func `another node takes over when the source is silent for 5 s`() {
        let bench = bench(["a": 900, "b": 900, "c": 850])
        bench.settled(8)
        #expect(bench.cluster.state.standby?.source == name("a"))
        bench.reports[name("a")] = nil
        bench.wait(2000)
        #expect(bench.step().command == nil)
        bench.wait(5100)
        #expect(bench.step().command == .setStandbySource(name("b")))
    }

    @Test func `a node that streams becomes ready, a fenced one does not`() {
        let bench = bench(["a": 900, "b": 900])
        bench.settled(8)
        #expect(bench.cluster.state.nodes[name("a")]?.standing == .ready)
        #expect(bench.cluster.state.nodes[name("b")]?.standing == .ready)
        #expect(bench.cluster.state.nodes[name("c")]?.standing == .joining)
        bench.cluster.must(.fenceNode(node: name("b"), memberID: member("b"), reason: "test"))
        bench.settled(8)
        #expect(bench.cluster.state.nodes[name("b")]?.standing == .fenced)
    }

    @Test func `the timeline of the followed cluster is taken over, so that the own one is new`() {
        let bench = bench(["a": 900])
        bench.settled(8)
        bench.reports[name("a")] = following("a", lsn: 990, streams: true, timeline: 6)
        bench.settled(4)
        #expect(bench.cluster.state.lastTimeline == TimelineID(6))
    }

    @Test func `the promotion waits until nobody receives any more, then takes the most advanced node`() {
        let bench = promoting(["a": 800, "b": 900, "c": 850])
        #expect(bench.step().command == nil)
        #expect(bench.policy.explanation.contains("still receive"))
        for (node, lsn) in ["a": 880, "b": 900, "c": 900] as [String: UInt64] {
            bench.reports[name(node)] = following(node, lsn: lsn, streams: false)
        }
        let assigned = bench.step().assigned
        #expect(assigned?.node == name("b"))
        #expect(assigned?.basis == .never)
        #expect(assigned?.timeline == TimelineID(5))
        #expect(assigned?.parent == TimelineID(4))
        #expect(bench.primary?.token == FencingToken(1))
        #expect(!bench.cluster.state.isStandby)
    }

    @Test func `exactly one node is appointed, also when leaders change on the way`() {
        var dice = Dice(seed: 11)
        for _ in 0..<200 {
            let bench = promoting(["a": 900, "b": 900, "c": 900])
            var appointed = 0
            for _ in 0..<30 {
                for node in ["a", "b", "c"] {
                    bench.reports[name(node)] = dice.chance(15) ? nil : following(node, lsn: 900, streams: dice.chance(20))
                }
                // A new leader knows nothing of what the last one remembered.
                if dice.chance(30) { bench.policy = FailoverPolicy(settings: PolicySettings()) }
                bench.wait(Int64(dice.roll(100..<2500)))
                if bench.step().assigned != nil { appointed += 1 }
                if appointed > 0 { break }
            }
            #expect(appointed <= 1)
            #expect(bench.cluster.state.lastToken.rawValue == UInt64(appointed))
        }
    }

    @Test func `a silent node that had more keeps the promotion waiting, unless that much may be lost`() {
        let bench = promoting(["a": 800, "b": 900])
        _ = bench.decide()
        bench.silent = [name("b")]
        bench.reports[name("a")] = following("a", lsn: 800, streams: false)
        bench.wait(20_000)
        bench.step()
        bench.wait(6000)
        #expect(bench.step().assigned == nil)
        #expect(bench.policy.explanation.contains("had more"))
        bench.cluster.must(.cancelOperation(id: "promote", phase: .pledge, message: "test"))
        bench.cluster.must(.startOperation(promotion("again", allowing: 100)))
        bench.step()
        bench.wait(6000)
        #expect(bench.step().assigned?.node == name("a"))
    }

    @Test func `a server that runs writable in a cluster that follows is shown as split brain`() {
        let bench = bench(["a": 900])
        bench.settled(8)
        var report = following("a", lsn: 900, streams: false)
        report.facts?.server?.isInRecovery = false
        report.guardStatus = status("a", .empty, pid: nil)
        report.guardStatus?.stranger = StrangerServer(
            pid: 7, mayBeWritable: true, hasStandbySignal: false, systemIdentifier: systemID)
        bench.reports[name("a")] = report
        #expect(bench.decide().splitBrain)
    }

    // MARK: Agent

    @Test func `the source clones from the followed cluster with the configured slot, and not by initdb`() {
        let bench = follower("a", source: "a")
        bench.context.mayInitialise = true
        bench.emptied()
        #expect(bench.action(in: bench.evaluate()) == upstream.endpoint.map { .clone(source: $0, slot: "green") })
    }

    @Test func `the others clone from the source once it streams`() {
        let bench = follower("b", source: "a", systemIdentifier: nil)
        bench.emptied()
        #expect(bench.action(in: bench.evaluate()) == nil)
        bench.context.state = follower("b", source: "a").context.state
        let source = PostgresEndpoint(node: name("a"), host: "127.0.0.1", port: 5432)
        #expect(bench.action(in: bench.evaluate()) == .clone(source: source, slot: "b"))
    }

    @Test func `a running standby is pointed at the followed cluster, and at nobody while it is promoted`() {
        let bench = follower("a", source: "a")
        guard case .applySettings(let wanted) = bench.action(in: bench.evaluate()) else {
            Issue.record("no settings are applied")
            return
        }
        #expect(wanted.upstream == upstream.endpoint)
        #expect(wanted.slot == "green")
        bench.begin(.applySettings(wanted))
        bench.finish(.applySettings(wanted), .done)
        let state = StateBench.following(upstream)
        state.must(.setStandbySource(name("a")))
        state.must(.startOperation(promotion("promote")))
        bench.context.state = state.state
        guard case .applySettings(let alone) = bench.action(in: bench.evaluate()) else {
            Issue.record("no settings are applied")
            return
        }
        #expect(alone.upstream == nil)
    }

    @Test func `data that ran writable are not followed`() {
        let bench = follower("a", source: "a")
        bench.stopped(at(4, 900), wasStandby: false)
        bench.turn()
        #expect(bench.jobs == [.inspectStopped])
        #expect(bench.action(in: bench.evaluate()) == nil)
        #expect(bench.agent.report(bench.context, version: "1").failure?.contains("ran writable") == true)
    }

    @Test func `a stopped standby starts as one, also without contact to the followed cluster`() {
        let bench = follower("a", source: "a")
        bench.stopped(at(4, 900), wasStandby: true)
        for _ in 0..<4 { bench.turn() }
        #expect(bench.starts.first == .startStandby)
    }

    // MARK: Helpers

    private func bench(_ positions: [String: UInt64]) -> PolicyBench {
        let bench = PolicyBench(StateBench.following(upstream))
        bench.reports = [:]
        for (node, lsn) in positions { bench.reports[name(node)] = following(node, lsn: lsn, streams: true) }
        return bench
    }

    /// An operator asked for the promotion; everybody still receives.
    private func promoting(_ positions: [String: UInt64]) -> PolicyBench {
        let bench = bench(positions)
        bench.settled(12)
        bench.cluster.must(.startOperation(promotion("promote")))
        return bench
    }

    private func promotion(_ id: String, allowing loss: UInt64? = nil) -> OperationRecord {
        var record = operation(id, .standbyPromote, fromToken: 0, ballot: 1, automatic: false)
        record.allowDataLossBytes = loss
        return record
    }

    private func following(_ node: String, lsn: UInt64, streams: Bool, timeline: UInt32 = 4) -> NodeReport {
        var found = report(node, .replica, lsn: lsn, timeline: timeline)
        found.guardStatus = status(node, .standby)
        found.facts?.server?.receiver = streams ? ReceiverFacts(status: "streaming") : nil
        return found
    }

    private func follower(_ node: String, source: String, systemIdentifier: UInt64? = systemID) -> AgentBench {
        let state = StateBench.following(upstream)
        state.must(.setStandbySource(name(source)))
        if let systemIdentifier { state.must(.setSystemIdentifier(systemIdentifier, timeline: TimelineID(4))) }
        let bench = AgentBench(node)
        bench.context.state = state.state
        bench.context.guardStatus = status(node, .standby)
        bench.context.facts = facts(node, server(inRecovery: true, timeline: 4, lsn: 900))
        return bench
    }
}

extension StateBench {
    /// Data nodes `a`, `b`, `c` and witness `w` follow another cluster.
    static func following(_ upstream: StandbyUpstream) -> StateBench {
        let bench = StateBench()
        bench.must(.initCluster(id: clusterID, epoch: 1, name: "demo", leaseMilliseconds: 3000))
        bench.must(.followCluster(upstream))
        for node in ["a", "b", "c"] { bench.must(.registerNode(record(node))) }
        bench.must(.registerNode(record("w", kind: .witness)))
        return bench
    }
}

extension PolicyBench {
    /// What the policy proposes in so many steps.
    @discardableResult
    fileprivate func settled(_ steps: Int) -> [ClusterCommand] {
        var commands: [ClusterCommand] = []
        for _ in 0..<steps {
            wait(100)
            if let command = step().command { commands.append(command) }
        }
        return commands
    }
}

extension AgentBench {
    /// No data directory, no server.
    fileprivate func emptied() {
        context.guardStatus?.state = .empty
        context.guardStatus?.postmasterPID = nil
        context.guardStatus?.allProcessesGone = true
        context.facts = PostgresFacts(dataDirectory: .missing)
    }
}

import ClusterModel
import FailoverCore
import Testing

/// PR8: what becomes a line of the decision record.
@Suite struct DecisionTests {
    @Test func `every committed decision is a line of the chain, the same on every member (CS1)`() {
        let (a, b) = (StateBench.synchronous(), StateBench.synchronous())
        #expect(a.state.decisions == b.state.decisions)
        #expect(a.state.decisions.firstBrokenLink == nil)
        let kinds = a.state.decisions.map(\.kind)
        for kind in [
            "cluster.founded", "node.registered", "operation.started", "primary.assigned", "primary.promoted", "operation.finished",
            "node.standing", "synchronous.changed", "synchronous.settled",
        ] { #expect(kinds.contains(kind), "\(kind)") }
    }

    @Test func `a decision says who asked, why, from which facts, and who lost`() throws {
        let bench = StateBench.serving()
        let evidence = DecisionEvidence(inputs: "f00d", candidates: [.init(node: name("b"), reason: "SE6: 5 bytes behind")])
        let entry = ClusterEntry(
            trace: request("r1"), actor: "uid 0 over unix socket", proposedTerm: 1, wallTime: 77, rules: ["D36"], evidence: evidence,
            reason: "upgrade", command: .pause(pause("p")))
        #expect(bench.state.apply(entry, term: 1) == .applied)
        let line = try #require(bench.state.decisions.last)
        #expect(line.kind == "failover.paused")
        #expect(line.actor == "uid 0 over unix socket")
        #expect(line.reason == "upgrade")
        #expect(line.requestID?.rawValue == "r1")
        #expect(line.at == 77)
        #expect(line.rules == ["D36"])
        #expect(line.inputs == "f00d")
        #expect(line.candidates == evidence.candidates)
    }

    @Test func `a refused command is no line (CS4)`() {
        let bench = StateBench.serving()
        let before = bench.state.decisions.count
        bench.refuses(.setSyncPolicy(mode: .strict, wanted: 0), "SE1")
        #expect(bench.state.decisions.count == before)
    }

    @Test func `the policy says why it does nothing (PR8, D65)`() {
        let bench = PolicyBench()
        #expect(bench.decide().refusal.isEmpty, "nothing is wrong")
        bench.cluster.must(.pause(pause("p")))
        bench.silent = [name("a")]
        bench.wait(60_000)
        let decision = bench.decide()
        #expect(decision.command == nil)
        #expect(decision.refusal.contains("D65"))
        bench.silent = []
        bench.renew()
        #expect(bench.decide().refusal.isEmpty, "a refusal that is over is forgotten")
    }

    @Test func `equal facts have equal digests, other facts have others`() {
        let bench = PolicyBench()
        func digest() -> String {
            var timed: [NodeName: TimedReport] = [:]
            for (node, report) in bench.reports { timed[node] = TimedReport(report: report, at: stamp(0)) }
            return PolicyContext(
                state: bench.cluster.state, reports: timed, ledger: bench.ledger, now: stamp(0), leader: name("w"), nextIndex: 1,
                reportMaxAge: .seconds(1)
            ).fingerprint
        }
        let first = digest()
        #expect(first == digest() && first.utf8.count == 16)
        bench.set("b", .replica, lsn: 901)
        #expect(digest() != first)
    }

    @Test func `what would keep a node from being promoted is named with its rule (SE5, DE7)`() throws {
        let bench = PolicyBench()
        let state = bench.cluster.state
        let node = try #require(state.nodes[name("b")])
        func objections(_ node: NodeRecord, fresh: Bool = true, _ change: (inout NodeReport) -> Void = { _ in }) -> [String] {
            var report = bench.reports[name("b")]
            if var changed = report {
                change(&changed)
                report = changed
            }
            return CandidateForecast.objections(to: node, state, report: report, isFresh: fresh)
        }
        #expect(objections(node).isEmpty)
        var tagged = node
        tagged.tags.nofailover = true
        tagged.drained = true
        #expect(objections(tagged) == ["SE5: tagged nofailover", "SE5: drained"])
        #expect(objections(node, fresh: false) == ["DE7: silent"])
        #expect(objections(node) { $0.facts?.storage = .stalled } == ["DE4: its disk stalls"])
        #expect(objections(node) { $0.facts?.server?.systemIdentifier = 1 } == ["D60: another system identifier"])
        #expect(objections(node) { $0.facts?.server?.isReplayPaused = true } == ["SE5: replay is paused"])
        #expect(objections(node) { $0.facts?.server?.receiver = nil } == ["DE7: does not stream"])
        #expect(objections(node) { $0.facts?.server?.timeline = TimelineID(9) } == ["AG18: timeline 9 is not in the lineage"])
    }

    // MARK: PatchPostgresParameters

    @Test func `managed settings have a version, and a stale change is refused`() {
        let bench = StateBench.serving()
        bench.must(.patchPostgresParameters(expectedVersion: nil, set: ["work_mem": "64MB", "jit": "off"], unset: []))
        #expect(bench.state.postgresParameters?.version == 1)
        bench.refuses(.patchPostgresParameters(expectedVersion: 0, set: ["work_mem": "8MB"], unset: []), "pgconfig.version")
        bench.must(.patchPostgresParameters(expectedVersion: 1, set: ["work_mem": "8MB"], unset: ["jit"]))
        #expect(bench.state.postgresParameters?.values == ["work_mem": "8MB"])
        #expect(bench.state.postgresParameters?.updatedBy == "test")
        bench.refuses(.patchPostgresParameters(expectedVersion: nil, set: ["work_mem": "8MB"], unset: []), "pgconfig.unchanged")
        bench.refuses(.patchPostgresParameters(expectedVersion: nil, set: ["archive_command": "x"], unset: []), "pgconfig.allowed")
        #expect(bench.state.decisions.last?.text == "set work_mem, unset jit (version 2)", "never the values")
    }

    @Test func `managed settings are capped (3_1)`() {
        let bench = StateBench.serving()
        let many = Dictionary(uniqueKeysWithValues: (0...512).map { ("ext.s\($0)", "1") })
        bench.refuses(.patchPostgresParameters(expectedVersion: nil, set: many, unset: []), "CS4")
        let long = String(repeating: "x", count: 4000)
        let large = Dictionary(uniqueKeysWithValues: (0..<20).map { ("ext.s\($0)", long) })
        bench.refuses(.patchPostgresParameters(expectedVersion: nil, set: large, unset: []), "CS4")
    }
}

import ClusterModel
import FailoverCore
import Testing

/// Who may be promoted, and who first (SE5, SE6).
@Suite struct CandidateSelectionTests {
    @Test func `only the members that reach the bound are candidates, the highest first (SE4, SE6)`() {
        let found = CandidateSelection(question(["b": 900, "c": 800]))
        #expect(found.candidates.map(\.node.name) == [name("b")])
        #expect(found.candidates.first?.isLossless == true)
        #expect(found.candidates.first?.lossBytes == 0)
        #expect(found.rejected[name("c")] == "D19: not proven lossless")
        #expect(found.rejected[name("a")] == "SE3: has not pledged")
    }

    @Test func `without proof nobody is a candidate (D19)`() {
        let found = CandidateSelection(question(["b": 900]))
        #expect(found.candidates.isEmpty)
        #expect(!found.proof.missing.isEmpty)
    }

    /// Each row spoils `b` in one way; the text is what `explain` shows.
    @Test(arguments: [
        ("SE10", "SE10: its promotion failed in this operation"), ("standing", "SE5: standing diverged"),
        ("nofailover", "SE5: tagged nofailover"), ("drained", "SE5: drained"), ("silent", "SE3: has not pledged"),
        ("storage", "DE4: storage stalled"), ("paused", "SE5: replay is paused"),
        ("guard", "SE5: no guard is reported"),
        ("system", "D60: another system identifier"), ("data", "SE5: its data were replaced and are not ready"),
        ("timeline", "AG18: timeline 9 is not in the lineage"),
    ]) func `a rejection names its rule (SE5, D69)`(flaw: String, text: String) {
        var q = question(["b": 900, "c": 900])
        let b = name("b")
        switch flaw {
        case "SE10": q.excluded = [b]
        case "standing": q.state.nodes[b]?.standing = .diverged
        case "nofailover": q.state.nodes[b]?.tags.nofailover = true
        case "drained": q.state.nodes[b]?.drained = true
        case "silent": q.pledges[b] = nil
        case "storage": q.pledges[b]?.storage = .stalled
        case "paused": q.pledges[b]?.isReplayPaused = true
        case "guard": q.reports[b]?.guardStatus = nil
        case "system": q.reports[b]?.facts?.server?.systemIdentifier = 1
        case "data": q.pledges[b]?.dataID = dataOf("b", life: 2)
        default: q.pledges[b]?.position = at(9, 900)
        }
        let found = CandidateSelection(q)
        #expect(found.rejected[b] == text)
        #expect(!found.candidates.contains { $0.node.name == b })
    }

    @Test func `a full disk does not exclude a candidate (DE5)`() {
        var q = question(["b": 900, "c": 900])
        q.pledges[name("b")]?.storage = .full
        #expect(CandidateSelection(q).candidates.contains { $0.node.name == name("b") })
    }

    @Test func `the order is position, backlog, priority, stopped, leader, name (SE6, D35)`() {
        func first(_ change: (inout CandidateSelection.Question) -> Void) -> String? {
            var q = question(["a": 900, "b": 900, "c": 900])
            for node in ["a", "b", "c"] { q.pledges[name(node)]?.replayed = LSN(900) }
            q.pledges[name("a")]?.isStopped = true
            change(&q)
            return CandidateSelection(q).candidates.first?.node.name.rawValue
        }
        #expect(first { _ in } == "b", "name")
        #expect(first { $0.leader = name("b") } == "c", "not the leader's node")
        #expect(first { $0.state.nodes[name("c")]?.tags.priority = 200 } == "c", "priority")
        #expect(first { $0.state.nodes[name("a")]?.tags.priority = 200 } == "a", "priority before a running server")
        #expect(first { $0.pledges[name("c")]?.position = at(2, 901) } == "c", "position")
        #expect(
            first { q in
                for node in ["b", "c"] { q.pledges[name(node)]?.position = at(2, 100 << 20) }
                q.pledges[name("c")]?.replayed = LSN(100 << 20)
            } == "c", "replay backlog above 64 MiB")
    }

    @Test func `a node that was asked for is the only candidate (SE6)`() {
        var q = question(["b": 900, "c": 900])
        q.state.operation = operation("op", .failover, from: "a", to: "c", fromToken: 1, ballot: 2)
        let found = CandidateSelection(q)
        #expect(found.candidates.map(\.node.name) == [name("c")])
        #expect(found.rejected[name("b")] == "not the node that was asked for")
    }

    @Test func `mode off promotes within max_lag_threshold when the primary's report was recent (SE6)`() {
        var q = question(["b": 900, "c": 800])
        q.state.synchronous.mode = .off
        q.state.synchronous.rules = [rule(1, "a", [], 0)]
        q.lastPrimaryLSN = LSN(900 + (1 << 20))
        q.lastPrimaryReportIsRecent = true
        #expect(CandidateSelection(q).candidates.map(\.node.name) == [name("b")])
        #expect(CandidateSelection(q).candidates.first?.lossBytes == 1 << 20)
        q.lastPrimaryReportIsRecent = false
        #expect(CandidateSelection(q).candidates.isEmpty)
        q.lastPrimaryReportIsRecent = true
        q.settings.maxLagBytes = 1
        #expect(CandidateSelection(q).candidates.isEmpty)
        q.settings.maxLagBytes = 0
        #expect(CandidateSelection(q).candidates.count == 2, "0 is unlimited")
        q.lastPrimaryLSN = nil
        #expect(CandidateSelection(q).candidates.isEmpty, "an unknown loss is not within a limit")
    }

    @Test func `what an operator allows counts in bytes and overrides the mode (SE6)`() {
        var q = question(["b": 900])
        q.state.operation = operation("op", .failover, from: "a", fromToken: 1, ballot: 2, automatic: false)
        q.state.operation?.allowDataLossBytes = 50
        q.lastPrimaryLSN = LSN(950)
        let found = CandidateSelection(q)
        #expect(found.candidates.first?.isWithinAllowedLoss == true)
        #expect(found.candidates.first?.isLossless == false)
        #expect(found.candidates.first?.lossBytes == 50)
        q.state.operation?.allowDataLossBytes = 49
        #expect(CandidateSelection(q).candidates.isEmpty)
    }

    @Test func `a node on an older timeline is no candidate without proof, whatever is allowed (SE5)`() {
        var q = question(["b": 900])
        q.state.operation = operation("op", .failover, from: "a", fromToken: 1, ballot: 2, automatic: false)
        q.state.operation?.allowDataLossBytes = 1 << 40
        q.lastPrimaryLSN = LSN(950)
        q.pledges[name("b")]?.position = at(1, 50)
        #expect(CandidateSelection(q).rejected[name("b")] == "SE5: timeline 1, the last primary served on 2")
    }

    @Test func `an abandoned promotion after the last primary that served is no divergence (SE5)`() {
        var q = question(["b": 900, "c": 900])
        q.state.timelines.append(timeline(3, parent: 2, fork: nil))
        q.pledges[name("b")]?.position = at(3, 900)
        #expect(
            CandidateSelection(q).rejected[name("b")] == "D19: not proven lossless", "as a silent member of the set")
        q.state.synchronous.rules = [rule(1, "a", ["c"], 1)]
        #expect(CandidateSelection(q).candidates.first?.node.name == name("b"))
    }

    /// Mode `quorum`, one of `b` and `c`; the given nodes pledged at these positions on timeline 2.
    private func question(_ positions: [String: UInt64]) -> CandidateSelection.Question {
        let state = StateBench.synchronous().state
        var reports: [NodeName: NodeReport] = [:]
        for node in ["a", "b", "c"] { reports[name(node)] = report(node, .replica, lsn: positions[node] ?? 0) }
        return CandidateSelection.Question(
            state: state, pledges: pledges(positions.mapValues { at(2, $0) }), excluded: [], reports: reports,
            leader: name("w"),
            settings: PolicySettings(), lastPrimaryLSN: nil, lastPrimaryReportIsRecent: false)
    }
}

import ClusterModel
import FailoverCore
import Testing

/// Where sessions go (PX1 to PX4).
@Suite struct RoutingViewTests {
    @Test func `sessions go to the serving primary, the epoch is its token (PX1)`() {
        let table = view().table
        #expect(table.primary?.node == name("a"))
        #expect(table.epoch == FencingToken(1))
        #expect(table.replicas.map(\.node) == [name("b"), name("c")])
        #expect(table.cut.isEmpty)
    }

    @Test func `an assigned or ended primary gets no session, an ended one loses them (PX1, PX3)`() {
        let assigned = view { $0.state.primary?.phase = .assigned }.table
        #expect(assigned.primary == nil && assigned.epoch == .never && assigned.cut.isEmpty)
        let ended = view { $0.state.primary?.phase = .ended }.table
        #expect(ended.primary == nil)
        #expect(ended.cut[name("a")] != nil)
        guard case .refuse = ended.withoutPrimary else {
            Issue.record("holds")
            return
        }
    }

    @Test func `without contact to a leader only the holder's own node routes to the primary (PX2)`() {
        #expect(view { $0.isCutOff = true }.table.primary == nil)
        #expect(
            view { v in
                v.isCutOff = true
                v.holdsLease = true
            }.table.primary == nil)
        let own = view { v in
            v.isCutOff = true
            v.holdsLease = true
            v.me = name("a")
        }
        #expect(own.table.primary?.node == name("a"))
    }

    @Test(arguments: OperationRecord.Phase.allCases)
    func `new sessions wait inside a switchover only, from hold to release (PX3)`(_ phase: OperationRecord.Phase) {
        for kind in [OperationRecord.Kind.switchover, .failover] {
            let table = view { v in
                v.state.operation = operation("op", kind, from: "a", to: "b", fromToken: 1, ballot: 2)
                v.state.operation?.phase = phase
            }.table
            let holds = kind == .switchover && [.hold, .stop, .undo, .promote].contains(phase)
            #expect((table.withoutPrimary == .hold) == holds)
            #expect((table.primary == nil) == holds)
        }
    }

    @Test func `a split brain routes to nobody (DE8)`() {
        let table = view { $0.splitBrain = true }.table
        #expect(table.splitBrain && table.primary == nil)
    }

    @Test(arguments: [
        ("drained", "drained"), ("tag", "tagged noloadbalance"), ("unknown", "no report yet"), ("old", "silent"),
        ("catchup", "not streaming"), ("lag", "behind by 16777217 bytes"), ("nolag", "lag unknown"),
    ]) func `a replica leaves rotation with a reason (PX4)`(flaw: String, reason: String) throws {
        let found = view { v in
            let b = name("b")
            switch flaw {
            case "drained": v.state.nodes[b]?.drained = true
            case "tag": v.state.nodes[b]?.tags.noloadbalance = true
            case "unknown": v.reports[b] = nil
            case "old": v.reports[b]?.at = stamp(-2001)
            case "catchup": v.reports[b]?.report = report("b", .catchingUp, lsn: 900)
            case "lag": v.reports[name("a")]?.report = report("a", .primary, lsn: 900 + (16 << 20) + 1)
            default: v.reports[name("a")] = nil
            }
        }
        let b = try #require(found.state.nodes[name("b")])
        #expect(found.reasonOutOfRotation(b) == reason)
        #expect(!found.table.replicas.contains { $0.node == name("b") })
    }

    @Test(arguments: ["cloning", "rewinding", "fenced"])
    func `a replica that is cloned, rewound or fenced loses its sessions (PX4)`(_ state: String) {
        let table = view { $0.reports[name("b")]?.report.agentState = state }.table
        #expect(table.cut == [name("b"): state])
    }

    /// As `w` sees a healthy cluster.
    private func view(_ change: (inout RoutingView) -> Void = { _ in }) -> RoutingView {
        var reports: [NodeName: TimedReport] = [:]
        reports[name("a")] = TimedReport(report: report("a", .primary, lsn: 900), at: stamp(0))
        for node in ["b", "c"] {
            reports[name(node)] = TimedReport(report: report(node, .replica, lsn: 900), at: stamp(0))
        }
        var view = RoutingView(
            state: StateBench.serving().state, reports: reports, me: name("w"), holdsLease: false, isCutOff: false,
            splitBrain: false, settings: PolicySettings(), now: stamp(0))
        change(&view)
        return view
    }
}

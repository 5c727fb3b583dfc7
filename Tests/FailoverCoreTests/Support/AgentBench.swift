import ClusterModel
import FailoverCore
import Testing

/// One agent and what it sees. `turn` carries out the jobs it asks for, successfully, at once.
final class AgentBench {
    var agent = NodeAgent()
    var context: AgentContext
    private(set) var jobs: [PostgresAction] = []
    private(set) var starts: [AgentStep] = []
    private(set) var pledges: [Pledge] = []
    private var files = stoppedServer(at(2, 900), clean: true, wasStandby: true)
    private let node: String

    /// `a` serves; this node runs as its role says.
    init(_ node: String) {
        self.node = node
        let state = StateBench.serving().state
        let isReplica = node != "a"
        var server = server(inRecovery: isReplica, timeline: 2, lsn: 900)
        if isReplica { server.receiver = ReceiverFacts(status: "streaming") }
        context = AgentContext(
            state: state, now: stamp(0), me: name(node), memberID: member(node), mayInitialise: false,
            guardStatus: isReplica ? status(node, .standby) : status(node, .primary, token: 1),
            facts: facts(node, server),
            leaderReport: nil, pledgedBallot: .never)
    }

    /// The server is stopped and these are its files.
    func stopped(
        _ end: WALPosition, wasStandby: Bool, checksums: Bool = true, guardState: GuardState = .empty,
        token: UInt64? = nil
    ) {
        files = stoppedServer(end, clean: false, wasStandby: wasStandby, checksums: checksums)
        context.guardStatus = status(node, guardState, token: token, pid: nil)
        context.facts = facts(node, nil)
    }

    /// `a` was replaced: `b` serves token 2 on timeline 3.
    func bServesTimeline3(fork: UInt64) {
        let bench = StateBench.serving()
        bench.failover(released: true)
        bench.must(.assignPrimary(assignment(2, "b", timeline: 3, parent: 2, .released, operation: "op")))
        bench.must(.recordPromotion(token: FencingToken(2), timeline: TimelineID(3), forkLSN: LSN(fork)))
        bench.must(.finishOperation(id: "op", result: .succeeded, message: ""))
        context.state = bench.state
    }

    /// `b` is assigned token 2 and not yet promoted.
    func assignedToB(timeline: UInt32 = 3) {
        let bench = StateBench.serving()
        bench.failover(released: true)
        bench.state.lastTimeline = TimelineID(timeline - 1)
        bench.must(.assignPrimary(assignment(2, "b", timeline: timeline, parent: 2, .released, operation: "op")))
        context.state = bench.state
    }

    func order(_ order: NodeOrder) {
        context.leaderReport = ClusterReport(
            term: 1, sequence: 1, items: [], orders: [name(node): order], peers: [], votersReachable: 3,
            splitBrain: false)
    }

    func wait(_ milliseconds: Int64) { context.now = context.now.advanced(by: .milliseconds(milliseconds)) }

    @discardableResult
    func evaluate() -> [AgentStep] {
        wait(250)
        let steps = agent.evaluate(context)
        for step in steps {
            switch step {
            case .startStandby, .startInPlace: starts.append(step)
            case .answerPledge(let pledge): pledges.append(pledge)
            default: break
            }
        }
        return steps
    }

    /// One evaluation; its job is done at once.
    func turn(failing: Bool = false) {
        guard let action = action(in: evaluate()) else { return }
        begin(action)
        if action == .inspectStopped {
            finish(action, .inspected(files))
        } else {
            finish(action, failing ? .failed(BastionError(.failed, "test")) : .done)
        }
    }

    /// Carries out `expected`, which must come first, and returns the job the agent wants next.
    func job(_ expected: PostgresAction, sourceLocation: SourceLocation = #_sourceLocation) -> PostgresAction? {
        #expect(action(in: evaluate()) == expected, sourceLocation: sourceLocation)
        begin(expected)
        finish(expected, .inspected(files))
        let next = action(in: evaluate())
        if let next { begin(next) }
        return next
    }

    func begin(_ action: PostgresAction) {
        jobs.append(action)
        agent.started(action, now: context.now)
    }
    func finish(_ action: PostgresAction, _ outcome: PostgresOutcome) {
        agent.finished(action, outcome, now: context.now)
    }

    func action(in steps: [AgentStep]) -> PostgresAction? {
        for case .act(let action) in steps { return action }
        return nil
    }
    func pledge(in steps: [AgentStep]) -> Pledge? {
        for case .answerPledge(let pledge) in steps { return pledge }
        return nil
    }
    func release(in steps: [AgentStep]) -> ReleaseEvidence? {
        for case .release(_, _, let evidence) in steps { return evidence }
        return nil
    }
}

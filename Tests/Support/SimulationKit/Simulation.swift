import ClusterModel
import FailoverCore
import NodeCore
import RaftCore

/// A whole cluster in one thread and in virtual time: the shipped `BastionNode` and `GuardCore` over invented clocks, wires,
/// disks, processes and PostgreSQL servers.
///
/// - Invariant: One plan gives one run, bit for bit; `eventHash` shows it.
package final class Simulation {
    package let plan: SimPlan
    package private(set) var now: Int64 = 0
    package private(set) var eventHash: UInt64 = 0xCBF2_9CE4_8422_2325
    package let story: SimStory
    package let network: SimNetwork
    package private(set) var machines: [SimMachine] = []
    /// The primary of the cluster that this one follows.
    package private(set) var upstream: SimUpstream?
    package private(set) var operators: SimOperators?
    package private(set) var faults: SimFaults?
    package private(set) var restore: SimRestore?
    package let checks: SimChecks
    var random: SimRandom
    private var queue = SimQueue()

    package init(_ plan: SimPlan, isTold: Bool = false) {
        self.plan = plan
        story = SimStory(isTold: isTold)
        checks = SimChecks(ignoresWriters: plan.breaksClocks)
        random = SimRandom(seed: plan.seed)
        network = SimNetwork(count: plan.nodes + (plan.followsAnother ? 1 : 0), random: SimRandom(seed: plan.seed ^ 0x6E65_7477))
        network.weather = plan.weather
        let cluster = ClusterID(rawValue: random.wide())
        for index in 0..<plan.nodes { machines.append(SimMachine(index, cluster: cluster, self)) }
        if plan.followsAnother { upstream = SimUpstream(index: plan.nodes, self) }
        operators = SimOperators(self)
        faults = SimFaults(self)
        restore = SimRestore(self)
        for machine in machines { machine.boot() }
        operators?.begin()
    }

    // MARK: Time

    func after(_ delay: Int64, _ action: @escaping () -> Void) { queue.push(at: now + max(0, delay), action) }

    /// Happens only if the process still lives its present life then; waits while it is frozen.
    func after(_ delay: Int64, on process: SimProcess, _ action: @escaping () -> Void) {
        let life = process.life
        queue.push(at: now + max(0, delay)) { process.receive(life: life, action) }
    }

    /// Runs until `time` or the first violation.
    package func run(until time: Int64) {
        while checks.violation == nil, let next = queue.nextTime, next <= time { stepOnce() }
        if checks.violation == nil { now = max(now, time) }
    }

    package func run(for duration: Int64) { run(until: now + duration) }

    /// Runs until `condition` holds, looked at every 10 ms.
    ///
    /// - Returns: Whether it came to hold within `limit`.
    package func run(atMost limit: Int64, until condition: () -> Bool) -> Bool {
        let end = now + limit
        while checks.violation == nil {
            if condition() { return true }
            guard now < end else { return false }
            run(until: min(end, now + milliseconds(10)))
        }
        return false
    }

    private func stepOnce() {
        guard let event = queue.pop() else { return }
        now = event.time
        event.action()
    }

    private var lastRecordID: UInt64 = 0
    private var lastRow: UInt64 = 0
    func nextRecordID() -> UInt64 {
        lastRecordID += 1
        return lastRecordID
    }
    func nextRow() -> UInt64 {
        lastRow += 1
        return lastRow
    }

    func note(_ value: UInt64) { eventHash = (eventHash ^ value) &* 0x100_0000_01B3 }

    func tell(_ line: @autoclosure () -> String) { story.tell(now, line()) }

    func violate(_ rule: String, _ what: String) {
        tell("VIOLATION \(rule): \(what)")
        checks.report(rule, what, at: now)
    }

    // MARK: Looking around

    package func machine(_ name: NodeName?) -> SimMachine? {
        machines.first { $0.name == name } ?? upstream.flatMap { $0.machine.name == name ? $0.machine : nil }
    }
    func machine(_ member: MemberID) -> SimMachine? { machines.first { $0.memberID == member } }

    /// The leader that may decide; the one of the highest term when two believe it.
    package var leader: SimMachine? {
        machines.filter { $0.daemon.process.isAlive && !$0.daemon.process.isFrozen && $0.daemon.node?.isReadyLeader == true }
            .max { ($0.daemon.node?.raft.term ?? .zero) < ($1.daemon.node?.raft.term ?? .zero) }
    }
    package var leaderState: ClusterState? { leader?.daemon.node?.state }
    /// The machine of the primary that serves, by the leader's state.
    package var primary: SimMachine? {
        guard let state = leaderState, let primary = state.primary, primary.phase == .serving else { return nil }
        return machine(primary.node)
    }

    /// CH13: nil when everything is as it should be, else what is not.
    package var complaint: String? {
        guard let state = leaderState else { return "no leader" }
        guard let primary = state.primary, primary.phase == .serving else { return "no primary serves" }
        guard state.operation == nil else {
            return "operation \(state.operation?.id ?? "") in \(state.operation?.phase.rawValue ?? ""): "
                + (leader?.daemon.node?.policy.explanation ?? "")
        }
        guard state.hold == nil else { return "a hold is active" }
        guard let server = machine(primary.node)?.postgres.server, server.acceptsWrites else { return "the primary does not write" }
        for machine in machines where machine.isWanted {
            guard machine.daemon.process.isAlive else { return "the daemon of \(machine.name) is down" }
            guard let node = state.nodes[machine.name], node.memberID == machine.memberID else {
                return "\(machine.name) is no member"
            }
            guard node.standing == .ready else { return "\(machine.name) stands at \(node.standing.rawValue)" }
            if machine.name != primary.node, machine.postgres.server?.isStreaming != true {
                return "\(machine.name) does not stream: \(machine.postgres.summary)"
            }
            guard machine.daemon.route.primary?.node == primary.node else { return "\(machine.name) routes elsewhere" }
            guard machine.client.lastAcknowledgedAt > now - seconds(2) else { return "the client of \(machine.name) cannot write" }
        }
        guard state.synchronous.isSettled else { return "the synchronous set is not settled" }
        let replicas = machines.filter(\.isWanted).count - 1
        guard replicas < 2 || (state.synchronous.mode == .quorum && !state.synchronous.degraded) else { return "degraded" }
        return nil
    }
}

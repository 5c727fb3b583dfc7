import ClusterModel
import FailoverCore
import NodeCore
import RaftCore

/// One seed from beginning to end.
package struct SimRun: Sendable {
    package struct Outcome: Sendable {
        package var failure: String?
        package var hash: UInt64
        package var virtualTime: Int64
        package var story: [String]
        package var acknowledged: Int
        package var protected: Int
        package var promotions: Int
        package var steps: Int
        /// Situations that the run reached, by name.
        package var marks: Set<String> = []
    }

    /// CH13: how long everything may take to be well again.
    package static let recoveryLimit = seconds(60)

    package static func swarm(_ seed: UInt64, isTold: Bool = false) -> Outcome { run(.swarm(seed), isTold: isTold) }

    package static func run(_ plan: SimPlan, isTold: Bool = false) -> Outcome {
        let sim = Simulation(plan, isTold: isTold)
        var failure: String?
        if !sim.bringUp() {
            failure = "the cluster did not come up in 60 s: \(sim.complaint ?? "")"
        } else {
            sim.faults?.begin()
            sim.run(for: plan.faultTime)
            sim.faults?.heal()
            // A resume ends observations made before; what is asked for is that all is well and stays so.
            let isWell = sim.run(atMost: recoveryLimit) { sim.complaint == nil }
            if isWell { sim.checks.raft.compareAll(sim) } else { failure = "CH13: \(sim.complaint ?? "")" }
            if isWell, let primary = sim.primary { sim.judgeCommits(on: primary) }
        }
        if failure != nil { for machine in sim.machines { sim.tell(machine.report) } }
        if let violation = sim.checks.violation { failure = violation.description }
        return Outcome(
            failure: failure, hash: sim.eventHash, virtualTime: sim.now, story: sim.story.last(400),
            acknowledged: sim.checks.commits.acknowledgedCount, protected: sim.checks.commits.protectedCount,
            promotions: sim.checks.timelines.promotions, steps: sim.machines.reduce(0) { $0 + $1.daemon.stepCount })
    }
}

extension Simulation {
    /// CH7, now: every protected row must be in this server's WAL.
    package func judgeCommits(on machine: SimMachine) { checks.commits.judge(machine.postgres.files, on: machine.name, self) }

    /// The cluster is founded, all members are added, and everything runs.
    package func bringUp() -> Bool {
        run(atMost: seconds(60)) { operators?.isComplete == true && complaint == nil }
    }
}

extension SimMachine {
    /// One line for a story's end.
    var report: String {
        guard let node = daemon.node else { return "\(name): no daemon" }
        let raft = node.raft
        let guardText = guardian.core.map {
            "\($0.status.state.rawValue) token \($0.status.token?.description ?? "none") gone \($0.status.allProcessesGone)"
        }
        let progress = raft.progress.sorted { $0.key < $1.key }.map {
            "match \($0.value.matchIndex) next \($0.value.nextIndex) silent \($0.value.ticksSinceContact)"
        }
        return
            "\(name): \(raft.role.rawValue) term \(raft.term) leader \(raft.leader?.description ?? "none") last \(raft.lastIndex) commit \(raft.commitIndex) "
            + "durable \(raft.durableIndex) first \(raft.firstIndex) frozen \(daemon.process.isFrozen) progress \(progress); "
            + "guard \(guardText ?? "none"); postgres \(postgres.summary); marker \(postgres.files.marker ?? "none"); "
            + "primary \(node.state.primary?.node.rawValue ?? "none") \(node.state.primary?.phase.rawValue ?? ""); pledged \(node.pledgedBallot); "
            + "operation \(node.state.operation?.phase.rawValue ?? "none") paused \(node.state.paused != nil) rules \(node.state.synchronous.rules.map { "\($0.token):\($0.primary.node):\($0.required)/\($0.members.map(\.node.rawValue))" }) \(node.policy.explanation) standing \(node.state.sortedNodes.map(\.standing.rawValue)); route \(daemon.route.primary?.node.rawValue ?? "none")"
    }
}

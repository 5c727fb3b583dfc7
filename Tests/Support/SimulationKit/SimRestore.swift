import ClusterModel
import FailoverCore
import NodeCore
import RaftCore

/// 4.12: a cluster loses every Raft directory and goes on from an archive of an earlier moment, while members of the lost one
/// come back at random.
package final class SimRestore {
    private unowned let sim: Simulation
    private var random: SimRandom
    package private(set) var archive: ArchivedSnapshot?
    package private(set) var newID: ClusterID?
    /// The node that was restored.
    package private(set) var chosen: NodeName?
    package private(set) var isAccepted = false
    private var saysWhichOne = false
    private var hasAsked = false
    /// What happened in this run, for the count of what all runs reached.
    package private(set) var marks: Set<String> = []

    init(_ sim: Simulation) {
        self.sim = sim
        random = SimRandom(seed: sim.plan.seed ^ 0x7265_7374)
    }

    // MARK: The archive

    /// Any node hands its state out, which may be behind (`--stale`).
    package func takeArchive() {
        for machine in sim.machines where machine.daemon.isAtWork && machine.daemon.node?.state.cluster != nil {
            machine.daemon.feed(.archiveNow(id: "archive"))
            if archive != nil, random.chance(0.7) { return }
        }
    }

    func archived(_ snapshot: ArchivedSnapshot) { archive = snapshot }

    // MARK: The disaster

    /// Every Raft directory is gone but those of a minority, whose nodes come back as ghosts.
    package func lose() {
        guard let archive, let chosen = random.pick(sim.machines) else { return }
        sim.tell("every Raft directory is lost; \(chosen.name) is restored from index \(archive.index)")
        let id = ClusterID(rawValue: random.wide())
        newID = id
        self.chosen = chosen.name
        let others = sim.machines.filter { $0.index != chosen.index }
        let ghosts = Set(others.filter { _ in random.chance(0.5) }.prefix((sim.machines.count - 1) / 2).map(\.index))
        if !ghosts.isEmpty { marks.insert("ghost") }
        for machine in sim.machines {
            if random.chance(0.3) { machine.crash() }
            machine.daemon.end(losing: true)
            if ghosts.contains(machine.index) {
                machine.becomeGhost()
            } else if machine.index != chosen.index {
                machine.leave(for: id)
            }
            sim.after(random.time(200...9000)) { [self] in back(machine) }
        }
        restore(chosen, id, archive)
    }

    private func back(_ machine: SimMachine) {
        guard !machine.isUp else { return machine.daemon.start(after: 0) }
        machine.boot()
    }

    private func restore(_ machine: SimMachine, _ id: ClusterID, _ archive: ArchivedSnapshot) {
        do {
            // As an archive carries it.
            let saved = try StateCodec.decode(ArchivedState.self, try StateCodec.canonical(archive.state)).clusterState()
            if saved != archive.state { sim.violate("B", "the archived state differs from what was archived") }
            let member = MemberID(rawValue: random.wide())
            let state = saved.restored(
                on: machine.name, member: member, newID: id, now: sim.now / 1_000_000,
                archive: RestoredFrom(archiveID: "archive", sha256: "", by: "operator", manner: .restore))
            let membership = Membership(voters: [ServerID(rawValue: member.rawValue)])
            let snapshot = Snapshot(
                index: LogIndex(archive.index + 20_000), term: Term(1), membership: membership, data: try StateCodec.encode(state))
            machine.restore(cluster: id, member: member, snapshot)
            sim.checks.restored(to: state)
        } catch {
            sim.violate("B", "the state cannot be restored: \(error)")
        }
    }

    // MARK: The operator

    /// `resume`, with or without a name, until one is accepted. What is attested is true: nothing else can write.
    package func acceptSomebody() {
        sim.after(random.time(300...2500)) { [self] in
            guard let leader = sim.leader, let state = leader.daemon.node?.state, state.barrier != nil else {
                return acceptSomebodyUnlessDone()
            }
            guard state.barrier?.accepted == nil else { return }
            if !hasAsked, random.chance(0.4), startByHand(leader) {
                hasAsked = true
                return sim.after(seconds(3)) { [self] in acceptSomebody() }
            }
            hasAsked = true
            saysWhichOne.toggle()
            if saysWhichOne { ask(.resume, leader) } else { nameOne(leader, state) }
            acceptSomebody()
        }
    }

    /// Before anything was asked for, so that nobody can be appointed meanwhile.
    private func startByHand(_ machine: SimMachine) -> Bool {
        guard machine.name == chosen, machine.guardian.core?.clusterID == newID, machine.daemon.isConnected,
            sim.machines.allSatisfy({ !mayWrite($0) })
        else { return false }
        // Whoever starts it has decided that its data count.
        sim.checks.commits.accepted(machine.postgres.files)
        return machine.postgres.startByHand()
    }

    private func acceptSomebodyUnlessDone() {
        if !isAccepted { acceptSomebody() }
    }

    private func nameOne(_ leader: SimMachine, _ state: ClusterState) {
        guard let node = random.pick(state.dataNodes), sim.machines.allSatisfy({ $0.name == node.name || !mayWrite($0) }) else { return }
        ask(.acceptPrimary(node.name, assumeDead: []), leader)
    }

    private func ask(_ request: ClusterRequest, _ leader: SimMachine) {
        sim.tell("operator asks \(request)")
        leader.daemon.request(request, overrides: random.chance(0.5) ? ["not_most_recent"] : []) { _ in }
    }

    /// Whoever asked for it, and also when the answer was lost.
    func observed(_ state: ClusterState) {
        guard !isAccepted, newID != nil, let node = state.barrier?.accepted, let machine = sim.machine(node) else { return }
        isAccepted = true
        acceptedServer = machine.postgres.processID.map { (machine, $0) }
        marks.insert(saysWhichOne ? "resume" : "accept")
        if machine.name != chosen { marks.insert("accepted another node") }
        if machine.postgres.isWritable {
            marks.insert(machine.guardian.core?.claimedBy != nil ? "took over a leased server" : "took over a server")
        }
        sim.checks.commits.accepted(machine.postgres.files)
    }

    private var acceptedServer: (machine: SimMachine, pid: Int32)?

    /// The server that ran when it was accepted serves, without a restart.
    func noteEnd() {
        guard let accepted = acceptedServer, sim.primary === accepted.machine, accepted.machine.postgres.processID == accepted.pid else {
            return
        }
        marks.insert("adopted without a restart")
    }

    private func mayWrite(_ machine: SimMachine) -> Bool {
        let guardCore = machine.guardian.core
        let isLeased = guardCore.map { [.armed, .primary, .stopping].contains($0.status.state) && $0.status.token != nil } ?? false
        return isLeased || guardCore?.status.mayBeWritable == true || machine.postgres.server?.phase == .primary
    }

    /// `node reset` on the ghosts, so that they can be added again.
    package func resetGhosts() {
        guard let newID else { return }
        for machine in sim.machines where machine.isGhost {
            machine.leave(for: newID)
            machine.daemon.start(after: milliseconds(100))
        }
    }

    // MARK: B8

    /// No member of the lost cluster leads, or is a member of the restored one.
    package func judge() {
        guard newID != nil else { return }
        for machine in sim.machines {
            guard let node = machine.daemon.node else { continue }
            if machine.isGhost, node.raft.role == .leader { sim.violate("B8", "\(machine.name) leads the lost cluster") }
            guard !machine.isGhost, node.state.cluster?.id == newID else { continue }
            for ghost in sim.machines where ghost.isGhost {
                if node.raft.membership.contains(ServerID(rawValue: ghost.memberID.rawValue)) {
                    sim.violate("B8", "\(ghost.name) of the lost cluster is a member of the restored one")
                }
            }
        }
    }
}

extension SimRun {
    /// One seed with the loss of all Raft directories in it.
    package static func restored(_ seed: UInt64, isTold: Bool = false) -> Outcome {
        var plan = SimPlan.swarm(seed, faultTime: seconds(8))
        plan.faults.removeAll { $0 == .removeNode }
        plan.breaksClocks = false
        plan.clockRates = 0.99...1.01
        let sim = Simulation(plan, isTold: isTold)
        let failure = sim.bringUp() ? loseAndRestore(sim) : "the cluster did not come up in 60 s: \(sim.complaint ?? "")"
        if failure != nil { for machine in sim.machines { sim.tell(machine.report) } }
        return Outcome(
            failure: sim.checks.violation?.description ?? failure, hash: sim.eventHash, virtualTime: sim.now, story: sim.story.last(400),
            acknowledged: sim.checks.commits.acknowledgedCount, protected: sim.checks.commits.protectedCount,
            promotions: sim.checks.timelines.promotions, steps: sim.machines.reduce(0) { $0 + $1.daemon.stepCount },
            marks: sim.restore?.marks ?? [])
    }

    private static func loseAndRestore(_ sim: Simulation) -> String? {
        guard let restore = sim.restore else { return nil }
        var random = SimRandom(seed: sim.plan.seed ^ 0x6C6F_7374)
        sim.faults?.begin()
        sim.run(for: random.time(0...6000))
        restore.takeArchive()
        if restore.archive == nil {
            _ = sim.run(atMost: seconds(20)) {
                restore.takeArchive(); return restore.archive != nil
            }
        }
        sim.run(for: random.time(0...8000))
        restore.lose()
        restore.acceptSomebody()
        for _ in 0..<Int(sim.plan.faultTime / milliseconds(100)) {
            sim.run(for: milliseconds(100))
            restore.judge()
        }
        restore.resetGhosts()
        sim.faults?.heal()
        // The operator looks and waits; the nodes are cloned one after the other.
        let isWell = sim.run(atMost: seconds(120)) { restore.isAccepted && sim.complaint == nil }
        guard isWell else { return "CH13: \(sim.complaint ?? "nobody is accepted")" }
        restore.noteEnd()
        sim.checks.raft.compareAll(sim)
        if let primary = sim.primary { sim.judgeCommits(on: primary) }
        return nil
    }
}

import ClusterModel
import FailoverCore
import NodeCore

/// People who add members at the start, and ask for things at bad moments.
package final class SimOperators {
    private unowned let sim: Simulation
    package private(set) var isComplete = false

    init(_ sim: Simulation) { self.sim = sim }

    func begin() {
        if sim.plan.nodes == 1 { isComplete = true }
        sim.after(milliseconds(500)) { [self] in addMissing() }
    }

    /// `peer add` for every node that is not a member, again until it is.
    private func addMissing() {
        sim.after(milliseconds(400)) { [self] in addMissing() }
        guard let leader = sim.leader, let state = leader.daemon.node?.state,
            state.primary?.phase == .serving || state.isStandby || state.barrier != nil
        else { return }
        let missing = sim.machines.first { $0.isWanted && $0.isUp && state.nodes[$0.name]?.memberID != $0.memberID }
        guard let missing else {
            isComplete = true
            return
        }
        // The answer to a removal may have been lost.
        if state.tombstones.contains(missing.memberID) { reset(missing) } else { add(missing, leader) }
    }

    private func add(_ machine: SimMachine, _ leader: SimMachine) {
        let peer = PeerIdentity(
            name: machine.name, memberID: machine.memberID, clusterID: nil, kind: .data, postgresPort: 5432, version: "1")
        leader.daemon.request(
            .addPeer(name: machine.name, host: machine.name.rawValue, port: 7400, learnerOnly: false), peer: peer
        ) { _ in }
    }

    package func ask(_ request: ClusterRequest, _ done: @escaping (Result<ClusterReply, BastionError>) -> Void = { _ in }) {
        sim.tell("operator asks \(request)")
        sim.leader?.daemon.request(request, done)
    }

    /// `peer remove`, then `node reset` there; it is added again like a new one.
    func remove(_ machine: SimMachine) {
        guard sim.leaderState?.primary?.node != machine.name else { return }
        machine.isWanted = false
        ask(.removePeer(name: machine.name, force: false)) { [self] result in
            machine.isWanted = true
            guard case .success = result else { return }
            sim.after(sim.random.time(100...3000)) { [self] in
                if sim.checks.newestState.tombstones.contains(machine.memberID) { reset(machine) }
            }
        }
        // Leadership may be lost meanwhile: then nobody answers.
        sim.after(seconds(10)) { machine.isWanted = true }
    }

    private func reset(_ machine: SimMachine) {
        sim.tell("node reset on \(machine.name)")
        machine.resetMember()
        machine.daemon.forgetRemoval()
        if machine.isUp { machine.daemon.start(after: milliseconds(50)) }
    }
}

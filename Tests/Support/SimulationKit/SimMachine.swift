import ClusterModel
import FailoverCore
import NodeCore
import RaftCore

/// One machine: a daemon, a guard, a PostgreSQL server, their disk, a clock, and a client that uses its proxy.
package final class SimMachine {
    package let index: Int
    package let name: NodeName
    unowned let sim: Simulation
    /// Of its Raft directory, or the one that it is to be added to.
    private(set) var cluster: ClusterID
    /// It runs with a Raft directory of the cluster that was lost.
    package private(set) var isGhost = false
    package private(set) var memberID: MemberID
    var clock: SimClock
    let disk = SimDisk()
    package private(set) var isUp = false
    package private(set) var isSuspended = false
    /// Milliseconds by which somebody moved its wall clock.
    package var wallClockStep: Int64 = 0
    /// It belongs to the cluster, or is to be added.
    package var isWanted = true
    package private(set) lazy var daemon = SimDaemon(self)
    package private(set) lazy var guardian = SimGuard(self)
    package private(set) lazy var postgres = SimPostgres(self)
    package private(set) lazy var client = SimClient(self)
    package private(set) lazy var address = SimAddress(self)

    /// - Parameter name: nil: `node1` and so on.
    init(_ index: Int, cluster: ClusterID, _ sim: Simulation, name: String? = nil) {
        self.index = index
        self.sim = sim
        self.cluster = cluster
        guard let name = NodeName(name ?? "node\(index + 1)") else { fatalError("the name of node \(index + 1) is not valid") }
        self.name = name
        memberID = MemberID(rawValue: sim.random.wide())
        clock = SimClock(rate: 1, raw: 0, now: 0)
        if isBootstrap { disk.bootstrap(memberID) }
    }

    var isBootstrap: Bool { index == 0 }
    var stamp: ClockStamp { clock.stamp(at: sim.now) }

    package func boot() {
        guard !isUp else { return }
        isUp = true
        let rate = sim.random.real(sim.plan.clockRates)
        clock = SimClock(rate: rate, raw: sim.random.time(1000...9000), now: sim.now)
        sim.tell("\(name) boots")
        daemon.start(after: sim.random.time(20...60))
        client.begin()
    }

    /// Power is lost: processes end, and what is not durable is gone.
    package func crash() {
        guard isUp else { return }
        sim.tell("\(name) crashes")
        if isSuspended { isSuspended = false }
        isUp = false
        daemon.end(losing: true)
        guardian.powerLost()
        postgres.powerLost()
        address.vanish()
        client.reset()
    }

    package func suspend() {
        guard isUp, !isSuspended else { return }
        sim.tell("\(name) is suspended")
        isSuspended = true
        clock.suspend(at: sim.now)
        address.vanish()
        daemon.process.freeze()
        guardian.process.freeze()
        postgres.freeze()
    }

    /// Breaks AS1 on this machine.
    package func changeClock(rate: Double) { clock.change(rate: rate, now: sim.now) }

    /// The guard runs first: it has real-time priority.
    package func resume() {
        guard isUp, isSuspended else { return }
        sim.tell("\(name) wakes up")
        isSuspended = false
        clock.resume(at: sim.now, error: sim.random.time(-800...800))
        guardian.process.thaw()
        guardian.feed(.tick)
        postgres.thaw()
        daemon.process.thaw()
    }

    /// It comes back with its directory of before the restore (B8).
    func becomeGhost() {
        isGhost = true
        isWanted = false
    }

    /// The directory is lost or reset; it waits to be added to that cluster.
    func leave(for cluster: ClusterID) {
        resetMember()
        daemon.forgetRemoval()
        self.cluster = cluster
        isGhost = false
        isWanted = true
    }

    /// `restore --bootstrap`: this node alone, from a snapshot.
    func restore(cluster: ClusterID, member: MemberID, _ snapshot: Snapshot) {
        leave(for: cluster)
        memberID = member
        disk.restore(snapshot)
    }

    /// `node reset`: the Raft directory is wiped and a new member id drawn; the data stay.
    func resetMember() {
        daemon.end(losing: true)
        disk.wipe()
        memberID = MemberID(rawValue: sim.random.wide())
    }
}

extension SimDisk {
    func bootstrap(_ member: MemberID) {
        write(BastionNode.bootstrapBatch(member: member))
        persisted(through: 1)
    }
}

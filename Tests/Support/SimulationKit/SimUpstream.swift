import ClusterModel
import FailoverCore

/// The primary of another cluster, which the simulated one follows: a server that writes, on a machine without daemon and guard.
///
/// The checkers do not know it: it is no member, and it may write whatever the cluster does.
package final class SimUpstream {
    let machine: SimMachine
    private unowned let sim: Simulation
    /// Rows that its own clients were promised.
    package private(set) var rows: [UInt64] = []

    init(index: Int, _ sim: Simulation) {
        self.sim = sim
        machine = SimMachine(index, cluster: ClusterID(rawValue: 0), sim, name: StandbyUpstream.simulatedName)
        machine.isWanted = false
        let postgres = machine.postgres
        postgres.files.isPresent = true
        postgres.files.systemIdentifier = sim.random.number()
        postgres.files.records = [SimRecord(id: sim.nextRecordID(), timeline: 1, end: 0x0100_0000, row: nil)]
        postgres.files.flushed = 1
        start()
    }

    package func start() {
        _ = machine.postgres.spawn(token: nil)
        machine.postgres.markOutside()
    }

    package var isWritable: Bool { machine.postgres.isWritable }

    /// One row is committed there.
    package func write() {
        guard machine.postgres.isWritable, let server = machine.postgres.server else { return }
        let row = sim.nextRow()
        machine.postgres.append(row: row)
        machine.postgres.files.flushed = machine.postgres.files.records.count
        rows.append(row)
        machine.postgres.pump(server)
    }

    /// Every `interval` milliseconds, while it runs.
    package func keepWriting(every interval: ClosedRange<Double>) {
        write()
        sim.after(sim.random.time(interval)) { [self] in keepWriting(every: interval) }
    }

    /// A clean stop: receivers get everything first.
    package func stop() { machine.postgres.signal(.fastStop) }
    /// The other cluster is gone.
    package func vanish() { machine.postgres.powerLost() }
    package var isGone: Bool { machine.postgres.server == nil }

    /// How many of its rows are not in a member's data.
    package func missing(on member: SimMachine) -> Int {
        Set(rows).subtracting(member.postgres.files.records.compactMap(\.row)).count
    }
}

extension StandbyUpstream {
    static let simulatedName = "upstream"
    package static let simulated = StandbyUpstream(host: simulatedName, port: 5432, slot: nil)
}

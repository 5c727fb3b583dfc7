import ClusterModel
import FailoverCore
import NodeCore

/// A client that writes numbered rows through the proxy of its machine, as the proxy's routing table allows.
package final class SimClient {
    unowned let machine: SimMachine
    private var sim: Simulation { machine.sim }
    private var session: SimSession?
    private var waitsFor: UInt64?
    private var waitsSince: Int64 = 0
    private var isConnecting = false
    private var generation = 0
    package private(set) var lastAcknowledgedAt: Int64 = -1_000_000_000_000
    package private(set) var acknowledgedRows: [UInt64] = []
    /// The longest time between two acknowledgements, from `watchPauses` on.
    package private(set) var longestPause: Int64 = 0

    init(_ machine: SimMachine) { self.machine = machine }

    func begin() {
        generation += 1
        let current = generation
        sim.after(sim.random.time(0...40)) { [self] in beat(current) }
    }

    func reset() {
        generation += 1
        session?.isOpen = false
        (session, waitsFor, isConnecting) = (nil, nil, false)
    }

    package func watchPauses() {
        longestPause = 0
        lastAcknowledgedAt = sim.now
    }

    private func beat(_ current: Int) {
        guard current == generation else { return }
        sim.after(sim.random.time(sim.plan.clientInterval)) { [self] in beat(current) }
        guard machine.isUp, !machine.isSuspended else { return }
        if let session, session.isOpen {
            if let row = waitsFor {
                // The outcome of the row stays unknown.
                if sim.now - waitsSince > seconds(3) { drop("no answer to row \(row)") }
            } else {
                write(session)
            }
        } else {
            connect()
        }
    }

    /// CH12 is looked at when the connection reaches the server.
    private func connect() {
        guard !isConnecting, machine.daemon.process.isAlive, !machine.daemon.process.isFrozen, let target = machine.daemon.route.primary,
            let other = sim.machine(target.node)
        else { return }
        let epoch = machine.daemon.route.epoch
        guard sim.network.isConnected(machine.index, other.index) else { return }
        isConnecting = true
        let current = generation
        sim.after(sim.random.time(0.3...3)) { [self] in
            guard current == generation else { return }
            isConnecting = false
            guard let server = other.postgres.server, server.acceptsSessions, server.phase == .primary,
                machine.daemon.route.epoch == epoch, machine.daemon.route.primary == target
            else { return }
            sim.checks.proxies.connected(machine, to: server, epoch: epoch, sim)
            let new = SimSession(client: self, server: server, epoch: epoch)
            server.sessions.append(new)
            session = new
        }
    }

    private func write(_ session: SimSession) {
        let other = sim.machine { $0.postgres.server === session.server }
        guard let other, let delay = sim.network.streamDelay(machine.index, other.index) else { return }
        let row = sim.nextRow()
        waitsFor = row
        waitsSince = sim.now
        sim.after(delay, on: session.server.process) { other.postgres.insert(row, session) }
    }

    /// The server answered.
    func acknowledged(_ row: UInt64, in session: SimSession) {
        guard session === self.session, let other = sim.machine({ $0.postgres.server === session.server }),
            let delay = sim.network.streamDelay(other.index, machine.index)
        else { return }
        let current = generation
        sim.after(delay) { [self] in
            guard current == generation, waitsFor == row, self.session === session else { return }
            waitsFor = nil
            longestPause = max(longestPause, sim.now - lastAcknowledgedAt)
            lastAcknowledgedAt = sim.now
            acknowledgedRows.append(row)
        }
    }

    // MARK: The end of a session

    func lost(_ session: SimSession) {
        session.isOpen = false
        if self.session === session { drop("the server ended the session") }
    }

    /// PX1: sessions of a lower epoch are cut, and those of a server that must lose them.
    func routeChanged(_ table: RoutingTable) {
        guard let session else { return }
        let server = sim.machine { $0.postgres.server === session.server }
        let isCut = server.map { table.cut[$0.name] != nil } ?? true
        if session.epoch < table.epoch || isCut { drop("the proxy cut the session") }
    }

    func proxyDied() {
        isConnecting = false
        generation += 1
        drop("the proxy died")
        begin()
    }

    private func drop(_ why: String) {
        if let session {
            session.isOpen = false
            session.server.sessions.removeAll { $0 === session }
        }
        session = nil
        waitsFor = nil
    }
}

extension Simulation {
    func machine(_ condition: (SimMachine) -> Bool) -> SimMachine? { machines.first(where: condition) }
}

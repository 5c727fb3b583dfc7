import ClusterModel
import FailoverCore

/// The guard's shell around `GuardCore`: what `GuardLoop` does, over the simulated server.
package final class SimGuard {
    static let specification = PostmasterSpec(
        program: "postgres", arguments: [], environment: [], dataDirectory: "data", logFile: "log")

    unowned let machine: SimMachine
    private var sim: Simulation { machine.sim }
    package let process = SimProcess()
    package private(set) var core: GuardCore?
    /// The state file.
    private var saved: SavedGuardState?
    private var daemonLife: Int?
    private var timer = 0
    private var pending: [GuardInput] = []
    private var isFeeding = false
    private var wireFreeAt: Int64 = 0

    init(_ machine: SimMachine) { self.machine = machine }

    func start() {
        process.begin()
        sim.tell("\(machine.name) guard starts")
        daemonLife = nil
        pending = []
        isFeeding = false
        core = GuardCore(incarnation: GuardIncarnation(rawValue: sim.random.wide()), saved: saved)
        feed(.tick)
    }

    /// The kernel kills the server with its parent (SIGQUIT), unless the daemon does it itself.
    package func kill(tellingDaemon: Bool = true) {
        guard process.isAlive else { return }
        sim.tell("\(machine.name) guard dies")
        process.end()
        core = nil
        timer += 1
        machine.postgres.signal(.immediate)
        guard tellingDaemon else { return }
        sim.after(sim.random.time(0.1...1), on: machine.daemon.process) { [self] in machine.daemon.guardDied() }
    }

    func powerLost() {
        process.end()
        core = nil
        timer += 1
    }

    func welcome(daemon life: Int) -> GuardStatus {
        daemonLife = life
        feed(.cluster(machine.cluster))
        return core?.status ?? GuardStatus(incarnation: GuardIncarnation(rawValue: 0))
    }

    func obey(_ order: GuardOrder) {
        guard daemonLife == machine.daemon.process.life else { return }
        switch order {
        case .startStandby, .startInPlace:
            feed(
                .order(
                    order, standbySignal: machine.postgres.files.hasStandbySignal,
                    processes: machine.postgres.sweep(kill: false)))
        case .adopt(let request):
            let fits = machine.postgres.stranger?.pid == request.pid
            feed(
                .order(
                    order, standbySignal: machine.postgres.files.hasStandbySignal, mismatch: fits ? nil : "another process"))
        default: feed(.order(order))
        }
    }

    /// One input and everything that follows from it at once.
    func feed(_ input: GuardInput) {
        guard process.isAlive, !process.isFrozen else { return }
        pending.append(input)
        guard !isFeeding else { return }
        isFeeding = true
        defer { isFeeding = false }
        while !pending.isEmpty {
            let before = core?.status.state
            let effects = core?.step(pending.removeFirst(), now: machine.stamp) ?? []
            if let status = core?.status, status.state != before {
                sim.tell(
                    "\(machine.name) guard \(status.state.rawValue) token \(status.token?.description ?? "none") \(status.fenceReason ?? "")"
                )
            }
            // A running server that was taken over serves under the token of its first lease (4.12).
            if core?.status.state == .primary, let token = core?.status.token { machine.postgres.server?.token = token }
            for effect in effects { perform(effect) }
        }
    }

    private func perform(_ effect: GuardEffect) {
        switch effect {
        case .spawn:
            if machine.postgres.spawn(token: core?.status.token) {
                pending.append(.postmasterStarted(pid: machine.postgres.server?.pid ?? 0))
            } else {
                pending.append(.postmasterExited(waitStatus: 127 << 8))
            }
        case .takeCustody(let pid):
            let isThere = machine.postgres.stranger?.pid == pid
            pending.append(isThere ? .postmasterStarted(pid: pid) : .postmasterExited(waitStatus: -1))
        case .identifyStranger: pending.append(.strangerIdentified(machine.postgres.stranger))
        case .signalPostmaster(let signal): machine.postgres.signal(signal, token: core?.status.token)
        case .sweep(let kill): pending.append(.sweepResult(processesLeft: machine.postgres.sweep(kill: kill)))
        case .report(let report): self.report(report)
        case .saveState: saved = core?.saved
        case .setTimer(let instant): setTimer(instant)
        case .exit:
            process.end()
            core = nil
        }
    }

    private func report(_ report: GuardReport) {
        guard let life = daemonLife, life == machine.daemon.process.life else { return }
        toDaemon { [self] in machine.daemon.reported(report) }
    }

    /// The wire to the daemon keeps its order.
    func toDaemon(_ action: @escaping () -> Void) {
        wireFreeAt = max(wireFreeAt, sim.now + sim.random.time(0.05...0.3))
        let life = process.life
        sim.after(wireFreeAt - sim.now, on: machine.daemon.process) { [self] in
            if process.isAlive, process.life == life { action() }
        }
    }

    /// The timer counts the machine's own time and fires when it wakes up.
    private func setTimer(_ instant: ClockStamp?) {
        timer += 1
        guard let instant else { return }
        let current = timer
        sim.after(machine.clock.delay(until: instant, now: sim.now), on: process) { [self] in
            guard current == timer else { return }
            if machine.stamp.raw >= instant.raw { feed(.tick) } else { setTimer(instant) }
        }
    }

    /// The postmaster of the last `spawn` ended.
    func postmasterEnded(_ waitStatus: Int32) {
        sim.after(sim.random.time(0.1...1.5), on: process) { [self] in feed(.postmasterExited(waitStatus: waitStatus)) }
    }
}

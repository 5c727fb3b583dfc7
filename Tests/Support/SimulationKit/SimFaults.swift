import ClusterModel
import FailoverCore

/// Draws faults at random times, and heals everything in the end.
package final class SimFaults {
    private unowned let sim: Simulation
    private var random: SimRandom
    private var isActive = false
    package private(set) var count = 0

    init(_ sim: Simulation) {
        self.sim = sim
        random = SimRandom(seed: sim.plan.seed ^ 0xFA17)
    }

    package func begin() {
        isActive = true
        next()
    }

    private func next() {
        sim.after(random.time(sim.plan.faultInterval)) { [self] in
            guard isActive else { return }
            if let fault = random.pick(sim.plan.faults), let machine = random.pick(sim.machines) { inject(fault, machine) }
            next()
        }
    }

    package func heal() {
        isActive = false
        sim.tell("everything heals")
        sim.network.healAll()
        sim.network.weather = SimNetwork.Weather()
        for machine in sim.machines {
            if machine.isSuspended { machine.resume() }
            if !machine.isUp { machine.boot() }
            machine.guardian.process.thaw()
            machine.postgres.thaw()
            machine.daemon.process.thaw()
            machine.postgres.stalledUntil = 0
            machine.postgres.unkillableFor = 0
            machine.daemon.start(after: milliseconds(100))
        }
        sim.checks.writers.woke(sim)
        resumeAutomation(rounds: 10)
    }

    /// - Parameter rounds: An order that was on its way when everything healed may be carried out after that: so many seconds
    ///   it is looked for, also when nothing is to be taken back.
    private func resumeAutomation(rounds: Int) {
        let nodes = sim.leaderState?.sortedNodes ?? []
        let ordered = nodes.filter { $0.drained || $0.standing == .fenced }
        guard rounds > 0 || sim.leader == nil || sim.leaderState?.paused != nil || !ordered.isEmpty else { return }
        if sim.leaderState?.paused != nil { sim.operators?.ask(.resume) }
        for node in ordered {
            if node.drained { sim.operators?.ask(.undrain(node: node.name)) }
            if node.standing == .fenced { sim.operators?.ask(.unfence(node: node.name)) }
        }
        sim.after(seconds(1)) { [self] in resumeAutomation(rounds: rounds - 1) }
    }

    package func inject(_ fault: SimPlan.Fault, _ machine: SimMachine) {
        count += 1
        guard respectsScheduling(fault, machine) else { return }
        sim.tell("fault \(fault.rawValue) on \(machine.name)")
        switch fault {
        case .killDaemon: machine.daemon.kill()
        case .freezeDaemon: freeze(machine.daemon.process, random.time(100...6000))
        case .killGuard: machine.guardian.kill()
        case .freezeGuard: freeze(machine.guardian.process, random.time(100...6000))
        case .killPostmaster: machine.postgres.killPostmaster()
        case .killServer: machine.postgres.sweep(kill: true)
        case .freezePostgres:
            machine.postgres.freeze()
            sim.after(random.time(50...4000)) { if !machine.isSuspended { machine.postgres.thaw() } }
        case .crash: crash(machine)
        case .crashAll:
            guard random.chance(0.3) else { return }
            for machine in sim.machines { crash(machine) }
        case .suspend:
            machine.suspend()
            sim.after(random.time(50...6000)) { [self] in
                machine.resume()
                sim.checks.writers.woke(sim)
            }
        case .partition, .oneWay, .isolatePrimary, .isolateLeader, .mutePrimary: cut(fault, machine)
        case .stallDisk:
            machine.postgres.stall(for: random.time(100...6000))
            if random.chance(0.5) { machine.disk.stall(until: sim.now + random.time(50...2500)) }
        case .unkillable: machine.postgres.unkillableFor = random.time(100...3000)
        default: operate(fault, machine)
        }
    }

    /// AS2: while PostgreSQL runs, the guard or the daemon runs as well.
    private func respectsScheduling(_ fault: SimPlan.Fault, _ machine: SimMachine) -> Bool {
        if sim.plan.breaksClocks { return true }
        return switch fault {
        case .killDaemon, .freezeDaemon, .stopDaemon: !machine.guardian.process.isFrozen
        case .freezeGuard: machine.daemon.isAtWork
        default: true
        }
    }

    package func remove(_ machine: SimMachine) { sim.operators?.remove(machine) }

    private func operate(_ fault: SimPlan.Fault, _ machine: SimMachine) {
        switch fault {
        case .failover: sim.operators?.ask(.failover(to: random.chance(0.5) ? machine.name : nil, allowDataLossBytes: nil))
        case .switchover:
            sim.operators?.ask(.switchover(to: random.chance(0.5) ? machine.name : nil, maxLagBytes: nil, maxTransactionSeconds: nil))
        case .pause: sim.operators?.ask(.pause(forSeconds: random.real(1...6), reason: "maintenance"))
        case .transfer: sim.operators?.ask(.transferLeadership(to: random.chance(0.5) ? machine.name : nil))
        case .removeNode: if random.chance(0.3) { sim.operators?.remove(machine) }
        case .stopDaemon:
            machine.daemon.stop()
            let back = random.time(200...8000)
            sim.after(seconds(6)) { [self] in
                machine.guardian.process.thaw()
                if machine.daemon.process.isAlive { machine.daemon.end(losing: false) }
                sim.after(back) { machine.daemon.start(after: 0) }
            }
        case .reinitialize:
            let method: ReinitializeMethod = random.chance(0.5) ? .rewind : .basebackup
            if random.chance(0.3) { sim.operators?.ask(.reinitialize(node: machine.name, from: nil, method: method)) }
        case .drain:
            let isDrained = sim.leaderState?.nodes[machine.name]?.drained == true
            sim.operators?.ask(isDrained ? .undrain(node: machine.name) : .drain(node: machine.name, timeoutSeconds: 2))
        case .fence:
            let isFenced = sim.leaderState?.nodes[machine.name]?.standing == .fenced
            sim.operators?.ask(isFenced ? .unfence(node: machine.name) : .fence(node: machine.name))
        case .restartServer: sim.operators?.ask(.restart(node: random.chance(0.5) ? sim.primary?.name ?? machine.name : machine.name))
        case .takeHold:
            sim.primary?.daemon.request(.takeHold(seconds: random.real(2...8))) { _ in }
            let node = machine.name
            if random.chance(0.5) { sim.after(random.time(500...4000)) { [self] in sim.operators?.ask(.releaseHold(node: node)) } }
        case .cancel:
            if let operation = sim.leaderState?.operation { sim.operators?.ask(.cancelOperation(id: operation.id)) }
        default: break
        }
    }

    private func freeze(_ process: SimProcess, _ duration: Int64) {
        process.freeze()
        let life = process.life
        sim.after(duration) { if process.life == life { process.thaw() } }
    }

    private func crash(_ machine: SimMachine) {
        machine.crash()
        sim.after(random.time(300...8000)) { machine.boot() }
    }

    private func cut(_ fault: SimPlan.Fault, _ machine: SimMachine) {
        let victim =
            switch fault {
            case .isolatePrimary, .mutePrimary: sim.primary ?? machine
            case .isolateLeader: sim.leader ?? machine
            default: machine
            }
        switch fault {
        case .mutePrimary: sim.network.mute(victim.index)
        case .oneWay:
            let inward = random.chance(0.5)
            sim.network.isolate(victim.index, inward: inward, outward: !inward)
        case .partition:
            if let other = random.pick(sim.machines), other.index != victim.index {
                sim.network.set(victim.index, other.index, isCut: true)
                sim.network.set(other.index, victim.index, isCut: true)
            }
        default: sim.network.isolate(victim.index)
        }
        sim.after(random.time(200...8000)) { [self] in if isActive { sim.network.heal(victim.index) } }
    }
}

import ClusterModel
import NodeCore

/// The adapter of the virtual address and the kernel behind it: an address with an end (VI2).
///
/// Limit: a suspended machine loses it at once; a real one has it for a moment after it wakes up.
package final class SimAddress {
    private unowned let machine: SimMachine
    private var sim: Simulation { machine.sim }
    private var issued: VirtualAddressOrder?
    private var order: VirtualAddressOrder?
    private var isProbing = false
    private var isHeld = false
    private var endsAt: Int64 = 0
    /// How often this machine took it.
    package private(set) var takeovers = 0

    init(_ machine: SimMachine) { self.machine = machine }

    package var isPresent: Bool { endsAt > sim.now }

    /// The machine lost power, or sleeps.
    func vanish() { endsAt = 0 }

    /// A daemon starts: what is left over goes, unless a hold let it stay.
    func daemonStarted() {
        (issued, order, isProbing, isHeld, answered) = (nil, nil, false, false, 0)
        let adopts = machine.sim.plan.settings.virtualAddress?.follows == .primary && isPresent
        if adopts { isHeld = true } else { vanish() }
        sim.after(milliseconds(100), on: machine.daemon.process) { [self] in watch() }
    }

    /// The daemon ended in good order.
    func daemonStopped() {
        // What was ordered is carried out before the daemon ends.
        if case .hold(let until, outlivesDaemon: true)? = issued?.kind, isHeld { return set(until, true) }
        vanish()
    }

    func obey(_ order: VirtualAddressOrder) {
        issued = order
        sim.after(sim.random.time(0.05...2), on: machine.daemon.process) { [self] in
            guard order.number > self.order?.number ?? 0 else { return }
            self.order = order
            act()
        }
    }

    private func watch() {
        act()
        sim.after(milliseconds(100), on: machine.daemon.process) { [self] in watch() }
    }

    private func act() {
        switch order?.kind {
        case nil: break
        case .drop:
            leave()
            if let order, order.number != answered { report(order.number) }
        case .hold(let until, let outlives):
            let stamp = machine.stamp
            guard stamp.raw < until.raw, !stamp.wasSuspended(since: until) else {
                let had = isHeld
                leave()
                if had, let order { report(order.number) }
                return
            }
            if isHeld { return set(until, outlives) }
            guard !isProbing else { return }
            isProbing = true
            sim.after(milliseconds(300), on: machine.daemon.process) { [self] in take() }
        }
    }

    private func take() {
        guard isProbing else { return }
        isProbing = false
        guard case .hold(let until, let outlives)? = order?.kind, let order else { return }
        let stamp = machine.stamp
        guard until.since(stamp) >= .milliseconds(2500), !stamp.wasSuspended(since: until) else { return }
        isHeld = true
        takeovers += 1
        set(until, outlives)
        report(order.number)
    }

    private func set(_ until: ClockStamp, _ outlives: Bool) {
        let remaining = until.since(machine.stamp)
        guard remaining >= .milliseconds(2500) else { return }
        let lifetime = outlives ? max(2, remaining.inMilliseconds / 1000 - 1) : 2
        endsAt = sim.now + seconds(Double(lifetime)) + sim.random.time(0...100)
        guard !sim.plan.breaksClocks else { return }
        for other in sim.machines where other !== machine && other.address.isPresent {
            sim.violate("VI1", "the virtual address is on \(machine.name) and on \(other.name)")
        }
    }

    private var answered: UInt64 = 0

    private func leave() {
        isProbing = false
        isHeld = false
        vanish()
    }

    private func report(_ number: UInt64) {
        answered = number
        machine.daemon.feed(.addressReported(VirtualAddressStatus(order: number, holds: isHeld)))
    }
}

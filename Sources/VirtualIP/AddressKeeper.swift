import ClusterModel
import Dispatch

/// What the keeper needs to know of the configuration.
package struct AddressKeeperSettings: Sendable, Hashable {
    /// 4 or 16 bytes, network order.
    package var address: [UInt8]
    package var prefixLength: Int
    package var interface: String
    package var renewInterval: Duration
    /// A left-over address with an end is taken over at the start: a restart hold let it outlive the daemon (VI2).
    package var adoptsLeftOver: Bool
    package init(address: [UInt8], prefixLength: Int, interface: String, renewInterval: Duration, adoptsLeftOver: Bool) {
        self.address = address
        self.prefixLength = prefixLength
        self.interface = interface
        self.renewInterval = renewInterval
        self.adoptsLeftOver = adoptsLeftOver
    }
}

/// Puts the virtual address on an interface and takes it away, as it is ordered (VI2, VI3).
///
/// - Safety: everything mutable is touched on `queue` only. The address has a lifetime in the kernel, so it goes away by
///   itself when this process is dead or frozen.
package final class AddressKeeper: @unchecked Sendable {
    /// VI2: what the kernel is told, and what must remain of the lease for that. The kernel needs up to 0.1 s more.
    static let lifetimeSeconds: UInt32 = 2
    static let refreshMargin = Duration.milliseconds(2500)
    private static let refreshInterval = Duration.milliseconds(300)
    private static let probes = 3
    private static let probeInterval = Duration.milliseconds(100)
    private static let announcements = 3
    private static let announcementInterval = Duration.milliseconds(400)
    private static let retryInterval = Duration.seconds(1)

    private enum State {
        case absent(retryAt: ClockStamp?)
        case probing(sent: Int, nextAt: ClockStamp)
        case present
    }

    private let queue = DispatchQueue(label: "pgbastion.address", qos: .userInteractive)
    private let settings: AddressKeeperSettings
    private let machine: MachineAddress
    private let clock: @Sendable () -> ClockStamp
    private let onStatus: @Sendable (VirtualAddressStatus) -> Void
    private var timer: (any DispatchSourceTimer)?
    private var order: VirtualAddressOrder?
    private var state = State.absent(retryAt: nil)
    private var status = VirtualAddressStatus()
    private var reported: VirtualAddressStatus?
    private var socket: NeighbourSocket?
    private var refreshedAt: ClockStamp?
    private var announcementsLeft = 0
    private var announceAt: ClockStamp?
    private var renewAt: ClockStamp?
    private var heardStranger: String?
    private var wasUp = true
    private var isStopped = false

    package init(
        settings: AddressKeeperSettings, clock: @escaping @Sendable () -> ClockStamp,
        onStatus: @escaping @Sendable (VirtualAddressStatus) -> Void
    ) {
        self.settings = settings
        self.clock = clock
        self.onStatus = onStatus
        machine = MachineAddress(bytes: settings.address, prefixLength: UInt8(clamping: settings.prefixLength))
    }

    /// Removes what an earlier daemon left over, then waits for orders.
    package func start() {
        queue.async {
            self.status.missingCapabilities = AddressCapabilities.missing
            self.clearLeftOver()
            let timer = DispatchSource.makeTimerSource(queue: self.queue)
            timer.schedule(deadline: .now(), repeating: .milliseconds(100), leeway: .milliseconds(5))
            timer.setEventHandler { [weak self] in self?.act() }
            self.timer = timer
            timer.resume()
        }
    }

    /// The address goes, unless a restart hold lets it outlive this process.
    package func stop() {
        queue.sync {
            isStopped = true
            timer?.cancel()
            if order?.outlivesDaemon == true { return }
            leave(nil)
        }
    }

    package func apply(_ order: VirtualAddressOrder) {
        queue.async {
            guard !self.isStopped, order.number > self.order?.number ?? 0 else { return }
            // A hold begins or ends: the lifetime is another from now on, and the daemon may be about to end.
            if order.outlivesDaemon != self.order?.outlivesDaemon { self.refreshedAt = nil }
            self.order = order
            self.act()
        }
    }

    /// Announces the address again, three times (`vip reassert`); nothing when it is not held.
    package func announceAgain() {
        queue.async {
            self.beginAnnouncing()
            self.act()
        }
    }

    private func clearLeftOver() {
        do throws(BastionError) {
            let places = try machine.places()
            let mayStay = settings.adoptsLeftOver && places.allSatisfy { $0.lifetimeSeconds != nil }
            if mayStay, !places.isEmpty {
                state = .present
                status.holds = true
            } else {
                try machine.removeEverywhere()
            }
        } catch {
            status.holds = true
            state = .present
            status.reason = error.message
        }
    }

    // MARK: Acting

    private func act() {
        guard !isStopped else { return }
        defer { report() }
        guard let order else { return }
        status.order = order.number
        let now = clock()
        switch order.kind {
        case .drop: leave(nil)
        case .hold(let until, let outlives):
            if isOver(until, now) { return leave("the lease ended") }
            switch state {
            case .absent(let retryAt):
                if retryAt.map({ now.raw >= $0.raw }) ?? true { attempt { () throws(BastionError) in try arrive(now) } }
            case .probing(let sent, let nextAt):
                attempt { () throws(BastionError) in try goOnProbing(sent, nextAt, until, outlives, now) }
            case .present: attempt { () throws(BastionError) in try stay(until, outlives, now) }
            }
        }
    }

    private func isOver(_ until: ClockStamp, _ now: ClockStamp) -> Bool { now.raw >= until.raw || now.wasSuspended(since: until) }

    private func attempt(_ body: () throws(BastionError) -> Void) {
        do throws(BastionError) { try body() } catch { giveUp(error.message) }
    }

    /// VI3: nobody else may have the address.
    private func arrive(_ now: ClockStamp) throws(BastionError) {
        status.missingCapabilities = AddressCapabilities.missing
        guard status.missingCapabilities.isEmpty else {
            return giveUp("capability missing: \(status.missingCapabilities.joined(separator: ", "))")
        }
        let interface = try usableInterface()
        guard interface.hasNeighbours else {
            socket = nil
            state = .probing(sent: AddressKeeper.probes, nextAt: now)
            return act()
        }
        let socket = try NeighbourSocket(settings.address, on: interface)
        self.socket = socket
        socket.probe()
        state = .probing(sent: 1, nextAt: now.advanced(by: AddressKeeper.probeInterval))
    }

    private func usableInterface() throws(BastionError) -> NetworkInterface {
        guard let interface = NetworkInterface(named: settings.interface) else {
            throw BastionError(.notFound, "interface unknown: \(settings.interface)")
        }
        guard interface.isUp else { throw BastionError(.unavailable, "interface \(settings.interface) is down") }
        return interface
    }

    private func goOnProbing(
        _ sent: Int, _ nextAt: ClockStamp, _ until: ClockStamp, _ outlives: Bool, _ now: ClockStamp
    ) throws(BastionError) {
        if let stranger = socket?.stranger() { return giveUp("address in use by \(stranger)") }
        guard now.raw >= nextAt.raw else { return }
        guard sent >= AddressKeeper.probes else {
            socket?.probe()
            state = .probing(sent: sent + 1, nextAt: now.advanced(by: AddressKeeper.probeInterval))
            return
        }
        guard try set(until, outlives, now) else { return }
        state = .present
        status.holds = true
        status.reason = nil
        wasUp = true
        beginAnnouncing()
        announce(now)
    }

    /// Sets the address with its lifetime when enough of the lease remains. Returns whether it did.
    private func set(_ until: ClockStamp, _ outlives: Bool, _ now: ClockStamp) throws(BastionError) -> Bool {
        let remaining = until.since(now)
        guard remaining >= AddressKeeper.refreshMargin else { return false }
        let interface = try usableInterface()
        var seconds = AddressKeeper.lifetimeSeconds
        if outlives { seconds = max(seconds, UInt32(clamping: remaining.inMilliseconds / 1000 - 1)) }
        try machine.set(on: interface, seconds: seconds)
        refreshedAt = now
        // Limit: this process may have been frozen between the look at the clock and the system call.
        let after = clock()
        if isOver(until, after) || until.since(after) < .seconds(Int64(AddressKeeper.lifetimeSeconds)) {
            leave("the lease ended")
            return false
        }
        return true
    }

    private func stay(_ until: ClockStamp, _ outlives: Bool, _ now: ClockStamp) throws(BastionError) {
        if refreshedAt.map({ now.since($0) >= AddressKeeper.refreshInterval }) ?? true { try refresh(until, outlives, now) }
        guard case .present = state else { return }
        listen()
        announce(now)
    }

    private func refresh(_ until: ClockStamp, _ outlives: Bool, _ now: ClockStamp) throws(BastionError) {
        guard let interface = NetworkInterface(named: settings.interface) else {
            throw BastionError(.notFound, "interface unknown: \(settings.interface)")
        }
        if !interface.isUp {
            status.reason = "interface \(settings.interface) is down"
        } else if !wasUp || socket == nil {
            status.reason = nil
            socket = interface.hasNeighbours ? try NeighbourSocket(settings.address, on: interface) : nil
            beginAnnouncing()
        }
        wasUp = interface.isUp
        guard interface.isUp else { return }
        _ = try set(until, outlives, now)
    }

    /// It was there, or was about to be: it is removed, and tried again later.
    private func giveUp(_ reason: String) {
        leave(reason)
        state = .absent(retryAt: clock().advanced(by: AddressKeeper.retryInterval))
    }

    private func leave(_ reason: String?) {
        status.reason = reason
        socket = nil
        refreshedAt = nil
        (announcementsLeft, announceAt, renewAt, heardStranger) = (0, nil, nil, nil)
        status.duplicateMAC = nil
        guard status.holds else {
            state = .absent(retryAt: nil)
            return
        }
        do throws(BastionError) {
            try machine.removeEverywhere()
            status.holds = false
            state = .absent(retryAt: nil)
        } catch {
            // It is tried again with the next tick; the kernel ends it in any case.
            status.reason = error.message
        }
    }

    // MARK: Announcing

    private func beginAnnouncing() {
        announcementsLeft = AddressKeeper.announcements
        announceAt = nil
        renewAt = nil
    }

    /// Three in the first second, then one at every renewal, with a question whether somebody else answers.
    private func announce(_ now: ClockStamp) {
        guard let socket else { return }
        if announcementsLeft > 0 {
            guard announceAt.map({ now.raw >= $0.raw }) ?? true else { return }
            socket.announce()
            announcementsLeft -= 1
            announceAt = now.advanced(by: AddressKeeper.announcementInterval)
            renewAt = now.advanced(by: settings.renewInterval)
        } else if renewAt.map({ now.raw >= $0.raw }) ?? true {
            status.duplicateMAC = heardStranger
            heardStranger = nil
            socket.announce()
            socket.probe()
            renewAt = now.advanced(by: settings.renewInterval)
        }
    }

    private func listen() {
        guard let stranger = socket?.stranger() else { return }
        heardStranger = stranger
        status.duplicateMAC = stranger
    }

    /// A changed status, and the answer to an order to drop the address.
    private func report() {
        var isAnswer = false
        if case .drop? = order?.kind, reported?.order != status.order { isAnswer = true }
        var compared = status
        compared.order = reported?.order ?? 0
        guard isAnswer || reported == nil || compared != reported else { return }
        reported = status
        onStatus(status)
    }
}

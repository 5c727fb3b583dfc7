import CLinux
import ClusterModel
import Glibc
import Synchronization
import Testing

@testable import VirtualIP

/// VI2, VI3 with real interfaces and a second host. Needs root, or `unshare -Urn` around the whole command.
@Suite(.serialized) struct AddressKeeperTests {
    /// A keeper of one address on a wire, and what it said.
    private final class Stand: Sendable {
        let wire: Wire
        let keeper: AddressKeeper
        let address: String
        private let said: Said
        private let number = Atomic<UInt64>(0)

        init(
            _ wire: Wire, address: String = "10.77.0.100", interface: String? = nil, renewInterval: Duration = .seconds(1),
            adopts: Bool = false
        ) throws {
            self.wire = wire
            self.address = address
            let isIPv6 = address.contains(":")
            var bytes = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
            guard inet_pton(isIPv6 ? AF_INET6 : AF_INET, address, &bytes) == 1 else { throw WireFailure("\(address) is no address") }
            let statuses = Said()
            said = statuses
            keeper = AddressKeeper(
                settings: AddressKeeperSettings(
                    address: bytes, prefixLength: isIPv6 ? 64 : 24, interface: interface ?? wire.interface,
                    renewInterval: renewInterval, adoptsLeftOver: adopts),
                clock: { Stand.now }, onStatus: { status in statuses.list.withLock { $0.append(status) } })
            keeper.start()
        }

        static var now: ClockStamp {
            var stamp = ClockStamp(raw: 0)
            pgb_clock_stamp(&stamp.raw, &stamp.suspended)
            return stamp
        }

        var last: VirtualAddressStatus? { said.list.withLock { $0.last } }

        func hold(for duration: Duration, outlives: Bool = false) {
            order(.hold(until: Stand.now.advanced(by: duration), outlivesDaemon: outlives))
        }
        func drop() { order(.drop(reason: "test")) }
        private func order(_ kind: VirtualAddressOrder.Kind) {
            keeper.apply(VirtualAddressOrder(number: number.add(1, ordering: .relaxed).newValue, kind: kind))
        }

        func isHeld() throws {
            try waitUntil("\(address) is held; said \(String(describing: last))") { try last?.holds == true && wire.has(address) }
        }
        func isGone(within limit: Duration = .seconds(10)) throws {
            try waitUntil("\(address) is gone", within: limit) { try !wire.has(address) }
        }
        func refuses(_ reason: String) throws {
            try waitUntil("the reason \"\(reason)\"; said \(String(describing: last))") { last?.reason?.contains(reason) == true }
        }
    }

    private final class Said: Sendable { let list = Mutex<[VirtualAddressStatus]>([]) }

    private func onWire(_ body: (Wire) throws -> Void) throws {
        let wire = try Wire()
        defer { wire.remove() }
        try body(wire)
    }

    @Test(arguments: ["10.77.0.100", "fd77::100"])
    func `it is added on order, reachable from the other host, and removed on order`(address: String) throws {
        try onWire { wire in
            let stand = try Stand(wire, address: address)
            defer { stand.keeper.stop() }
            stand.hold(for: .seconds(60))
            try stand.isHeld()
            try wire.far("ping -c 1 -W 5 \(address)")
            stand.drop()
            try stand.isGone()
            try waitUntil("the answer to the order") { stand.last?.holds == false && stand.last?.order == 2 }
        }
    }

    @Test(arguments: ["10.77.0.100", "fd77::100"])
    func `the kernel removes it when the order is not renewed, before the lease ends`(address: String) throws {
        try onWire { wire in
            let stand = try Stand(wire, address: address)
            defer { stand.keeper.stop() }
            let ends = ContinuousClock.now + .seconds(4)
            stand.hold(for: .seconds(4))
            try stand.isHeld()
            let seen = try Wire.run("ip address show dev \(wire.interface)")
            #expect(seen.contains("valid_lft 2sec") || seen.contains("valid_lft 1sec"), "\(seen)")
            try stand.isGone()
            #expect(ContinuousClock.now <= ends + .milliseconds(200))
        }
    }

    @Test func `a lease with less than 2.5 s left adds nothing`() throws {
        try onWire { wire in
            let stand = try Stand(wire)
            defer { stand.keeper.stop() }
            stand.hold(for: .milliseconds(2400))
            try waitUntil("the end of the lease") { stand.last?.reason == "the lease ended" }
            #expect(try !wire.has("10.77.0.100"))
        }
    }

    @Test(arguments: ["10.77.0.100", "fd77::100"])
    func `an address in use by a stranger is refused with its MAC address, and taken when the stranger leaves`(address: String) throws {
        try onWire { wire in
            let isIPv6 = address.contains(":")
            let place = isIPv6 ? "-6 address" : "address"
            let length = isIPv6 ? "64" : "24"
            try wire.far("ip \(place) add \(address)/\(length) dev eth0 \(isIPv6 ? "nodad" : "")")
            let stand = try Stand(wire, address: address)
            defer { stand.keeper.stop() }
            stand.hold(for: .seconds(60))
            try stand.refuses("address in use by \(try wire.farHardware())")
            #expect(try !wire.has(address))
            try wire.far("ip \(place) del \(address)/\(length) dev eth0")
            try stand.isHeld()
            #expect(stand.last?.reason == nil)
        }
    }

    @Test func `somebody who takes the address later is named`() throws {
        try onWire { wire in
            let stand = try Stand(wire)
            defer { stand.keeper.stop() }
            stand.hold(for: .seconds(60))
            try stand.isHeld()
            try wire.far("ip address add 10.77.0.100/24 dev eth0")
            let hardware = try wire.farHardware()
            try waitUntil("the stranger is named") { stand.last?.duplicateMAC == hardware }
            try wire.far("ip address del 10.77.0.100/24 dev eth0")
            try waitUntil("the stranger is forgotten") { stand.last?.duplicateMAC == nil }
        }
    }

    @Test func `after adding it is announced three times, then at every renewal, and again on demand`() throws {
        try onWire { wire in
            let stand = try Stand(wire, renewInterval: .seconds(30))
            defer { stand.keeper.stop() }
            let heard = Hearer(try wire.farListener())
            defer { heard.stop() }
            stand.hold(for: .seconds(120))
            try stand.isHeld()
            try waitUntil("three announcements") { heard.announcements >= 3 }
            stand.keeper.announceAgain()
            try waitUntil("three more") { heard.announcements >= 6 }
        }
    }

    @Test func `an interface that comes up again is announced on again`() throws {
        try onWire { wire in
            let stand = try Stand(wire, renewInterval: .seconds(60))
            defer { stand.keeper.stop() }
            stand.hold(for: .seconds(120))
            try stand.isHeld()
            try Wire.run("ip link set \(wire.interface) down")
            try stand.refuses("is down")
            let heard = Hearer(try wire.farListener())
            defer { heard.stop() }
            try Wire.run("ip link set \(wire.interface) up")
            try waitUntil("three announcements") { heard.announcements >= 3 }
            #expect(try wire.has("10.77.0.100"))
        }
    }

    @Test func `what an earlier daemon left over is removed at the start, or kept when a hold let it stay`() throws {
        try onWire { wire in
            try Wire.run("ip address add 10.77.0.100/24 dev \(wire.interface)")
            let first = try Stand(wire)
            try first.isGone()
            first.keeper.stop()
            try Wire.run("ip address add 10.77.0.100/24 dev \(wire.interface) valid_lft 60 preferred_lft 60")
            let second = try Stand(wire, adopts: true)
            second.hold(for: .seconds(60))
            try second.isHeld()
            second.keeper.stop()
            #expect(try !wire.has("10.77.0.100"))
        }
    }

    @Test func `during a restart hold it outlives the daemon`() throws {
        try onWire { wire in
            let stand = try Stand(wire)
            stand.hold(for: .seconds(60), outlives: true)
            try stand.isHeld()
            stand.keeper.stop()
            let seen = try Wire.run("ip address show dev \(wire.interface)")
            #expect(seen.contains("valid_lft 58sec") || seen.contains("valid_lft 57sec"), "\(seen)")
        }
    }

    @Test func `an unknown interface is named`() throws {
        try onWire { wire in
            let stand = try Stand(wire, interface: "nosuch0")
            defer { stand.keeper.stop() }
            stand.hold(for: .seconds(60))
            try stand.refuses("interface unknown: nosuch0")
        }
    }

    @Test func `loopback needs no question and no announcement`() throws {
        try onWire { wire in
            let stand = try Stand(wire, interface: "lo")
            stand.hold(for: .seconds(60))
            try waitUntil("it is held") { stand.last?.holds == true }
            #expect(try Wire.run("ip address show dev lo").contains("10.77.0.100"))
            stand.keeper.stop()
            #expect(try !Wire.run("ip address show dev lo").contains("10.77.0.100"))
        }
    }
}

import CLinux
import ClusterModel
import Glibc

/// A network interface of this machine as it is now.
struct NetworkInterface: Sendable, Hashable {
    let name: String
    let index: UInt32
    let isUp: Bool
    /// Neighbours are asked and told by ARP or neighbour discovery; not so on loopback.
    let hasNeighbours: Bool
    let hardware: [UInt8]

    /// nil when there is none of that name.
    init?(named name: String) {
        var found = pgb_interface()
        guard pgb_interface_find(name, &found) == 0 else { return nil }
        self.name = name
        index = found.index
        isUp = found.is_up != 0
        hasNeighbours = found.has_neighbours != 0
        hardware = withUnsafeBytes(of: found.hardware) { Array($0) }
    }
}

/// One address on interfaces of this machine (rtnetlink).
struct MachineAddress: Sendable {
    let bytes: [UInt8]
    let prefixLength: UInt8

    struct Place: Sendable, Hashable {
        var interface: UInt32
        var prefixLength: UInt8
        /// nil: for ever.
        var lifetimeSeconds: UInt32?
    }

    func places() throws(BastionError) -> [Place] {
        var found = [pgb_address_place](repeating: pgb_address_place(), count: 16)
        let count = pgb_address_find(bytes, bytes.count, &found, Int32(found.count))
        guard count >= 0 else { throw SystemFailure.error("could not list the addresses of this machine", needs: nil) }
        return found.prefix(Int(count)).map {
            Place(
                interface: $0.interface, prefixLength: $0.prefix,
                lifetimeSeconds: $0.lifetime == UInt32.max ? nil : $0.lifetime)
        }
    }

    /// Adds it, or renews its lifetime.
    func set(on interface: NetworkInterface, seconds: UInt32) throws(BastionError) {
        guard pgb_address_set(interface.index, bytes, bytes.count, prefixLength, seconds) == 0 else {
            throw SystemFailure.error("could not add the address to \"\(interface.name)\"", needs: "CAP_NET_ADMIN")
        }
    }

    /// Removes it from everywhere; nothing to remove is success.
    func removeEverywhere() throws(BastionError) {
        for place in try places() {
            guard pgb_address_delete(place.interface, bytes, bytes.count, place.prefixLength) != 0 else { continue }
            guard errno != EADDRNOTAVAIL, errno != ENODEV else { continue }
            throw SystemFailure.error("could not remove the address", needs: "CAP_NET_ADMIN")
        }
    }
}

/// What the kernel refused.
enum SystemFailure {
    /// - Parameter needs: The capability whose absence EPERM means.
    static func error(_ message: String, needs capability: String?) -> BastionError {
        let code = errno
        if let capability, code == EPERM || code == EACCES {
            return BastionError(.forbidden, "capability missing: \(capability)", detail: message)
        }
        return BastionError(.io, "\(message): \(String(cString: strerror(code)))")
    }
}

/// What this process may do with addresses.
package enum AddressCapabilities {
    private static let needed: [(bit: Int32, name: String)] = [
        (PGB_CAP_NET_ADMIN, "CAP_NET_ADMIN"), (PGB_CAP_NET_RAW, "CAP_NET_RAW"),
    ]

    package static var missing: [String] {
        let effective = pgb_capabilities()
        return needed.filter { effective & (1 << UInt64($0.bit)) == 0 }.map(\.name)
    }

    /// Programs that this process starts do not get them: PostgreSQL has no use for them.
    package static func keepPrivate() {
        for capability in needed { _ = pgb_capability_keep_private(capability.bit) }
    }
}

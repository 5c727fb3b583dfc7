import CLinux
import ClusterModel
import Glibc

/// Asks the link for other owners of one address, and announces it.
///
/// - Safety: used on the keeper's queue only.
final class NeighbourSocket {
    private let descriptor: Int32
    private let interface: NetworkInterface
    private let address: [UInt8]

    init(_ address: [UInt8], on interface: NetworkInterface) throws(BastionError) {
        self.address = address
        self.interface = interface
        descriptor = pgb_neighbour_socket(interface.index, address.count)
        guard descriptor >= 0 else {
            throw SystemFailure.error("could not open a packet socket on \"\(interface.name)\"", needs: "CAP_NET_RAW")
        }
    }

    deinit { close(descriptor) }

    func probe() { send(NeighbourPacket.probe(address, from: interface.hardware)) }
    func announce() { send(NeighbourPacket.announcement(address, from: interface.hardware)) }

    /// The MAC address of somebody else who has the address, among what arrived since the last call.
    func stranger() -> String? {
        var payload = [UInt8](repeating: 0, count: 256)
        var sender = [UInt8](repeating: 0, count: 6)
        var found: String?
        // Limit: what a flood leaves over is read at the next call.
        for _ in 0..<256 {
            let count = pgb_neighbour_receive(descriptor, &payload, payload.count, &sender)
            guard count > 0 else { break }
            guard sender != interface.hardware, NeighbourPacket.claims(Array(payload.prefix(count)), address) else { continue }
            found = hardwareText(sender)
        }
        return found
    }

    /// A frame that cannot be sent is like one that is lost: there are others.
    private func send(_ packet: (destination: [UInt8], payload: [UInt8])) {
        _ = pgb_neighbour_send(
            descriptor, interface.index, address.count, packet.destination, packet.payload, packet.payload.count)
    }

    private func hardwareText(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

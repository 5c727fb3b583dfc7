/// The packets that ask who has an address, and that say so: ARP (RFC 826, RFC 5227), neighbour discovery (RFC 4861).
///
/// Payloads only: the kernel writes the link header.
enum NeighbourPacket {
    static let broadcast: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    private static let allNodes: [UInt8] = [0xff, 0x02] + [UInt8](repeating: 0, count: 13) + [1]

    /// Who has `address`? Asked without an address of one's own, so that nobody learns anything from the question.
    static func probe(_ address: [UInt8], from hardware: [UInt8]) -> (destination: [UInt8], payload: [UInt8]) {
        guard address.count == 16 else {
            return (broadcast, arp(sender: hardware, [0, 0, 0, 0], target: [0, 0, 0, 0, 0, 0], address))
        }
        let group: [UInt8] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff] + address.suffix(3)
        let message: [UInt8] = [135, 0, 0, 0, 0, 0, 0, 0] + address
        let unspecified = [UInt8](repeating: 0, count: 16)
        return ([0x33, 0x33] + group.suffix(4), ipv6(message, from: unspecified, to: group))
    }

    /// Here is `address`: a gratuitous ARP request, or an unsolicited neighbour advertisement with the override flag.
    static func announcement(_ address: [UInt8], from hardware: [UInt8]) -> (destination: [UInt8], payload: [UInt8]) {
        guard address.count == 16 else {
            return (broadcast, arp(sender: hardware, address, target: [0, 0, 0, 0, 0, 0], address))
        }
        let message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + address + [2, 1] + hardware
        return ([0x33, 0x33, 0, 0, 0, 1], ipv6(message, from: address, to: allNodes))
    }

    /// The payload says that its sender has `address`.
    static func claims(_ payload: [UInt8], _ address: [UInt8]) -> Bool {
        if address.count == 16 {
            return payload.count >= 64 && payload[6] == 58 && payload[40] == 136 && Array(payload[48..<64]) == address
        }
        // Ethernet, IPv4, any operation: a request of its owner says so as well.
        guard payload.count >= 28, payload[0..<6].elementsEqual([0, 1, 8, 0, 6, 4]) else { return false }
        return Array(payload[14..<18]) == address
    }

    private static func arp(sender: [UInt8], _ senderAddress: [UInt8], target: [UInt8], _ targetAddress: [UInt8]) -> [UInt8] {
        [0, 1, 8, 0, 6, 4, 0, 1] + sender + senderAddress + target + targetAddress
    }

    /// Neighbour discovery is accepted only with hop limit 255: nobody off the link can send it.
    private static func ipv6(_ message: [UInt8], from source: [UInt8], to destination: [UInt8]) -> [UInt8] {
        let length = message.count
        var sealed = message
        let sum = checksum(source + destination + [0, 0, UInt8(length >> 8), UInt8(length & 0xff), 0, 0, 0, 58] + message)
        sealed[2] = UInt8(sum >> 8)
        sealed[3] = UInt8(sum & 0xff)
        return [0x60, 0, 0, 0, UInt8(length >> 8), UInt8(length & 0xff), 58, 255] + source + destination + sealed
    }

    /// RFC 1071.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for i in stride(from: 0, to: bytes.count, by: 2) {
            let low = i + 1 < bytes.count ? bytes[i + 1] : 0
            sum += UInt32(bytes[i]) << 8 | UInt32(low)
        }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return ~UInt16(sum)
    }
}

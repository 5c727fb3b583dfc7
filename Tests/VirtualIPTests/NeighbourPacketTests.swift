import Testing

@testable import VirtualIP

/// RFC 5227 and RFC 4861, byte by byte.
@Suite struct NeighbourPacketTests {
    private let mac: [UInt8] = [2, 0, 0, 0, 0, 7]
    private let v4: [UInt8] = [10, 0, 1, 100]
    private let v6: [UInt8] = [0xfd, 0x77] + [UInt8](repeating: 0, count: 13) + [0x10]

    @Test func `an ARP probe names no sender address`() {
        let probe = NeighbourPacket.probe(v4, from: mac)
        #expect(probe.destination == NeighbourPacket.broadcast)
        #expect(probe.payload == [0, 1, 8, 0, 6, 4, 0, 1] + mac + [0, 0, 0, 0] + [0, 0, 0, 0, 0, 0] + v4)
        #expect(!NeighbourPacket.claims(probe.payload, v4))
    }

    @Test func `a gratuitous ARP names the address on both sides`() {
        let packet = NeighbourPacket.announcement(v4, from: mac).payload
        #expect(packet == [0, 1, 8, 0, 6, 4, 0, 1] + mac + v4 + [0, 0, 0, 0, 0, 0] + v4)
        #expect(NeighbourPacket.claims(packet, v4))
        #expect(!NeighbourPacket.claims(packet, [10, 0, 1, 101]))
    }

    @Test func `a neighbour solicitation goes to the solicited-node group with hop limit 255`() {
        let probe = NeighbourPacket.probe(v6, from: mac)
        #expect(probe.destination == [0x33, 0x33, 0xff, 0, 0, 0x10])
        #expect(probe.payload[6] == 58 && probe.payload[7] == 255 && probe.payload[40] == 135)
        #expect(Array(probe.payload[8..<24]) == [UInt8](repeating: 0, count: 16))
        #expect(Array(probe.payload[48..<64]) == v6)
        #expect(isSealed(probe.payload))
    }

    @Test func `an unsolicited neighbour advertisement overrides what hosts know`() {
        let packet = NeighbourPacket.announcement(v6, from: mac).payload
        #expect(packet[40] == 136 && packet[44] == 0x20)
        #expect(Array(packet.suffix(8)) == [2, 1] + mac)
        #expect(isSealed(packet))
        #expect(NeighbourPacket.claims(packet, v6))
    }

    @Test func `short and foreign packets claim nothing`() {
        for count in 0..<64 { #expect(!NeighbourPacket.claims([UInt8](repeating: 0, count: count), count % 2 == 0 ? v4 : v6)) }
    }

    /// The sum over pseudo header and message, checksum included, is all ones (RFC 1071).
    private func isSealed(_ packet: [UInt8]) -> Bool {
        let length = packet.count - 40
        let bytes = Array(packet[8..<40]) + [0, 0, UInt8(length >> 8), UInt8(length & 0xff), 0, 0, 0, 58] + Array(packet[40...])
        var sum: UInt32 = 0
        for i in stride(from: 0, to: bytes.count, by: 2) { sum += UInt32(bytes[i]) << 8 | UInt32(bytes[i + 1]) }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return sum == 0xffff
    }
}

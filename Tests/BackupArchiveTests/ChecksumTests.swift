import Testing

@testable import BackupArchive

@Suite struct ChecksumTests {
    @Test func `the checksum of gzip is right for every length and every way to cut the bytes`() {
        #expect(crc([Array("123456789".utf8)]) == 0xcbf4_3926)
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) }
        for length in 0...bytes.count {
            let part = Array(bytes[..<length])
            let whole = bitByBit(part)
            #expect(crc([part]) == whole, "\(length) bytes")
            for cut in 0...length { #expect(crc([Array(part[..<cut]), Array(part[cut...])]) == whole, "\(length) bytes, cut at \(cut)") }
        }
    }

    private func crc(_ pieces: [[UInt8]]) -> UInt32 {
        var sum = CRC32()
        for piece in pieces { piece.withUnsafeBytes { sum.add($0) } }
        return sum.value
    }

    private func bitByBit(_ bytes: [UInt8]) -> UInt32 {
        var register: UInt32 = 0xffff_ffff
        for byte in bytes {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register & 1 == 1 ? 0xedb8_8320 ^ (register >> 1) : register >> 1 }
        }
        return ~register
    }
}
